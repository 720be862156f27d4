#!/usr/bin/env python3
"""Writes build.ninja from the lists of build_*.py and the flags below.

build.ninja is checked in, because `ninja` alone must work on a fresh clone; the test
lint-generated fails when it is stale. After a merge conflict in build.ninja resolve
the lists, then run this script.
"""
import os
import sys

from build_flags import EXTRA_INPUTS, joined, own_flags
from build_groups import GROUPS
from build_lists import (
    KERNEL_PORTABLE, KERNEL_AMD64, KERNEL_ALSO_ON_HOST, KERNEL_LINKER_SCRIPT, HOST_ONLY,
    HOST_PROGRAMS, HOST_POINTS, ORDERS, FUZZERS, HOST_TOOLS, CALL_TEXTS, EXAMPLES, VDSO,
    VDSO_LINKER_SCRIPT, files)
from build_programs import (
    ULIB, ULIB_START, LIBRARY_WEAK, PROGRAMS, PROGRAMS_BARE, TEST_PROGRAMS, INITRD_FILES)

# --------------------------------------------------------------------------
# Flags.

WARNINGS = ('-Wall -Wextra -Werror -Wvla -Wmissing-prototypes -Wstrict-prototypes -Wundef '
            '-Wno-unused-parameter -Wno-c23-extensions')
# Relative paths and a relative compilation directory: two trees build alike.
SAME_EVERYWHERE = '-fdebug-compilation-dir=. -no-canonical-prefixes -Wdate-time'
TARGET = '--target=x86_64-unknown-linux-gnu -std=gnu17 -g ' + SAME_EVERYWHERE

VARIABLES = [
    ('cc', 'clang-19'),
    ('ld', 'ld.lld-19'),
    ('ar', 'llvm-ar-19'),
    ('strip', 'llvm-strip-19'),
    ('objcopy', 'llvm-objcopy-19'),
    ('python', 'python3'),
    ('warnings', WARNINGS),
    ('kernel_flags', TARGET + ' -O2 -ffreestanding -nostdlibinc -fno-common -mcmodel=kernel '
     '-mno-red-zone -mgeneral-regs-only -fno-pic -fno-pie -fno-omit-frame-pointer '
     '-fno-strict-aliasing -fwrapv -fstack-protector-strong -ffunction-sections '
     '-fdata-sections -Wthread-safety -Wframe-larger-than=1024 '
     '-Ikernel -Iinclude -Ikernel/arch/amd64/include -Ibuild'),
    # The C library has a sched_yield too, and its own code calls it by that name.
    ('host_flags', TARGET + ' -DJX_HOST -DJX_DEBUG -Dsched_yield=kernel_sched_yield '
     '-fno-omit-frame-pointer '
     '-fno-strict-aliasing -fwrapv -Wthread-safety -Ikernel -Iinclude '
     '-Ikernel/arch/host/include -Ibuild -I. -D_GNU_SOURCE -pthread'),
    ('vdso_flags', TARGET + ' -O2 -ffreestanding -nostdlibinc -fPIC -fvisibility=hidden '
     '-fno-stack-protector -fno-jump-tables -mgeneral-regs-only -fno-omit-frame-pointer '
     '-fno-strict-aliasing -fno-asynchronous-unwind-tables -Ikernel -Iinclude'),
    ('user_flags', TARGET + ' -O2 -fPIE -nostdlibinc -ftls-model=local-exec -fno-common '
     '-fno-omit-frame-pointer -fstack-protector-strong -ffunction-sections '
     '-fdata-sections -isystem ulib/include -isystem include'),
    # The library itself must not have its loops turned into calls of themselves.
    ('ulib_flags', '-ffreestanding -Ikernel -Iulib'),
    ('user_ldflags', '-m elf_x86_64 -nostdlib -static -pie --no-dynamic-linker -z separate-code '
     '-z relro -z now -z noexecstack -z max-page-size=4096 --gc-sections --build-id=sha1 '
     '-e _start'),
    ('bare_ldflags', '-m elf_x86_64 -nostdlib -static -pie --no-dynamic-linker '
     '-z noseparate-code --no-rosegment -z norelro -z rodynamic -z noexecstack '
     '-z max-page-size=4096 --gc-sections --build-id=none -e _start'),
    ('kernel_ldflags', '-m elf_x86_64 -nostdlib -static -z max-page-size=4096 -z noexecstack '
     '--build-id=sha1 --orphan-handling=error --gc-sections --icf=safe -O2'),
    ('vdso_ldflags', '-m elf_x86_64 -nostdlib -shared -z max-page-size=4096 -z noexecstack '
     '--build-id=none --hash-style=sysv'),
]

