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
 * What an absent slot of the page map means depends on the kind: zero for most; ask
 * the pager for one with a pager; and for a lazy clone, which falls back on such a
 * one (its lender), the lender's current page (vmo_pager.c).
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
struct page_source;
struct tlb_batch;

/* No larger VMO: more than any address space could map (ZX-ABI.md 3.4 allows a cap). */
#define VMO_SIZE_MAX ((uint64_t)1 << 48)

enum vmo_kind {
    VMO_ANONYMOUS,   /* the first, because the quick ways test for it */
    VMO_DISCARDABLE, /* anonymous, but may lose its pages while nobody locks it (vmo_reclaim.c) */
    VMO_CONTIGUOUS,  /* all pages present for ever, one behind the other (vmo_phys.c) */
    VMO_PHYSICAL,    /* device memory: no page map (vmo_phys.c) */
    VMO_PAGER,       /* absent pages come from a pager (vmo_pager.c) */
    VMO_LAZY,        /* a clone of such a one (vmo_pager.c) */
};

/*
 * One place where a VMO is mapped; embedded in its region. Under vmo->lock, of a lazy
 * clone under its lender's too, which must hide in it what the clone shows of it.
 */
struct vmo_view {
    struct list_node node;
    struct list_node lender_node; /* of a lazy clone: in its lender's source->views */
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
    enum vmo_kind kind;
    bool resizable;
    bool is_cow_clone;
    bool is_slice;        /* an alias with a size of its own, which never changes */
    struct vmo *shown;    /* alias: whose pages it shows, referenced; else NULL */
    uint64_t shown_offset;
    bool immutable;       /* not even a debugger writes to it (the initrd) */
    bool is_fixed;        /* a snapshot that was made with NO_WRITE: nobody may write it */
    uint64_t parent_koid; /* of the VMO it was made from; 0: none */
    uint64_t vdso_code_offset, vdso_code_length; /* the vDSO image only; else 0 */
    paddr_t physical;           /* physical: the first frame */
    struct page_source *source; /* pager: what is asked, and who borrows; referenced */
    struct vmo *lender;         /* lazy: whose pages show in absent slots; referenced */
    uint64_t lender_offset;     /* lazy: the lender's offset of our page 0; bytes */

    /* Under lock. */
    struct mutex lock;    /* RANK_VMO; with a pager RANK_VMO_LENDER */
    bool special;          /* not VMO_ANONYMOUS, or not cached: off the quick ways */
    uint32_t cache_policy; /* ZX_CACHE_POLICY_* */
    uint64_t size;        /* bytes, a multiple of PAGE_SIZE */
    uint64_t content_size;
    struct page_map map;
    struct list views;    /* struct vmo_view */
    uint32_t view_count;
    uint32_t pins;        /* of its pages; each page counts its own */
    uint32_t locks;       /* discardable */
    uint32_t marker_nodes; /* pager and lazy: made for markers */
    bool was_locked, discarded; /* discardable: ever; all pages are gone since the last lock */
    uint32_t losses;       /* how often the kernel took pages of its own accord */

    /* Lazy, under lender->lock: from which of our pages on nothing of the lender's shows. */
    uint64_t lender_limit;
    union {
        struct list_node borrower_node; /* in lender->source->borrowers */
        /* Discardable and pager, under the lock of vmo_reclaim.c: on the list of all those. */
        struct list_node kind_node;
    };

    /* Discardable and pager, under the lock of vmo_reclaim.c. */
    struct list_node reclaim_node;

    /* Set once from NULL, at the first clone (vmo_family.c). */
    struct vmo_family *_Atomic family;
    /* Under family->lock. */
    struct vmo *parent;   /* the nearest living ancestor; no reference */
    struct list children; /* by `sibling` */
    struct list_node sibling, member;
    uint64_t child_count;

