/*
 * malloc.c - a small checked allocator.
 *
 * A block has a header of 16 bytes before the caller's bytes, and 8 bytes of canary
 * directly behind them. The header holds the size asked for and a tag: a secret, the
 * header's address and the block's state, mixed. So free finds out in a few
 * instructions whether it was given a live block, a freed one, or something else, and
 * whether bytes behind the end were overwritten; either ends the program with a line
 * that says which.
 *
 * Small blocks have one of 48 sizes, four in each doubling, and a list of free blocks
 * for each; new ones are cut from regions of 256 KiB that are never given back. A block
 * of more than 32 KiB is a mapping of its own, and is unmapped when it is freed.
 *
 *     [size | tag][ the caller's bytes ][canary][unused]
 *
 * One lock guards everything. A freed block's first word links the list.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "c/fail.h"
#include "c/heap_pages.h"
#include "c/lock.h"

#define PAGE         ((size_t)4096)
#define REGION       ((size_t)256 << 10)
#define SMALL_MAX    ((size_t)32 << 10) /* of a whole block */
#define CANARY       sizeof(uint64_t)
#define CLASS_COUNT  48
#define SIZE_LIMIT   ((size_t)1 << 46)

enum state { LIVE = 0x4c495645, FREED = 0x46524545, ALIGNED = 0x414c4947 };

struct header {
    size_t size; /* of the caller's bytes; for ALIGNED, the distance back to the block */
    uint64_t tag;
};
struct free_block {
    struct header header;
    struct free_block *next;
};
_Static_assert(sizeof(struct header) == 16, "blocks are aligned to 16");

static struct lock lock;
static struct free_block *free_lists[CLASS_COUNT];
static char *region, *region_end;
static size_t secret;

static uint64_t tag_for(const struct header *header, enum state state) {
    return ((uint64_t)(uintptr_t)header * 0x9e3779b97f4a7c15u) ^ secret ^ state;
}
static uint64_t canary_for(const struct header *header) { return ~tag_for(header, LIVE); }
static char *bytes_of(struct header *header) { return (char *)(header + 1); }
static size_t whole_size(size_t size) { return sizeof(struct header) + size + CANARY; }

/*
 * Class sizes: 32, 48, 64, 80, 96, 112, 128, then 160, 192, 224, 256, 320, ... Four
 * steps in each doubling, so at most a quarter is unused.
 */
static unsigned class_of(size_t whole, size_t *out_class_size) {
    if (whole <= 128) {
        size_t rounded = whole <= 32 ? 32 : (whole + 15) & ~(size_t)15;
        *out_class_size = rounded;
        return (unsigned)(rounded / 16 - 2);
    }
    unsigned doubling = 63 - (unsigned)__builtin_clzl(whole - 1); /* 2^doubling < whole */
    size_t step = (size_t)1 << (doubling - 2);
    size_t steps = (whole - ((size_t)1 << doubling) + step - 1) / step; /* 1 to 4 */
    *out_class_size = ((size_t)1 << doubling) + steps * step;
    return (unsigned)(7 + (doubling - 7) * 4 + steps - 1);
}

static size_t mapping_size(size_t whole) { return (whole + PAGE - 1) & ~(PAGE - 1); }

static struct header *cut_from_region(size_t size) {
    if ((size_t)(region_end - region) < size) {
        char *fresh = heap_map(REGION);
        if (!fresh)
            return NULL;
        region = fresh;
        region_end = fresh + REGION;
    }
    struct header *header = (struct header *)(void *)region;
    region += size;
    return header;
}

static struct header *take_small(size_t whole) {
    size_t class_size;
    unsigned class = class_of(whole, &class_size);
    struct free_block *block = free_lists[class];
    if (!block)
        return cut_from_region(class_size);
    if (block->header.tag != tag_for(&block->header, FREED))
        fail_with("malloc: a freed block was written to\n");
    free_lists[class] = block->next;
    return &block->header;
}

static void seal(struct header *header, size_t size) {
    uint64_t canary = canary_for(header);
    header->size = size;
    header->tag = tag_for(header, LIVE);
    memcpy(bytes_of(header) + size, &canary, CANARY);
}

static bool is_sealed(struct header *header) {
    uint64_t canary;
    memcpy(&canary, bytes_of(header) + header->size, CANARY);
    return canary == canary_for(header);
}