# Full debug information costs a third of a compilation: the debug kernel has it.
KERNEL_VARIANTS = {'debug': '-DJX_DEBUG', 'release': '-gline-tables-only'}
HOST_VARIANTS = {
    'host': '-O1 -fsanitize=address,undefined -fno-sanitize-recover=all -fno-sanitize=function',
    # Page maps with two slots to a node: deep trees after a few pages.
    'small': '-O1 -DMAP_BITS=1 -fsanitize=address,undefined -fno-sanitize-recover=all '
             '-fno-sanitize=function',
    'tsan': '-O1 -fsanitize=thread',
    'fuzz': '-O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all '
            '-fno-sanitize=function',
}
# For build/orders/orders only: not a whole kernel.
POINTS = '-Ikernel/arch/host/points ' + HOST_VARIANTS['host']
# The others are for mutants of single files.
GROUPED = ('small', 'fuzz')
HOST_MAIN = 'tests/host/main.c'
HOST_LINK = {
    'host': '-fsanitize=address,undefined',
    'small': '-fsanitize=address,undefined',
    'tsan': '-fsanitize=thread',
    'fuzz': '-fsanitize=fuzzer,address,undefined',
}


class Ninja:
    """Collects the text of build.ninja."""

    def __init__(self):
        self.lines = []
        self.alone = []   # shows of each grouped file that it compiles by itself
        self.objects = {}  # variant -> source -> object, of its kernel

    def line(self, text=''):
        self.lines.append(text)

    def title(self, text):
        self.lines += ['', '# ' + text]

    def rule(self, name, command, **settings):
        self.line(f'rule {name}')
        self.line(f'  command = {command}')
        for key, value in settings.items():
            self.line(f'  {key} = {value}')

    def build(self, outputs, rule, inputs=(), needs=(), order=(), **variables):
        text = f'build {" ".join(listed(outputs))}: {rule}'
        for sign, names in (('', inputs), ('|', needs), ('||', order)):
            names = listed(names)
            if names:
                text += (f' {sign}' if sign else '') + ' ' + ' '.join(names)
        if len(text) > 100:
            text = text.replace(' ', ' $\n    ').replace('build $\n    ', 'build ', 1)
            text = text.replace(' | $\n    ', ' | ').replace(' || $\n    ', ' || ')
        self.line(text)
        for key, value in variables.items():
            if value:
                self.line(f'  {key} = {value}')


def listed(names):
    return [names] if isinstance(names, str) else list(names)


def object_of(variant, source):
    # context.c and context.S stand side by side, so assembler files keep their ending.
    return f'build/{variant}/{source.removesuffix(".c")}.o'


# The names of files stay as they are when each is compiled alone.
JOINED = '-iquote . -ffile-prefix-map=./='


def compile_one(ninja, variant, source):
    out = object_of(variant, source)
    ninja.build(out, f'cc_{variant}', source, needs=EXTRA_INPUTS.get(source, ()),
                more=own_flags(variant, source))
    return out


def compile_all(ninja, variant, sources):
    """One line per object; returns the objects."""
    return [compile_one(ninja, variant, source) for source in sources]


JOINERS = ('debug', 'ulib', 'user')  # the other variants share what these join
# These must show that they compile by themselves; the host's builds do for portable ones.
ALONE = set(files(KERNEL_AMD64)).union(files(ULIB), *PROGRAMS.values(), *TEST_PROGRAMS.values())


def compile_image(ninja, variant, sources):
    """The same for images, where each group of build_groups.py is one object. Returns a table
    from sources to their objects. Besides, `alone` shows that each file compiles by itself."""
    table, left = {}, set(sources)
    for group in GROUPS:
        if not left.issuperset(group):
            continue
        left.difference_update(group)
        if variant in JOINERS:
            ninja.build(joined(group), 'join', needs='tools/build_groups.py', members=' '.join(group))
            for source in [f for f in group if f in ALONE]:
                ninja.build(f'build/alone/{source}', f'alone_{variant}', source,
                            more=own_flags(variant, source))
                ninja.alone.append(f'build/alone/{source}')
        out = object_of(variant, group[0]).replace('.o', '.group.o')
        ninja.build(out, f'cc_{variant}', joined(group), more=f'{own_flags(variant, group[0])} {JOINED}')
        table.update((source, out) for source in group)
    table.update((source, compile_one(ninja, variant, source)) for source in sorted(left))
    return table


