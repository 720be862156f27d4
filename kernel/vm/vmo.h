/*
 * vmo.h - a memory object: a size, a page map, and the views that show it.
 *
 * A VMO has its own lock and no other VMO's; clones share nodes and pages, never
 * locks (page_map.h). A view is where an address space maps the object; the VMO
 * lists its views, so hiding a page goes down to the page tables and never up to
 * regions. Family matters (who descends from whom, attribution) lie under the
 * family's lock, taken at create, close and query, never in a fault.
 *
 * The rule behind every edit, under vmo->lock: first take the range away from all
 * views and flush every CPU that may remember it, then change the map. So a page
 * or node is let go only when no translation leads to it, and no reference has to
 * be deferred.
 *
 * An alias (a slice or a reference) has no pages: it shows a window of another VMO,
 * which it holds, and which is never an alias itself. Views of an alias lie on the
 * list of the VMO that it shows; operations on it go there, moved by shown_offset.
 */
#pragma once

#include "lib/user_ptr.h"
#include "sched/waitable.h"
#include "vm/page_map.h"
#include "vm/user_copy.h"

struct aspace;
struct tlb_batch;

/* No larger VMO: more than any address space could map (ZX-ABI.md 3.4 allows a cap). */
#define VMO_SIZE_MAX ((uint64_t)1 << 48)

/* One place where a VMO is mapped; embedded in its region. Under vmo->lock. */
struct vmo_view {
    struct list_node node;
    struct aspace *aspace;
    const struct vmo *named; /* the VMO that was mapped: this one, or an alias of it */
    vaddr_t base;
    uint64_t offset, length; /* of the VMO, in bytes, page multiples */
};

struct vmo_family {
    struct ref refs;
    struct mutex lock;   /* RANK_FAMILY */
    struct list members; /* struct vmo by `member`, oldest first */
};

struct vmo {
    struct waitable base;
    /* Set once. */
    bool resizable;
    bool is_cow_clone;
    bool is_slice;        /* an alias with a size of its own, which never changes */
    struct vmo *shown;    /* alias: whose pages it shows, referenced; else NULL */
    uint64_t shown_offset;
    bool immutable;       /* not even a debugger writes to it (the initrd) */
    uint64_t parent_koid; /* of the VMO it was made from; 0: none */
    uint64_t vdso_code_offset, vdso_code_length; /* the vDSO image only; else 0 */

    /* Under lock. */
    struct mutex lock;    /* RANK_VMO */
    uint64_t size;        /* bytes, a multiple of PAGE_SIZE */
    uint64_t content_size;
    struct page_map map;
    struct list views;    /* struct vmo_view */
    uint32_t view_count;
    uint32_t pins;

    /* Set once from NULL, at the first clone (vmo_family.c). */
    struct vmo_family *_Atomic family;
    /* Under family->lock. */
    struct vmo *parent;   /* the nearest living ancestor; no reference */
    struct list children; /* by `sibling` */
    struct list_node sibling, member;
    uint64_t child_count;

    /* Under base.lock. */
    char name[OBJECT_NAME_SIZE];
};

extern const struct waitable_ops vmo_ops; /* object/vmo_object.c's, for the handle side */
ALWAYS_INLINE struct vmo *vmo_from(struct waitable *object) {
    return container_of(object, struct vmo, base);
}
ALWAYS_INLINE void vmo_ref(struct vmo *vmo) { waitable_ref(&vmo->base); }
ALWAYS_INLINE void vmo_unref(struct vmo *vmo) { waitable_unref(&vmo->base); }
AUTO_RELEASE(vmo, vmo_unref)

/* Zero filled, nothing committed. ERR_OUT_OF_RANGE above VMO_SIZE_MAX, ERR_NO_MEMORY. */
status_t vmo_create(uint64_t size, bool resizable, struct vmo **out_vmo);
/* Takes over frames in state PAGE_LOADER as the content (the initrd). */
status_t vmo_create_from_loader(paddr_t base, uint64_t length, struct vmo **out_vmo);
/*
 * A full snapshot of [offset, offset + size); what lies outside the parent is zero.
 * offset is page aligned, size rounded up. ERR_NOT_SUPPORTED of a slice, ERR_OUT_OF_RANGE
 * if the window ends above VMO_SIZE_MAX, ERR_BAD_STATE if pinned.
 */
status_t vmo_create_snapshot(struct vmo *parent, uint64_t offset, uint64_t size, bool resizable,
                             struct vmo **out_child);

