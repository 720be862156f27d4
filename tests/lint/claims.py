#!/usr/bin/env python3
"""claims.py: what the documents claim names the test that shows it (P42).

In README.md and docs/*.md a paragraph that promises something is followed by
`<!-- shown by: NAME NAME -->`. A name is a step of tests/steps.py, a KTEST as suite.name, or a
test of a Python test file as file.py:method. A name that does not exist fails; so does
a section of the README without any. (Whether the test is green, the run itself says.)
"""
import glob
import os
import re
import sys

sys.path.insert(0, 'tests')
from steps import STEPS  # noqa: E402

MARK = re.compile(r'<!-- shown by: (.*?) -->', re.S)
# Sections that only point elsewhere.
NO_CLAIM = ('Where to read on', 'Licence')


def known_names():
    names = {step.name for step in STEPS}
    for path in glob.glob('kernel/**/*_test.c', recursive=True) + glob.glob('tests/host/*_test.c'):
        with open(path, encoding='utf-8') as file:
            names.update('.'.join(pair) for pair in
                         re.findall(r'^KTEST(?:_QUICK)?\((\w+), (\w+)\)', file.read(), re.M))
    for path in glob.glob('tests/**/*.py', recursive=True):
        with open(path, encoding='utf-8') as file:
            names.update(f'{os.path.basename(path)}:{name}' for name in
                         re.findall(r'^    def (test_\w+)', file.read(), re.M))
    return names


def left_out_but_there():
    """Calls that ARCHITECTURE.md says are left out, and that programs can make all the same."""
    with open('docs/ARCHITECTURE.md', encoding='utf-8') as file:
        section = re.search(r'^## What is left out.*?(?=^## )', file.read(), re.M | re.S).group()
    with open('include/zircon/syscalls.h', encoding='utf-8') as file:
        declared = set(re.findall(r'\b(zx_\w+)\(', file.read()))
    first_cells = re.findall(r'^\|([^|]*)\|', section, re.M)
    named = {name for cell in first_cells for name in re.findall(r'`(zx_\w+)`', cell)}
    return sorted(named & declared - {'zx_system_powerctl'})


def main():
    names, found, count = known_names(), [], 0
    for path in ['README.md'] + sorted(glob.glob('docs/*.md')):
        with open(path, encoding='utf-8') as file:
            text = file.read()
        for mark in MARK.findall(text):
            for name in mark.split():
                count += 1
                if name not in names:
                    found.append(f'{path}: no test is called {name}')
        if path == 'README.md':
            for section in re.split(r'^## ', text, flags=re.M)[1:]:
                title = section.split('\n')[0]
                if title not in NO_CLAIM and not MARK.search(section):
                    found.append(f'{path}: section "{title}" names no test')
    found += [f'ARCHITECTURE.md: {name} is not left out' for name in left_out_but_there()]
    print('\n'.join(found) if found else f'{count} tests named, all there')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