def objects_of(table, sources):
    """Each object once."""
    return list(dict.fromkeys(table[source] for source in sources))


def rules(ninja):
    def compiler(name, flags):
        ninja.rule(f'cc_{name}', f'$cc $warnings {flags} $more -MD -MF $out.d -c $in -o $out',
                   depfile='$out.d', deps='gcc', description=f'{name} $in')
        if name in JOINERS:
            ninja.rule(f'alone_{name}', f'$cc $warnings {flags} $more -fsyntax-only -MD -MF $out.d '
                       '-MT $out $in && touch $out', depfile='$out.d', deps='gcc',
                       description='alone $in')

    for variant, flags in KERNEL_VARIANTS.items():
        compiler(variant, f'$kernel_flags {flags}'.strip())
    for variant, flags in HOST_VARIANTS.items():
        compiler(variant, f'$host_flags {flags}')
    compiler('orders', f'$host_flags {POINTS}')
    compiler('vdso', '$vdso_flags')
    compiler('ulib', '$user_flags $ulib_flags -gline-tables-only')
    compiler('user', '$user_flags -gline-tables-only')
    compiler('tool', '-std=gnu17 -O2 -g -Ikernel -Iinclude')
    ninja.rule('join', "printf '#include \"%s\"\\n' $members > $out", description='join $out')
    ninja.rule('link_tool', '$cc -g -o $out $in', description='link $out')
    ninja.rule('examples', 'build/tools/mksyscalls --examples $in > $out',
               description='examples $out')
    ninja.rule('link_kernel', '$ld $kernel_ldflags -T $script -o $out $in',
               description='link $out')
    ninja.rule('link_vdso', '$ld $vdso_ldflags -T $script -o $out $in', description='link $out')
    ninja.rule('link_user', '$ld $user_ldflags -o $out $in', description='link $out')
    ninja.rule('link_bare', '$ld $bare_ldflags -o $out $in', description='link $out')
    ninja.rule('link_host', '$cc -fuse-ld=lld -g $flags -pthread -o $out $in', description='link $out')
    ninja.rule('strip', '$strip --strip-all -o $out $in', description='strip $out')
    # One start of a program that takes longer to start than to do its work. The names of
    # functions stay, for `debug` and `crash`.
    ninja.rule('strip_programs', 'cp $in build/bin && $strip --strip-debug $out',
               description='strip build/bin')
    ninja.rule('strip_sections', '$strip --strip-sections -o $out $in', description='strip $out')
    # A program may have functions of its own that are called as the C library's; what the library
    # calls for itself stays strong, so that a second one of that name is an error.
    ninja.rule('archive', 'rm -f $out && $ar rcsD $out $weak && $objcopy --weaken $out && '
               '$ar rcsD $out $strong', description='ar $out')
    ninja.rule('initrd', '$python tools/mkinitrd.py $out $entries', description='initrd $out')
    ninja.rule('iso', 'sh tools/mkiso.sh $out $in', description='iso $out')
    ninja.rule('compdb', 'ninja -t compdb alone_debug alone_ulib alone_user cc_debug cc_host cc_user '
               'cc_ulib cc_vdso > $out',
               description='compdb $out')
    ninja.rule('generate', '$python tools/gen-build.py', generator='1', restat='1',
               description='generate build.ninja')
    ninja.rule('console', 'JX_BUILT=1 ./jx $word', pool='console', description='jx $word')


def kernels(ninja):
    """Returns the default targets."""
    targets = []
    sources = sorted(files(KERNEL_PORTABLE) + files(KERNEL_AMD64))
    for variant in KERNEL_VARIANTS:
        ninja.title(f'The {variant} kernel.')
        ninja.objects[variant] = compile_image(ninja, variant, sources)
        out = f'build/{variant}/kernel.elf'
        ninja.build(out, 'link_kernel', objects_of(ninja.objects[variant], sources),
                    needs=KERNEL_LINKER_SCRIPT, script=KERNEL_LINKER_SCRIPT)
        targets.append(out)
    ninja.build('build/kernel.elf', 'strip', 'build/release/kernel.elf')
    return targets + ['build/kernel.elf']


def vdso(ninja):
    ninja.title('The vDSO image, which the kernel embeds.')
    objects = compile_all(ninja, 'vdso', files(VDSO))
    ninja.build('build/vdso/vdso.elf', 'link_vdso', objects, needs=VDSO_LINKER_SCRIPT,
                script=VDSO_LINKER_SCRIPT)
    ninja.build('build/vdso/vdso.img', 'strip_sections', 'build/vdso/vdso.elf')


