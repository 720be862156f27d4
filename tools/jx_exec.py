"""jx_exec.py - runs one program in a fresh machine: `./jx exec`.

The program goes into the initrd as /boot/NAME and `init` runs it. What passes
between this side and the machine:

  command line  exit=debug log=debug exec=/boot/NAME [exec.args=WORD,WORD,...], or both with init
                A word keeps letters, digits and ._/+:@=- ; every other byte is %XX.
  com1 out      the program's output and errors, raw.
  com1 in       64 bytes of 0 (enabling the UART's FIFO eats some), the four bytes
                `JXIO`, then frames: a 16-bit little-endian length and that many
                bytes. Length 0 is the end of input. The console turns 0x0d into
                0x0a, so 0x0d and 0x10 travel as 0x10 and the byte xor 0x40.
  log           the kernel log and crash reports; one line is `jx-result: CODE`.
  end           `jx-end: ok`, written when the kernel powers the machine off.

With --init the program itself is the first process and com1 is raw both ways.

The machine has ended properly when QEMU's status is 33, `jx-end: ok` is there and
so is the result line. Anything else is a machine that died: 125.
"""
import os
import re
import shlex
import signal
import sys
import tempfile

import machine
import mkinitrd
import symbolize

HELP = """usage: ./jx exec [options] PROGRAM [ARGS...]

Boots a fresh machine, runs one program in it, and exits with its exit code.
PROGRAM is a file of this computer if it contains a slash (`./jx cc` makes them),
else a program of the image. Standard input and output are carried byte for byte;
the kernel's log and crash reports go to standard error.

  --add FILE[=PATH]  puts a file into the image, as /boot/NAME or as PATH
  --smp N            processors (1)
  --mem M            memory (256M)
  --timeout S        seconds until the machine is stopped (60)
  --icount           counts instructions instead of time: every run is the same
  --boot HOW         pvh (the kernel straight from QEMU), bios or uefi
  --device NAME      one more of QEMU's devices, with its properties
  --init             PROGRAM is the first process; the serial line is raw
  --append WORDS     more words for the kernel's command line

Exit code: the program's low 8 bits; 252 ended by an exception; 250 killed;
124 time-out; 125 the machine died; 2 wrong usage.
"""
PLAIN = re.compile(rb'[A-Za-z0-9._/+:@=-]')
RETCODE_EXCEPTION, RETCODE_KILLED = -1028, -1024
COMMAND_LINE_MAX = 2047 - len('exit=debug ')


def escape(word):
    """A word as it stands in exec.args."""
    return ''.join(chr(byte) if PLAIN.match(bytes([byte])) else f'%{byte:02x}'
                   for byte in os.fsencode(word))


def frame(data):
    """Some bytes of input as they travel; none are its end."""
    plain = len(data).to_bytes(2, 'little') + data
    return plain.replace(b'\x10', b'\x10\x50').replace(b'\x0d', b'\x10\x4d')


class Arguments:
    """The command line, read by hand: everything behind PROGRAM is the program's."""

    def __init__(self, words):
        self.add, self.words, self.devices = [], [], []
        self.smp, self.memory, self.timeout = 1, '256M', 60.0
        self.boot = 'pvh'
        self.icount = self.init = False
        self.original = list(words)
        words = list(words)
        while words and words[0].startswith('-'):
            option = words.pop(0)
            if option == '--':
                break
            option, has_value, value = option.partition('=')
            if option in ('--help', '-h'):
                sys.stdout.write(HELP)
                sys.exit(0)
            if option in ('--icount', '--init') and not has_value:
                setattr(self, option[2:], True)
                continue
            if option not in ('--add', '--smp', '--mem', '--timeout', '--append',
                              '--device', '--boot'):
                machine.fail(f'exec: unknown option {option}; see ./jx exec --help')
            if not has_value:
                if not words:
                    machine.fail(f'exec: {option} needs a value')
                value = words.pop(0)
            self._set(option, value)
        if not words:
            machine.fail('exec: which program? see ./jx exec --help')
        self.program, self.arguments = words[0], words[1:]

    def _set(self, option, value):
        if option == '--add':
            self.add.append(value)
        elif option == '--boot':
            if value not in ('pvh', 'bios', 'uefi'):
                machine.fail(f'exec: --boot {value}: want pvh, bios or uefi')
            self.boot = value
        elif option == '--device':
            self.devices += ['-device', value]
        elif option == '--append':
            self.words += value.split()
        elif option == '--mem':
            if not re.fullmatch(r'[1-9][0-9]*[MG]?', value):
                machine.fail(f'exec: --mem {value}: want a number, M or G')
            self.memory = value if value[-1] in 'MG' else value + 'M'
        elif option == '--smp':
            if not re.fullmatch(r'[1-9][0-9]?', value):
                machine.fail(f'exec: --smp {value}: want 1 to 99')
            self.smp = int(value)
        else:
            try:
                self.timeout = float(value)
            except ValueError:
                machine.fail(f'exec: --timeout {value}: want seconds')


