#!/usr/bin/env python3
"""mutants.py [NAME...]: each property's test goes red when its fault is put back.

A mutant is one changed file of the kernel, compiled and linked with the other
objects of a host build; then the tests that are named run, and must fail, panic
or not end. The faults of page maps that a prototype showed (docs/MEMORY.md) are those
named P54 and map: found by tests, by the models in lock step, or by TSan. A text that is not found exactly once (GONE) fails too, so a mutant
cannot fade away when the code moves: mend its text here.
"""
import functools
import multiprocessing.pool
import os
import shlex
import subprocess
import sys
import time

TOP = os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..')
OUT = 'build/mutants'
# Seconds. A test that hangs is red too: one that takes this much longer than without a mutant.
TIMEOUT, MARGIN, TIMES = 40, 5, 4

# name: (file, text, what stands there instead, arguments of build/host/ktest); arguments that
# begin with a path are for that program.
CROWD = 'vmo.P54_a_family_stands_eight_threads --cpus 4 --preempt 10 --repeat 40'
SHARE = 'vmo.P54_a_clone_takes_permission_before_it_shares --cpus 4 --preempt 10 --repeat 10'
CROWD_WAITS = 'pager_crowd'
MODEL = 'build/host/model objects --steps 120000 --seed 1 --raw 1'
FAULTS = 'build/host/model faults --steps 100000 --seed 1 --raw 1'
TSAN = 'build/tsan/ktest vmo.P54_a_family_stands_eight_threads --cpus 4 --repeat 4'
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
        'kernel/vm/kheap.c', 'static void *alloc_from(size_t size, const void *caller) {\n    size_t gross = size + HEADER_SIZE + TAIL_SIZE;',
        'static void *alloc_from(size_t size, const void *caller) {\n    size_t gross = size + TAIL_SIZE;', 'kheap'),
    'P06-filesz-from-wrong-offset': (
        'kernel/lib/elf.c', 'P_FILESZ = 32', 'P_FILESZ = 33', 'elf'),
    'P06-overlap-not-seen': (
        'kernel/lib/elf.c', 'else if (page_down(h->vaddr) < image->low + image->span)',
        'else if (page_down(h->vaddr) + ELF_PAGE < image->low + image->span)', 'elf'),
    'P13-table-not-zeroed': (
        'kernel/vm/pmm.c', 'struct page *page = pmm_alloc_zeroed(state);',
        'struct page *page = pmm_alloc(state);\n'
        '    if (page)\n        __builtin_memset(page_contents(page), 3, PAGE_SIZE);', 'aspace'),
    'P15-token-lost': (
        'kernel/sched/park.c', 'if (!parker->done) {\n        parker->done = true;\n',
        'if (!parker->done) {\n', 'park'),
    'P15-heir-lost': (
        'kernel/sched/sched.c', '        enqueue_locked(queue, heir, !goes_on);', '        (void)goes_on;',
        'heir'),
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
        'kernel/sched/park.c', 'if (thread->parked_on && (thread->ends_by & bits)) {',
        'if (thread->parked_on && (thread->ends_by & bits) && !bits) {', 'park'),
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
    'P54-counts-dropped-before-flush': (
        'kernel/vm/vmo_cow.c',
        '        vmo_hide_page_locked(vmo, index); /* the shared page, or the zero page */\n'
        '        own_store_locked(vmo, index, &probe, &stash, page);\n',
        '        own_store_locked(vmo, index, &probe, &stash, page);\n'
        '        void sched_yield(void);\n'
        '        for (unsigned i = 0; i < 20; i++)\n            sched_yield();\n'
        '        vmo_hide_page_locked(vmo, index);\n',
        'vmo.P54_a_reader_never_sees_what_a_clone_writes --cpus 3 --repeat 20'),
    'P54-clone-without-flush': (
        'kernel/vm/vmo.c',
        '            view_make_read_only(view, va, pages, &batch);\n    }\n'
        '    if (!tlb_batch_is_empty(&batch))\n        tlb_flush(&batch);\n',
        '            view_make_read_only(view, va, pages, &batch);\n    }\n'
        '    tlb_batch_init(&batch);\n', CROWD),
    'P54-share-then-take-permission': (
        'kernel/vm/vmo_cow.c',
        '        if (count)\n            vmo_make_read_only_locked(parent, first, count);\n'
        '        page_map_clone(&parent->map, first, count, &stash, &map);\n'
        '        child->map = map; /* at once, because an audit may look already */\n',
        '        page_map_clone(&parent->map, first, count, &stash, &map);\n'
        '        child->map = map; /* at once, because an audit may look already */\n'
        '        void sched_yield(void);\n        mutex_unlock(&parent->lock);\n'
        '        sched_yield();\n        mutex_lock(&parent->lock);\n'
        '        if (count)\n            vmo_make_read_only_locked(parent, first, count);\n', SHARE),
    'P54-write-copies-after-unlock': (
        'kernel/vm/vmo_rw.c',
        '            *out_moved = move_in(t, done, (char *)page_contents(page) + in_page, length);\n',
        '        {\n            void sched_yield(void);\n            mutex_unlock(&vmo->lock);\n'
        '            sched_yield();\n'
        '            *out_moved = move_in(t, done, (char *)page_contents(page) + in_page, length);\n'
        '            mutex_lock(&vmo->lock);\n        }\n', CROWD),
    'P54-probe-by-page-alone': (
        'kernel/vm/page_map.c', 'out_probe->exclusive = child && !shared && page_is_mine(child);',
        'out_probe->exclusive = child && page_is_mine(child);', MODEL),
    'map-slots-not-cut': (
        'kernel/vm/page_map.c', 'slot <= slot_of(high, node->height); slot++) {\n        void **child',
        'slot < slot_of(high, node->height); slot++) {\n        void **child', MODEL),
    'map-totals-not-corrected': (
        'kernel/vm/page_map.c', '            node->pages -= cut_node(child, from, to, stash, garbage);\n',
        '            (void)cut_node(child, from, to, stash, garbage);\n', MODEL),
    'map-walk-from-the-wrong-member': (
        'kernel/vm/vmo_family.c', 'uint64_t pages = member_charge(member, epoch);',
        'uint64_t pages = member_charge(member, member == vmo ? epoch : 0);', MODEL),
    'map-no-trim-seen-by-the-model': (
        'kernel/vm/page_map.c', '    if (low > 0)\n        cut_keys(clone, 0, low - 1, stash, &garbage);\n',
        '', MODEL),
    'pager-written-back-pages-stay-writable': (
        'kernel/vm/vmo_supply.c', '        vmo_make_read_only_locked(vmo, first, count);\n',
        '        (void)0;\n', FAULTS),
    'pager-zeros-stay-mapped': (
        'kernel/vm/vmo_supply.c',
        '        vmo_hide_locked(vmo, run->index, run->count); /* each', '        /* each', MODEL),
    'pager-detach-drops-dirty-pages': (
        'kernel/vm/page_map_zero.c', 'return page->dirt == PAGE_CLEAN && !page->pins;',
        'return !page->pins;', MODEL),
    'pager-pinned-pages-become-clean': (
        'kernel/vm/vmo_supply.c', '        if (!run->page->pins)\n            run->page->dirt',
        '        run->page->dirt', MODEL),
    'pager-asked-past-what-is-there': (
        'kernel/vm/vmo_pager.c', 'if (!next.is_blocked || next.command != out_barrier->command)',
        'if (!next.is_blocked)', MODEL),
    'crowd-a-request-wakes-one': (
        'kernel/vm/page_source.c',
        'while ((waiter = list_pop_entry(&request->waiters, struct page_waiter, node)))',
        'if ((waiter = list_pop_entry(&request->waiters, struct page_waiter, node)))', CROWD_WAITS),
    'crowd-one-leaves-and-ends-it-for-all': (
        'kernel/vm/page_source.c', '    if (list_is_empty(&waiter->request->waiters))\n        request_free',
        '    struct page_waiter *other;\n'
        '    while ((other = list_pop_entry(&waiter->request->waiters, struct page_waiter, node)))\n'
        '        thread_unpark(&other->parker, OK);\n    request_free', CROWD_WAITS),
    'crowd-the-last-leaves-a-request': (
        'kernel/vm/page_source.c', '    source->ops->tell(source);\n    return status;',
        '    return status;', CROWD_WAITS),
    'crowd-a-part-is-all': (
        'kernel/vm/page_source.c', '        if (done < request->missing)\n',
        '        if (done == 0)\n', CROWD_WAITS),
    'crowd-what-is-gone-counts-as-answered': (
        'kernel/vm/page_source.c', '            request->missing -= done;\n',
        '            request->missing -= done - (done > 1);\n', CROWD_WAITS),
    'crowd-only-whole-requests-fail': (
        'kernel/vm/page_source.c', '        if (overlap(request, first, count))\n            request_end',
        '        if (overlap(request, first, count) == request->count)\n            request_end',
        CROWD_WAITS),
    'crowd-one-failure-is-enough': (
        'kernel/vm/page_source.c', '            request_end_locked(source, request, status);\n',
        '        {\n            request_end_locked(source, request, status);\n            break;\n        }\n',
        CROWD_WAITS),
    'crowd-requests-overlap': (
        'kernel/vm/page_source.c', '            *count = MIN(*count, request->first - first);\n',
        '            *count = MIN(*count, request->first - first + 1);\n', CROWD_WAITS),
    'crowd-each-asks-for-itself': (
        'kernel/vm/page_source.c', '        if (overlap(request, first, 1))\n            return request;\n',
        '        if (request->first == first)\n            return request;\n', CROWD_WAITS),
    'crowd-the-packet-is-of-one-that-ended': (
        'kernel/object/pager.c', '    ps->request.content = packet_of(',
        '    if (!queued)\n        ps->request.content = packet_of(', CROWD_WAITS),
    'crowd-shrinking-wakes-nobody': (
        'kernel/vm/vmo_pager.c',
        '        page_source_end(vmo->source, pages, old_pages - pages, OK);\n', '', CROWD_WAITS),
    'crowd-dirty-in-vain-wakes-nobody': (
        'kernel/vm/vmo_supply.c', 'if (status == ERR_OUT_OF_RANGE || status == ERR_NOT_FOUND)',
        'if (status == ERR_OUT_OF_RANGE)', CROWD_WAITS),
    'lazy-limit-stays-when-the-lender-shrinks': (
        'kernel/vm/vmo_pager.c', '        lower_limits_locked(vmo, pages);\n', '', MODEL),
    'lazy-clone-borrows-what-its-parent-does-not': (
        'kernel/vm/vmo_pager.c', 'MIN(visible, limit - first) : 0;', 'visible : 0;', MODEL),
    'lazy-views-keep-what-the-lender-had': (
        'kernel/vm/vmo_pager.c', '            vmo_view_hide(view, va, pages, batch);\n',
        '            (void)batch;\n', MODEL),
    'contiguous-pages-can-go': (
        'kernel/vm/vmo_range.c',
        'if (has_relatives || (vmo->kind != VMO_ANONYMOUS && vmo->kind != VMO_DISCARDABLE))',
        'if (has_relatives || vmo->kind == VMO_PAGER || vmo->kind == VMO_LAZY)', MODEL),
    'contiguous-zeroed-by-letting-go': (
        'kernel/vm/vmo_range.c', 'if (vmo->pins || vmo->kind == VMO_CONTIGUOUS || first > last)',
        'if (vmo->pins || first > last)', MODEL),
    'physical-neighbours-shown-one-off': (
        'kernel/vm/fault.c', '    for (unsigned i = 0; i < around.count; i++) {\n        entries[i]'
        '.address = paddr(vmo->physical.value + ((around.first + i) << PAGE_SHIFT));\n',
        '    for (unsigned i = 0; i < around.count; i++) {\n        entries[i]'
        '.address = paddr(vmo->physical.value + ((index + i) << PAGE_SHIFT));\n', MODEL),
    'physical-slice-pinned-at-the-begin': (
        'kernel/vm/vmo_pin.c', 'paddr(vmo->physical.value + ((first + i) << PAGE_SHIFT))',
        'paddr(vmo->physical.value + offset + (i << PAGE_SHIFT))', MODEL),
    'slice-of-a-slice-takes-it-for-ordinary': (
        'kernel/vm/vmo.c', 'pages->kind != VMO_CONTIGUOUS && pages->kind != VMO_PHYSICAL)',
        'parent->kind != VMO_CONTIGUOUS && parent->kind != VMO_PHYSICAL)', MODEL),
    'policy-changes-under-mappings': (
        'kernel/vm/vmo_phys.c', '    if (!list_is_empty(&vmo->views) || vmo->pins', '    if (vmo->pins',
        MODEL),
    'policy-changes-under-pins': (
        'kernel/vm/vmo_phys.c', '->views) || vmo->pins ||', '->views) ||', MODEL),
    'policy-leaves-uncached-with-pages': (
        'kernel/vm/vmo_phys.c', 'vmo->cache_policy && has_pages)', 'vmo->cache_policy && !has_pages)',
        MODEL),
    'policy-of-a-parent-changes': (
        'kernel/vm/vmo_phys.c', '    if (vmo->parent_koid || vmo_family_child_count(vmo))\n',
        '    if (vmo->parent_koid)\n', MODEL),
    'uncached-objects-are-snapshot': (
        'kernel/vm/vmo_cow.c', '    if (parent->cache_policy && pages->kind != VMO_PHYSICAL)\n'
        '        return ERR_BAD_STATE;\n', '', MODEL),
    'discarded-content-is-zero-at-once': (
        'kernel/vm/vmo_reclaim.c', '    vmo->discarded = true;\n', '', MODEL),
    'map-drop-relaxed': (
        'kernel/vm/page_map.c',
        'if (atomic_fetch_sub_explicit(&page->count, 1, memory_order_acq_rel) == 1)',
        'if (atomic_fetch_sub_explicit(&page->count, 1, memory_order_relaxed) == 1)', TSAN),
    'map-test-relaxed': (
        'kernel/vm/page_map.c', '#include "vm/page_map_internal.h"\n',
        '#define memory_order_acquire memory_order_relaxed\n#include "vm/page_map_internal.h"\n'
        '#undef memory_order_acquire\n', TSAN),
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
    'channel-nest-keeps-the-container': (
        'kernel/object/channel_nest.c', '        end->container = NULL;\n', '', 'channel_nest'),
    'fifo-takes-one-element': (
        'kernel/object/fifo.c',
        'fifo->first = (fifo->first + attempt->elements) % fifo->element_count;',
        'fifo->first = (fifo->first + 1) % fifo->element_count;', 'fifo'),
    'fifo-keeps-half-a-write': (
        'kernel/object/fifo.c',
        'if (attempt->copied == attempt->bytes) {\n        peer->used',
        'if (attempt->copied > 0) {\n        peer->used', 'fifo'),
    'stream-gap-stays': (
        'kernel/object/stream.c', 'if (status == OK && offset > content)',
        'if (status == OK && offset > content && !vmo)', 'stream'),
    'stream-appends-before-the-end': (
        'kernel/object/stream.c', '*out_offset = place.append ? content : place.offset;',
        '*out_offset = place.append ? content & ~7ul : place.offset;', 'stream'),
    'stream-writers-do-not-wait': (
        'kernel/object/stream.c',
        '    struct mutex *content_lock = vmo_content_lock(stream->vmo);\n'
        '    MUTEX_GUARD(content_lock);\n'
        '    uint64_t content = vmo_content_size(stream->vmo);\n',
        '    uint64_t content = vmo_content_size(stream->vmo);\n'
        '    extern void sched_yield(void);\n    sched_yield();\n', 'stream'),
    'datagram-leaves-its-rest': (
        'kernel/object/socket.c', '        copied = next_size_locked(socket);\n', '', 'socket'),
    'port-cancels-every-key': (
        'kernel/object/port.c',
        'return wait->key == key && wait->observer.handle_value == source &&',
        'return wait->observer.handle_value == source &&', 'port'),
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
    # Faults that need a second CPU in the middle of a few instructions.
    'orders-park-looks-at-its-token-too-early': (
        'kernel/sched/park.c',
        '    irq_disable();\n    spin_lock_irq_off(&thread->wait_lock);\n'
        '    if (unlikely(deadline != TIME_INFINITE || parker->done ||\n',
        '    bool done = parker->done;\n'
        '    irq_disable();\n    spin_lock_irq_off(&thread->wait_lock);\n'
        '    if (unlikely(deadline != TIME_INFINITE || done ||\n',
        'build/orders/orders park.a_wake_is_never_lost'),
    'orders-kill-is-told-after-the-look': (
        'kernel/sched/park.c',
        '    atomic_fetch_or(&thread->pending, bits);\n'
        '    irq_state_t state = spin_lock(&thread->wait_lock);\n'
        '    if (thread->parked_on && (thread->ends_by & bits)) {\n',
        '    bool parked = thread->parked_on != NULL;\n'
        '    atomic_fetch_or(&thread->pending, bits);\n'
        '    irq_state_t state = spin_lock(&thread->wait_lock);\n'
        '    if (parked && thread->parked_on && (thread->ends_by & bits)) {\n',
        'build/orders/orders park.a_kill_and_a_wake_end_one_wait'),
    'orders-mutex-is-marked-by-a-plain-store': (
        'kernel/sched/mutex.c',
        '        if (atomic_compare_exchange_weak_explicit(&mutex->owner, &owner, wanted,\n'
        '                                                  memory_order_acq_rel, memory_order_relaxed))\n'
        '            return owner == 0;\n',
        '        atomic_store(&mutex->owner, wanted);\n        return owner == 0;\n',
        'build/orders/orders mutex.two_hand_it_over_under_the_scheduler'),
    'orders-wait-looks-at-signals-without-the-lock': (
        'kernel/object/wait.c', '    waitable_observe_locked(object, &waiter->observer);\n',
        '    waitable_join_observers_locked(object, &waiter->observer);\n',
        'build/orders/orders wait_one.a_signal_is_never_missed'),
    'orders-port-cancels-without-the-objects-lock': (
        'kernel/object/port.c',
        'uint64_t key) {\n    MUTEX_GUARD(object->lock);\n\n    return cancel_matching(',
        'uint64_t key) {\n    return cancel_matching(',
        'build/orders/orders port.a_cancelled_wait_leaves_no_packet'),
    'orders-a-closed-port-takes-packets': (
        'kernel/object/port.c', '    if (!canceled && !port->closed) {\n', '    if (!canceled) {\n',
        'build/orders/orders port.two_signals_meet_the_end_of_the_port'),
    'orders-futex-compares-without-the-lock': (
        'kernel/object/futex.c',
        '    MUTEX_GUARD(&table->lock);\n\n'
        '    status_t status = compare_locked(table, waiter->address, expected);\n',
        '    status_t status = compare_locked(table, waiter->address, expected);\n'
        '    MUTEX_GUARD(&table->lock);\n',
        'build/orders/orders futex.a_change_and_a_wake_are_never_missed'),
    'orders-old-expiry-counts': (
        'kernel/object/timer_object.c', 'if (!timer->armed || timer->due > clock_now())',
        'if (!timer->armed)', 'build/orders/orders timer.it_is_set_again_as_it_expires'),
    'orders-stop-does-not-look-again': (
        'kernel/object/user_thread.c', 'if (!is_suspended(self) || thread_is_killed(&self->thread))',
        'if (thread_is_killed(&self->thread))',
        'build/orders/orders suspend.a_wait_goes_on_after_a_suspension'),
    'orders-call-is-linked-after-its-message': (
        'kernel/object/channel.c', '    list_add_tail(&channel->callers, &caller->node);\n',
        '    mutex_unlock(channel->end.base.lock);\n    mutex_lock(channel->end.base.lock);\n'
        '    list_add_tail(&channel->callers, &caller->node);\n',
        'build/orders/orders channel.a_call_meets_its_answer_and_the_end_of_the_peer'),
    'orders-page-is-asked-for-after-the-look': (
        'kernel/vm/vmo_pager.c', '    status_t status =\n        page_source_ask(',
        '    mutex_unlock(&lender->lock);\n    mutex_lock(&lender->lock);\n'
        '    status_t status =\n        page_source_ask(',
        'build/orders/orders pager.two_who_wait_are_served_by_parts'),
    'orders-who-was-answered-leaves-again': (
        'kernel/vm/page_source.c', '    MUTEX_GUARD(&source->lock);\n'
        '    if (!list_node_is_linked(&waiter->node))\n        return false;\n',
        '    if (!list_node_is_linked(&waiter->node))\n        return false;\n'
        '    MUTEX_GUARD(&source->lock);\n',
        'build/orders/orders pager.one_is_killed_and_the_other_is_served'),
    'orders-no-idle-cpu-is-called': (
        'kernel/sched/sched.c',
        '        if (priority == running)\n            request_slice_end(queue);\n        call_idle_cpu();\n',
        '        if (priority == running)\n            request_slice_end(queue);\n',
        'build/orders/orders sched.no_cpu_idles_while_a_thread_waits_elsewhere'),
    'log-ring-tears': (
        'kernel/lib/log.c', '*cursor = next - LOG_RECORDS;', '*cursor = next;', 'log'),
}


