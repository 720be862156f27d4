#!/usr/bin/env python3
"""shell.py [--smp N] [TEST...]: keys at the console, and what a transcript cannot show."""
import argparse
import os
import re
import subprocess
import sys
import tempfile
import unittest

import run
import tally
import mkinitrd

SMP = 1
FOLDER = tempfile.TemporaryDirectory(prefix='jx-test-')


def image():
    """The image, with /boot/door (tests/programs) and a copy of ps outside of /bin."""
    path = os.path.join(FOLDER.name, 'initrd.cpio')
    if not os.path.exists(path):
        door = os.path.join(FOLDER.name, 'door')
        subprocess.run([os.path.join(run.machine.TOP, 'jx'), 'cc', '--native', '-o', door,
                        os.path.join(run.machine.TOP, 'tests/programs/door.c')], check=True,
                       env=dict(os.environ, JX_BUILT='1'))
        script = os.path.join(FOLDER.name, 'script')
        with open(script, 'w', encoding='utf-8') as file:
            file.write('#!/bin/sh\necho "$# $1" # and a comment\nX=$2\necho "$X" &&\nfalse\n')
        mkinitrd.write(path, run.machine.built('initrd.cpio'),
                       [f'boot/door={door}', f'boot/script={script}',
                        f'boot/ps={run.machine.built("bin/ps")}'])
    return path