def moved(ninja):
    """A release kernel all of whose call numbers differ: kernel and vDSO alone are rebuilt."""
    ninja.title('A kernel with other system-call numbers, for a test.')
    numbers = '-DJX_SYSCALL_SHUFFLE=29'

    def compiled(variant, source, flags='', needs=()):
        out = object_of('moved', source)
        ninja.build(out, f'cc_{variant}', source, needs=needs,
                    more=f'{own_flags(variant, source)} {flags} {numbers}')
        return out

    parts = [compiled('vdso', source) for source in files(VDSO)]
    ninja.build('build/moved/vdso.elf', 'link_vdso', parts, needs=VDSO_LINKER_SCRIPT,
                script=VDSO_LINKER_SCRIPT)
    ninja.build('build/moved/vdso.img', 'strip_sections', 'build/moved/vdso.elf')
    other = {
        'kernel/syscall/dispatch.c': compiled('release', 'kernel/syscall/dispatch.c'),
        'kernel/vdso/vdso_image.c': compiled(
            'release', 'kernel/vdso/vdso_image.c',
            "-DVDSO_IMAGE='\"moved/vdso.img\"'", ['build/moved/vdso.img']),
    }
    sources = sorted(files(KERNEL_PORTABLE) + files(KERNEL_AMD64))
    objects = objects_of({**ninja.objects['release'], **other}, sources)
    ninja.build('build/moved/kernel.elf', 'link_kernel', objects, needs=KERNEL_LINKER_SCRIPT,
                script=KERNEL_LINKER_SCRIPT)
    ninja.build('moved', 'phony', 'build/moved/kernel.elf')


def user(ninja):
    """The library and the programs; returns the default targets and the initrd's entries."""
    ninja.title('The native user library.')
    start = compile_one(ninja, 'ulib', ULIB_START)
    sources = [f for f in files(ULIB) if f != ULIB_START]
    table = compile_image(ninja, 'ulib', sources)
    library = objects_of(table, sources)
    weak = objects_of(table, LIBRARY_WEAK)
    ninja.build('build/ulib/libzx.a', 'archive', library, weak=' '.join(weak),
                strong=' '.join(f for f in library if f not in weak))
    ninja.build('build/ulib/crt0.o', 'copy', start)
    targets = ['build/ulib/libzx.a', 'build/ulib/crt0.o']

    ninja.title('User programs: build/symbols/NAME with, build/bin/NAME without line tables.')
    made = {}
    for name, sources in sorted({**PROGRAMS, **TEST_PROGRAMS}.items()):
        made.update(compile_image(ninja, 'user', [f for f in sources if f not in made]))
        ninja.build(f'build/symbols/{name}', 'link_user', [
            'build/ulib/crt0.o'] + objects_of(made, sources) + ['build/ulib/libzx.a'])
    for name, source in sorted(PROGRAMS_BARE.items()):
        ninja.build(f'build/symbols/{name}', 'link_bare', compile_all(ninja, 'user', [source]))
    names = sorted([*PROGRAMS, *PROGRAMS_BARE])
    stripped = [f'build/bin/{name}' for name in names]
    ninja.build(stripped, 'strip_programs', [f'build/symbols/{name}' for name in names])
    ninja.build('test-programs', 'phony', [f'build/symbols/{name}' for name in sorted(TEST_PROGRAMS)])
    return targets + stripped, [(f'bin/{name}', f'build/bin/{name}') for name in names]


def initrd(ninja, entries):
    """Returns the default target."""
    entries = sorted(entries + list(INITRD_FILES.items()))
    ninja.build('build/initrd.cpio', 'initrd', [source for _, source in entries],
                needs='tools/mkinitrd.py',
                entries=' '.join(f'{path}={source}' for path, source in entries))
    return ['build/initrd.cpio']


def iso(ninja):
    """Returns the default target."""
    ninja.title('The image for GRUB.')
    ninja.build('build/jacinth.iso', 'iso', ['build/kernel.elf', 'build/initrd.cpio'],
                needs='tools/mkiso.sh')
    return ['build/jacinth.iso']


def host_programs(ninja, variant, programs, kernel):
    """Programs that link with the host's kernel, which is these objects; returns them."""
    compiled, targets = set(), []
    for name, sources in sorted(programs.items()):
        compile_all(ninja, variant, [f for f in sources if f not in compiled])
        compiled.update(sources)
        own = [object_of(variant, f) for f in sources]
        ninja.build(f'build/{variant}/{name}', 'link_host', own + kernel, flags=HOST_LINK[variant])
        targets.append(f'build/{variant}/{name}')
    return targets


