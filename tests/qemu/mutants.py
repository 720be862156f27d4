#!/usr/bin/env python3
"""mutants.py [NAME...]: with a fault put back into the kernel, a test in a machine goes red.

As tests/host/mutants.py, for what only a machine shows: one file of the debug kernel
is changed, compiled and linked with the other objects, and the named command must
fail. The command's own time-out counts as red too.
"""
import os
import shlex
import subprocess
import sys
import time

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
sys.path.insert(0, os.path.join(TOP, 'tools'))
from build_flags import unit_of  # noqa: E402

TARGET = 'build/debug/kernel.elf'
OUT = 'build/mutants-qemu'
TIMEOUT = 60  # seconds; a machine that hangs is red too


def ktest(suite, smp=1):
    return f'tests/qemu/ktest.py --timeout 12 --smp {smp} --kernel mutants-qemu/{{name}} {suite}'


def program(which, words, more=''):
    if which == 'proofs':
        more += ' --add build/symbols/core-tests'  # which it starts
    return (f'JX_BUILT=1 JX_KERNEL={OUT}/{{name}}/kernel.elf ./jx exec --init --timeout 30 '
            f'--append ktest=off --append utest={words} {more} build/symbols/{which}')


def stress(which, words, smp=4):
    return (f'JX_BUILT=1 JX_KERNEL={OUT}/{{name}}/kernel.elf ./jx exec --init --timeout 40 '
            f'--smp {smp} --append ktest=off build/symbols/{which} {words}')


def race(words, smp=4, times=1):
    return program('races', words, f'--smp {smp} --append debug.syscalls=1 '
                   f'--append races.patience=6 --append races.times={times}')


MEMORY = ('JX_BUILT=1 JX_KERNEL=' + OUT + '/{name}/kernel.elf ./jx exec --init --timeout 50 --mem 48M '
          '--append ktest=off --append debug.syscalls=1 build/symbols/stress-memory --seconds 1')
FLUSH = '    if (!tlb_batch_is_empty(&batch))\n        tlb_flush(&batch);\n'


