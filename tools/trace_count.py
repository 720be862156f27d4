#!/usr/bin/env python3
"""trace_count.py [options] ROW CALL: which functions one operation's instructions are in.

Boots the release kernel with one row of the program `bench`, stops at the system call
CALL (such as vmar_map) after it was made --skip times, and steps from there to the next time the
same call is made from the same place in the program: one whole operation, what user
code does in between included. CALL may also be a function of the kernel that every
operation passes once, such as upcall_page_fault. Prints instructions by function, or with --lines by
source line, or with --list every step.

The debugger's protocol is spoken here, since one step takes gdb about fifty times as
long. A step never takes an interrupt, so what the timer would do is not in the count;
one step of a `rep` instruction is one of its rounds, as it is under -icount.
"""
import argparse
import bisect
import collections
import socket
import subprocess
import sys
import time

import machine

REGISTERS = ['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9', 'r10', 'r11',
             'r12', 'r13', 'r14', 'r15', 'rip']


class Stub:
    """The debug protocol of QEMU, as far as it is needed."""

    def __init__(self, port):
        self.socket = socket.create_connection(('127.0.0.1', port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b''

    def _packet(self):
        while True:
            begin = self.buffer.find(b'$')
            end = self.buffer.find(b'#', begin)
            if begin >= 0 and 0 <= end <= len(self.buffer) - 3:
                text = self.buffer[begin + 1:end]
                self.buffer = self.buffer[end + 3:]
                self.socket.sendall(b'+')
                return text.decode('latin-1')
            data = self.socket.recv(65536)
            if not data:
                raise EOFError('the machine ended before the call was made often enough')
            self.buffer += data

    def ask(self, text):
        body = text.encode()
        self.socket.sendall(b'$' + body + b'#%02x' % (sum(body) & 0xff))
        return self._packet()

    def register(self, name):
        text = self.ask(f'p{REGISTERS.index(name):x}')
        return int.from_bytes(bytes.fromhex(text[:16]), 'little')

    def run_to(self, address):
        """Goes on until `address` is about to be executed."""
        self.ask(f'Z1,{address:x},1')
        self.ask('vCont;c')
        self.ask(f'z1,{address:x},1')

    def word(self, address):
        return int.from_bytes(bytes.fromhex(self.ask(f'm{address:x},8')), 'little')


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Symbols:
    """Addresses to functions, from the symbol table."""

    def __init__(self, path):
        self.path = path
        out = subprocess.run(['llvm-nm-19', '-n', path], capture_output=True, text=True,
                             check=True).stdout
        rows = [line.split() for line in out.splitlines()]
        rows = [(int(row[0], 16), row[2]) for row in rows if len(row) == 3 and row[1] in 'tTwW']
        self.starts = [row[0] for row in rows]
        self.names = [row[1] for row in rows]

    def address(self, name):
        if name not in self.names:
            machine.fail(f'the kernel has no {name}')
        return self.starts[self.names.index(name)]

    def name(self, address):
        if address < 1 << 63:
            return '(user)'
        return self.names[bisect.bisect_right(self.starts, address) - 1]

    def lines(self, addresses):
        """{address: 'file:line'}, of the innermost inlined function."""
        wanted = sorted(a for a in addresses if a >= 1 << 63)
        text = subprocess.run(['llvm-symbolizer-19', '-e', self.path, '--no-inlines',
                               '--output-style=GNU', '--functions=none', '--relativenames'],
                              input='\n'.join(map(hex, wanted)), capture_output=True, text=True,
                              check=True).stdout.split('\n')
        return dict(zip(wanted, text))


def trace(options, symbols):
    """The addresses of one operation, in order."""
    call = 'sys_' + options.call
    is_call = call in symbols.names
    target = symbols.address(call if is_call else options.call)
    words = ['exit=debug', 'log=debug', 'ktest=off', 'exec=/bin/bench', f'exec.args={options.row}']
    port = free_port()
    started = machine.Options(kernel=machine.built('release/kernel.elf'), icount=True,
                              cpu='max,-erms,-la57', words=words, gdb_port=port,
                              memory=options.mem)
    with machine.Machine(started):
        stub = connect(port)
        stub.ask('qXfer:features:read:target.xml:0,ffb')  # registers one by one only after this
        stub.run_to(target)
        for _ in range(options.skip):
            stub.ask('vCont;s')
            stub.run_to(target)
        place = user_rip(stub) if is_call else None
        steps = []
        while len(steps) < options.most:
            stub.ask('vCont;s')
            rip = stub.register('rip')
            steps.append(rip)
            if rip == target and (place is None or user_rip(stub) == place):
                break
        return steps


def user_rip(stub):
    """Where user code goes on, at the first instruction of a sys_ function: in the frame
    of entry.S, above the return address, r12 and r13. The stub of a call lies at one place
    for all who use it, so what is told apart is the caller behind it."""
    frame = stub.register('rsp') + 3 * 8
    return stub.word(stub.word(frame + 20 * 8))


def connect(port):
    for _ in range(100):
        try:
            return Stub(port)
        except ConnectionRefusedError:
            time.sleep(0.05)
    return machine.fail('no answer from the machine')


def show(counter, total):
    for name, count in counter.most_common():
        print(f'{count:7}  {name}')
    print(f'{total:7}  in all')


def main():
    parser = argparse.ArgumentParser(description=__doc__.split('\n')[0])
    parser.add_argument('row')
    parser.add_argument('call')
    parser.add_argument('--skip', type=int, default=20)
    parser.add_argument('--most', type=int, default=50000, help='steps at most')
    parser.add_argument('--mem', default='256M')
    parser.add_argument('--lines', action='store_true')
    parser.add_argument('--list', action='store_true')
    options = parser.parse_args()
    symbols = Symbols(machine.built('release/kernel.elf'))
    steps = trace(options, symbols)
    if options.list:
        for rip in steps:
            print(f'{rip:#x} {symbols.name(rip)}')
    elif options.lines:
        where = symbols.lines(set(steps))
        show(collections.Counter(f'{symbols.name(rip):28} {where.get(rip, "")}' for rip in steps),
             len(steps))
    else:
        show(collections.Counter(map(symbols.name, steps)), len(steps))


if __name__ == '__main__':
    sys.exit(main())