    struct list_node registered; /* registry.h */

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
/* The same, for content that may be lost while nobody locks it. */
status_t vmo_create_discardable(uint64_t size, bool resizable, struct vmo **out_vmo);
/*
 * `size` bytes (at most 4 MiB: the largest run) of RAM in one piece, aligned to
 * 2^align_log2 and below `limit` (0: anywhere); committed for ever. ERR_NO_MEMORY.
 */
status_t vmo_create_contiguous(uint64_t size, unsigned align_log2, uint64_t limit,
                               struct vmo **out_vmo);
/*
 * Device memory, uncached until told otherwise. ERR_INVALID_ARGS: not aligned or empty;
 * ERR_OUT_OF_RANGE: it touches RAM that the kernel manages.
 */
status_t vmo_create_physical(paddr_t base, uint64_t size, struct vmo **out_vmo);
/* Whose absent pages `source` is asked for; takes over a reference to it. */
status_t vmo_create_pager(uint64_t size, bool resizable, struct page_source *source,
                          struct vmo **out_vmo);
/* Takes over frames in state PAGE_LOADER as the content (the initrd). */
status_t vmo_create_from_loader(paddr_t base, uint64_t length, struct vmo **out_vmo);
/*
 * A snapshot of [offset, offset + size); what lies outside the parent is zero. It is a
 * full one, unless the parent has a pager or is a lazy clone: there `kind` decides.
 * offset is page aligned, size rounded up. In this order: ERR_INVALID_ARGS contiguous,
 * ERR_BAD_STATE not cached, ERR_NOT_SUPPORTED of what cannot be cloned (so),
 * ERR_BAD_STATE pinned, ERR_OUT_OF_RANGE if the window ends above VMO_SIZE_MAX.
 */
enum snapshot_kind { SNAPSHOT_FULL, SNAPSHOT_ON_WRITE, SNAPSHOT_MODIFIED };
status_t vmo_create_snapshot(struct vmo *parent, enum snapshot_kind kind, uint64_t offset,
                             uint64_t size, bool resizable, struct vmo **out_child);

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
/* ERR_OUT_OF_RANGE; with a pager ALWAYS_NEED reads the range in, DONT_NEED lets it go first. */
status_t vmo_hint(struct vmo *vmo, bool needed, uint64_t offset, uint64_t length);

/*
 * Discardable VMOs; offset 0 and length the whole size, else ERR_OUT_OF_RANGE;
 * ERR_NOT_SUPPORTED of other kinds. lock: *out_discarded, the content was lost and is
 * zero now; try_lock: ERR_UNAVAILABLE then. unlock: ERR_BAD_STATE if not locked.
 */
status_t vmo_lock(struct vmo *vmo, uint64_t offset, uint64_t length, bool *out_discarded);
status_t vmo_try_lock(struct vmo *vmo, uint64_t offset, uint64_t length);
status_t vmo_unlock(struct vmo *vmo, uint64_t offset, uint64_t length);

/* ERR_BAD_STATE: it has pages (physical: mappings), relatives, mappings or pins. */
status_t vmo_set_cache_policy(struct vmo *vmo, uint32_t policy);

/*
 * Keep the pages of a range where they are, committed and owned, until vmo_unpin; and
 * tell their addresses, one a page. Page aligned; ERR_OUT_OF_RANGE, ERR_NO_MEMORY,
 * ERR_INVALID_ARGS (length 0), a pager's error. A slice pins its parent.
 */
status_t vmo_pin(struct vmo *vmo, uint64_t offset, uint64_t length, bool write,
                 paddr_t *out_addresses);
void vmo_unpin(struct vmo *vmo, uint64_t offset, uint64_t length);

/* ERR_OUT_OF_RANGE (nothing moved), ERR_INVALID_ARGS for a bad buffer, ERR_NO_MEMORY. */
status_t vmo_read(struct vmo *vmo, uint64_t offset, struct user_out buffer, uint64_t length);
status_t vmo_write(struct vmo *vmo, uint64_t offset, struct user_in buffer, uint64_t length);
/* The same with kernel memory. */
status_t vmo_read_kernel(struct vmo *vmo, uint64_t offset, void *buffer, uint64_t length);
status_t vmo_write_kernel(struct vmo *vmo, uint64_t offset, const void *buffer, uint64_t length);

struct vmo_info {
    uint64_t size, content_size, parent_koid, child_count, mapping_count, share_count;
    uint64_t committed_bytes, metadata_bytes;
    uint64_t populated_bytes; /* pages that it shows, whoever pays for them */
    enum vmo_kind kind; /* of what it shows */
    bool resizable, is_cow_clone, immutable;
    uint32_t cache_policy;
    uint64_t losses; /* how often the kernel took pages of its own accord */
};
struct vmo_info vmo_info(struct vmo *vmo);
/* What a range of bytes shows, page_map.h; an alias shows pages of another VMO. */
struct map_share vmo_share(struct vmo *vmo, uint64_t offset, uint64_t length);

/* ---- For fault.c, aspace.c and the other vmo_*.c ---- */

/* The lender's lock, for changing a view; NULL: there is no lender. */
struct vmo *vmo_lender_lock_slow(struct vmo *vmo);
void vmo_lender_unlock_slow(struct vmo *lender);
ALWAYS_INLINE struct vmo *vmo_lender_lock(struct vmo *vmo) {
    return unlikely(vmo->lender) ? vmo_lender_lock_slow(vmo) : NULL;
}
ALWAYS_INLINE void vmo_lender_unlock(struct vmo *lender) {
    if (unlikely(lender))
        vmo_lender_unlock_slow(lender);
}
/* Between vmo_lender_lock and unlock. */
void vmo_view_add_locked(struct vmo *vmo, struct vmo_view *view) REQUIRES(vmo->lock);
void vmo_view_remove_locked(struct vmo *vmo, struct vmo_view *view) REQUIRES(vmo->lock);
/* Take pages [first, first + count) away from every view, and flush. Waits. */
void vmo_hide_locked(struct vmo *vmo, uint64_t first, uint64_t count) REQUIRES(vmo->lock);
/* The same for one page of a VMO without a pager. */
void vmo_hide_page_locked(struct vmo *vmo, uint64_t index) REQUIRES(vmo->lock);
/* Take write permission away from every view of the range, and flush. Waits. */
void vmo_make_read_only_locked(struct vmo *vmo, uint64_t first, uint64_t count)
    REQUIRES(vmo->lock);
/*
 * vmo_cow.c: give `vmo` a page of its own at `index`, copying it if others share it,
 * zeroed if there was none. It may then be mapped writable. *out_fresh (may be
 * NULL): it was not ours before. ERR_NO_MEMORY; ERR_NOT_FOUND discarded;
 * ERR_BAD_STATE the pager is gone; ERR_INTERNAL_PAGER: vmo_await, and come again.
 */
status_t vmo_own_page_locked(struct vmo *vmo, uint64_t index, struct page **out_page,
                             bool *out_fresh) REQUIRES(vmo->lock);
/*
 * The page that shows at `index`, the zero page for absent ones. It stays while the
 * VMO's lock is held and until vmo_look_end, which lets go of the lender's. exclusive:
 * it may be mapped writable. Errors as above.
 */
struct vmo_look {
    struct page *page;
    bool exclusive;
    struct vmo *lender; /* locked; NULL: none */
};
ALWAYS_INLINE status_t vmo_look_locked(struct vmo *vmo, uint64_t index,
                                       struct vmo_look *out_look) REQUIRES(vmo->lock);
ALWAYS_INLINE void vmo_look_end(struct vmo_look *look);
status_t vmo_look_special_locked(struct vmo *vmo, uint64_t index, struct vmo_look *out_look)
    REQUIRES(vmo->lock);
void vmo_look_end_special(struct vmo_look *look);
/*
 * After ERR_INTERNAL_PAGER, with no lock held: wait until the pager has done what
 * stands in the way of reading or writing up to `count` pages from `index` on, or of
 * the first of them. OK: look again. Else the pager's error, ERR_TIMED_OUT,
 * ERR_INTERNAL_KILLED, ERR_INTERNAL_RETRY (suspended).
 */
status_t vmo_await(struct vmo *vmo, uint64_t index, uint64_t count, bool write);

/* vmo_family.c */
status_t vmo_family_ensure(struct vmo *vmo);
void vmo_family_join(struct vmo *parent, struct vmo *child);
void vmo_family_leave(struct vmo *vmo);
/* Has it relatives by snapshot? Aliases don't count. */
bool vmo_has_relatives(struct vmo *vmo);
uint64_t vmo_family_committed_pages(struct vmo *vmo);

ALWAYS_INLINE status_t vmo_look_locked(struct vmo *vmo, uint64_t index,
                                       struct vmo_look *out_look) {
    if (unlikely(vmo->special))
        return vmo_look_special_locked(vmo, index, out_look);
    out_look->exclusive = false;
    out_look->lender = NULL;
    out_look->page = page_map_find(&vmo->map, index, &out_look->exclusive);
    if (!out_look->page)
        out_look->page = page_zeros;
    return OK;
}

ALWAYS_INLINE void vmo_look_end(struct vmo_look *look) {
    if (unlikely(look->lender))
        vmo_look_end_special(look);
}
