#!/usr/bin/env python3
"""boots.py: the kernel comes up on machines of every size, by every way to boot.

Each row boots, runs the quick tests, and must end the machine properly. Rows with a
text instead must stop with that one line, and not by a reset (P24).
"""
import re
import sys

import run

# boot, CPUs, memory, more fields of machine.Options
GOOD = [
    ('pvh', 1, '64M', {}),
    ('pvh', 2, '96M', {}),
    ('pvh', 8, '512M', {}),
    ('pvh', 1, '2049M', {}),
    ('pvh', 4, '8G', {}),
    ('pvh', 1, '256M', {'icount': True}),
    ('pvh', 1, '256M', {'extra': ['-no-hpet']}),
    ('pvh', 1, '256M', {'cpu': 'qemu64,+xsave,+fsgsbase'}),
    ('microvm', 1, '64M', {}),
    ('microvm', 4, '4G', {}),
    ('bios', 1, '64M', {}),
    ('bios', 4, '3G', {}),
    ('uefi', 2, '128M', {}),
    ('uefi', 1, '4G', {}),
]
UNFIT = [
    ('no FSGSBASE', {'cpu': 'qemu64,+xsave'}, 'cannot boot: .*FSGSBASE'),
    ('no XSAVE', {'cpu': 'qemu64,+fsgsbase'}, 'cannot boot: .*XSAVE'),
    ('too little memory', {'memory': '24M'}, 'cannot boot: .*memory'),
    ('no initrd', {'initrd': None}, 'boot: there is no initrd'),
    ('an initrd that is not cpio', {'initrd': __file__}, 'boot: the initrd is damaged: '),
]
WORDS = ['ktest=quick', 'ktest.exit']
STOP_WORDS = ['ktest=off']


def boots(boot, smp, memory, more):
    with run.Shell(boot, smp=smp, memory=memory, words=['exit=debug'] + WORDS, **more) as shell:
        status = shell.wait_end(run.BOOT_SECONDS[boot])
        text = shell.transcript()
        result = re.findall(r'ktest: (\d+) passed, 0 failed', text)
        if status != run.machine.STATUS_OK or len(result) != 1:
            shell.fail(f'QEMU status {status}')


def stops(more, pattern):
    with run.Shell('pvh', words=STOP_WORDS, **more) as shell:
        shell.wait_text(pattern, 30)
        # It stops for good, or ends as after a panic; a triple fault would have status 0.
        if shell.pump.run(0.3) and shell.machine.wait(5) != run.machine.STATUS_PANIC:
            shell.fail('the machine was reset')


def main():
    run.machine.die_with_signals()
    cases = [(f'{boot} smp={smp} mem={memory} {more or ""}', boots, (boot, smp, memory, more))
             for boot, smp, memory, more in GOOD]
    cases += [(name, stops, (more, pattern)) for name, more, pattern in UNFIT]
    passed = failed = 0
    for name, function, arguments in cases:
        try:
            function(*arguments)
            passed += 1
            print(f'{name}: ok')
        except run.Failure as failure:
            failed += 1
            print(f'{name}: {failure}')
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
