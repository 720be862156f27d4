#!/usr/bin/env python3
"""crashes.py [WAY...]: the kernel, broken on purpose, says once what happened and stops.

`crash=WAY` (kernel/arch/amd64/crash.c). Each must give its named report, with a
backtrace and the threads, and QEMU's status of a panic: never a reset (P05, P18, P33, P52).
"""
import re
import sys

import run

WAYS = {
    'stack': 'kernel stack overflow',
    'skip': 'kernel stack overflow',
    'null': 'page fault in the kernel: write of 0x8 ',
    'assert': 'assert.*boot_info.range_count == 0',
    'ud': 'undefined instruction|invalid opcode',
    'text': 'page fault in the kernel: write of 0xffffffff8',
    'df': 'double fault',
    'handler': 'page fault in the kernel: write of 0x8 ',
    'execute': 'page fault in the kernel: execution of 0xffffffff8',
    'locks': 'page fault in the kernel: write of 0x8 ',
    'smash': 'stack frame was overwritten',
}


def crash(way, smp, kernel):
    with run.Shell('pvh', smp=smp, kernel=run.machine.built(kernel),
                   words=['ktest=off', f'crash={way}']) as shell:
        status = shell.wait_end(20)
        text = shell.transcript()
        if status != run.machine.STATUS_PANIC:
            shell.fail(f'crash={way}: QEMU ended with status {status}')
        if not re.search(WAYS[way], text):
            shell.fail(f'crash={way}: no report of "{WAYS[way]}"')
        if len(re.findall(r'panic', text, re.I)) > 3:
            shell.fail(f'crash={way}: reported more than once')


def main():
    run.machine.die_with_signals()
    passed = failed = 0
    for way in sys.argv[1:] or WAYS:
        for smp, kernel in ((1, 'debug/kernel.elf'), (4, 'release/kernel.elf')):
            try:
                crash(way, smp, kernel)
                passed += 1
            except run.Failure as failure:
                failed += 1
                print(failure)
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
