"""machine.py - the one place that knows how QEMU is started for Jacinth.

A Machine is one QEMU process. Its ports are socket pairs, never QEMU's own stdio
(that loses output when the reader is slow) and never files:

    com1    the serial line, both ways
    log     port 0xe9: the kernel log, when the command line says log=debug
    end     port 0xe8: the kernel writes `jx-end: ok` when it powers off properly

With exit=debug on the kernel's command line, which direct boots get here, QEMU ends
with status 33 (isa-debug-exit, code 0x10) when the kernel ended the machine properly,
35 when tests failed (0x11), 37 after a panic (0x12). Status 0 means a triple fault, a
reset, or power-off by ACPI: never a success by itself.
"""
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
OVMF_FILES = ['/usr/share/ovmf/OVMF.fd', '/usr/share/OVMF/OVMF.fd',
              '/usr/share/edk2/x64/OVMF.fd']
STATUS_OK, STATUS_TESTS_FAILED, STATUS_PANIC = 33, 35, 37


def built(name):
    return os.path.join(TOP, 'build', name)


def fail(text, code=2):
    """Ends the program with one readable line."""
    sys.stderr.write(f'jx: {text}\n')
    sys.exit(code)


def find_ovmf():
    return next((path for path in OVMF_FILES if os.path.exists(path)), None)


class Options:
    """What a machine is made of; every field has a default."""

    def __init__(self, **fields):
        self.boot = 'pvh'            # pvh, microvm, bios, uefi
        self.kernel = os.environ.get('JX_KERNEL') or built('kernel.elf')
        self.initrd = built('initrd.cpio')
        self.iso = None              # for bios and uefi; made on the fly when words need it
        self.smp = 1
        self.memory = '256M'
        self.cpu = 'max'
        self.icount = False
        self.words = []              # the kernel's command line
        self.gdb_port = 0            # wait for a debugger there
        self.allow_reboot = False
        self.extra = []              # more arguments for QEMU
        for name, value in fields.items():
            assert hasattr(self, name), name
            setattr(self, name, value)


