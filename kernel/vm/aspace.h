/*
 * aspace.h - an address space: a tree of regions, a page table, and their locks.
 *
 * A region is a VMAR (it has children) or a mapping (it has a view of a VMO); one
 * node type serves both. Children lie in a tree keyed by their start. A region in
 * the tree holds one reference to itself; handles hold others, so a destroyed
 * VMAR stays as an inert object. All of the tree is under aspace->lock, which a
 * fault takes too; so an operation that unmaps and maps under it shows nobody a
 * hole. Dead regions are let go after the lock.
 *
 * Lock order: aspace->lock (RANK_ASPACE), a VMO's lock, aspace->mmu_lock.
 * Waiting for other CPUs (flush) happens under the first two.
 */
#pragma once

#include <zircon/types.h>

#include "arch/mmu.h"
#include "lib/tree.h"
#include "vm/vmo.h"

enum region_kind { REGION_VMAR, REGION_MAPPING };

/* ZX_VM_PERM_READ, WRITE and EXECUTE: permissions, and which of them are possible. */
#define PERM_MASK (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE)

struct region {
    struct waitable base;      /* handles name VMARs; mappings use only the references */
    /* Set once. */
    enum region_kind kind;
    struct aspace *aspace;     /* referenced */
    uint32_t possible;         /* PERM bits that it or what lies in it may ever have */
    bool can_map_specific;     /* VMAR */
    /* Under aspace->lock. */
    struct tree_node node;     /* in parent->children; key: start */
    struct region *parent;     /* NULL: root, or dead */
    bool alive;
    vaddr_t start;
    uint64_t size;
    struct tree children;      /* VMAR */
    uint32_t perm;             /* mapping: PERM bits now */
    struct vmo *vmo;           /* mapping: what was mapped; referenced */
    struct vmo *pages;         /* mapping: vmo_pages_of(vmo); its lock guards the view */
    uint64_t limit;            /* mapping: offset in `pages` that a slice does not pass */
    unsigned cache_prot;       /* mapping: MMU_UNCACHED or MMU_WRITE_COMBINING, as `pages` says */
    struct vmo_view view;      /* mapping: of `pages`; under pages->lock */
    bool touched;              /* mapping: the page table may show it; under pages->lock */
    struct list_node dead_node;
};

struct aspace {
    struct ref refs;           /* its process and every region */
    struct mutex lock;         /* RANK_ASPACE */
    struct region *root;       /* referenced until destroyed; under lock */
    uint64_t random;           /* state for placement; under lock */
    struct region *recent;     /* the mapping last made or asked for; NULL; under lock */
    vaddr_t arena;             /* where placement prefers to put things */
    vaddr_t vdso_code, vdso_code_end, vdso_base; /* 0: not mapped; set once; under lock */
    uint64_t mapping_count;    /* under lock */
    struct list_node registered; /* registry.h */

    struct mutex mmu_lock;     /* RANK_MMU */
    struct mmu mmu;            /* under mmu_lock */
};

extern const struct waitable_ops region_ops; /* object/vmar_object.c */
ALWAYS_INLINE struct region *region_from(struct waitable *object) {
    return container_of(object, struct region, base);
}
ALWAYS_INLINE void region_ref(struct region *region) { waitable_ref(&region->base); }
ALWAYS_INLINE void region_unref(struct region *region) { waitable_unref(&region->base); }
AUTO_RELEASE(region, region_unref)

/* An empty space with a root VMAR that may map everything. ERR_NO_MEMORY. */
status_t aspace_create(struct aspace **out_aspace);
/* Unmap everything for good: the process is dead, no thread uses it. */
void aspace_destroy(struct aspace *aspace);
void aspace_ref(struct aspace *aspace);
void aspace_unref(struct aspace *aspace);
/* The root VMAR with a reference; it may be destroyed already. */
struct region *aspace_root(struct aspace *aspace);

/*
 * The VMAR operations of ZX-ABI.md sections 3.5 and 5, after the handle checks, in
 * the order documented there. `possible` of map is what both handles' rights
 * allow (PERM bits).
 */
status_t vmar_allocate(struct region *vmar, uint32_t options, uint64_t offset, uint64_t size,
                       struct region **out_child);
status_t vmar_map(struct region *vmar, uint32_t options, uint64_t offset, struct vmo *vmo,
                  uint64_t vmo_offset, uint64_t length, uint32_t possible, vaddr_t *out_address);
status_t vmar_unmap(struct region *vmar, vaddr_t address, uint64_t length);
status_t vmar_protect(struct region *vmar, uint32_t options, vaddr_t address, uint64_t length);
status_t vmar_destroy(struct region *vmar);
/*
 * ZX-ABI.md section 3.5, ABI-MORE.md section S7: an operation on what is mapped in a
 * range. Mappings are walked in the order of addresses; an error stops there.
 */
status_t vmar_op_range(struct region *vmar, uint32_t op, vaddr_t address, uint64_t size);

/*
 * What is mapped at `address`: the VMO with a reference, the offset in it, how many
 * bytes up to the mapping's end, and whether it is the vDSO. ERR_BAD_STATE dead,
 * ERR_NO_MEMORY not mapped (ZX-ABI.md section 3.12, process_read_memory).
 */
struct aspace_place {
    struct vmo *vmo;
    uint64_t offset, left;
    bool is_vdso;
};
status_t aspace_resolve(struct aspace *aspace, vaddr_t address, struct aspace_place *out_place);

/* One entry of a depth-first walk in the order of addresses; the root VMAR has depth 1. */
struct aspace_entry {
    enum region_kind kind;
    uint64_t depth, start, size;
    char name[OBJECT_NAME_SIZE];
    uint32_t perm;
    uint64_t vmo_koid, vmo_offset, committed_pages;
};
/* The entry after `previous` (NULL: the first); false at the end or when destroyed. */
bool aspace_next_entry(struct aspace *aspace, const struct aspace_entry *previous,
                       struct aspace_entry *out_entry);

/*
 * For crash reports: the name of the VMO mapped at an address, and where its program
 * was loaded (the outermost VMAR below the root, else the mapping). False: nothing there.
 */
struct aspace_module {
    char name[OBJECT_NAME_SIZE];
    vaddr_t base;
};
bool aspace_find_module(struct aspace *aspace, vaddr_t address, struct aspace_module *out_module);

/*
 * Code in it may use I/O ports [first, first + count), at most IO_PORTS. For a thread of a
 * process that lives. ERR_NO_MEMORY.
 */
status_t aspace_allow_io(struct aspace *aspace, uint32_t first, uint32_t count);

struct aspace_stats {
    uint64_t mapped_bytes, private_bytes, shared_bytes, scaled_shared_bytes, table_pages;
    uint64_t scaled_shared_fraction; /* of a byte, 63 bits behind the point */
};
struct aspace_stats aspace_stats(struct aspace *aspace);

/* ---- For fault.c and the other aspace files ---- */
/* Install what is present in [start, end), a part of the mapping. ERR_NO_MEMORY (tables). */
status_t mapping_populate_locked(struct region *mapping, vaddr_t start, vaddr_t end)
    REQUIRES(mapping->aspace->lock);
struct region *aspace_find_locked(struct aspace *aspace, vaddr_t address) REQUIRES(aspace->lock);
ALWAYS_INLINE vaddr_t region_end(const struct region *region) {
    return region->start + region->size;
}
