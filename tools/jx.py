#!/usr/bin/env python3
"""jx.py WORD ARGS...: the words of ./jx that need more than a shell."""
import os
import subprocess
import sys

import machine


def symbols_of(words):
    """The kernel that gdb reads: the release one, which `./jx qemu` boots."""
    return machine.built('debug/kernel.elf' if '--debug' in words else 'release/kernel.elf')


def gdb(words):
    """Debugger on the machine that `./jx qemu --gdb` started."""
    port = os.environ.get('JX_GDB_PORT', '1234')
    rest = [word for word in words if word != '--debug']
    os.execvp('gdb', ['gdb', '-q', '-ix', os.path.join(machine.TOP, 'tools/gdb/jacinth.py'),
                      '-ex', f'target remote 127.0.0.1:{port}'] + rest + [symbols_of(words)])


CC_HELP = """usage: ./jx cc --native ARGS...

Compiles and links a user program that lies anywhere, for example
  ./jx cc --native hello.c -o hello        then  ./jx exec ./hello
ARGS are clang's. --native (also the default: there is no other library yet) gives
the headers of ulib: <zircon/...> and a small C subset. -c, -S and -E compile only.
"""


def variables():
    """The variables of build.ninja, so that flags stand in one place."""
    table = {}
    with open(os.path.join(machine.TOP, 'build.ninja'), encoding='utf-8') as file:
        for line in file:
            name, equals, value = line.partition(' = ')
            if equals and not line.startswith(' '):
                table[name] = value.strip()
    return table


def cc(words):
    words = [word for word in words if word != '--native']
    if not words or words[0] in ('--help', '-h'):
        sys.stdout.write(CC_HELP)
        return 0 if words else 2
    table = variables()
    include = [os.path.join(machine.TOP, folder) for folder in ('ulib/include', 'include')]
    flags = []
    skip = False
    for flag in table['user_flags'].split():
        if flag == '-isystem':
            skip = True
        elif skip:
            skip = False
        elif not flag.startswith('-fdebug-compilation-dir'):
            flags.append(flag)
    for folder in include:
        flags += ['-isystem', folder]
    command = [table['cc']] + flags
    if not any(word in ('-c', '-S', '-E', '-M', '-MM', '-fsyntax-only') for word in words):
        linker = ['-nostdlib', '-static-pie', '-fuse-ld=lld', '--ld-path=' + find(table['ld'])]
        for flag in table['user_ldflags'].split():
            linker += ['-Xlinker', flag]
        command += linker + [machine.built('ulib/crt0.o')]
        return subprocess.call(command + words + [machine.built('ulib/libzx.a')])
    return subprocess.call(command + words)


def find(program):
    import shutil
    return shutil.which(program) or machine.fail(f'{program} is missing', 1)


def run(word, words):
    if word == 'exec':
        import jx_exec
        return jx_exec.main(words)
    if word == 'qemu':
        import jx_qemu
        return jx_qemu.main(words)
    if word == 'bench':
        import jx_bench
        return jx_bench.main(words)
    if word == 'trace':
        import jx_trace
        return jx_trace.main(words)
    if word == 'cc':
        return cc(words)
    if word == 'gdb':
        return gdb(words)
    return machine.fail(f'unknown word {word}')


if __name__ == '__main__':
    sys.exit(run(sys.argv[1], sys.argv[2:]))
