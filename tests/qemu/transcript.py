#!/usr/bin/env python3
"""transcript.py [--boot pvh|microvm|bios|uefi] [--smp N] [--kernel K] [--add PROGRAM] FILE...

Repeats a shell transcript word for word. In a text file a line `$ COMMAND` is typed
and the lines up to the next one are its output; of a .md file the blocks fenced
with ```console are taken. In the output `[..]` stands for anything within a line,
and a line `...` for any number of lines. The machine is switched off by
`poweroff`, which may be the transcript's last command.
"""
import argparse
import os
import re
import sys
import tempfile

import run
import mkinitrd


def blocks(path):
    """Lists of (command, expected lines), one per transcript."""
    with open(path, encoding='utf-8') as file:
        text = file.read()
    parts = re.findall(r'^```console\n(.*?)^```', text, re.M | re.S) if path.endswith('.md') else [text]
    for part in parts:
        commands = []
        for line in part.splitlines():
            if line.startswith('$ '):
                commands.append((line[2:], []))
            elif commands and not line.startswith('# '):
                commands[-1][1].append(line)
        # In a document, a block typed at the host's shell is not for the machine.
        if commands and not any(command.startswith('./jx') for command, _ in commands):
            yield commands


def matches(expected, got):
    """Do the lines fit? `...` takes any number of lines."""
    if not expected:
        return not got
    if expected[0] == '...':
        return any(matches(expected[1:], got[at:]) for at in range(len(got) + 1))
    if not got:
        return False
    pattern = '.*'.join(re.escape(part) for part in expected[0].split('[..]'))
    return bool(re.fullmatch(pattern, got[0])) and matches(expected[1:], got[1:])


def play(commands, boot, options):
    with run.Shell(boot, **options) as shell:
        shell.wait_prompt()
        for command, expected in commands:
            if command == 'poweroff':
                break
            got = [line.rstrip() for line in shell.command(command)]
            if not matches([line.rstrip() for line in expected], got):
                shell.fail(f'$ {command}\nexpected:\n' + '\n'.join(expected)
                           + '\ngot:\n' + '\n'.join(got))
        shell.poweroff()
    return len(commands)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--boot', default='pvh', choices=sorted(run.BOOT_SECONDS))
    parser.add_argument('--smp', type=int, default=1)
    parser.add_argument('--mem', default='256M')
    parser.add_argument('--kernel', help='release or debug')
    parser.add_argument('--append', help='words for the kernel\'s command line')
    parser.add_argument('--add', metavar='PROGRAM', help='one more program in /bin (not with an ISO)')
    parser.add_argument('--times', type=int, default=1, help='boot so many times')
    parser.add_argument('files', nargs='+')
    arguments = parser.parse_args()
    run.machine.die_with_signals()
    options = {'smp': arguments.smp, 'memory': arguments.mem}
    if arguments.kernel:
        options['kernel'] = run.machine.built(f'{arguments.kernel}/kernel.elf')
    if arguments.append:
        options['words'] = arguments.append.split()
    count = 0
    with tempfile.TemporaryDirectory(prefix='jx-') as folder:
        if arguments.add:
            options['initrd'] = os.path.join(folder, 'initrd.cpio')
            mkinitrd.write(options['initrd'], run.machine.built('initrd.cpio'),
                           [f'bin/{os.path.basename(arguments.add)}={arguments.add}'])
        try:
            for path in arguments.files * arguments.times:
                for commands in blocks(path):
                    count += play(commands, arguments.boot, options)
        except run.Failure as failure:
            print(failure)
            return 1
    print(f'{count} commands, all as written')
    return 0 if count else 1


if __name__ == '__main__':
    sys.exit(main())