def program_of(arguments):
    """The program that is to go red, and what it is told."""
    words = arguments.split()
    return (words[0], words[1:]) if words[0].startswith('build/') else ('build/host/ktest', words)


@functools.cache
def commands(program):
    """The compile command of each of its objects, and the link command."""
    lines = subprocess.run(['ninja', '-t', 'commands', program], check=True,
                           stdout=subprocess.PIPE, text=True).stdout.splitlines()
    compiles = {}
    for line in lines:
        words = shlex.split(line)
        if '-c' in words:
            compiles[words[words.index('-c') + 1]] = words
    return compiles, shlex.split(lines[-1])


def mutate(name, original):
    """Builds the mutant; returns its program, or None if the text has gone."""
    path, old, new, _ = MUTANTS[name]
    compiles, link = commands(original)
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
    subprocess.run(words + ['-Wno-unused', '-Wno-unused-variable',
                            '-Wno-thread-safety-analysis'], check=True)
    program = os.path.join(folder, os.path.basename(original))
    subprocess.run([program if w == original else out if w == own else w for w in link], check=True)
    return program


def is_red(program, arguments, limit=TIMEOUT):
    try:
        return subprocess.run([program] + arguments, timeout=limit, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode != 0
    except subprocess.TimeoutExpired:
        return True


def judge(name, limits):
    command = MUTANTS[name][3]
    original, arguments = program_of(command)
    started = time.monotonic()
    program = mutate(name, original)
    seen = program and is_red(program, arguments, limits[command])
    word = 'red  ' if seen else 'GREEN' if program else 'GONE '
    print(f'{word} {name} ({time.monotonic() - started:.1f} s)', flush=True)
    return bool(seen)


def judge_original(command):
    """What is red without a mutant shows nothing. Returns the seconds after which it hangs."""
    started = time.monotonic()
    if not is_red(*program_of(command)):
        return min(TIMEOUT, MARGIN + TIMES * (time.monotonic() - started))
    print(f'RED   without a mutant: {command}', flush=True)
    return None


def main():
    os.chdir(TOP)
    names = sys.argv[1:] or sorted(MUTANTS)
    with multiprocessing.pool.ThreadPool(2) as pool:
        wanted = sorted({MUTANTS[name][3] for name in names})
        limits = pool.map(judge_original, wanted, chunksize=1)
        good = [limit is not None for limit in limits]
        table = {command: limit or TIMEOUT for command, limit in zip(wanted, limits)}
        good += pool.map(lambda name: judge(name, table), names, chunksize=1)
    print(f'{sum(good)} passed, {len(good) - sum(good)} failed')
    return 0 if all(good) else 1


if __name__ == '__main__':
    sys.exit(main())