def host_variant(ninja, variant):
    """One way to build the kernel for the host, and its programs; returns these."""
    ninja.title(f'The kernel as a host program: {variant}.')
    sources = sorted(files(KERNEL_PORTABLE) + KERNEL_ALSO_ON_HOST + files(HOST_ONLY))
    if variant in GROUPED:
        table = compile_image(ninja, variant, sources)
    else:
        table = {source: compile_one(ninja, variant, source) for source in sources}
    kernel = objects_of(table, [f for f in sources if f != HOST_MAIN])
    if variant == 'fuzz':
        return host_programs(ninja, variant, FUZZERS, kernel)
    out = f'build/{variant}/ktest'
    ninja.build(out, 'link_host', objects_of(table, sources), flags=HOST_LINK[variant])
    return [out] + host_programs(ninja, variant, HOST_PROGRAMS, kernel)


def orders(ninja):
    """The search through orders: some files are its own, the others those of the variant host."""
    ninja.title('The kernel as a host program: all orders of small cases.')
    kernel = files(KERNEL_PORTABLE) + KERNEL_ALSO_ON_HOST + files(HOST_ONLY)
    points = files(HOST_POINTS)
    own = compile_all(ninja, 'orders', points + ORDERS)
    rest = [object_of('host', f) for f in sorted(kernel) if f != HOST_MAIN and f not in points]
    ninja.build('build/orders/orders', 'link_host', own + rest, flags=HOST_LINK['host'])
    return ['build/orders/orders']


def host(ninja):
    """Host tests; returns the targets that `ninja host` builds."""
    targets = []
    for variant in HOST_VARIANTS:
        made = host_variant(ninja, variant)
        if variant == 'fuzz':
            ninja.build('fuzzers', 'phony', made)
        else:
            targets += made
    return targets + orders(ninja)


def generate():
    ninja = Ninja()
    ninja.line('# Written by tools/gen-build.py: change tools/build_*.py, not this file.')
    ninja.line('ninja_required_version = 1.10')
    ninja.line('builddir = build')
    for name, value in VARIABLES:
        ninja.line(f'{name} = {value}')
    rules(ninja)
    ninja.rule('copy', 'cp $in $out', description='copy $out')

    # What comes first is begun first: the archive of all programs is made while kernels compile.
    vdso(ninja)
    user_targets, entries = user(ninja)
    user_targets += initrd(ninja, entries)
    targets = kernels(ninja) + user_targets + iso(ninja)
    moved(ninja)
    tools = []
    for name, sources in sorted(HOST_TOOLS.items()):
        ninja.build(f'build/tools/{name}', 'link_tool', compile_all(ninja, 'tool', sources))
        tools.append(f'build/tools/{name}')
    ninja.build(EXAMPLES, 'examples', CALL_TEXTS, needs='build/tools/mksyscalls')
    tests = host(ninja)

    ninja.title('The targets a person types.')
    ninja.build('build.ninja', 'generate', (), needs=[
        'tools/build_flags.py', 'tools/build_groups.py', 'tools/build_lists.py',
        'tools/build_programs.py', 'tools/gen-build.py'])
    ninja.build('compile_commands.json', 'compdb', 'build.ninja')
    ninja.build('images', 'phony', targets)
    ninja.build('host', 'phony', tests)
    ninja.build('alone', 'phony', ninja.alone)
    ninja.build('tools', 'phony', tools)
    for word in ('qemu', 'bench'):
        ninja.build(word, 'console', (), needs='images', word=word)
    ninja.build('test', 'console', (), needs=['images', 'test-programs', 'tools', 'host'], word='test')
    ninja.build('all', 'phony', ['images', 'compile_commands.json'])
    ninja.line('default all')
    return '\n'.join(ninja.lines) + '\n'


def main():
    os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
    text = generate()
    if '--check' in sys.argv[1:]:
        with open('build.ninja', encoding='utf-8') as file:
            sys.exit(0 if file.read() == text else 'build.ninja is stale: run tools/gen-build.py')
    try:
        with open('build.ninja', encoding='utf-8') as file:
            if file.read() == text:
                os.utime('build.ninja')
                return
    except FileNotFoundError:
        pass
    with open('build.ninja', 'w', encoding='utf-8') as file:
        file.write(text)


if __name__ == '__main__':
    main()
