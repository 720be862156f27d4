#!/usr/bin/env python3
"""mutants.py [NAME...]: each property's test goes red when its fault is put back.

A mutant is one changed file of the kernel, compiled and linked with the other
objects of the host build; then the tests that are named run, and must fail, panic
or not end. A text that is not found exactly once (GONE) fails too, so a mutant
cannot fade away when the code moves: mend its text here.
"""
import os
import shlex
import subprocess
import sys

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..')
OUT = 'build/mutants'
TIMEOUT = 40  # seconds; a test that hangs is red too

# name: (file, text, what stands there instead, arguments of build/host/ktest)
MUTANTS = {
    'P01-growth-forgets-a-chunk': (
        'kernel/object/handle_table.c',
        'memcpy(chunks, table->chunks, table->chunk_count * sizeof(*chunks));',
        'memcpy(chunks + 1, table->chunks + 1, (table->chunk_count - 1) * sizeof(*chunks));\n'
        '    if (table->chunk_count)\n        chunks[0] = chunks[1];', 'handle_table.P01_slots_stay_while_the_table_grows'),
    'P01-object-moves': (
        'kernel/object/event.c', '    *out_event = event;\n',
        '    struct waitable *moved = kheap_zalloc(sizeof(*moved));\n'
        '    __builtin_memcpy(moved, event, sizeof(*moved));\n    *out_event = moved;\n', 'wait'),
    'P03-page-given-twice': (
        'kernel/vm/pmm.c', 'cache->count ? cache_pop(cache) : NULL;',
        'cache->count > 1 ? cache->pages[--cache->count - 1] : NULL;', 'pmm'),
    'P04-red-zone-too-short': (
        'kernel/vm/kheap.c', 'size_t gross = size + HEADER_SIZE + TAIL_SIZE;',
        'size_t gross = size + TAIL_SIZE;', 'kheap'),
    'P06-filesz-from-wrong-offset': (
        'kernel/lib/elf.c', 'P_FILESZ = 32', 'P_FILESZ = 33', 'elf'),
    'P06-overlap-not-seen': (
        'kernel/lib/elf.c', 'else if (page_down(h->vaddr) < image->low + image->span)',
        'else if (page_down(h->vaddr) + ELF_PAGE < image->low + image->span)', 'elf'),
    'P13-table-not-zeroed': (
        'kernel/vm/pmm.c', 'struct page *page = pmm_alloc_zeroed(PAGE_TABLE);',
        'struct page *page = pmm_alloc(PAGE_TABLE);\n'
        '    if (page)\n        __builtin_memset(page_contents(page), 3, PAGE_SIZE);', 'aspace'),
    'P15-token-lost': (
        'kernel/sched/park.c', '        parker->done = true;\n', '', 'park'),
    'P20-page-never-freed': (
        'kernel/vm/page_map.c',
        'if (atomic_fetch_sub_explicit(&page->count, 1, memory_order_acq_rel) == 1)',
        'if (atomic_fetch_sub_explicit(&page->count, 1, memory_order_acq_rel) == 2)',
        'page_map'),
    'P40-clone-copies': (
        'kernel/vm/page_map.c', '    node_raise(top);\n    clone->root = top;',
        '    clone->root = node_copy(top, stash);',
        'page_map.P40_a_clone_costs_the_same_for_any_number_of_pages'),
    'P47-kill-does-not-wake': (
        'kernel/sched/park.c', 'if (thread->parked_on && thread->killable) {',
        'if (thread->parked_on && thread->killable && !bits) {', 'park'),
    'P50-order-not-checked': (
        'kernel/arch/lock_rank.c', 'holding->rank >= rank)', 'holding->rank > rank + 1000)',
        'lock_rank'),
    'P51-generation-stays': (
        'kernel/object/handle_table.c', '(slot->word & ~FIXED_BITS) + GENERATION_ONE;',
        '(slot->word & ~FIXED_BITS);', 'handle_table'),
    'P51-half-the-generations': (
        'kernel/object/handle_table.c', '(slot->word & ~FIXED_BITS) + GENERATION_ONE;',
        '(slot->word & ~FIXED_BITS) + 2 * GENERATION_ONE;',
        'handle_table.P51_a_full_table_refuses_more_and_still_tells_old_values_apart'),
    'P53-zero-page-not-hidden': (
        'kernel/vm/vmo_cow.c',
        '        vmo_hide_page_locked(vmo, index); /* the shared page, or the zero page */\n',
        '        if (probe.page)\n            vmo_hide_page_locked(vmo, index);\n', 'vmo'),
    'P54-clone-without-read-only': (
        'kernel/vm/vmo_cow.c', '            vmo_make_read_only_locked(parent, first, count);\n',
        '            (void)0;\n', 'vmo.P53_objects_and_views_agree_with_the_model'),
    'P54-exclusive-by-page-alone': (
        'kernel/vm/page_map.c', '*out_exclusive = exclusive && page_is_mine(child);',
        '*out_exclusive = page_is_mine(child);', 'page_map'),
    'P54-no-trim': (
        'kernel/vm/page_map.c', '    if (low > 0)\n        cut_keys(clone, 0, low - 1, stash, &garbage);\n',
        '', 'page_map'),
    'P55-close-cancels-nothing': (
        'kernel/sched/waitable.c',
        'if (observer->table != table || observer->handle_value != handle_value)',
        'if (observer->table == table || observer->handle_value != handle_value)', 'wait'),
    'P55-port-close-leaves-waits': (
        'kernel/object/port.c', 'if (source && unlink_from_object(source, wait))',
        'if (source && !wait)', 'port'),
    'P20-cycle-of-channels-not-seen': (
        'kernel/object/channel_nest.c', 'if (at == top)', 'if (at == NULL)',
        'channel'),
    'socket-reads-twice': (
        'kernel/object/socket.c', '    socket->bytes -= size;\n', '', 'socket'),
    'no-flush-of-hidden-pages': (
        'kernel/arch/host/tlb.c', '            entry->valid = false;\n    }\n}\n\nstatic void free',
        '            (void)entry;\n    }\n}\n\nstatic void free', 'vmo'),
    'unmap-front-keeps-the-offset': (
        'kernel/vm/region.c', '        mapping->view.offset += end - start;\n', '', 'aspace'),
    'timer-ignores-cancel': (
        'kernel/sched/timer.c', '        tree_remove(&queue->tree, &timer->node);\n'
        '        atomic_store_explicit(&timer->armed, false, memory_order_relaxed);\n    }\n'
        '    spin_unlock(', '        (void)timer;\n    }\n    spin_unlock(', 'timer'),
    'tree-equal-keys-to-the-left': (
        'kernel/lib/tree.c', 'if (node->key < parent->key) {', 'if (node->key <= parent->key) {',
        'tree'),
    'log-ring-tears': (
        'kernel/lib/log.c', '*cursor = next - LOG_RECORDS;', '*cursor = next;', 'log'),
}


