/*
 * pmm_start.c - the page records, and who owns which frame at first.
 *
 * Records lie at the start of the largest usable range.
 */
#include "vm/pmm_internal.h"

#include "arch/boot.h"
#include "arch/mmu.h"
#include "lib/log.h"
#include "lib/string.h"

struct page_span page_first_span;
struct page_span page_spans[PAGE_SPANS_MAX];
unsigned page_span_count;
struct page *page_zeros;

static bool range_has_records(const struct boot_range *range) {
    return range->kind == BOOT_RANGE_USABLE || range->kind == BOOT_RANGE_INITRD;
}

/* Neighbouring ranges share a span. */
static void spans_collect(void) {
    for (unsigned i = 0; i < boot_info.range_count; i++) {
        const struct boot_range *range = &boot_info.ranges[i];
        uint64_t first = range->base >> PAGE_SHIFT, count = range->length >> PAGE_SHIFT;
        if (!range_has_records(range) || count == 0)
            continue;
        struct page_span *last = page_span_count ? &page_spans[page_span_count - 1] : NULL;
        if (last && last->first_frame + last->frame_count == first)
            last->frame_count += count;
        else
            page_spans[page_span_count++] = (struct page_span){first, count, NULL};
    }
}

static void spans_sort_largest_first(void) {
    for (unsigned i = 1; i < page_span_count; i++)
        for (unsigned j = i; j > 0 && page_spans[j].frame_count > page_spans[j - 1].frame_count; j--) {
            struct page_span swapped = page_spans[j];
            page_spans[j] = page_spans[j - 1];
            page_spans[j - 1] = swapped;
        }
}

/* Cut room for the records from the start of the largest usable range. */
static struct page *records_place(size_t bytes, uint64_t *out_base) {
    struct boot_range *best = NULL;
    for (unsigned i = 0; i < boot_info.range_count; i++) {
        struct boot_range *range = &boot_info.ranges[i];
        if (range->kind == BOOT_RANGE_USABLE && (!best || range->length > best->length))
            best = range;
    }
    if (!best || best->length < bytes + MIB(8))
        panic("too little memory: %lu KiB for page records, %lu KiB usable in one piece",
              bytes >> 10, best ? best->length >> 10 : 0);
    *out_base = best->base;
    return phys_to_virt(paddr(best->base));
}

/* One frame range goes to its first owner; `wired` frames at `records` are ours. */
static void range_hand_out(const struct boot_range *range, uint64_t records, size_t record_bytes) {
    uint64_t base = range->base, end = range->base + range->length;
    if (range->kind == BOOT_RANGE_INITRD) {
        for (uint64_t at = base; at < end; at += PAGE_SIZE)
            page_of(paddr(at))->state = PAGE_LOADER;
        pmm_count_state(PAGE_LOADER, (int64_t)(range->length >> PAGE_SHIFT));
        return;
    }
    if (base == records) {
        for (uint64_t at = base; at < base + record_bytes; at += PAGE_SIZE)
            page_of(paddr(at))->state = PAGE_WIRED;
        pmm_count_state(PAGE_WIRED, (int64_t)(record_bytes >> PAGE_SHIFT));
        base += record_bytes;
    }
    if (base < end)
        pmm_give(page_of(paddr(base)), (end - base) >> PAGE_SHIFT);
}

/* With one count that nobody drops, so that a slot that holds one is never exclusive. */
static void zeros_make(void) {
    page_zeros = pmm_alloc_run(PAGE_DIRTS, PAGE_SHIFT, 0, PAGE_WIRED);
    ASSERT(page_zeros);
    for (unsigned dirt = 0; dirt < PAGE_DIRTS; dirt++) {
        arch_zero_page(page_contents(&page_zeros[dirt]));
        atomic_init(&page_zeros[dirt].count, 1);
        page_zeros[dirt].dirt = (uint8_t)dirt;
    }
}

void pmm_init(void) {
    pmm_init_lists();
    spans_collect();
    uint64_t frames = 0, records_base;
    for (unsigned i = 0; i < page_span_count; i++)
        frames += page_spans[i].frame_count;
    size_t bytes = round_up(frames * sizeof(struct page), PAGE_SIZE);
    struct page *records = records_place(bytes, &records_base);
    memset(records, 0, bytes);
    for (unsigned i = 0; i < page_span_count; i++) {
        page_spans[i].pages = records;
        records += page_spans[i].frame_count;
    }
    spans_sort_largest_first();
    page_first_span = page_spans[0];
    for (unsigned i = 0; i < boot_info.range_count; i++)
        if (range_has_records(&boot_info.ranges[i]))
            range_hand_out(&boot_info.ranges[i], records_base, bytes);
    pmm_set_reserve();
    zeros_make();
}
