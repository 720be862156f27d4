#!/usr/bin/env python3
"""crashes.py [WAY...]: the kernel, broken on purpose, says once what happened and stops.

`crash=WAY` (kernel/arch/amd64/crash.c). Each must give its named report, with a
backtrace and the threads, and QEMU's status of a panic: never a reset (P05, P18, P33, P52).
With `crash=held-fault:LOCK` and `crash=held-panic:LOCK` the kernel comes to harm while it
holds each of its own locks in turn, from the first mutex to the last spinlock (P08); the
list is checked against the source.
"""
import glob
import multiprocessing.pool
import os
import re
import sys
import tempfile
import time

import run
import mkinitrd

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
    'together': 'KERNEL PANIC: all at once',
}

# What gives a lock its name in the source; objects' own locks have the names of their types.
NAMED = re.compile(r'(?:SPINLOCK_INIT|MUTEX_INIT|spinlock_init|mutex_init)\([^;"]*"([^"]+)"')
TYPE = re.compile(r'waitable_ops \w+ = \{\s*\.name = "([^"]+)"')


# Objects' own locks that nothing takes: these types have neither signals nor names, and keep
# what they know under other locks. Other types' locks are of the same rank.
IDLE = {'vmar', 'exception', 'suspend token', 'profile', 'bti', 'iommu', 'pmt'}


# For the locks that booting does not take: tests, with every authority; the shell's own, whose
# output is read slowly, so that a writer must wait for room on any machine.
TESTS = (['init=/boot/core-tests'], '', 0)
SHELL = ([], '\r\rhexdump /bin/init; poweroff\r', 0.05)
# Words in the names of tests that take a lock; the others are taken soon, by whatever test.
TAKEN_BY = {
    'I/O APIC': 'interrupt',
    'interrupt': 'interrupt',
    'io ports': 'ioport,io_port',
    'msi': 'msi',
    'page source': 'pager',
    'pager': 'pager',
    'stream': 'stream',
    'trace': 'trace,record',
    'vectors': 'interrupt,msi',
    'vmo content': 'content',
    'windows': 'interrupt,msi',
}


def ends_of(name):
    """What the machine does until somebody takes the lock: (kernel's words, typed, pause)s."""
    if name.startswith('console'):
        return [SHELL]
    words, *rest = TESTS
    only = [f'utest={TAKEN_BY[name]}'] if name in TAKEN_BY else []
    return [(words + only, *rest), SHELL]


def kernel_locks():
    """The name of every lock of the kernel, without those of tests."""
    names = set()
    for path in glob.glob('kernel/**/*.[ch]', recursive=True):
        if re.search(r'_test\.c$|/host/|/test_|/crash\.c$', path):
            continue
        with open(path, encoding='utf-8') as file:
            text = file.read()
        names.update(NAMED.findall(text) + TYPE.findall(text))
    return sorted(names - IDLE)


def crash(way, smp, kernel):
    with run.Shell('pvh', smp=smp, kernel=run.machine.built(kernel),
                   words=['ktest=off', f'crash={way}']) as shell:
        status = shell.wait_end(20)
        text = shell.transcript()
        if status != run.machine.STATUS_PANIC:
            shell.fail(f'crash={way}: QEMU ended with status {status}')
        if not re.search(WAYS[way], text):
            shell.fail(f'crash={way}: no report of "{WAYS[way]}"')
        if 'end of panic' not in text:
            shell.fail(f'crash={way}: the report is cut short')
        if len(re.findall(r'panic', text, re.I)) > 3:
            shell.fail(f'crash={way}: reported more than once')


def harm_while_held(initrd, name, way):
    """One lock, one way: a full report that names the lock among those held."""
    words = ['ktest=quick', 'kill.points=1', 'debug.syscalls=1',
             f'crash=held-{way}:{name.replace(" ", "-")}']
    expected = (f'holding the lock {name} ' if way == 'panic'
                else 'page fault in the kernel: write of 0x8 ')
    for more, typed, pause in ends_of(name):
        with run.Shell('pvh', smp=4 if way == 'panic' else 1, words=words + more, initrd=initrd,
                       kernel=run.machine.built('debug/kernel.elf')) as shell:
            shell.type(typed)
            if not shell.pump.run(60, stop=lambda: time.sleep(pause)):
                return f'{name}, {way}: no end'
            status = shell.machine.wait(5)
            text = shell.transcript()
        if status != run.machine.STATUS_OK:
            break
    else:
        return f'{name}, {way}: nobody held it'
    held = re.search(r'held locks:(.*?)threads:(.*)last lines of the log:.*end of panic', text, re.S)
    if status != run.machine.STATUS_PANIC or f'KERNEL PANIC: {expected}' not in text:
        return f'{name}, {way}: QEMU ended with status {status}, no report of "{expected}"'
    if not held or f'{name} (rank' not in held.group(1) or 'thread main' not in held.group(2):
        return f'{name}, {way}: the report is not complete\n{text[-1500:]}'
    return None


def harm_under_every_lock():
    with tempfile.TemporaryDirectory(prefix='jx-') as folder:
        initrd = os.path.join(folder, 'initrd.cpio')
        mkinitrd.write(initrd, run.machine.built('initrd.cpio'),
                       ['boot/core-tests=' + run.machine.built('symbols/core-tests')])
        jobs = [(initrd, name, way) for name in kernel_locks() for way in ('fault', 'panic')]
        with multiprocessing.pool.ThreadPool(2) as pool:
            return pool.starmap(harm_while_held, jobs, chunksize=1)


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
    run.machine.die_with_signals()
    passed = failed = 0
    for complaint in harm_under_every_lock() if len(sys.argv) == 1 else []:
        passed += complaint is None
        failed += complaint is not None
        if complaint:
            print(complaint)
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
