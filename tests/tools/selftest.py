#!/usr/bin/env python3
"""selftest.py: tests of the project's own tools, without a machine."""
import glob
import os
import subprocess
import sys
import tempfile
import unittest

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
for folder in ('tools', 'tests', 'tests/qemu'):
    sys.path.insert(0, os.path.join(TOP, folder))
import jx_exec  # noqa: E402
import jx_qemu  # noqa: E402
import mkinitrd  # noqa: E402
import run as shells  # noqa: E402
import tally  # noqa: E402
import transcript  # noqa: E402


class Initrd(unittest.TestCase):
    """The archive is one that cpio reads, with data on pages."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.contents = {}
        for index, size in enumerate([0, 1, 4095, 4096, 4097, 10000]):
            path = os.path.join(self.folder.name, f'in{index}')
            data = bytes([65 + index]) * size
            with open(path, 'wb') as file:
                file.write(data)
            # Names of many lengths, so that every case of padding comes up.
            name = 'bin/' + 'n' * (1 + 45 * index) + str(index)
            self.contents[name] = (path, data)
        self.arguments = [f'{name}={path}' for name, (path, _) in self.contents.items()]
        self.image = os.path.join(self.folder.name, 'image')

    def tearDown(self):
        self.folder.cleanup()

    def check(self, contents):
        out = os.path.join(self.folder.name, 'out')
        os.makedirs(out, exist_ok=True)
        with open(self.image, 'rb') as file:
            subprocess.run(['cpio', '-idmu', '--quiet', '-D', out], stdin=file, check=True)
        for name, (_, data) in contents.items():
            with open(os.path.join(out, name), 'rb') as file:
                self.assertEqual(data, file.read(), name)
        with open(self.image, 'rb') as file:
            image = file.read()
        for _, data in contents.values():
            if len(data) > 4000:
                self.assertEqual(0, image.find(data) % 4096)

    def test_cpio_reads_it_and_data_lies_on_pages(self):
        mkinitrd.write(self.image, None, self.arguments)
        self.check(self.contents)

    def test_more_files_go_behind_those_of_a_base(self):
        base = self.image + '.base'
        mkinitrd.write(base, None, self.arguments[:3])
        mkinitrd.write(self.image, base, ['boot/' + a.split('/', 1)[1] for a in self.arguments[3:]])
        names = list(self.contents)
        self.check({name if index < 3 else 'boot/' + name[4:]: self.contents[name]
                    for index, name in enumerate(names)})

    def test_equal_inputs_give_equal_bytes(self):
        images = []
        for _ in range(2):
            mkinitrd.write(self.image, None, self.arguments)
            with open(self.image, 'rb') as file:
                images.append(file.read())
        self.assertEqual(images[0], images[1])


class Exec(unittest.TestCase):
    """What ./jx exec makes of its words."""

    def test_words_are_escaped_for_the_command_line(self):
        self.assertEqual('a%2cb%20%25', jx_exec.escape('a,b %'))
        self.assertEqual('%c3%a4', jx_exec.escape('ä'))

    def test_input_travels_in_frames_without_carriage_returns(self):
        self.assertEqual(b'\0\0', jx_exec.frame(b''))
        self.assertEqual(b'\x02\0\n\x10\x4d', jx_exec.frame(b'\n\r'))
        self.assertEqual(b'\x10\x50\0' + b'x' * 16, jx_exec.frame(b'x' * 16))

    def test_what_follows_the_program_is_the_programs(self):
        arguments = jx_exec.Arguments(['--smp=4', '--mem', '64', './p', '--smp', 'x'])
        self.assertEqual((4, '64M', './p', ['--smp', 'x']), (
            arguments.smp, arguments.memory, arguments.program, arguments.arguments))

    def judge(self, status, results, end):
        run = jx_exec.Run(jx_exec.Arguments(['x']), None)
        run.results, run.end = results, end

        class Quiet:
            def complaint(self):
                return ''
        return run.judge(status, Quiet())[0]

    def test_P49_a_proper_end_needs_status_end_line_and_one_result(self):
        ok = b'jx-end: ok\n'
        self.assertEqual(0, self.judge(33, [0], ok))
        self.assertEqual(255, self.judge(33, [-1], ok))
        self.assertEqual(44, self.judge(33, [300], ok))
        self.assertEqual(252, self.judge(33, [-1028], ok))
        self.assertEqual(250, self.judge(33, [-1024], ok))
        for bad in [(0, [0], ok), (37, [0], ok), (33, [], ok), (33, [0, 0], ok), (33, [0], b'')]:
            self.assertEqual(125, self.judge(*bad), bad)


class Screens(unittest.TestCase):
    """The terminal of the shell tests, and their transcripts."""

    def test_a_redrawn_line_shows_once(self):
        screen = shells.Screen()
        screen.feed(b'\r$ l\x1b[0K\r\x1b[3C\r$ ls\x1b[')
        screen.feed(b'0K\r\x1b[4C\r\nbin\r\n$ ')
        self.assertEqual(['$ ls', 'bin', '$ '], screen.lines)

    def test_wildcards_stand_for_parts_and_lines(self):
        self.assertTrue(transcript.matches(['a[..]c', '...', 'z'], ['abbc', '1', '2', 'z']))
        self.assertFalse(transcript.matches(['a[..]c', 'z'], ['abbc', '1', 'z']))
        self.assertFalse(transcript.matches([], ['more']))

    def test_ctrl_a_is_the_terminals_own_key(self):
        terminal = jx_qemu.Terminal(jx_qemu.parse(['--pvh']))
        self.assertEqual(b'a\x01\x03', terminal.unescape(b'a\x01\x01\x03'))
        terminal.unescape(b'\x01')
        terminal.unescape(b'x')
        self.assertTrue(terminal.quit)


class CallTexts(unittest.TestCase):
    """The document of system calls is made only of a whole text for each call."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.texts = {}
        for path in sorted(glob.glob(os.path.join(TOP, 'docs/calls/*.md'))):
            with open(path, encoding='utf-8') as file:
                self.texts[os.path.basename(path)] = file.read()

    def tearDown(self):
        self.folder.cleanup()

    def make(self, name='all.md', old='', new=''):
        """What mksyscalls says of the texts with one change."""
        self.assertIn(old, self.texts[name])
        paths = []
        for base, text in self.texts.items():
            paths.append(os.path.join(self.folder.name, base))
            with open(paths[-1], 'w', encoding='utf-8') as file:
                file.write(text.replace(old, new, 1) if base == name else text)
        return subprocess.run(['build/tools/mksyscalls'] + paths, cwd=TOP, text=True,
                              capture_output=True, check=False)

    def check_refused(self, complaint, *change):
        made = self.make(*change)
        self.assertEqual(1, made.returncode)
        self.assertEqual('', made.stdout)
        self.assertIn(complaint, made.stderr)

    def test_the_texts_as_they_are_make_the_document(self):
        made = self.make()
        self.assertEqual((0, ''), (made.returncode, made.stderr))
        with open(os.path.join(TOP, 'docs/SYSCALLS.md'), encoding='utf-8') as file:
            self.assertEqual(file.read(), made.stdout)

    def test_a_call_without_a_text_is_refused(self):
        self.texts['events.md'] = self.texts['events.md'].partition('## zx_eventpair_create')[0]
        self.check_refused('zx_eventpair_create: no text in docs/calls')

    def test_a_text_without_a_call_is_refused(self):
        self.check_refused('no such call: zx_event_make', 'events.md', '## zx_eventpair_create',
                           '## zx_event_make')

    def test_a_second_text_for_a_call_is_refused(self):
        self.check_refused('a second text', 'events.md', '## zx_eventpair_create',
                           '## zx_event_create')

    def test_a_text_without_a_description_is_refused(self):
        text = self.texts['time.md']
        start = text.index('\n', text.index('## zx_nanosleep'))
        body = text[start:text.index('Errors:', start)]
        self.check_refused('no description', 'time.md', body, '\n\n')

    def test_a_text_without_errors_is_refused(self):
        self.check_refused("no 'Errors:'", 'time.md', 'Errors: none\n', '')

    def test_a_text_without_an_example_is_refused(self):
        text = self.texts['events.md']
        self.check_refused("no 'Example:'", 'events.md', text[text.rindex('Example:'):], '')

    def test_an_example_of_something_else_is_refused(self):
        self.check_refused('does not call it', 'system.md', 'uint32_t count = zx_system_get_num_cpus();',
                           'uint32_t count = 1;')

    def test_errors_name_what_there_is(self):
        self.check_refused('no such error: NO_SUCH', 'events.md', '- INVALID_ARGS:', '- NO_SUCH:')
        self.check_refused('has no such argument', 'events.md', '- &out\n', '- &out\n- &in\n')

    def test_errors_speak_of_each_pointer_and_needed_handle(self):
        self.check_refused('no error speaks of `out`', 'events.md', '- &out\n', '')
        self.check_refused("no item '@handle'", 'channels.md', '- @handle\n', '')


if __name__ == '__main__':
    sys.exit(tally.run_tests(sys.modules[__name__]))