class Keys(unittest.TestCase):
    """Each test has a machine of its own."""

    def setUp(self):
        kernel = run.machine.built('debug/kernel.elf')
        self.shell = run.Shell('pvh', smp=SMP, kernel=kernel, initrd=image(),
                               words=['ktest=off'])
        self.addCleanup(self.shell.machine.close)
        self.shell.wait_prompt()

    def type(self, keys):
        self.shell.type(keys)

    def prompt_with(self, pattern):
        """Waits until a line matches and the last line is a prompt."""
        self.shell.wait_text(pattern)
        self.shell.wait(self.shell.at_prompt, 20, 'prompt')

    def koid(self, name):
        """Of the first process with this name."""
        for line in self.shell.command('ps'):
            match = re.match(r' *(\d+) .* (?:running) +' + re.escape(name) + '$', line)
            if match:
                return match.group(1)
        return self.shell.fail(f'no process {name}')

    def memory(self):
        """Bytes that are not free."""
        rows = dict(re.match(r'(\w[\w ,]*?) +(\d+)$', line).groups()
                    for line in self.shell.command('mem -b'))
        return int(rows['total']) - int(rows['free'])

    # --- the foreground ---

    def test_ctrl_c_kills_the_foreground_job(self):
        self.type('sleep 1000 | cat\r')
        self.shell.wait_text(r'^\$ sleep 1000')
        self.shell.pump.run(0.3)
        self.type('\x03')
        self.prompt_with(r'^\^C$')
        self.assertEqual(['250'], self.shell.command('echo $?'))
        self.assertFalse([line for line in self.shell.command('ps') if 'sleep' in line])

    def test_ctrl_c_drops_the_rest_of_the_line(self):
        self.type('sleep 1000; echo never\r')
        self.shell.pump.run(0.5)
        self.type('\x03')
        self.prompt_with(r'^\^C$')
        self.assertNotIn('never', self.shell.screen.lines)

    def test_ctrl_c_at_the_prompt_drops_the_line(self):
        self.type('echo never\x03')
        self.prompt_with(r'^\$ echo never\^C$')
        self.assertEqual(['after'], self.shell.command('echo after'))

    def test_ctrl_d_ends_the_input_of_the_foreground_job(self):
        self.type('cat\r')
        self.shell.pump.run(0.3)
        for keys, line in (('first\r', 'first'), ('secx\x7fond\r', 'second')):
            self.type(keys)
            self.shell.wait(lambda: self.shell.screen.lines[-3:] == [line, line, ''], 20, 'echo')
        self.type('\x04')
        self.shell.wait(self.shell.at_prompt, 20, 'prompt')
        self.assertEqual(['0'], self.shell.command('echo $?'))

    def test_what_a_job_does_not_read_goes_to_the_shell(self):
        self.type('sleep 0.5\recho typed ahead\r')
        self.prompt_with('^typed ahead$')

    def test_commands_typed_in_one_go_look_as_if_typed_one_by_one(self):
        first = len(self.shell.screen.lines) - 1
        self.type('echo one\rtrue\recho two | cat\r')
        self.shell.wait_text('^two$')
        self.shell.wait(self.shell.at_prompt, 20, 'prompt')
        self.assertEqual(['$ echo one', 'one', '$ true', '$ echo two | cat', 'two', '$ '],
                         self.shell.screen.lines[first:])

    def test_a_line_may_go_on(self):
        self.type('echo "one\r')
        self.shell.wait_text('^> $')
        self.type('two" |\rcat\r')
        self.prompt_with('^two$')

    # --- order, completeness, bounds ---

    def test_output_is_whole_when_its_program_crashes(self):
        # The kernel's report may come before the console has shown the command's end.
        first = len(self.shell.screen.lines)
        end = self.shell.command('/boot/door crash; echo " $?"')[-1]
        self.assertTrue(end.endswith(' 252'), end)
        lines = self.shell.screen.lines[first - 1:]
        self.assertTrue([line for line in lines if 'before' in line], lines)
        self.assertTrue([line for line in lines if 'crash: process door' in line], lines)

    def test_yes_into_something_slow_does_not_grow(self):
        before = self.memory()
        self.type('yes | sleep 3\r')
        self.shell.pump.run(2)
        self.type('\x03')
        self.prompt_with(r'^\^C$')
        self.type('yes | sleep 1000 &\r')
        self.shell.pump.run(1)
        first = self.memory()
        self.shell.pump.run(1)
        self.assertLess(abs(self.memory() - first), 64 << 10)
        self.assertLess(first - before, 1 << 20)
        self.shell.command('kill %1; wait')
        self.assertLess(self.memory() - before, 256 << 10)

    def test_commands_leave_nothing_behind(self):
        def commands():
            self.shell.command('ls /bin | cat | wc; nosuch; sleep 0 & wait; cat < /bin/true | head')
        commands()
        before = self.memory()
        for _ in range(10):
            commands()
        self.assertLess(self.memory() - before, 256 << 10)  # CPUs keep free pages at hand

    def test_all_output_of_a_fast_writer_arrives(self):
        lines = self.shell.command('yes "a line of thirty-two characters" | head -n 4000')
        self.assertEqual(['a line of thirty-two characters'] * 4000, lines)

    # --- the console service ---

    def test_a_shell_that_dies_is_replaced(self):
        first = self.koid('sh')
        self.type('sleep 1000 &\r')
        self.prompt_with('^.1. sleep 1000')
        count = len(self.shell.screen.lines)
        self.type(f'kill {first}\r')
        self.shell.wait(lambda: len(self.shell.screen.lines) > count and self.shell.at_prompt(),
                        20, 'new prompt')
        self.assertNotEqual(first, self.koid('sh'))
        self.assertFalse([line for line in self.shell.command('ps') if 'sleep' in line])

    def test_ctrl_d_ends_the_shell_and_a_new_one_comes(self):
        first = self.koid('sh')
        self.type('\x04')
        self.shell.pump.run(1)
        self.assertNotEqual(first, self.koid('sh'))

    def test_only_the_programs_of_the_image_get_authority(self):
        self.assertEqual(['ps: no root job: ZX_ERR_ACCESS_DENIED'], self.shell.command('/boot/ps'))
        self.assertIn('init', self.shell.command('sh -c ps')[2])

    def test_every_tool_has_help(self):
        names = self.shell.command('ls /bin') + ['exit', 'export', 'jobs', 'set', 'time', 'wait']
        others = {'bench', 'bench-nothing'}
        for name in sorted(set(names) - others):
            lines = self.shell.command(f'{name} --help')
            self.assertRegex(lines[0], rf'^usage: .*\b{name}\b')

    def test_handles_and_maps_of_a_process_are_shown(self):
        init = self.koid('init')
        lines = self.shell.command(f'handles {init}')
        for pattern in (r'^[0-9a-f]{8} process +DTRW--GSEO--I-AN-23-- +' + init + ' ',
                        r'^[0-9a-f]{8} resource ', r'^[0-9a-f]{8} channel .* (\d+) +\d+$'):
            self.assertTrue([line for line in lines if re.match(pattern, line)], pattern)
        lines = self.shell.command(f'maps {init}')
        for pattern in (r'.* aspace$', r'.* r-x .* initrd$', r'.* rw- .* stack$', r'.* r-x .* vdso$'):
            self.assertTrue([line for line in lines if re.match(pattern, line)], pattern)
        self.assertFalse([line for line in lines if 'wx' in line])

    def test_a_program_cannot_close_the_streams_that_it_shares(self):
        self.assertEqual(['ZX_OK', 'ZX_ERR_ACCESS_DENIED', 'ZX_ERR_ACCESS_DENIED'],
                         self.shell.command('/boot/door shut'))
        self.assertEqual(['still here'], self.shell.command('echo still here'))

    def test_scripts(self):
        for command in ('sh /boot/script a "b  c"', '/boot/script a "b  c"', 'sh boot/script a "b  c"'):
            self.assertEqual(['2 a', 'b  c', '1'], self.shell.command(command + '; echo $?'))
        self.assertEqual(['sh: nothing: not found', '127'],
                         self.shell.command('sh nothing; echo $?'))

    def test_history_and_editing(self):
        self.assertEqual(['one two'], self.shell.command('two\x01echo one \x05'))
        self.assertEqual(['one two!'], self.shell.command('\x1b[A!'))
        self.assertEqual(['one'], self.shell.command('\x1b[A\x1b[A\x17'))


def main():
    global SMP
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--smp', type=int, default=1)
    parser.add_argument('names', nargs='*')
    arguments = parser.parse_args()
    SMP = arguments.smp
    run.machine.die_with_signals()
    return tally.run_tests(Keys, arguments.names)


if __name__ == '__main__':
    sys.exit(main())