def additions(arguments):
    """PATH=FILE for each added file, and the program's path in the image."""
    entries = {}

    def put(path, source):
        path = path.lstrip('/') if path.startswith('/') else 'boot/' + path
        if not os.path.isfile(source):
            machine.fail(f'exec: no such file: {source}')
        if path in entries and entries[path] != source:
            machine.fail(f'exec: two files would be /{path}')
        entries[path] = source
        return '/' + path

    for argument in arguments.add:
        source, _, path = argument.partition('=')
        put(path or os.path.basename(source), source)
    if '/' not in arguments.program:
        if not os.path.exists(machine.built('bin/' + arguments.program)):
            machine.fail(f'exec: no program {arguments.program} in the image '
                         f'(a file of this computer needs a slash: ./{arguments.program})')
        return entries, '/bin/' + arguments.program
    name = re.sub(r'[^A-Za-z0-9._+-]', '_', os.path.basename(arguments.program))
    return entries, put(name, arguments.program)


class Run:
    """One machine with one program: carries the streams and judges the end."""

    def __init__(self, arguments, options):
        self.arguments, self.options = arguments, options
        # The kernel calls every first process `init`.
        name = 'init' if arguments.init else os.path.basename(arguments.program)
        modules = {name: arguments.program} if '/' in arguments.program else {}
        self.symbolizer = symbolize.Symbolizer(modules)
        self.log_rest = b''
        self.results, self.end = [], b''
        self.input_open = self.waitable = True
        self.listening = False

    def on_output(self, data):
        view = memoryview(data)
        while view:
            view = view[os.write(1, view):]

    def on_log(self, data):
        *lines, self.log_rest = (self.log_rest + data).split(b'\n')
        for line in lines:
            self.log_line(line)

    def log_line(self, line):
        match = re.search(rb'jx-result: (-?\d+)\r?$', line)
        if match:
            self.results.append(int(match.group(1)))
            return
        text = self.symbolizer.line(line.rstrip(b'\r')) + b'\n'
        try:
            os.write(2, text)
        except OSError:
            pass

    def on_end(self, data):
        self.end += data

    def feed(self):
        """Passes on what standard input has, and its end."""
        try:
            data = os.read(0, 32768)
        except OSError:
            data = b''
        if self.arguments.init:
            self.pump.send(data)
        else:
            self.pump.send(frame(data))
        if not data:
            self.input_open = False

    def tend_input(self):
        """Between two steps: read on when what was read before has left."""
        wanted = self.input_open and len(self.pump.outgoing) < 32768
        if wanted and not self.waitable:
            self.feed()
        elif self.waitable and wanted != self.listening:
            self.listening = wanted
            try:
                if wanted:
                    self.pump.add_source(0, self.feed)
                else:
                    self.pump.remove_source(0)
            except OSError:
                self.waitable = False  # a plain file is always ready, and cannot be waited for
        return False

    def run(self):
        """The exit code and the reason for it."""
        with machine.Machine(self.options) as running:
            self.pump = machine.Pump(running, {
                'com1': self.on_output, 'log': self.on_log, 'end': self.on_end})
            if not self.arguments.init:
                self.pump.send(bytes(64) + b'JXIO')
            self.pump.run(stop=self.tend_input)
            status = running.wait(None)
            if self.log_rest:
                self.log_line(self.log_rest)
            return self.judge(status, running)

    def judge(self, status, running):
        complaint = running.complaint()
        if status != machine.STATUS_OK or self.end.strip() != b'jx-end: ok':
            reason = {machine.STATUS_PANIC: 'the kernel panicked'}.get(
                status, f'the machine ended without saying so (QEMU status {status})')
            return 125, reason + (f': {complaint}' if complaint else '')
        if len(self.results) != 1:
            return 125, f'{len(self.results)} result lines instead of one'
        code = self.results[0]
        if code == RETCODE_EXCEPTION:
            return 252, 'ended by an exception'
        if code == RETCODE_KILLED:
            return 250, 'killed'
        return code & 0xff, f'exit code {code}'


def reproduce(arguments):
    return './jx exec ' + ' '.join(shlex.quote(word) for word in arguments.original)


def main(words, make_run=Run):
    machine.die_with_signals()
    arguments = Arguments(words)
    entries, path = additions(arguments)
    command_line = ['log=debug'] + arguments.words
    if arguments.boot != 'pvh':
        command_line.insert(0, 'exit=debug')
    who = 'init' if arguments.init else 'exec'
    command_line.append(f'{who}={path}')
    if arguments.arguments:
        command_line.append(f'{who}.args=' + ','.join(escape(w) for w in arguments.arguments))
    if len(' '.join(command_line)) > COMMAND_LINE_MAX:
        machine.fail(f'exec: the arguments take more than {COMMAND_LINE_MAX} bytes')
    options = machine.Options(smp=arguments.smp, boot=arguments.boot, memory=arguments.memory,
                              icount=arguments.icount, words=command_line,
                              extra=arguments.devices)
    try:
        with tempfile.TemporaryDirectory(prefix='jx-') as folder:
            if entries:
                options.initrd = os.path.join(folder, 'initrd.cpio')
                mkinitrd.write(options.initrd, machine.built('initrd.cpio'),
                               [f'{name}={source}' for name, source in sorted(entries.items())])
            code, reason = run_for(arguments.timeout, make_run(arguments, options))
    except BrokenPipeError:
        return 141
    if code:
        sys.stderr.write(f'jx: {reason}; again: {reproduce(arguments)}\n')
    return code


def run_for(seconds, run):
    """The run's result, or a time-out; an alarm also ends a write that is stuck."""
    def on_alarm(number, frame):
        raise TimeoutError
    signal.signal(signal.SIGALRM, on_alarm)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return run.run()
    except TimeoutError:
        return 124, f'no end after {seconds:g} s'
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
