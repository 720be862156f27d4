#!/usr/bin/env python3
"""exec.py: what `./jx exec` promises, shown with programs built by `./jx cc`."""
import os
import random
import subprocess
import sys
import tempfile
import time
import unittest

import tally

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
JX = os.path.join(TOP, 'jx')
FOLDER = tempfile.TemporaryDirectory(prefix='jx-test-')
ENVIRONMENT = dict(os.environ, JX_BUILT='1')


def program(name):
    """A program of tests/programs, built once, outside the tree."""
    out = os.path.join(FOLDER.name, name)
    if not os.path.exists(out):
        subprocess.run([JX, 'cc', '--native', os.path.join(TOP, f'tests/programs/{name}.c'),
                        '-o', out], check=True, env=ENVIRONMENT)
    return out


def run(*words, data=b''):
    return subprocess.run([JX, 'exec'] + list(words), input=data, capture_output=True,
                          env=ENVIRONMENT, timeout=100, check=False)


class Exec(unittest.TestCase):
    def test_exit_codes_are_the_low_8_bits(self):
        for code in (0, 1, 2, 33, 124, 127, 128, 255):
            self.assertEqual(code, run(program('door'), 'exit', str(code)).returncode)
        self.assertEqual(255, run(program('door'), 'exit', '-1').returncode)
        self.assertEqual(44, run(program('door'), 'exit', '300').returncode)

    def test_input_and_output_are_carried_byte_for_byte(self):
        every_byte = bytes(range(256))
        noise = random.Random(1).randbytes(100_000)
        for data in (b'', b'x', every_byte * 3, b'\n' * 1000, noise):
            result = run(program('door'), 'copy', data=data)
            self.assertEqual(0, result.returncode, result.stderr)
            self.assertEqual(data, result.stdout)

    def test_words_arrive_as_they_were_given(self):
        words = ['a', '', 'b c', 'd,e', '%41', "'\"\\", 'ü', '--smp', '$x;']
        result = run(program('door'), 'words', *words)
        expected = ''.join(f'[{word}]' for word in words) + '\n'
        self.assertEqual(expected, result.stdout.decode())

    def test_a_crash_is_252_with_what_was_written_before(self):
        result = run(program('door'), 'crash')
        self.assertEqual((252, b'before'), (result.returncode, result.stdout))
        self.assertIn(b'door.c:', result.stderr, 'the report names the line')
        self.assertRegex(result.stderr, rb'#\d.* start_main ulib/zx/start.c:\d+', 'of the library, too')
        self.assertIn(b'./jx exec', result.stderr.splitlines()[-1])

    def test_time_out_is_124_and_can_be_repeated(self):
        result = run('--timeout', '3', program('door'), 'hang')
        self.assertEqual(124, result.returncode)
        self.assertIn(b'again: ./jx exec --timeout 3', result.stderr)

    def test_an_added_file_lies_in_boot_or_where_it_was_sent(self):
        path = os.path.join(FOLDER.name, 'note')
        with open(path, 'wb') as file:
            file.write(b'text of a note\n')
        for add, where in ((path, '/boot/note'), (path + '=a/b', '/boot/a/b'),
                           (path + '=/c/d', '/c/d')):
            result = run('--add', add, 'cat', where)
            self.assertEqual((0, b'text of a note\n'), (result.returncode, result.stdout), where)

    def test_words_of_a_first_process_arrive_as_they_were_given(self):
        words = ['a', '', 'b c', 'd,e', '%41', "'\"\\", 'ü', '--smp', '$x;']
        result = run('--init', program('first'), 'words', *words)
        expected = ''.join(f'[{word}]' for word in words) + '\n'
        self.assertEqual(expected, result.stdout.decode())

    def test_a_program_can_be_the_first_process(self):
        result = run('--init', program('first'))
        self.assertEqual((9, b'first\n'), (result.returncode, result.stdout))

    def test_a_program_may_have_functions_that_are_called_as_the_library_s(self):
        result = run(program('own'))
        self.assertEqual((0, b'one two 3 2 2\n'), (result.returncode, result.stdout), result.stderr)

    def test_a_second_function_under_a_name_of_the_librarys_own_is_an_error(self):
        source = os.path.join(FOLDER.name, 'twice.c')
        with open(source, 'w', encoding='ascii') as file:
            file.write('int lock_try(int x);\nint lock_try(int x) { return x; }\n'
                       'int main(void) { return lock_try(0); }\n')
        result = subprocess.run([JX, 'cc', '--native', source, '-o', source + '.out'],
                                capture_output=True, env=ENVIRONMENT, check=False)
        self.assertNotEqual(0, result.returncode)
        self.assertIn(b'duplicate symbol: lock_try', result.stderr)

    def test_power_control_can_switch_off_by_acpis_state(self):
        result = run('--init', '--append', 'first=off', program('first'))
        self.assertEqual((125, b'first\n'), (result.returncode, result.stdout), 'it does not come back')

    def test_other_machines(self):
        for words in (['--smp', '4'], ['--mem', '64M'], ['--icount']):
            self.assertEqual(7, run(*words, program('door'), 'exit', '7').returncode, words)

    def test_an_empty_program_takes_under_a_second(self):
        """Of a processor's time, since others may be at work here; and it hardly waits."""
        times, busy = [], []
        for _ in range(3):
            started, before = time.monotonic(), os.times()
            self.assertEqual(0, run(program('door')).returncode)
            after = os.times()
            times.append(time.monotonic() - started)
            busy.append(after.children_user + after.children_system
                        - before.children_user - before.children_system)
        self.assertLess(min(busy), 1.0)
        self.assertLess(min(times), 1.0 if os.getloadavg()[0] < 1 else 5.0)

    def test_the_debugger_knows_a_programs_symbols(self):
        commands = b'break fall\ncontinue\nbacktrace\nmemory main+0 4\ncontinue\nbacktrace\nkill\n'
        result = run('--add', program('door') + '=/bin/door', 'debug', 'door', 'crash', data=commands)
        text = result.stdout.decode()
        at_break, at_crash = text.split('page fault')
        self.assertRegex(at_break, r'at 0x\w+ door\+0x\w+ fall\+0\n')
        for part, offset in ((at_break, '0'), (at_crash, '0x[1-9a-f]')):
            self.assertRegex(part, rf'#0 0x\w+ door\+0x\w+ fall\+{offset}')
            self.assertRegex(part, r'#1 0x\w+ door\+0x\w+ main\+0x')
        self.assertNotIn('not an address', text)

    def test_the_debugger_tells_in_which_call_a_thread_is_and_who_made_it(self):
        commands = b'continue 500\nbacktrace\nthread 1\nkill\n'
        result = run('--add', program('door') + '=/bin/door', 'debug', 'door', 'doze', data=commands)
        text = result.stdout.decode()
        self.assertRegex(text, r'stopped at 0x\w+ vdso\+0x\w+ zx_nanosleep\+0x\w+\n')
        self.assertRegex(text, r'#0 0x\w+ vdso\+0x\w+ zx_nanosleep\+0x\w+\n'
                               r' +#1 0x\w+ door\+0x\w+ doze\+0x\w+\n')
        self.assertIn('ZX_ERR_NOT_FOUND', text, 'there is no thread 1')

    def test_a_report_of_a_crash_names_functions(self):
        result = run('--add', program('door') + '=/boot/else', 'crash', '/boot/else', 'crash')
        self.assertEqual(252, result.returncode)
        self.assertRegex(result.stdout.decode(), r'#0 0x\w+ else\+0x\w+ fall\+0x\w+\n'
                                                 r' +#1 0x\w+ else\+0x\w+ main\+0x')

    def test_the_rest_of_the_machine_does_not_notice_a_flood(self):
        """A flood has a limit, or its job is ended when it took all memory; the shell goes on."""
        limited = ('handles', 'timers', 'jobs')
        kinds = limited + ('threads', 'packets', 'messages', 'transfers')
        script = os.path.join(FOLDER.name, 'script')
        with open(script, 'w', encoding='ascii') as file:
            for kind in kinds:
                file.write(f'/boot/flood {kind} &\nsleep 2\nls / | wc && echo fine with {kind}\nwait\n')
        result = run('--smp', '2', '--timeout', '90', '--add', program('flood'), '--add', script,
                     'sh', '/boot/script')
        text, log = result.stdout.decode(), result.stderr.decode()
        for kind in kinds:
            self.assertIn(f'\nfine with {kind}\n', text, log)
            self.assertEqual(kind in limited, f'{kind}: ZX_ERR_NO_RESOURCES' in text, text + log)
        self.assertIn('memory: none is left; job', log)

    def test_wrong_usage_is_2(self):
        for words in ([], ['--smp', 'x', './p'], ['./there-is-no-such-file'], ['no-such-program']):
            self.assertEqual(2, run(*words).returncode, words)


if __name__ == '__main__':
    sys.exit(tally.run_tests(Exec, sys.argv[1:]))
