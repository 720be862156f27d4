/*
 * space_model.c - see space_model.h.
 */
#include "model/space_model.h"

#include <string.h>
#include <zircon/syscalls.h>

#include "stress/stress.h"

#define CAN_MAP_RWX (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE)
#define ALIGN_BITS  ((uint32_t)0xff << ZX_VM_ALIGN_BASE)
#define SPECIFIC    (ZX_VM_SPECIFIC | ZX_VM_SPECIFIC_OVERWRITE)

static uint32_t can_map_of(uint32_t options) { return (options & CAN_MAP_RWX) >> 7; }

void space_begin(struct space *space) {
    memset(space, 0, sizeof *space);
    for (unsigned i = 0; i < SPACE_PAGES; i++)
        space->page[i].vmar = -1;
    space->vmar[0] = (struct space_vmar){.used = true,
                                         .alive = true,
                                         .parent = -1,
                                         .pages = SPACE_PAGES,
                                         .can_map = SPACE_RWX,
                                         .can_map_specific = true,
                                         .rights = SPACE_RWX};
}

/* ---- What is in a range of a VMAR ---- */

static bool is_child(const struct space *space, int slot, int parent) {
    return space->vmar[slot].alive && space->vmar[slot].parent == parent && slot != parent;
}

static bool overlaps(const struct space_vmar *vmar, uint64_t first, uint64_t pages) {
    return vmar->first < first + pages && first < vmar->first + vmar->pages;
}

static bool is_inside(const struct space_vmar *vmar, uint64_t first, uint64_t pages) {
    return vmar->first >= first && vmar->first + vmar->pages <= first + pages;
}

/* Is there any child VMAR (only ones that stick out, if `partly`) in the range? */
static bool has_child(const struct space *space, int vmar, uint64_t first, uint64_t pages,
                      bool partly) {
    for (int i = 0; i < SPACE_VMARS; i++)
        if (is_child(space, i, vmar) && overlaps(&space->vmar[i], first, pages) &&
            !(partly && is_inside(&space->vmar[i], first, pages)))
            return true;
    return false;
}

static bool is_free(const struct space *space, int vmar, uint64_t first, uint64_t pages) {
    for (uint64_t i = first; i < first + pages; i++)
        if (space->page[i].vmar == vmar)
            return false;
    return !has_child(space, vmar, first, pages, false);
}

/* ---- Placement ---- */

/* The arena is aligned to more than it is long, so its pages tell about addresses. */
static uint64_t align_pages(uint32_t options) {
    unsigned log2 = options >> ZX_VM_ALIGN_BASE;
    return log2 <= 12 ? 1 : (uint64_t)1 << (log2 - 12);
}

static bool is_alignment(uint32_t options) {
    unsigned log2 = options >> ZX_VM_ALIGN_BASE;
    return log2 == 0 || (log2 >= 10 && log2 <= 32);
}

bool space_may_begin_at(const struct space *space, int vmar, uint32_t options, uint64_t offset,
                        uint64_t pages, uint64_t first) {
    const struct space_vmar *in = &space->vmar[vmar];
    uint64_t limit = options & ZX_VM_OFFSET_IS_UPPER_LIMIT ? offset / PAGE : in->pages;
    return first >= in->first && first + pages <= in->first + limit &&
           first % align_pages(options) == 0 && is_free(space, vmar, first, pages);
}

static zx_status_t find_gap(const struct space *space, int vmar, uint32_t options,
                            uint64_t offset, uint64_t pages, uint64_t *out_first) {
    const struct space_vmar *in = &space->vmar[vmar];
    *out_first = SPACE_FLOATS;
    for (uint64_t first = in->first; first + pages <= in->first + in->pages; first++)
        if (space_may_begin_at(space, vmar, options, offset, pages, first))
            return ZX_OK;
    return ZX_ERR_NO_MEMORY;
}

/* Section 5.3, steps 4 to 8. */
static zx_status_t place(const struct space *space, int vmar, uint32_t options, uint64_t offset,
                         uint64_t size, uint64_t *out_first) {
    const struct space_vmar *in = &space->vmar[vmar];
    bool specific = options & SPECIFIC, upper = options & ZX_VM_OFFSET_IS_UPPER_LIMIT;
    uint64_t room = in->pages * PAGE;
    if ((specific && upper) || (offset && !specific && !upper) || offset % PAGE)
        return ZX_ERR_INVALID_ARGS;
    if ((specific || upper) && !in->can_map_specific)
        return ZX_ERR_ACCESS_DENIED;
    if (upper && (offset > room || size > offset))
        return ZX_ERR_INVALID_ARGS;
    if (!upper && (offset >= room || size > room - offset))
        return ZX_ERR_INVALID_ARGS;
    if (!specific)
        return find_gap(space, vmar, options, offset, size / PAGE, out_first);
    *out_first = in->first + offset / PAGE;
    if (*out_first % align_pages(options))
        return ZX_ERR_INVALID_ARGS;
    if (options & ZX_VM_SPECIFIC_OVERWRITE)
        return has_child(space, vmar, *out_first, size / PAGE, false) ? ZX_ERR_INVALID_ARGS
                                                                      : ZX_OK;
    return is_free(space, vmar, *out_first, size / PAGE) ? ZX_OK : ZX_ERR_NO_MEMORY;
}

