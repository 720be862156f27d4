#!/usr/bin/env python3
"""documents.py: every command of README.md and docs/*.md does what they say.

Indented blocks with `$ ` lines are typed at the host, in an empty folder, with the
files that `cat NAME` shows in it. Commands in running text are run too, those that
end in a shell with `poweroff` as their input. A command that is in no document any
more, or a new one that this file does not know, is a failure.
"""
import glob
import os
import re
import subprocess
import sys
import tempfile
import unittest

import tally
import transcript

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
INLINE = re.compile(r'`((?:\./jx|ninja)(?: [^`]*)?)`|^ {4}((?:\./jx|ninja)[^#\n]*)', re.M)
SHELLS = ['./jx qemu', './jx qemu --uefi', './jx qemu --pvh', './jx qemu --microvm', 'ninja qemu']
# P43: the environment is checked before the kernel is blamed.
QUIET = ['./jx doctor', './jx trace --help', 'ninja']
# Run by others, or by this very run, or only a name.
ELSEWHERE = ['./jx', './jx test', 'ninja test', './jx exec', './jx cc', './jx bench', 'ninja bench', './jx trace',
             './jx bench vm', './jx bench vm --plot', './jx bench vm --linux --plot',  # bench_vm.py
             './jx bench messages']  # bench_messages.py


def documents():
    for path in [os.path.join(TOP, 'README.md')] + sorted(glob.glob(os.path.join(TOP, 'docs/*.md'))):
        with open(path, encoding='utf-8') as file:
            yield file.read()


def run(command, folder, data=None):
    return subprocess.run(command, shell=True, cwd=folder, input=data, timeout=200,
                          capture_output=True, text=True, check=False)


class Documents(unittest.TestCase):
    def test_every_command_is_known_and_named(self):
        named = {(a or b).strip() for text in documents() for a, b in INLINE.findall(text)}
        known = set(SHELLS + QUIET + ELSEWHERE)
        unknown = {c for c in named - known if not c.startswith(('./jx exec ', './jx cc '))}
        self.assertEqual(set(), unknown, 'run it in documents.py')

    def test_commands_that_boot_come_to_a_prompt_and_end_well(self):
        for command in SHELLS:
            result = run(command, TOP, 'echo it is here\npoweroff\n')
            self.assertEqual(0, result.returncode, command + result.stderr)
            self.assertRegex(result.stdout, r'(?m)^\$ ', command)

    def test_commands_that_end_by_themselves(self):
        for command in QUIET:
            result = run(command, TOP)
            self.assertEqual(0, result.returncode, command + result.stdout + result.stderr)

    def test_blocks_typed_at_the_host(self):
        count = 0
        for text in documents():
            for block in re.findall(r'(?:^ {4}.*\n|^\n)+', text, re.M):
                if '    $ ' in block:
                    count += self.play([line[4:] for line in block.splitlines()])
        self.assertLess(0, count)

    def play(self, lines):
        commands = []
        for line in lines:
            if line.startswith('$ '):
                commands.append((line[2:], []))
            elif commands:
                commands[-1][1].append(line)
        with tempfile.TemporaryDirectory(prefix='jx-test-') as folder:
            for command, expected in commands:
                while expected and not expected[-1]:
                    expected.pop()
                shown = re.fullmatch(r'cat (\w+\.\w+)', command)
                if shown and not os.path.exists(os.path.join(folder, shown.group(1))):
                    with open(os.path.join(folder, shown.group(1)), 'w', encoding='utf-8') as file:
                        file.write('\n'.join(expected) + '\n')
                    continue
                result = run(re.sub(r'\./jx\b', os.path.join(TOP, 'jx'), command), folder)
                self.assertEqual(0, result.returncode, result.stderr)
                self.assertTrue(transcript.matches(expected, result.stdout.splitlines()),
                                f'{command}: {result.stdout}')
        return len(commands)


if __name__ == '__main__':
    sys.exit(tally.run_tests(Documents))
