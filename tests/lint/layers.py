#!/usr/bin/env python3
"""layers.py: no include in the kernel points up.

Layers, lowest first: lib, arch, sched, vm, dev, object, syscall. dev stands between vm
and object; its parsers (acpi*) may include lib and arch/platform.h only. A kernel
include names its folder in full. `layers.py --self-test` shows that it can fail.
"""
import os
import re
import sys

ORDER = ['lib', 'arch', 'sched', 'vm', 'dev', 'object', 'syscall']
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.M)
PARSERS = re.compile(r'kernel/dev/acpi\w*\.[ch]$')


def layer_of(path):
    """The rank of kernel/FOLDER/..., or None for main.c and the vDSO, which stand outside."""
    folder = path.split('/')[1]
    return ORDER.index(folder) if folder in ORDER else None


def complaints(path, text):
    """What is wrong with the includes of one file."""
    own = layer_of(path)
    found = []
    for target in INCLUDE.findall(text):
        top = target.split('/')[0]
        if top not in ORDER:
            # Private headers of an arch, of the vDSO and generated ones have their own places.
            if own is not None and '/' not in target and not target.endswith('.inc'):
                found.append(f'{path}: "{target}" does not name its folder')
            continue
        if own is not None and ORDER.index(top) > own:
            found.append(f'{path}: includes "{target}", which is a layer above {ORDER[own]}')
        if PARSERS.search(path) and top not in ('lib', 'dev') and target != 'arch/platform.h':
            found.append(f'{path}: a parser includes "{target}"; lib is all it may use')
    return found


def self_test():
    assert complaints('kernel/vm/vmo.c', '#include "object/handle.h"\n')
    assert complaints('kernel/lib/fmt.c', ' # include "arch/cpu.h"\n')
    assert complaints('kernel/vm/vmo.c', '#include "page.h"\n')
    assert complaints('kernel/dev/acpi.c', '#include "vm/pmm.h"\n')
    assert not complaints('kernel/object/vmo_object.c', '#include "vm/vmo.h"\n#include "lib/fmt.h"\n')
    assert not complaints('kernel/main.c', '#include "syscall/dispatch.h"\n')


def main():
    self_test()
    found = []
    for folder, _, names in sorted(os.walk('kernel')):
        for name in sorted(names):
            if name.endswith(('.c', '.h', '.S')):
                path = os.path.join(folder, name)
                with open(path, encoding='utf-8') as file:
                    found += complaints(path, file.read())
    print('\n'.join(found) if found else 'no include points up')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