class Machine:
    """One running QEMU. Use as a context manager: it never outlives the block."""

    def __init__(self, options):
        self.options = options
        self.folder = tempfile.mkdtemp(prefix='jx-')
        self.process = None
        self.com1 = self.log = self.end = None
        try:
            self._start()
        except BaseException:
            self.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.close()

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for port in (self.com1, self.log, self.end):
            if port:
                port.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _iso(self):
        options = self.options
        if options.iso:
            return options.iso
        standard = (options.kernel == built('kernel.elf') and not options.words
                    and options.initrd == built('initrd.cpio'))
        if standard:
            return built('jacinth.iso')
        path = os.path.join(self.folder, 'boot.iso')
        subprocess.run(['sh', os.path.join(TOP, 'tools/mkiso.sh'), path, options.kernel,
                        options.initrd] + options.words, check=True)
        return path

    def _arguments(self, ports):
        options = self.options
        # setpriv: the machine dies with us, even when we are killed outright.
        command = ['setpriv', '--pdeathsig', 'KILL'] if shutil.which('setpriv') else []
        command += ['qemu-system-x86_64', '-accel', 'tcg', '-cpu', options.cpu,
                   '-smp', str(options.smp), '-m', str(options.memory),
                   '-nodefaults', '-no-user-config', '-display', 'none', '-monitor', 'none']
        if options.boot == 'microvm':
            command += ['-machine', 'microvm,isa-serial=on,pit=on,pic=on,rtc=on,acpi=on']
        else:
            command += ['-machine', 'q35']
        for name, port in ports.items():
            command += ['-chardev', f'socket,id={name},fd={port.fileno()}']
        command += ['-serial', 'chardev:com1',
                    '-device', 'isa-debugcon,iobase=0xe9,chardev=log',
                    '-device', 'isa-debugcon,iobase=0xe8,chardev=end',
                    '-device', 'isa-debug-exit,iobase=0xf4,iosize=4']
        if options.boot in ('pvh', 'microvm'):
            words = options.words if options.gdb_port else ['exit=debug'] + options.words
            command += ['-kernel', options.kernel, '-append', ' '.join(words)]
            if options.initrd:
                command += ['-initrd', options.initrd]
        else:
            command += ['-cdrom', self._iso(), '-boot', 'd']
        if options.boot == 'uefi':
            firmware = find_ovmf()
            if not firmware:
                fail('no UEFI firmware found; `./jx doctor` says what mends it', 1)
            command += ['-bios', firmware]
        if options.icount:
            command += ['-icount', 'shift=0,sleep=off']
        if options.gdb_port:
            command += ['-gdb', f'tcp:127.0.0.1:{options.gdb_port}', '-S']
        if not options.allow_reboot:
            command += ['-no-reboot']
        return command + options.extra

    def _start(self):
        ours, theirs = {}, {}
        for name in ('com1', 'log', 'end'):
            ours[name], theirs[name] = socket.socketpair()
            setattr(self, name, ours[name])
        self.command = self._arguments(theirs)
        self.stderr_path = os.path.join(self.folder, 'qemu.stderr')
        with open(self.stderr_path, 'wb') as stderr:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr,
                pass_fds=[port.fileno() for port in theirs.values()],
                start_new_session=True)
        for port in theirs.values():
            port.close()

    def complaint(self):
        """What QEMU itself had to say."""
        with open(self.stderr_path, encoding='utf-8', errors='replace') as file:
            return file.read().strip()

    def wait(self, timeout):
        """QEMU's exit status once it ends, or None when it does not within `timeout`."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            return None


class Pump:
    """Moves bytes between a machine's ports and callbacks until QEMU has ended.

    sinks: port name -> function(bytes). `sources` may send to com1 by `send`.
    """

    def __init__(self, machine, sinks):
        self.machine = machine
        self.selector = selectors.DefaultSelector()
        self.open_ports = 0
        self.outgoing = bytearray()
        self.deadline = None
        for name in ('com1', 'log', 'end'):
            port = getattr(machine, name)
            port.setblocking(False)
            self.selector.register(port, selectors.EVENT_READ,
                                   (self._read, port, sinks.get(name, lambda data: None)))
            self.open_ports += 1

    def _read(self, mask, port, sink):
        if mask & selectors.EVENT_WRITE:
            self._flush()
        if not mask & selectors.EVENT_READ:
            return
        try:
            data = port.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b''
        if data:
            sink(data)
        else:
            self.selector.unregister(port)
            self.open_ports -= 1
            if port is self.machine.com1:
                self.outgoing.clear()

    def add_source(self, descriptor, function):
        """Calls function() when `descriptor` can be read; remove_source ends that."""
        self.selector.register(descriptor, selectors.EVENT_READ,
                               (lambda mask: function(),))

    def remove_source(self, descriptor):
        self.selector.unregister(descriptor)

    def send(self, data):
        """Queue bytes for com1."""
        self.outgoing += data
        self._flush()

    def _flush(self):
        com1 = self.machine.com1
        if com1 not in self.selector.get_map():
            self.outgoing.clear()
            return
        try:
            while self.outgoing:
                sent = com1.send(self.outgoing[:4096])
                del self.outgoing[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self.outgoing.clear()
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.outgoing else 0)
        key = self.selector.get_key(com1)
        if key.events != events:
            self.selector.modify(com1, events, key.data)

    def step(self, timeout):
        """Waits up to `timeout` seconds for something to do, and does it."""
        for key, mask in self.selector.select(timeout):
            function, *rest = key.data
            function(mask, *rest)

    def run(self, seconds=None, stop=lambda: False):
        """Until QEMU closes its ports (True), `stop()` holds, or time is up (False)."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while self.open_ports:
            if stop():
                return False
            left = 0.5
            if deadline is not None:
                left = min(left, deadline - time.monotonic())
                if left <= 0:
                    return False
            self.step(left)
        return True


def die_with_signals():
    """Turns the signals that end a program into SystemExit, so that cleanup runs."""
    def leave(number, frame):
        sys.exit(128 + number)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, leave)
