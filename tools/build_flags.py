"""build_flags.py - what a source file has of its own in the build: flags, and whether it stands alone."""
from build_lists import EXTRA_FLAGS, EXTRA_INPUTS, RARELY_RUN

SHIFTS_128 = ('clock.c', 'cpu_test.c', 'ratio_test.c')
# The test kernel with moved numbers has another one of these.
REPLACED = ('kernel/syscall/dispatch.c',)


def files(folders):
    """All paths of a {folder: [name]} table, sorted."""
    return sorted(f'{folder}/{name}' for folder, names in folders.items() for name in names)


def own_flags(variant, source):
    """The flags that this source has besides its variant's."""
    flags = [EXTRA_FLAGS[source]] if source in EXTRA_FLAGS else []
    if variant == 'release' and (source.endswith('_test.c') or source in RARELY_RUN):
        # The image has it all, and nobody waits for these. (-Oz calls a helper for shifts
        # of 128 bits, which there is none of.)
        needs_helper = source.endswith(SHIFTS_128)
        flags.append('-Os' if needs_helper else '-Oz')
    return ' '.join(flags)


def never_grouped(source):
    return (not source.endswith('.c') or source.startswith('build/') or source in EXTRA_INPUTS
            or source in REPLACED)