zx_status_t space_allocate(const struct space *space, int vmar, uint32_t options, uint64_t offset,
                           uint64_t size, uint64_t *out_first) {
    const struct space_vmar *in = &space->vmar[vmar];
    const uint32_t allowed = ZX_VM_COMPACT | ZX_VM_SPECIFIC | ZX_VM_CAN_MAP_SPECIFIC | CAN_MAP_RWX |
                             ZX_VM_OFFSET_IS_UPPER_LIMIT | ALIGN_BITS;
    if (can_map_of(options) & ~in->rights)
        return ZX_ERR_ACCESS_DENIED;
    if ((options & ~allowed) || !is_alignment(options) || size % PAGE)
        return ZX_ERR_INVALID_ARGS;
    if (!in->alive)
        return ZX_ERR_BAD_STATE;
    if (size == 0)
        return ZX_ERR_INVALID_ARGS;
    if (can_map_of(options) & ~in->can_map)
        return ZX_ERR_ACCESS_DENIED;
    return place(space, vmar, options, offset, size, out_first);
}

/* Section 3.5: what comes before the region's lock. */
static zx_status_t check_map(const struct space *space, int vmar, uint32_t options, int vmo,
                             uint64_t vmo_offset, uint64_t length) {
    const struct space_vmo *object = &space->vmo[vmo];
    const uint32_t perm = options & SPACE_RWX;
    const uint32_t allowed = SPACE_RWX | SPECIFIC | ZX_VM_OFFSET_IS_UPPER_LIMIT | ALIGN_BITS |
                             ZX_VM_MAP_RANGE | ZX_VM_REQUIRE_NON_RESIZABLE | ZX_VM_ALLOW_FAULTS;
    if (perm && !(perm & ZX_VM_PERM_READ))
        return ZX_ERR_INVALID_ARGS;
    if ((options & ZX_VM_MAP_RANGE) && (options & ZX_VM_SPECIFIC_OVERWRITE))
        return ZX_ERR_INVALID_ARGS;
    if (options & CAN_MAP_RWX)
        return ZX_ERR_INVALID_ARGS;
    if (perm & ~(space->vmar[vmar].rights & object->rights))
        return ZX_ERR_ACCESS_DENIED;
    if ((options & ~allowed) || !is_alignment(options))
        return ZX_ERR_INVALID_ARGS;
    if ((options & ZX_VM_REQUIRE_NON_RESIZABLE) && object->resizable)
        return ZX_ERR_NOT_SUPPORTED;
    uint64_t rounded = (length + PAGE - 1) / PAGE * PAGE, end = vmo_offset + rounded;
    bool fits = rounded >= length && end >= vmo_offset;
    if (fits && !(options & ZX_VM_ALLOW_FAULTS) && end > object->pages * PAGE)
        return ZX_ERR_BUFFER_TOO_SMALL;
    if (perm & ~space->vmar[vmar].can_map)
        return ZX_ERR_ACCESS_DENIED;
    return fits && vmo_offset % PAGE == 0 ? ZX_OK : ZX_ERR_INVALID_ARGS;
}

zx_status_t space_map(const struct space *space, int vmar, uint32_t options, uint64_t offset,
                      int vmo, uint64_t vmo_offset, uint64_t length, uint64_t *out_first) {
    zx_status_t status = check_map(space, vmar, options, vmo, vmo_offset, length);
    if (status != ZX_OK)
        return status;
    if (!space->vmar[vmar].alive)
        return ZX_ERR_BAD_STATE;
    if (length == 0)
        return ZX_ERR_INVALID_ARGS;
    return place(space, vmar, options, offset, (length + PAGE - 1) / PAGE * PAGE, out_first);
}

void space_put_vmar(struct space *space, int slot, int parent, uint32_t options, uint64_t first,
                    uint64_t pages) {
    space->vmar[slot] = (struct space_vmar){
        .used = true,
        .alive = true,
        .parent = parent,
        .first = first,
        .pages = pages,
        .can_map = can_map_of(options),
        .can_map_specific = options & ZX_VM_CAN_MAP_SPECIFIC,
        .rights = can_map_of(options),
    };
}

void space_put_mapping(struct space *space, int vmar, uint32_t options, int vmo,
                       uint64_t vmo_offset, uint64_t first, uint64_t pages) {
    const struct space_vmar *in = &space->vmar[vmar];
    for (uint64_t i = 0; i < pages; i++)
        space->page[first + i] = (struct space_page){
            .vmar = vmar,
            .vmo = vmo,
            .vmo_page = vmo_offset / PAGE + i,
            .perm = options & SPACE_RWX,
            .possible = in->can_map & in->rights & space->vmo[vmo].rights,
        };
}

/* ---- Ranges ---- */

