/*
 * space_model.h - what regions should do, told with an array of pages.
 *
 * A VMAR is a stretch of pages with an owner. Each page of the arena knows in which
 * VMAR a mapping shows something there, and what. Nothing else is kept: where one
 * mapping ends and the next begins cannot be seen from outside.
 *
 * A space_ function does to the array what the call of the same name should do, and
 * tells the status that it should give (ZX-ABI.md sections 3.5, 5).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <zircon/types.h>

#define SPACE_PAGES   160 /* of the arena, which is VMAR 0 */
#define SPACE_VMARS   14
#define SPACE_VMOS    4
#define SPACE_FLOATS  UINT64_MAX /* a place that the kernel is free to choose */

#define SPACE_RWX (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE)

struct space_vmar {
    bool used;      /* there is a handle, or it is alive */
    bool alive;
    int parent;     /* -1: the arena */
    uint64_t first, pages;
    uint32_t can_map; /* PERM bits */
    bool can_map_specific;
    uint32_t rights; /* of its handle, as PERM bits */
};

struct space_page {
    int vmar; /* whose mapping is here; -1: nothing */
    int vmo;
    uint64_t vmo_page;
    uint32_t perm, possible;
};

/* What the calls need to know of a memory object. */
struct space_vmo {
    uint64_t pages;
    uint32_t rights; /* of its handle, as PERM bits */
    bool resizable;
};

struct space {
    struct space_vmar vmar[SPACE_VMARS];
    struct space_page page[SPACE_PAGES];
    struct space_vmo vmo[SPACE_VMOS];
};

void space_begin(struct space *space);

/*
 * Both give the page of the arena that the child begins at, or SPACE_FLOATS: then
 * space_may_begin_at judges the kernel's choice, and space_put_ puts it there.
 */
zx_status_t space_allocate(const struct space *space, int vmar, uint32_t options, uint64_t offset,
                           uint64_t size, uint64_t *out_first);
zx_status_t space_map(const struct space *space, int vmar, uint32_t options, uint64_t offset,
                      int vmo, uint64_t vmo_offset, uint64_t length, uint64_t *out_first);
bool space_may_begin_at(const struct space *space, int vmar, uint32_t options, uint64_t offset,
                        uint64_t pages, uint64_t first);
void space_put_vmar(struct space *space, int slot, int parent, uint32_t options, uint64_t first,
                    uint64_t pages);
void space_put_mapping(struct space *space, int vmar, uint32_t options, int vmo,
                       uint64_t vmo_offset, uint64_t first, uint64_t pages);

/* `offset` and `length` are bytes from the beginning of the arena. */
zx_status_t space_unmap(struct space *space, int vmar, uint64_t offset, uint64_t length);
zx_status_t space_protect(struct space *space, int vmar, uint32_t options, uint64_t offset,
                          uint64_t length);
zx_status_t space_destroy(struct space *space, int vmar);
/* *out_pages is how many pages from `offset` on were dealt with before the status. */
zx_status_t space_op_range(const struct space *space, int vmar, uint32_t op, uint64_t offset,
                           uint64_t length, uint64_t *out_pages);

unsigned space_depth(const struct space *space, int vmar);
