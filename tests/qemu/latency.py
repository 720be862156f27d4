#!/usr/bin/env python3
"""latency.py: no call keeps interrupts off for longer than the bound (P34).

Under -icount a tick is an instruction, so the debug kernel's meter gives the same
figure on every machine. The programs are core-tests, less what only computes, and what
waits for a real device, whose time is not that of the instructions.
"""
import os
import re
import subprocess
import sys

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
BOUND = 20000  # instructions
TESTS = {
    'core-tests': 'vmo,vmar,clone,channel,socket,port,event,memory_is_out',
    'deaths': 'p3',
}


def worst(program, tests):
    """Instructions with interrupts off, while the program ran."""
    command = ['./jx', 'exec', '--init', '--icount', '--timeout', '100', '--append',
               f'ktest=off irq.report=1 utest={tests}', f'build/symbols/{program}']
    environment = dict(os.environ, JX_BUILT='1', JX_KERNEL='build/debug/kernel.elf')
    result = subprocess.run(command, cwd=TOP, env=environment, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    found = re.findall(rb'irq: off for at most (\d+) ticks', result.stderr)
    if result.returncode != 0 or len(found) != 1:
        sys.stdout.write(result.stdout.decode(errors='replace'))
        return None
    return int(found[0])


def main():
    failed = 0
    for program, tests in TESTS.items():
        ticks = worst(program, tests)
        print(f'{program}: interrupts off for at most {ticks} instructions (bound {BOUND})')
        failed += ticks is None or not 0 < ticks <= BOUND
    print(f'{len(TESTS) - failed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
