#!/usr/bin/env python3
"""no_float.py ELF...: the kernel uses no extended state (P29).

Apart from the instructions that save and restore it, no x87, MMX, SSE or AVX
instruction may stand in the kernel. Shows first that it can fail.
"""
import re
import subprocess
import sys

REGISTER = re.compile(r'%([xyz]?mm[0-9]+|st\b|st\()')
X87 = re.compile(r'^f(?!xsave|xrstor|ninit|nstcw|ldcw)[a-z0-9]+$')


def offends(mnemonic, operands):
    return bool(REGISTER.search(operands) or X87.match(mnemonic) or mnemonic == 'emms')


def check(path):
    text = subprocess.run(['llvm-objdump-19', '-d', '--no-show-raw-insn', path],
                          capture_output=True, text=True, check=True).stdout
    function, found, count = '?', [], 0
    for line in text.splitlines():
        if line.endswith('>:'):
            function = line.split('<')[-1][:-2]
            continue
        place, tab, rest = line.partition('\t')
        if not tab:
            continue
        count += 1
        mnemonic, _, operands = rest.strip().partition('\t')
        if offends(mnemonic.strip(), operands):
            found.append(f'{path}: {function}: {rest.strip()}')
    if count < 1000:
        found.append(f'{path}: only {count} instructions: is this the kernel?')
    return found, count


def main():
    assert offends('movaps', '%xmm0, (%rsp)') and offends('fldl', '(%rax)')
    assert offends('vpxor', '%ymm1, %ymm2, %ymm3') and offends('fadd', '%st(1), %st')
    assert not offends('xsaveopt64', '(%rdi)') and not offends('movq', '%rax, %rbx')
    bad = 0
    for path in sys.argv[1:]:
        found, count = check(path)
        print('\n'.join(found) if found else f'{path}: {count} instructions, none of them')
        bad += len(found)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
