"""run.py - a machine with a shell that a test can type into.

    with run.Shell('pvh', smp=4) as shell:
        shell.wait_prompt()
        lines = shell.command('ls /bin')
        shell.poweroff()

What the machine prints is rendered as a terminal would, so that the line editor's
redrawing does not show. Every wait has a deadline and raises run.Failure with the
transcript so far.
"""
import os
import re
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../../tools'))
import machine  # noqa: E402

PROMPT = re.compile(r'\$ $')
# What firmware may leave in front of the kernel's first words is slow to come.
BOOT_SECONDS = {'pvh': 30, 'microvm': 30, 'bios': 40, 'uefi': 90}


class Failure(Exception):
    """A test's expectation did not come true; the text has the transcript."""


class Screen:
    """Renders bytes into lines: carriage return, backspace, and the few CSI codes of editors."""

    CSI = re.compile(r'\x1b\[([0-9;?]*)([A-Za-z])')

    def __init__(self):
        self.lines = ['']
        self.column = 0
        self.pending = ''

    def feed(self, data):
        text = self.pending + data.decode('utf-8', errors='replace')
        self.pending = ''
        at = 0
        while at < len(text):
            if text[at] == '\x1b':
                match = self.CSI.match(text, at)
                if match:
                    self._control(match.group(1), match.group(2))
                    at = match.end()
                    continue
                if len(text) - at < 16 and re.fullmatch(r'\x1b(\[[0-9;?]*)?', text[at:]):
                    self.pending = text[at:]
                    return
            self._put(text[at])
            at += 1

    def _put(self, char):
        if char == '\n':
            self.lines.append('')
            self.column = 0
        elif char == '\r':
            self.column = 0
        elif char == '\b':
            self.column = max(0, self.column - 1)
        elif char >= ' ' or char == '\t':
            line = self.lines[-1].ljust(self.column)
            self.lines[-1] = line[:self.column] + char + line[self.column + 1:]
            self.column += 1

    def _control(self, argument, letter):
        count = int(argument) if argument.isdigit() else 1
        line = self.lines[-1]
        if letter == 'C':
            self.column += count
        elif letter == 'D':
            self.column = max(0, self.column - count)
        elif letter == 'G':
            self.column = count - 1
        elif letter == 'K' and argument in ('', '0'):
            self.lines[-1] = line[:self.column]
        elif letter == 'K' and argument == '2':
            self.lines[-1] = ''
        elif letter in 'HJ':
            self.lines.append('')
            self.column = 0


class Shell:
    """A booted machine whose serial line is typed at."""

    def __init__(self, boot='pvh', **options):
        self.boot = boot
        self.screen = Screen()
        self.log = bytearray()
        self.end = bytearray()
        self.machine = machine.Machine(machine.Options(boot=boot, **options))
        self.pump = machine.Pump(self.machine, {
            'com1': self.screen.feed, 'log': self.log.extend, 'end': self.end.extend})

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.machine.close()

    def transcript(self):
        text = '\n'.join(self.screen.lines)
        log = bytes(self.log).decode(errors='replace')
        return text + (f'\n--- log:\n{log}' if log else '')

    def fail(self, text):
        raise Failure(f'{text} ({self.boot})\n--- transcript:\n{self.transcript()}')

    def wait(self, condition, seconds, what):
        """Pumps until condition() holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            if not self.pump.open_ports:
                self.fail(f'the machine ended while waiting for {what}')
            if time.monotonic() > deadline:
                self.fail(f'no {what} after {seconds} s')
            self.pump.step(0.2)

    def at_prompt(self):
        return bool(PROMPT.search(self.screen.lines[-1]))

    def wait_prompt(self, seconds=None):
        """The first prompt after boot; later ones are waited for by command()."""
        self.wait(self.at_prompt, seconds or BOOT_SECONDS[self.boot], 'prompt')

    def wait_text(self, pattern, seconds=20):
        """A line on the screen that matches; returns the match."""
        found = []

        def look():
            found[:] = [m for m in map(re.compile(pattern).search, self.screen.lines) if m]
            return bool(found)
        self.wait(look, seconds, f'text {pattern!r}')
        return found[-1]

    def type(self, text):
        """Keys as they are: '\\r' is Enter, '\\x03' Ctrl-C."""
        self.pump.send(text.encode())

    def command(self, line, seconds=20):
        """Types a line at the prompt and returns the output's lines."""
        first = len(self.screen.lines)
        self.type(line + '\r')
        self.wait(lambda: len(self.screen.lines) > first and self.at_prompt(), seconds,
                  f'prompt after {line!r}')
        output = self.screen.lines[first:]
        # Output without a newline at its end stands in front of the prompt.
        last = PROMPT.sub('', output.pop())
        return output + ([last] if last else [])

    def wait_end(self, seconds=20):
        """QEMU's exit status, once the machine has ended."""
        if not self.pump.run(seconds):
            self.fail(f'no end after {seconds} s')
        return self.machine.wait(5)

    def poweroff(self, seconds=20):
        """Leaves by the shell's command; the kernel must have said that it ends."""
        self.type('poweroff\r')
        status = self.wait_end(seconds)
        # GRUB's machines switch off by ACPI, which QEMU reports as 0.
        expected = machine.STATUS_OK if self.boot in ('pvh', 'microvm') else 0
        if status != expected or bytes(self.end) != b'jx-end: ok\n':
            self.fail(f'poweroff: QEMU ended with {status} after {bytes(self.end)}')
