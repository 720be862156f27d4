#!/usr/bin/env python3
"""symbolize.py [NAME=ELF]... < TEXT: adds file:line to the backtraces of crash reports.

A backtrace line is `  #N 0xADDRESS NAME+0xOFFSET`, where NAME is a program, or the
memory object that the crashed process is mapped from, and OFFSET counts from where
its image begins; the kernel's own lines have only the address. The kernel's
addresses are looked up in build/release/kernel.elf unless kernel=FILE says
otherwise; those of a program in build/symbols/NAME.
"""
import os
import re
import subprocess
import sys

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
LINE = re.compile(rb'^(.*?#(\d+) +0x([0-9a-f]+)(?: +([\w.+-]+?)\+0x([0-9a-f]+))?)\s*$')
PROCESS = re.compile(rb'crash: process (\S+) \(')


class Symbolizer:
    """Keeps one llvm-symbolizer running; it is started by the first backtrace."""

    def __init__(self, modules=None):
        self.modules = {'kernel': os.path.join(TOP, 'build/release/kernel.elf')}
        self.modules.update(modules or {})
        self.child = None
        self.process = None

    def _file(self, name):
        path = self.modules.get(name) or os.path.join(TOP, 'build/symbols', name)
        return path if os.path.isfile(path) else None

    def _ask(self, path, address):
        if not self.child:
            self.child = subprocess.Popen(
                ['llvm-symbolizer-19', '--functions=linkage', '--no-inlines', '--relativenames'],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.child.stdin.write(f'"{path}" {address:#x}\n'.encode())
        self.child.stdin.flush()
        answer = []
        while True:
            line = self.child.stdout.readline().strip()
            if not line:
                return answer
            answer.append(line)

    def line(self, text):
        """One line of output, without its newline, with the place added if it has one."""
        match = LINE.match(text)
        if not match:
            named = PROCESS.search(text)
            self.process = named.group(1).decode(errors='replace') if named else self.process
            return text
        whole, number, address, name, offset = match.groups()
        name = name.decode() if name else 'kernel'
        path = self._file(name) or self._file(self.process or name)
        if not path:
            return text
        place = int(address, 16) if name == 'kernel' else int(offset, 16)
        # All frames but the first hold return addresses: the call is just before.
        if int(number) > 0 and place:
            place -= 1
        try:
            answer = self._ask(path, place)
        except OSError:
            return text
        if len(answer) < 2 or answer[0] == b'??':
            return text
        where = answer[1].rsplit(b':', 1)[0]
        return whole + b'  ' + answer[0] + b' ' + where


def main():
    modules = dict(argument.split('=', 1) for argument in sys.argv[1:])
    symbolizer = Symbolizer(modules)
    for text in sys.stdin.buffer:
        sys.stdout.buffer.write(symbolizer.line(text.rstrip(b'\n')) + b'\n')
        sys.stdout.buffer.flush()


if __name__ == '__main__':
    main()