def commands():
    """The compile command of each object, and the link command, of the host tests."""
    lines = subprocess.run(['ninja', '-t', 'commands', 'build/host/ktest'], check=True,
                           stdout=subprocess.PIPE, text=True).stdout.splitlines()
    compiles = {}
    for line in lines:
        words = shlex.split(line)
        if '-c' in words:
            compiles[words[words.index('-c') + 1]] = words
    return compiles, shlex.split(lines[-1])


def mutate(name, compiles, link):
    """Builds the mutant; returns its program, or None if the text has gone."""
    path, old, new, _ = MUTANTS[name]
    with open(path, encoding='utf-8') as file:
        text = file.read()
    if text.count(old) != 1:
        return None
    folder = os.path.join(OUT, name)
    os.makedirs(folder, exist_ok=True)
    source, out = os.path.join(folder, os.path.basename(path)), os.path.join(folder, 'mutant.o')
    with open(source, 'w', encoding='utf-8') as file:
        file.write(text.replace(old, new))
    words = compiles[path]
    own = words[words.index('-o') + 1]
    words = [out if w == own else source if w == path else w for w in words]
    words = [os.path.join(folder, 'mutant.d') if w == own + '.d' else w for w in words]
    subprocess.run(words + ['-Wno-unused', '-Wno-unused-variable'], check=True)
    program = os.path.join(folder, 'ktest')
    target = link[link.index('-o') + 1]
    subprocess.run([program if w == target else out if w == own else w for w in link], check=True)
    return program


def is_red(program, arguments):
    try:
        return subprocess.run([program] + arguments.split(), timeout=TIMEOUT,
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode != 0
    except subprocess.TimeoutExpired:
        return True


def main():
    os.chdir(TOP)
    names = sys.argv[1:] or sorted(MUTANTS)
    compiles, link = commands()
    red = 0
    for name in names:
        program = mutate(name, compiles, link)
        seen = program and is_red(program, MUTANTS[name][3])
        print(f'{"red  " if seen else "GREEN" if program else "GONE "} {name}', flush=True)
        red += bool(seen)
    print(f'{red} passed, {len(names) - red} failed')
    return 0 if red == len(names) else 1


if __name__ == '__main__':
    sys.exit(main())