# name: (file, text, what stands there instead, the command that must go red)
MUTANTS = {
    'P01-chunk-moves-when-the-table-grows': (
        'kernel/object/handle_table.c',
        '    table->chunks = chunks;\n',
        '    for (uint32_t i = 0; i < table->chunk_count; i++) {\n'
        '        struct handle_slot *moved = kheap_alloc(HANDLE_CHUNK_SIZE * sizeof(*moved));\n'
        '        if (!moved)\n            return ERR_NO_MEMORY;\n'
        '        memcpy(moved, chunks[i], HANDLE_CHUNK_SIZE * sizeof(*moved));\n'
        '        memset(chunks[i], 0xaa, HANDLE_CHUNK_SIZE * sizeof(*moved));\n'
        '        kheap_free(chunks[i]);\n        chunks[i] = moved;\n    }\n'
        '    table->chunks = chunks;\n',
        ktest('handle_table')),
    'P02-kernel-frames-shown-to-users': (
        'kernel/vm/vmo_cow.c', '    *out_page = vmo_page_alloc(probe->page);\n',
        '    *out_page = vmo_page_alloc(probe->page);\n'
        '    if (*out_page)\n        page_set_state(*out_page, PAGE_VMO, PAGE_HEAP);\n', program('core-tests', 'fault_on_read')),
    'P02-audit-sees-nothing': (
        'kernel/vm/frame_audit.c',
        'static bool is_for_users(const struct shown *shown, struct audit *audit) {\n',
        'static bool is_for_users(const struct shown *shown, struct audit *audit) {\n'
        '    if (audit)\n        return true;\n',
        ktest('audit')),
    'P05-no-guard-under-the-stacks': (
        'kernel/arch/amd64/mmu_kernel.c',
        '    kernel_image_tables[(image_physical(boot_stack_guard) - KERNEL_PHYSICAL) / PAGE_SIZE]'
        ' = 0;\n', '', ktest('mmu')),
    'P11-a-range-without-its-top-entry': (
        'kernel/arch/amd64/mmu_kernel.c', '            if (kernel_root[i] && used_count < ARRAY_SIZE(used))',
        '            if (kernel_root[i] && i != root_index(KVA_BASE) && used_count < 8)',
        ktest('mmu')),
    'P15-a-thief-forgets-a-queue': (
        'kernel/sched/sched.c', '    for (unsigned i = 1; i < count; i++) {\n        struct run_queue *victim',
        '    for (unsigned i = 2; i < count; i++) {\n        struct run_queue *victim',
        ktest('sched', smp=4)),
    'priority-given-back-before-the-wake': (
        'kernel/sched/mutex.c',
        '    irq_state_t state = irq_save();\n    struct parker *next = mutex_hand_over(mutex);\n',
        '    struct parker *next = mutex_hand_over(mutex);\n    irq_state_t state = irq_save();\n',
        ktest('inherit')),
    'futex-owner-inherits-nothing': (
        'kernel/object/futex.c',
        'inherit_set_owner(&waiter->inherit, waiter->parker.thread, owner ? &owner->thread : NULL);',
        '(void)waiter;', program('core-tests', 'inherit')),
    'P19-copies-without-their-table': (
        'kernel/arch/amd64/trap.c', '    uint64_t fixup = user_copy_fixup(frame->rip);\n'
        '    if (fixup == 0)\n        return false;\n',
        '    uint64_t fixup = 0;\n    if (fixup == 0)\n        return false;\n',
        program('core-tests', 'p19_every')),
    'P20-messages-are-kept': (
        'kernel/object/message.c', '        handle_release(&message->handles[i]);',
        '        (void)i;', program('proofs', 'p20_storm', '--append alloc.storm=1')),
    'P31-only-protection-faults-are-the-users': (
        'kernel/arch/amd64/trap.c', '        if (is_exception)\n            user_exception(frame);',
        '        if (is_exception && frame->vector != VECTOR_PROTECTION)\n'
        '            kernel_exception(frame, 0);\n        else if (is_exception)\n'
        '            user_exception(frame);', program('deaths', 'p31')),
    'P40-clone-copies': (
        'kernel/vm/vmo_cow.c',
        '        page_map_clone(&parent->map, first, count, &stash, &map);\n',
        '        page_map_clone(&parent->map, first, count, &stash, &map);\n'
        '        for (uint64_t i = 0; i < count; i++) {\n            struct page *page;\n'
        '            (void)vmo_own_page_locked(parent, first + i, &page, NULL);\n        }\n',
        program('core-tests', 'p40')),
    'P47-process-ends-before-its-last-thread': (
        'kernel/object/process.c', '    if (--process->thread_count > 0)',
        '    if (--process->thread_count > 1)', program('proofs', 'p47_threads')),
    'P47-kill-before-a-park-is-lost': (
        'kernel/sched/park.c', '(flags & pending & THREAD_PENDING_KILL)',
        '(flags & pending & THREAD_PENDING_KILL && !parker->thread)',
        program('proofs', 'p47_points', '--append kill.points=1 --smp 4')),
    'P51-generation-stays': (
        'kernel/object/handle_table.c', '(slot->word & ~FIXED_BITS) + GENERATION_ONE;',
        '(slot->word & ~FIXED_BITS);', ktest('handle_table')),
    'P53-zero-page-not-hidden': (
        'kernel/vm/vmo_cow.c',
        '        vmo_hide_page_locked(vmo, index); /* the shared page, or the zero page */\n',
        '        if (probe.page)\n            vmo_hide_page_locked(vmo, index);\n',
        program('core-tests', 'p53')),
    'P53-hidden-without-flush': (
        'kernel/vm/vmo.c', '            vmo_view_hide(view, view->base + in_view, 1, &batch);\n    }\n'
        + FLUSH, '            vmo_view_hide(view, view->base + in_view, 1, &batch);\n    }\n',
        stress('stress-fault', '--seconds 20')),
    'P54-clone-leaves-write-permission': (
        'kernel/vm/vmo_cow.c', 'vmo_make_read_only_locked(parent, first, count);', '(void)first;',
        stress('model', '--steps 200000', smp=1)),
    'P54-clone-without-flush': (
        'kernel/vm/vmo.c', '            view_make_read_only(view, va, pages, &batch);\n    }\n'
        + FLUSH, '            view_make_read_only(view, va, pages, &batch);\n    }\n',
        stress('stress-clone', '--seconds 20')),
    # One page, once; and a table of each tenth space.
    'memory-a-page-of-a-stack-is-lost': (
        'kernel/vm/kernel_thread.c',
        '    for (size_t i = 0; i < pages; i++)\n        pmm_free(page_of(frames[i]), PAGE_STACK);\n',
        '    static unsigned stacks_freed;\n    size_t from = ++stacks_freed == 3000;\n'
        '    for (size_t i = from; i < pages; i++)\n'
        '        pmm_free(page_of(frames[i]), PAGE_STACK);\n', MEMORY),
    'memory-a-page-of-an-object-is-lost': (
        'kernel/vm/page_map.c',
        'if (atomic_fetch_sub_explicit(&page->count, 1, memory_order_acq_rel) == 1)',
        'static _Atomic unsigned pages_freed;\n'
        '    if (atomic_fetch_sub_explicit(&page->count, 1, memory_order_acq_rel) == 1 &&\n'
        '        ++pages_freed != 50000)', MEMORY),
    'memory-tables-are-lost': (
        'kernel/vm/pmm.c',
        'void upcall_table_page_free(paddr_t address) { pmm_free(page_of(address), PAGE_TABLE); }',
        'void upcall_table_page_free(paddr_t address) {\n    static _Atomic unsigned tables_freed;\n'
        '    if (++tables_freed % 16)\n        pmm_free(page_of(address), PAGE_TABLE);\n}', MEMORY),
    # What only a race shows.
    'race-a-wake-is-lost-to-a-deadline': (
        'kernel/object/futex.c',
        '    if (!list_node_is_linked(&waiter->node))\n        return true;\n'
        '    unlink_locked(table, waiter);\n',
        '    if (!list_node_is_linked(&waiter->node))\n        return false;\n'
        '    unlink_locked(table, waiter);\n', race('a_wake_is_not')),
    'race-an-answer-is-lost-to-the-deadline': (
        'kernel/object/channel.c', '    if (unlikely(!caller.reply))\n',
        '    if (unlikely(!caller.reply || status != OK))\n', race('an_answer_against', times=20)),
    'unmapped-without-flush': (
        'kernel/vm/region.c', '    mmu_clear_range(aspace, start, size, &batch);\n' + FLUSH,
        '    mmu_clear_range(aspace, start, size, &batch);\n',
        stress('stress-vmar', '--seconds 20')),
    'protected-without-end': (
        'kernel/vm/vmar.c', '    restrict_table(mapping, perm, &batch);\n', '',
        stress('model-vmar', '--steps 50000', smp=1)),
}


