#!/usr/bin/env python3
"""checklists.py: each line of a CHECKLIST in a test file names tests that exist."""
import glob
import re
import sys

NAME = re.compile(r'\b(?:[a-z_]+\.)?[A-Za-z0-9]+(?:_[A-Za-z0-9]+){2,}\b')


def tests_of(pattern, form):
    found = set()
    for path in glob.glob(pattern, recursive=True):
        with open(path, encoding='utf-8') as file:
            found.update(form(match) for match in re.finditer(
                r'^(?:K?TEST|KTEST_QUICK)\((?:(\w+), )?(\w+)\)', file.read(), re.M))
    return found


def lines_of(text):
    """(what is asked, what follows) of each line of the lists in a file."""
    for block in re.findall(r'CHECKLIST[^\n]*\n(.*?)\* END', text, re.S):
        block = re.sub(r'\n \*\s{7,}', ' ', block) # a line that goes on
        for line in block.split('\n'):
            line = line.strip(' *')
            if line:
                yield line.rpartition(': ')[::2]


def main():
    known = tests_of('uapps/core-tests/*.c', lambda m: m[2])
    known |= tests_of('kernel/**/*_test.c', lambda m: f'{m[1]}.{m[2]}')
    count, bad = 0, []
    for path in sorted(glob.glob('uapps/core-tests/*.c')):
        with open(path, encoding='utf-8') as file:
            text = file.read()
        for asked, answer in lines_of(text):
            names = NAME.findall(answer)
            count += 1
            bad += [f'{path}: {asked}: no test {name}' for name in names if name not in known]
            if not names:
                bad.append(f'{path}: {asked}: no test')
    print('\n'.join(bad) if bad else f'{count} lines, each with a test')
    return 1 if bad or not count else 0


if __name__ == '__main__':
    sys.exit(main())
