#!/usr/bin/env python3
"""ktest.py [--kernel debug|release] [--smp N] [--mem M] [--icount] [--words W] SUITES

Runs the kernel's own tests in a machine: `all`, `quick`, or a suite. The kernel's result line and
QEMU's exit status must agree.
"""
import argparse
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../tools'))
import machine  # noqa: E402
import symbolize  # noqa: E402

RESULT = re.compile(rb'ktest: (\d+) passed, (\d+) failed')


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--kernel', default='debug')
    parser.add_argument('--smp', type=int, default=1)
    parser.add_argument('--mem', default='256M')
    parser.add_argument('--icount', action='store_true')
    parser.add_argument('--words', default='')
    parser.add_argument('--timeout', type=float, default=150)
    parser.add_argument('suites', nargs='?', default='all')
    arguments = parser.parse_args()

    kernel = machine.built(f'{arguments.kernel}/kernel.elf')
    symbolizer = symbolize.Symbolizer({'kernel': kernel})
    text = bytearray()
    options = machine.Options(
        kernel=kernel, smp=arguments.smp, memory=arguments.mem, icount=arguments.icount,
        words=['log=debug', f'ktest={arguments.suites}', 'ktest.exit'] + arguments.words.split())
    machine.die_with_signals()
    with machine.Machine(options) as running:
        sinks = {'com1': text.extend, 'log': text.extend}
        finished = machine.Pump(running, sinks).run(arguments.timeout)
        status = running.wait(5) if finished else None
        complaint = running.complaint()
    for line in bytes(text).splitlines():
        sys.stdout.write(symbolizer.line(line).decode(errors='replace') + '\n')
    results = RESULT.findall(bytes(text))
    if complaint:
        print(f'qemu: {complaint}')
    expected = None
    if len(results) == 1:
        passed, failed = map(int, results[0])
        expected = machine.STATUS_TESTS_FAILED if failed else machine.STATUS_OK
    if status is None:
        print(f'ktest.py: no end after {arguments.timeout:g} s')
    elif status != expected:
        print(f'ktest.py: QEMU status {status}, {len(results)} result lines')
    if expected is None or status != expected:
        print('0 passed, 1 failed')
        return 1
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