/*
 * An alias of [offset, offset + size), which lies inside `parent`: ERR_INVALID_ARGS
 * else. ERR_NOT_SUPPORTED if the parent can change its size.
 */
status_t vmo_create_slice(struct vmo *parent, uint64_t offset, uint64_t size,
                          struct vmo **out_child);
/* An alias of all of it, whatever its size becomes. ERR_NOT_SUPPORTED: resizable beyond its parent. */
status_t vmo_create_reference(struct vmo *parent, bool resizable, struct vmo **out_child);

/* The VMO whose pages this one shows: itself, unless it is an alias. */
ALWAYS_INLINE struct vmo *vmo_pages_of(struct vmo *vmo) { return vmo->shown ? vmo->shown : vmo; }
uint64_t vmo_size_now(struct vmo *vmo); /* of one that may be resized */
ALWAYS_INLINE uint64_t vmo_size(struct vmo *named) {
    struct vmo *vmo = named->is_slice ? named : vmo_pages_of(named);
    return vmo->resizable ? vmo_size_now(vmo) : vmo->size;
}
/* ERR_UNAVAILABLE not resizable, ERR_OUT_OF_RANGE, ERR_BAD_STATE pinned, ERR_NO_MEMORY. */
status_t vmo_set_size(struct vmo *vmo, uint64_t size);
/*
 * A number that programs share about how much of the VMO is content; it never changes
 * the size. Setting it below the size zeroes what lies behind it. ERR_NO_MEMORY.
 */
uint64_t vmo_content_size(struct vmo *vmo);
status_t vmo_set_content_size(struct vmo *vmo, uint64_t content_size);
/* ERR_OUT_OF_RANGE: offset past the end or overflow; an overrunning length is trimmed. */
status_t vmo_commit(struct vmo *vmo, uint64_t offset, uint64_t length);
status_t vmo_decommit(struct vmo *vmo, uint64_t offset, uint64_t length);
status_t vmo_zero(struct vmo *vmo, uint64_t offset, uint64_t length);

/* ERR_OUT_OF_RANGE (nothing moved), ERR_INVALID_ARGS for a bad buffer, ERR_NO_MEMORY. */
status_t vmo_read(struct vmo *vmo, uint64_t offset, struct user_out buffer, uint64_t length);
status_t vmo_write(struct vmo *vmo, uint64_t offset, struct user_in buffer, uint64_t length);
/* The same with kernel memory. */
status_t vmo_read_kernel(struct vmo *vmo, uint64_t offset, void *buffer, uint64_t length);
status_t vmo_write_kernel(struct vmo *vmo, uint64_t offset, const void *buffer, uint64_t length);

struct vmo_info {
    uint64_t size, content_size, parent_koid, child_count, mapping_count, share_count;
    uint64_t committed_bytes, metadata_bytes;
    bool resizable, is_cow_clone;
};
struct vmo_info vmo_info(struct vmo *vmo);

/* ---- For fault.c, aspace.c and the other vmo_*.c ---- */

void vmo_view_add_locked(struct vmo *vmo, struct vmo_view *view) REQUIRES(vmo->lock);
void vmo_view_remove_locked(struct vmo *vmo, struct vmo_view *view) REQUIRES(vmo->lock);
/* Take pages [first, first + count) away from every view, and flush. Waits. */
void vmo_hide_locked(struct vmo *vmo, uint64_t first, uint64_t count) REQUIRES(vmo->lock);
void vmo_hide_page_locked(struct vmo *vmo, uint64_t index) REQUIRES(vmo->lock);
/* Take write permission away from every view of the range, and flush. Waits. */
void vmo_make_read_only_locked(struct vmo *vmo, uint64_t first, uint64_t count)
    REQUIRES(vmo->lock);
/*
 * vmo_cow.c: give `vmo` a page of its own at `index`, copying it if others share it,
 * zeroed if there was none. It may then be mapped writable. *out_fresh (may be
 * NULL): it was not ours before. ERR_NO_MEMORY.
 */
status_t vmo_own_page_locked(struct vmo *vmo, uint64_t index, struct page **out_page,
                             bool *out_fresh) REQUIRES(vmo->lock);
/* vmo_family.c */
status_t vmo_family_ensure(struct vmo *vmo);
void vmo_family_join(struct vmo *parent, struct vmo *child);
void vmo_family_leave(struct vmo *vmo);
/* Has it relatives by snapshot? Aliases don't count. */
bool vmo_has_relatives(struct vmo *vmo);
uint64_t vmo_family_committed_pages(struct vmo *vmo);
