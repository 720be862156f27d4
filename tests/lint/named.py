#!/usr/bin/env python3
"""named.py: every C and assembler file and text of a call on disk is named in the build,
and exists."""
import glob
import os
import sys

sys.path.insert(0, 'tools')
import build_lists as build  # noqa: E402
import build_programs as programs  # noqa: E402

FOLDERS = ['kernel', 'ulib', 'uapps', 'tests', 'tools']
# Built by their tests or tools, not by ninja.
EXCEPTIONS = ('tools/doctor/', 'tests/programs/', 'tests/lint/', 'tests/linux-peer/')


def main():
    named = {programs.ULIB_START}
    for table in (build.KERNEL_PORTABLE, build.KERNEL_AMD64, build.HOST_ONLY, build.VDSO,
                  programs.ULIB):
        named.update(f'{folder}/{name}' for folder, names in table.items() for name in names)
    for table in (programs.PROGRAMS, programs.TEST_PROGRAMS, build.HOST_PROGRAMS,
                  build.FUZZERS):
        for sources in table.values():
            named.update(sources)
    named.update(programs.PROGRAMS_BARE.values())
    for sources in build.HOST_TOOLS.values():
        named.update(sources)
    named.update(build.CALL_TEXTS)
    named.update(build.ORDERS)
    named.discard(build.EXAMPLES)
    on_disk = set()
    for top in FOLDERS:
        for folder, _, names in os.walk(top):
            on_disk.update(os.path.join(folder, name) for name in names
                           if name.endswith(('.c', '.S')))
    on_disk.update(glob.glob('docs/calls/*.md'))
    found = [f'{path}: not in tools/build_lists.py or build_programs.py' for path in sorted(on_disk - named)
             if not path.startswith(EXCEPTIONS)]
    found += [f'{path}: listed but not there' for path in sorted(named - on_disk) if path]
    print('\n'.join(found) if found else f'{len(named)} files, all named')
    return 1 if found else 0


if __name__ == '__main__':
    sys.exit(main())