/* What unmap and protect check alike; gives pages of the arena. */
static zx_status_t check_range(const struct space *space, int vmar, uint64_t offset,
                               uint64_t length, uint64_t *out_first, uint64_t *out_pages) {
    const struct space_vmar *in = &space->vmar[vmar];
    uint64_t rounded = (length + PAGE - 1) / PAGE * PAGE;
    if (offset % PAGE || length == 0 || rounded < length)
        return ZX_ERR_INVALID_ARGS;
    if (!in->alive)
        return ZX_ERR_BAD_STATE;
    *out_first = offset / PAGE;
    *out_pages = rounded / PAGE;
    if (*out_first < in->first || *out_first > in->first + in->pages ||
        *out_pages > in->first + in->pages - *out_first)
        return ZX_ERR_INVALID_ARGS;
    return ZX_OK;
}

static void clear_vmar(struct space *space, int vmar);

static void clear_range(struct space *space, int vmar, uint64_t first, uint64_t pages) {
    for (int i = 0; i < SPACE_VMARS; i++)
        if (is_child(space, i, vmar) && is_inside(&space->vmar[i], first, pages))
            clear_vmar(space, i);
    for (uint64_t i = first; i < first + pages; i++)
        if (space->page[i].vmar == vmar)
            space->page[i].vmar = -1;
}

/* The depth is at most the number of VMARs. */
static void clear_vmar(struct space *space, int vmar) {
    space->vmar[vmar].alive = false;
    clear_range(space, vmar, space->vmar[vmar].first, space->vmar[vmar].pages);
}

zx_status_t space_unmap(struct space *space, int vmar, uint64_t offset, uint64_t length) {
    uint64_t first, pages;
    zx_status_t status = check_range(space, vmar, offset, length, &first, &pages);
    if (status != ZX_OK)
        return status;
    if (has_child(space, vmar, first, pages, true))
        return ZX_ERR_INVALID_ARGS;
    clear_range(space, vmar, first, pages);
    return ZX_OK;
}

zx_status_t space_protect(struct space *space, int vmar, uint32_t options, uint64_t offset,
                          uint64_t length) {
    uint64_t first, pages;
    if (options & SPACE_RWX & ~space->vmar[vmar].rights)
        return ZX_ERR_ACCESS_DENIED;
    if ((options & ~(uint32_t)SPACE_RWX) || (options && !(options & ZX_VM_PERM_READ)))
        return ZX_ERR_INVALID_ARGS;
    zx_status_t status = check_range(space, vmar, offset, length, &first, &pages);
    if (status != ZX_OK)
        return status;
    for (uint64_t i = first; i < first + pages; i++) {
        if (has_child(space, vmar, i, 1, false))
            return ZX_ERR_INVALID_ARGS;
        if (space->page[i].vmar != vmar)
            return ZX_ERR_NOT_FOUND;
        if (options & ~space->page[i].possible)
            return ZX_ERR_ACCESS_DENIED;
    }
    for (uint64_t i = first; i < first + pages; i++)
        space->page[i].perm = options;
    return ZX_OK;
}

zx_status_t space_destroy(struct space *space, int vmar) {
    if (!space->vmar[vmar].alive)
        return ZX_ERR_BAD_STATE;
    clear_vmar(space, vmar);
    return ZX_OK;
}

/* Committing and decommitting stay with the VMAR's own mappings; the rest looks deeper. */
static zx_status_t op_on_page(const struct space *space, int vmar, bool changes, uint64_t index) {
    const struct space_page *page = &space->page[index];
    if (changes && has_child(space, vmar, index, 1, false))
        return ZX_ERR_INVALID_ARGS;
    if (page->vmar < 0)
        return ZX_ERR_BAD_STATE;
    return changes && !(page->perm & ZX_VM_PERM_WRITE) ? ZX_ERR_ACCESS_DENIED : ZX_OK;
}

zx_status_t space_op_range(const struct space *space, int vmar, uint32_t op, uint64_t offset,
                           uint64_t length, uint64_t *out_pages) {
    const struct space_vmar *in = &space->vmar[vmar];
    bool changes = op == ZX_VMAR_OP_COMMIT || op == ZX_VMAR_OP_DECOMMIT;
    uint64_t first, pages, done = 0;
    *out_pages = 0;
    if (changes && !(in->rights & ZX_VM_PERM_WRITE))
        return ZX_ERR_ACCESS_DENIED;
    if (length == 0 || offset % PAGE)
        return ZX_ERR_INVALID_ARGS;
    first = offset / PAGE;
    pages = length / PAGE + (length % PAGE != 0);
    if (first < in->first || first > in->first + in->pages ||
        pages > in->first + in->pages - first)
        return ZX_ERR_OUT_OF_RANGE;
    if (!in->alive)
        return ZX_ERR_BAD_STATE;
    zx_status_t status = ZX_OK;
    while (done < pages && status == ZX_OK) {
        status = op_on_page(space, vmar, changes, first + done);
        done += status == ZX_OK;
    }
    *out_pages = done;
    return status;
}

unsigned space_depth(const struct space *space, int vmar) {
    unsigned depth = 0;
    for (; space->vmar[vmar].parent >= 0; vmar = space->vmar[vmar].parent)
        depth++;
    return depth;
}
