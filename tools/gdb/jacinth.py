"""jacinth.py - the project's commands for gdb; `./jx gdb` loads it.

  jx-program NAME BASE   reads the symbols of a user program that is mapped at BASE
"""
import os

import gdb

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))


class Program(gdb.Command):
    """jx-program NAME BASE: read the symbols of build/symbols/NAME, mapped at BASE."""

    def __init__(self):
        super().__init__('jx-program', gdb.COMMAND_FILES, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        words = gdb.string_to_argv(argument)
        if len(words) != 2:
            raise gdb.GdbError('usage: jx-program NAME BASE')
        base = int(gdb.parse_and_eval(words[1]))
        path = os.path.join(TOP, 'build/symbols', words[0])
        if not os.path.exists(path):
            raise gdb.GdbError(f'no program {path}')
        gdb.execute(f'add-symbol-file {path} -o {base:#x}')


gdb.execute('set confirm off')
gdb.execute('set pagination off')
gdb.execute(f'directory {TOP}')
Program()