/* The header of a block that the caller holds; ends the program if it is none. */
static struct header *header_of(void *block, const char *who) {
    char text[96];
    const char *wrong;
    struct header *header = (struct header *)block - 1;
    if ((uintptr_t)block % 16 != 0) {
        wrong = "not a block";
    } else {
        if (header->tag == tag_for(header, ALIGNED))
            header = (struct header *)(void *)(bytes_of(header) - header->size) - 1;
        if (header->tag == tag_for(header, LIVE) && is_sealed(header))
            return header;
        wrong = header->tag == tag_for(header, FREED)  ? "freed already"
                : header->tag == tag_for(header, LIVE) ? "written past its end"
                                                       : "not a block, or overwritten";
    }
    snprintf(text, sizeof text, "%s: %p is %s\n", who, block, wrong);
    fail_with(text);
}

void *malloc(size_t size) {
    struct header *header = NULL;
    if (size <= SIZE_LIMIT) {
        size_t whole = whole_size(size);
        lock_take(&lock);
        if (secret == 0)
            secret = heap_secret() | 1;
        header = whole <= SMALL_MAX ? take_small(whole) : heap_map(mapping_size(whole));
        if (header)
            seal(header, size);
        lock_drop(&lock);
    }
    if (!header) {
        errno = ENOMEM;
        return NULL;
    }
    return bytes_of(header);
}

void free(void *block) {
    if (!block)
        return;
    lock_take(&lock);
    struct header *header = header_of(block, "free");
    size_t whole = whole_size(header->size), class_size;
    if (whole > SMALL_MAX) {
        heap_unmap(header, mapping_size(whole));
    } else {
        struct free_block *freed = (struct free_block *)header;
        unsigned class = class_of(whole, &class_size);
        freed->header.tag = tag_for(header, FREED);
        freed->next = free_lists[class];
        free_lists[class] = freed;
    }
    lock_drop(&lock);
}

void *calloc(size_t count, size_t size) {
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        total = SIZE_MAX;
    void *block = malloc(total);
    if (block && whole_size(total) <= SMALL_MAX) /* a fresh mapping is zero */
        memset(block, 0, total);
    return block;
}

/* How many of the caller's bytes the place of a block of `size` can hold. */
static size_t capacity_for(size_t size) {
    size_t place = mapping_size(whole_size(size));
    if (whole_size(size) <= SMALL_MAX)
        (void)class_of(whole_size(size), &place);
    return place - whole_size(0);
}

/* Keep the block where its new size has the same place; an aligned one always moves. */
static bool resize_in_place(void *block, size_t size, size_t *out_old_size) {
    lock_take(&lock);
    struct header *header = header_of(block, "realloc");
    bool is_aligned = bytes_of(header) != block;
    *out_old_size = header->size - (size_t)((char *)block - bytes_of(header));
    bool fits = !is_aligned && size <= SIZE_LIMIT &&
                capacity_for(size) == capacity_for(header->size) &&
                (whole_size(size) <= SMALL_MAX) == (whole_size(header->size) <= SMALL_MAX);
    if (fits)
        seal(header, size);
    lock_drop(&lock);
    return fits;
}

void *realloc(void *block, size_t size) {
    size_t old_size;
    if (!block)
        return malloc(size);
    if (resize_in_place(block, size, &old_size))
        return block;
    void *moved = malloc(size);
    if (moved) {
        memcpy(moved, block, old_size < size ? old_size : size);
        free(block);
    }
    return moved;
}

void *reallocarray(void *block, size_t count, size_t size) {
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        total = SIZE_MAX;
    return realloc(block, total);
}

/* A larger block, in which a second header leads back from the aligned place. */
void *aligned_alloc(size_t alignment, size_t size) {
    if (alignment == 0 || (alignment & (alignment - 1)) != 0 || alignment > SIZE_LIMIT) {
        errno = EINVAL;
        return NULL;
    }
    if (alignment <= 16)
        return malloc(size);
    char *block = size <= SIZE_LIMIT ? malloc(size + alignment) : NULL;
    if (!block) {
        errno = ENOMEM;
        return NULL;
    }
    char *aligned = (char *)(((uintptr_t)block + alignment - 1) & ~(uintptr_t)(alignment - 1));
    if (aligned == block)
        return block;
    struct header *header = (struct header *)(void *)aligned - 1;
    header->size = (size_t)(aligned - block);
    header->tag = tag_for(header, ALIGNED);
    return aligned;
}

int posix_memalign(void **out_block, size_t alignment, size_t size) {
    if (alignment < sizeof(void *) || (alignment & (alignment - 1)) != 0)
        return EINVAL;
    void *block = aligned_alloc(alignment, size);
    if (!block)
        return ENOMEM;
    *out_block = block;
    return 0;
}
