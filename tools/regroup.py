#!/usr/bin/env python3
"""regroup.py: writes tools/build_groups.py, the groups of files that are compiled together.

A compiler's start costs more than most of this tree's files, so the images' objects are made
from groups: neighbours with the same flags and the same programs, none of which has a static,
a macro or a type of the same name as another. Run it when files that stand alone have become
many, or when the compiler says that two of a group no longer go together.
"""
import functools
import glob
import os
import re

from build_flags import files, never_grouped, own_flags
from build_lists import KERNEL_PORTABLE, KERNEL_AMD64
from build_programs import PROGRAMS, PROGRAMS_OUTSIDE

MOST_LINES = 1700  # of one group: a change of one file compiles all of it
NAMES = re.compile(r'^(?:static|ALWAYS_INLINE) [^=;{(]*?\b(\w+)(?:\[[^]]*\])*\s*(?=[(=;])'
                   r'|^#define (\w+)|^(?:struct|enum|union) (\w+) \{', re.M)


@functools.cache
def names_of_headers(folder):
    """What headers define that files in this folder may include; a file that has one of these
    names for something else stands alone."""
    tops = ['kernel'] if folder.startswith('kernel') else ['include', 'uapps/common', folder]
    return {name for top in tops for path in glob.glob(f'{top}/**/*.h', recursive=True)
            for name in read(path)[1]}


def company(source, programs):
    """What the members of a group have in common."""
    variants = tuple(own_flags(variant, source) for variant in ('debug', 'release'))
    return os.path.dirname(source), variants, programs, source.endswith('_test.c')


def read(source):
    """The number of lines, and the names that nothing else of the group may have."""
    with open(source, encoding='utf-8') as file:
        text = file.read()
    return text.count('\n'), {name for match in NAMES.findall(text) for name in match if name}


def group(sources):
    """First fit; groups of one are left out."""
    groups, taken = [], names_of_headers(os.path.dirname(sources[0]))
    for source in sources:
        lines, names = read(source)
        if names & taken:
            continue
        for one in groups:
            if one['lines'] + lines <= MOST_LINES and not one['names'] & names:
                break
        else:
            one = {'lines': 0, 'names': set(), 'sources': []}
            groups.append(one)
        one['lines'] += lines
        one['names'] |= names
        one['sources'].append(source)
    return [one['sources'] for one in groups if len(one['sources']) > 1]


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
    users = {source: () for source in files(KERNEL_PORTABLE) + files(KERNEL_AMD64)}
    for name, sources in sorted({**PROGRAMS, **PROGRAMS_OUTSIDE}.items()):
        for source in sources:
            users[source] = users.get(source, ()) + (name,)
    companies = {}
    for source, programs in sorted(users.items()):
        if not never_grouped(source):
            companies.setdefault(company(source, programs), []).append(source)
    groups = sorted(one for sources in companies.values() for one in group(sources))
    with open('tools/build_groups.py', 'w', encoding='utf-8') as file:
        file.write('"""build_groups.py - files that are compiled together; written by '
                   'regroup.py, which says why."""\n\nGROUPS = [\n')
        for one in groups:
            file.write('    [\n' + ''.join(f'        {source!r},\n' for source in one) + '    ],\n')
        file.write(']\n')


if __name__ == '__main__':
    main()
