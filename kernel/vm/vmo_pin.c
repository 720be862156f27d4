/*
 * vmo_pin.c - pages that devices reach by address stay where they are.
 *
 * A pinned page is the object's own (pinning owns it first, and an object with pins is
 * not cloned), so it is never replaced. Each page counts its pins, the object all of
 * them; so the object's count is zero exactly if no page is pinned.
 */
#include "vm/pmm.h"
#include "vm/vmo_internal.h"

bool vmo_is_pinned_slow_locked(struct vmo *vmo, uint64_t first, uint64_t last) {
    struct page *page;
    for (uint64_t at = first; at <= last; at++) {
        page = page_map_next(&vmo->map, at, last, &at);
        if (!page)
            return false;
        if (page->pins)
            return true;
    }
    return false;
}

/* The page to pin: of a pager's a clean one does if nobody will write. */
static status_t pin_page_locked(struct vmo *vmo, uint64_t index, bool write,
                                struct page **out_page) REQUIRES(vmo->lock) {
    if (index >= vmo->size >> PAGE_SHIFT)
        return ERR_OUT_OF_RANGE;
    if (vmo->kind != VMO_PAGER || write)
        return vmo_own_page_locked(vmo, index, out_page, NULL);
    struct vmo_look look;
    status_t status = vmo_look_special_locked(vmo, index, &look);
    if (status == OK && page_is_zero(look.page))
        status = vmo_fill_marker_locked(vmo, index);
    if (status == OK)
        *out_page = page_map_find(&vmo->map, index, NULL);
    return status;
}

static status_t pin_one(struct vmo *vmo, uint64_t index, bool write, paddr_t *out_address) {
    struct page *page;
    MUTEX_GUARD(&vmo->lock);
    status_t status = pin_page_locked(vmo, index, write, &page);
    if (status != OK)
        return status;
    if (page->pins == UINT16_MAX || vmo->pins == UINT32_MAX)
        return ERR_UNAVAILABLE;
    page->pins++;
    vmo->pins++;
    *out_address = page_address(page);
    return OK;
}

static void unpin_pages(struct vmo *vmo, uint64_t first, uint64_t count) {
    MUTEX_GUARD(&vmo->lock);
    for (uint64_t i = 0; i < count; i++) {
        struct page *page = page_map_find(&vmo->map, first + i, NULL);
        ASSERT(page && page->pins);
        page->pins--;
        vmo->pins--;
    }
}

static status_t pin_pages(struct vmo *vmo, uint64_t first, uint64_t count, bool write,
                          paddr_t *out_addresses) {
    uint64_t done = 0;
    status_t status = OK;
    while (done < count && status == OK) {
        status = pin_one(vmo, first + done, write, &out_addresses[done]);
        if (status == ERR_INTERNAL_PAGER)
            status = vmo_await(vmo, first + done, count - done, write);
        else
            done += status == OK;
    }
    if (status != OK)
        unpin_pages(vmo, first, done);
    return status;
}

status_t vmo_pin(struct vmo *named, uint64_t offset, uint64_t length, bool write,
                 paddr_t *out_addresses) {
    struct vmo *vmo = vmo_pages_of(named);
    if (!is_page_aligned(offset) || !is_page_aligned(length) || length == 0)
        return ERR_INVALID_ARGS;
    if (!range_within(offset, length, vmo_size(named)))
        return ERR_OUT_OF_RANGE;
    uint64_t first = (offset + named->shown_offset) >> PAGE_SHIFT, count = length >> PAGE_SHIFT;
    if (vmo->kind != VMO_PHYSICAL)
        return pin_pages(vmo, first, count, write, out_addresses);
    for (uint64_t i = 0; i < count; i++)
        out_addresses[i] = paddr(vmo->physical.value + ((first + i) << PAGE_SHIFT));
    return OK;
}

void vmo_unpin(struct vmo *named, uint64_t offset, uint64_t length) {
    struct vmo *vmo = vmo_pages_of(named);
    if (vmo->kind != VMO_PHYSICAL)
        unpin_pages(vmo, (offset + named->shown_offset) >> PAGE_SHIFT, length >> PAGE_SHIFT);
}
