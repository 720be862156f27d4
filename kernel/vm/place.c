/*
 * place.c - where in a VMAR a new child goes (ZX-ABI.md section 5.3).
 *
 * A place of the kernel's choice is random. The first tries fall into the
 * address space's arena, 1 GiB at a random place, so that what belongs together
 * shares page tables: 17 random bits for the arena and 18 in it. After that the
 * whole VMAR is searched, from a random place, for the first gap that fits.
 */
#include "vm/region_internal.h"

#define ARENA_SIZE  GIB(1)
#define ARENA_TRIES 8

#define SPECIFIC_ANY (ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE)

static uint64_t place_random_locked(struct aspace *aspace) REQUIRES(aspace->lock) {
    uint64_t x = aspace->random;
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    aspace->random = x;
    return x * 0x2545f4914f6cdd1dull;
}

static bool is_free_locked(struct region *vmar, vaddr_t start, uint64_t size)
    REQUIRES(vmar->aspace->lock) {
    return !region_first_overlap_locked(vmar, start, start + size);
}

/* Try random places in [low, high). */
static bool place_at_random_locked(struct region *vmar, vaddr_t low, vaddr_t high, uint64_t size,
                                   uint64_t align, vaddr_t *out_start)
    REQUIRES(vmar->aspace->lock) {
    if (low >= high || high - low < size)
        return false;
    for (unsigned i = 0; i < ARENA_TRIES; i++) {
        uint64_t room = high - low - size;
        vaddr_t start = low + (place_random_locked(vmar->aspace) >> 8) % (room + 1);
        start = round_down(start, align);
        if (start >= low && is_free_locked(vmar, start, size)) {
            *out_start = start;
            return true;
        }
    }
    return false;
}

/* The first gap in [low, high) that fits. */
static bool place_first_fit_locked(struct region *vmar, vaddr_t low, vaddr_t high, uint64_t size,
                                   uint64_t align, vaddr_t *out_start)
    REQUIRES(vmar->aspace->lock) {
    vaddr_t at = low;
    for (;;) {
        vaddr_t start = round_up(at, align);
        if (start < at || start > high || high - start < size)
            return false;
        struct region *in_the_way = region_first_overlap_locked(vmar, start, start + size);
        if (!in_the_way) {
            *out_start = start;
            return true;
        }
        at = region_end(in_the_way);
    }
}

status_t region_place_anywhere_locked(struct region *vmar, uint64_t limit, uint64_t size,
                                      uint64_t align, vaddr_t *out_start) {
    struct aspace *aspace = vmar->aspace;
    vaddr_t low = vmar->start, high = vmar->start + limit;
    vaddr_t arena_low = MAX(low, aspace->arena), arena_high = MIN(high, aspace->arena + ARENA_SIZE);
    if (aspace->random == 0) { /* aslr=0 */
        if (place_first_fit_locked(vmar, arena_low, arena_high, size, align, out_start))
            return OK;
    } else if (place_at_random_locked(vmar, arena_low, arena_high, size, align, out_start) ||
               place_at_random_locked(vmar, low, high, size, align, out_start)) {
        return OK;
    }
    return place_first_fit_locked(vmar, low, high, size, align, out_start) ? OK : ERR_NO_MEMORY;
}

status_t region_place_locked(struct region *vmar, uint32_t options, uint64_t offset,
                             uint64_t size, vaddr_t *out_start) {
    bool specific = options & SPECIFIC_ANY, upper = options & ZX_VM_OFFSET_IS_UPPER_LIMIT;
    unsigned align_log2;
    if (unlikely(!region_alignment(options, &align_log2)))
        return ERR_INVALID_ARGS;
    if ((specific && upper) || (offset && !specific && !upper) || !is_page_aligned(offset))
        return ERR_INVALID_ARGS;
    if ((specific || upper) && !vmar->can_map_specific)
        return ERR_ACCESS_DENIED;
    if (upper && (offset > vmar->size || size > offset))
        return ERR_INVALID_ARGS;
    if (!upper && (offset >= vmar->size || size > vmar->size - offset))
        return ERR_INVALID_ARGS;
    if (!specific)
        return region_place_anywhere_locked(vmar, upper ? offset : vmar->size, size,
                                            1ull << align_log2, out_start);
    vaddr_t start = vmar->start + offset;
    if (start & ((1ull << align_log2) - 1))
        return ERR_INVALID_ARGS;
    if (!(options & ZX_VM_SPECIFIC_OVERWRITE) && !is_free_locked(vmar, start, size))
        return ERR_NO_MEMORY;
    *out_start = start;
    return OK;
}
