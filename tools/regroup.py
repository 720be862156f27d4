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

from build_flags import never_grouped, own_flags
from build_lists import KERNEL_PORTABLE, KERNEL_AMD64, files
from build_programs import LIBRARY_GROUPED, LIBRARY_WEAK, PROGRAMS, TEST_PROGRAMS

# Of one group: a change of one file compiles all of it. Where the release kernel is compiled for
# speed a larger one is more inlining and a larger image, too.
MOST_LINES, MOST_LINES_SMALL = 2400, 3200
# Names are alike when they have the same kind; a macro gets into the way of every kind.
PLAIN, TAG = 'plain', 'tag'
NAMES = {
    PLAIN: re.compile(r'^(?:static|ALWAYS_INLINE) [^=;{(]*?\b(\w+)(?:\[[^]]*\])*\s*(?=[(=;])'
                      r'|^#define (\w+)', re.M),
    TAG: re.compile(r'^(?:struct|enum|union) (\w+) \{|^#define (\w+)', re.M),
}
ENUM = re.compile(r'^enum (?:\w+ )?\{([^}]*)\}', re.M)
CONSTANT = re.compile(r'(?:^|,)\s*(\w+)')
LIST = re.compile(r'^static ([^=;{(\n]*,[^=;{(\n]*);', re.M)  # static bool one, two[3];
LISTED = re.compile(r'(\w+)(?:\[[^]]*\])*\s*(?:,|$)')
DECLARED = re.compile(r'^(?!static|typedef|return)[a-z][\w *]*?\b(\w+)\(', re.M)  # in headers


@functools.cache
def names_of_headers(folder):
    """What headers define that files in this folder may include; a file that has one of these
    names for something else stands alone."""
    tops = {'kernel': ['kernel'], 'ulib': ['include', 'kernel/lib', 'ulib']}.get(
        folder.split('/')[0], ['include', 'uapps/common', folder])
    return {name for top in tops for path in glob.glob(f'{top}/**/*.h', recursive=True)
            for name in read(path)[1]}


def place(source):
    """Where its group's other members are: in the same folder, or anywhere in the same layers."""
    folder = os.path.dirname(source)
    top = folder.split('/')[0]
    # What a fault calls lies together, so that the compiler sees all of it.
    fault = folder == 'kernel/vm' and not own_flags('release', source)
    return folder if top == 'uapps' or 'amd64' in folder or fault else top


def company(source, programs):
    """What the members of a group have in common."""
    variants = tuple(own_flags(variant, source) for variant in ('debug', 'release'))
    return place(source), variants, programs, source[-2:]


def read(source):
    """The number of lines, and the names that nothing else of the group may have."""
    with open(source, encoding='utf-8') as file:
        text = file.read()
    # A macro that ends in the same file is in nobody's way; an attribute is no name.
    gone = {'ALIGNED', *re.findall(r'^#undef (\w+)', text, re.M)}
    found = {(kind, name) for kind, pattern in NAMES.items()
             for match in pattern.findall(text) for name in match}
    for outer, inner in ((ENUM, CONSTANT), (LIST, LISTED)):
        found.update((PLAIN, name) for body in outer.findall(text) for name in inner.findall(body))
    if source.endswith('.h'):
        found.update((PLAIN, name) for name in DECLARED.findall(text))
    return text.count('\n'), {(kind, name) for kind, name in found if name and name not in gone}


def group(sources):
    """First fit; groups of one are left out."""
    groups, taken = [], names_of_headers(os.path.dirname(sources[0]))
    most = MOST_LINES_SMALL if own_flags('release', sources[0]) else MOST_LINES
    for source in sources:
        lines, names = read(source)
        if names & taken:
            continue
        for one in groups:
            if one['lines'] + lines <= most and not one['names'] & names:
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
    users.update((source, ('weak' if source in LIBRARY_WEAK else 'library',))
                 for source in LIBRARY_GROUPED)
    for name, sources in sorted({**PROGRAMS, **TEST_PROGRAMS}.items()):
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