def commands():
    """The compile command of each object, and the link command, of the debug kernel."""
    lines = subprocess.run(['ninja', '-t', 'commands', TARGET], check=True,
                           stdout=subprocess.PIPE, text=True).stdout.splitlines()
    compiles = {}
    for line in lines:
        words = shlex.split(line)
        if '-c' in words:
            compiles[words[words.index('-c') + 1]] = words
    return compiles, shlex.split(lines[-1])


def mutate(name, compiles, link):
    """Builds the mutant as OUT/NAME/kernel.elf; false: the text has gone."""
    path, old, new, _ = MUTANTS[name]
    with open(path, encoding='utf-8') as file:
        text = file.read()
    if text.count(old) != 1:
        return False
    folder = os.path.join(OUT, name)
    os.makedirs(folder, exist_ok=True)
    source = os.path.join(folder, os.path.basename(path))
    with open(source, 'w', encoding='utf-8') as file:
        file.write(text.replace(old, new))
    unit = unit_of(path)
    words = compiles[unit]
    own = words[words.index('-o') + 1]
    places = {own: os.path.join(folder, 'mutant.o'), own + '.d': os.path.join(folder, 'mutant.d'),
              unit: source}
    if unit != path:
        places[unit] = os.path.join(folder, 'group.c')
        with open(unit, encoding='utf-8') as file:
            group = file.read()
        with open(places[unit], 'w', encoding='utf-8') as file:
            file.write(group.replace(f'"{path}"', f'"{source}"'))
    subprocess.run([places.get(w, w) for w in words] + ['-Wno-unused'], check=True)
    kernel = os.path.join(folder, 'kernel.elf')
    subprocess.run([places.get(w, kernel if w == TARGET else w) for w in link], check=True)
    return True


def is_red(name):
    command = MUTANTS[name][3].format(name=name)
    try:
        result = subprocess.run(command, shell=True, timeout=TIMEOUT, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired:
        return True
    if '-v' in sys.argv:
        print(result.stdout.decode(errors='replace')[-1500:])
    return result.returncode != 0


def main():
    os.chdir(TOP)
    names = [word for word in sys.argv[1:] if word != '-v'] or sorted(MUTANTS)
    compiles, link = commands()
    red = 0
    for name in names:
        started = time.monotonic()
        there = mutate(name, compiles, link)
        seen = there and is_red(name)
        print(f'{"red  " if seen else "GREEN" if there else "STALE"} {name} '
              f'({time.monotonic() - started:.1f} s)', flush=True)
        red += seen
    print(f'{red} passed, {len(names) - red} failed')
    return 0 if red == len(names) else 1


if __name__ == '__main__':
    sys.exit(main())
