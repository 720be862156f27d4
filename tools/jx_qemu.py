"""jx_qemu.py - boots Jacinth in this terminal: `./jx qemu`.

The terminal is put into raw mode here and joined to the serial line; QEMU never
touches it. Ctrl-C goes to the machine; Ctrl-A x quits. The terminal's mode is
restored on every way out (and by ./jx itself, should this program be killed).
When standard input is not a terminal, it is held back until the shell's prompt
has appeared, because a serial port that is not yet set up loses bytes.
"""
import os
import re
import sys
import termios
import tty

import machine

HELP = """usage: ./jx qemu [options] [-- WORDS]

Boots to the shell in this terminal (by default as a PC boots: GRUB from a CD).
Ctrl-A x quits; Ctrl-C goes to the machine; `poweroff` in the shell ends it too.

  --pvh        the kernel directly, without GRUB (the fastest)
  --uefi       GRUB under UEFI firmware
  --microvm    the kernel directly, on QEMU's smallest machine
  --smp N      processors (1)
  --mem M      memory (256M)
  --icount     counts instructions instead of time
  --debug      the debug kernel instead of the release kernel
  --gdb        waits for `./jx gdb` in another terminal
  -- WORDS     added to the kernel's command line (docs/BOOT.md)
"""
ESCAPE = b'\x01'  # Ctrl-A
GDB_PORT = 1234


def parse(words):
    options = machine.Options(boot='bios', allow_reboot=True)
    words = list(words)
    while words:
        word = words.pop(0)
        word, has_value, value = word.partition('=') if word != '--' else (word, '', '')
        if word in ('--help', '-h'):
            sys.stdout.write(HELP)
            sys.exit(0)
        if word == '--':
            options.words += words
            break
        if word in ('--pvh', '--uefi', '--microvm'):
            options.boot = word[2:]
        elif word == '--icount':
            options.icount = True
        elif word == '--debug':
            options.kernel = machine.built('debug/kernel.elf')
        elif word == '--gdb':
            options.gdb_port = int(os.environ.get('JX_GDB_PORT', GDB_PORT))
        elif word in ('--smp', '--mem'):
            if not has_value:
                value = words.pop(0) if words else ''
            pattern = r'[1-9][0-9]?' if word == '--smp' else r'[1-9][0-9]*[MG]?'
            if not re.fullmatch(pattern, value):
                machine.fail(f'qemu: {word} {value or "(nothing)"}: not a size')
            if word == '--smp':
                options.smp = int(value)
            else:
                options.memory = value if value[-1] in 'MG' else value + 'M'
        else:
            machine.fail(f'qemu: unknown option {word}; see ./jx qemu --help')
    return options


class Terminal:
    """Joins standard input and output to the machine's serial line."""

    def __init__(self, options):
        self.options = options
        self.is_tty = os.isatty(0)
        self.quit = self.escaped = False
        self.prompt_seen = self.is_tty
        self.tail = b''

    def on_output(self, data):
        view = memoryview(data)
        while view:
            view = view[os.write(1, view):]
        if not self.prompt_seen:
            self.tail = (self.tail + data)[-64:]
            if self.tail.endswith(b'$ '):
                self.prompt_seen = True
                self.listen()

    def listen(self):
        try:
            self.pump.add_source(0, self.on_input)
        except OSError:
            data = b''
            while chunk := os.read(0, 65536):
                data += chunk
            self.pump.send(data)

    def on_input(self):
        data = os.read(0, 4096)
        if not data:
            self.pump.remove_source(0)
            return
        self.pump.send(self.unescape(data) if self.is_tty else data)

    def unescape(self, data):
        """What of the typed bytes goes to the machine: Ctrl-A is our own key."""
        out = b''
        for byte in (data[i:i + 1] for i in range(len(data))):
            if self.escaped:
                self.escaped = False
                if byte in b'xX':
                    self.quit = True
                elif byte == ESCAPE:
                    out += byte
            elif byte == ESCAPE:
                self.escaped = True
            else:
                out += byte
        return out

    def announce(self):
        quit_key = 'Ctrl-A x quits' if self.is_tty else 'poweroff ends it'
        sys.stderr.write(f'jx: {self.options.boot} boot, {self.options.smp} CPU, '
                         f'{self.options.memory}; {quit_key}\n')
        if self.options.gdb_port:
            sys.stderr.write('jx: the machine waits; run ./jx gdb in another terminal\n')

    def run(self):
        """0 when the machine was switched off or left, 1 when it died."""
        self.announce()
        saved = termios.tcgetattr(0) if self.is_tty else None
        try:
            with machine.Machine(self.options) as running:
                if saved:
                    tty.setraw(0)
                self.pump = machine.Pump(running, {'com1': self.on_output})
                if self.prompt_seen:
                    self.listen()
                if not self.pump.run(stop=lambda: self.quit):
                    return 0
                status, complaint = running.wait(None), running.complaint()
        finally:
            if saved:
                termios.tcsetattr(0, termios.TCSADRAIN, saved)
                sys.stderr.write('\r\n')
        if complaint:
            sys.stderr.write(complaint + '\n')
        return 0 if status in (0, machine.STATUS_OK) else 1


def main(words):
    machine.die_with_signals()
    try:
        return Terminal(parse(words)).run()
    except BrokenPipeError:
        return 141
