/*
 * aspace.c - the life of an address space, finding what is mapped, telling about it.
 */
#include "vm/aspace.h"

#include "arch/boot.h"
#include "lib/string.h"
#include "vm/entropy.h"
#include "vm/frame_audit.h"
#include "vm/kheap.h"
#include "vm/region_internal.h"
#include "vm/registry.h"

#define ARENA_ALIGN GIB(1)

/* ---- Life ---- */

/* Zero means: no random placement. The command line is read once. */
static uint64_t aspace_entropy(void) {
    static _Atomic int8_t wanted = -1;
    int8_t answer = atomic_load_explicit(&wanted, memory_order_relaxed);
    if (unlikely(answer < 0)) {
        answer = boot_option_bool("aslr", true);
        atomic_store_explicit(&wanted, answer, memory_order_relaxed);
    }
    return answer ? entropy_draw_u64() | 1 : 0;
}

static status_t aspace_create_root(struct aspace *aspace) {
    struct region *root = region_alloc(aspace, REGION_VMAR);
    if (!root)
        return ERR_NO_MEMORY;
    root->possible = PERM_MASK;
    root->can_map_specific = true;
    root->start = USER_BASE;
    root->size = USER_TOP - USER_BASE;
    root->alive = true;
    aspace->root = root;
    return OK;
}

status_t aspace_create(struct aspace **out_aspace) {
    struct aspace *aspace = kheap_zalloc(sizeof(*aspace));
    if (!aspace)
        return ERR_NO_MEMORY;
    ref_init(&aspace->refs);
    mutex_init(&aspace->lock, RANK_ASPACE, "aspace");
    mutex_init(&aspace->mmu_lock, RANK_MMU, "mmu");
    if (mmu_create(&aspace->mmu) != OK) {
        kheap_free(aspace);
        return ERR_NO_MEMORY;
    }
    aspace->random = aspace_entropy();
    aspace->arena = ARENA_ALIGN;
    if (aspace->random)
        aspace->arena += round_down((aspace->random >> 8) % (USER_TOP - 2 * ARENA_ALIGN),
                                    ARENA_ALIGN);
    if (aspace_create_root(aspace) != OK) {
        mmu_destroy(&aspace->mmu);
        kheap_free(aspace);
        return ERR_NO_MEMORY;
    }
    registry_add_aspace(aspace);
    *out_aspace = aspace;
    return OK;
}

void aspace_ref(struct aspace *aspace) { ref_get(&aspace->refs); }

void aspace_unref(struct aspace *aspace) {
    if (!ref_put(&aspace->refs))
        return;
    DEBUG_ASSERT(aspace->mapping_count == 0);
    registry_remove_aspace(aspace);
    mmu_destroy(&aspace->mmu);
    kheap_free(aspace);
}

static void aspace_clear(struct aspace *aspace, struct list *dead) {
    MUTEX_GUARD(&aspace->lock);
    if (!aspace->root)
        return;
    mutex_assert_held(&aspace->root->aspace->lock);
    vmar_destroy_locked(aspace->root, dead);
    aspace->root = NULL;
}

void aspace_destroy(struct aspace *aspace) {
    struct list dead;
    list_init(&dead);
    DEBUG_ASSERT(frame_audit(aspace) == 0); /* user code saw no frame of the kernel's */
    aspace_clear(aspace, &dead);
    regions_release(&dead);
}

struct region *aspace_root(struct aspace *aspace) {
    MUTEX_GUARD(&aspace->lock);
    if (aspace->root)
        region_ref(aspace->root);
    return aspace->root;
}

/* vmar_object.c's destroy: the last reference to a region is gone. */
void region_destroy(struct waitable *object) {
    struct region *region = region_from(object);
    struct aspace *aspace = region->aspace;
    struct vmo *vmo = region->vmo;
    DEBUG_ASSERT(!region->alive);
    kheap_free_sized(region, sizeof(*region));
    if (vmo)
        vmo_unref(vmo);
    aspace_unref(aspace);
}

/* ---- Finding ---- */

static struct region *find_mapping_locked(struct aspace *aspace, vaddr_t address)
    REQUIRES(aspace->lock) {
    struct region *at = aspace->root;
    while (at && at->kind == REGION_VMAR) {
        struct tree_node *node = tree_find_le(&at->children, address);
        at = node ? tree_entry(node, struct region, node) : NULL;
        if (at && region_end(at) <= address)
            at = NULL;
    }
    if (at)
        aspace->recent = at;
    return at;
}

/* Faults come in runs: the mapping of the last one is usually that of the next. */
struct region *aspace_find_locked(struct aspace *aspace, vaddr_t address) {
    struct region *recent = aspace->recent;
    if (likely(recent && address - recent->start < recent->size))
        return recent;
    return find_mapping_locked(aspace, address);
}

status_t aspace_resolve(struct aspace *aspace, vaddr_t address, struct aspace_place *out_place) {
    MUTEX_GUARD(&aspace->lock);
    if (!aspace->root)
        return ERR_BAD_STATE;
    struct region *mapping = aspace_find_locked(aspace, address);
    if (!mapping)
        return ERR_NO_MEMORY;
    vmo_ref(mapping->vmo);
    *out_place = (struct aspace_place){
        .vmo = mapping->vmo,
        .offset = mapping->view.offset - mapping->vmo->shown_offset + (address - mapping->start),
        .left = region_end(mapping) - address,
        .is_vdso = mapping->vmo->vdso_code_length != 0,
    };
    return OK;
}

/* ---- Telling about it ---- */

/* The region after the one at (start, depth) in the order of a depth-first walk. */
static struct region *walk_next_locked(struct aspace *aspace, uint64_t start, uint64_t depth,
                                       uint64_t *out_depth) REQUIRES(aspace->lock) {
    struct region *at = aspace->root;
    uint64_t level = 1;
    while (level < depth && at->kind == REGION_VMAR) {
        struct tree_node *node = tree_find_le(&at->children, start);
        struct region *child = node ? tree_entry(node, struct region, node) : NULL;
        if (!child || region_end(child) <= start)
            break;
        at = child;
        level++;
    }
    if (at->kind == REGION_VMAR && at->start <= start) {
        struct tree_node *node = level == depth ? tree_first(&at->children)
                                                : tree_find_ge(&at->children, start);
        if (node) {
            *out_depth = level + 1;
            return tree_entry(node, struct region, node);
        }
    }
    for (; at->parent; at = at->parent, level--) {
        struct tree_node *node = tree_next(&at->node);
        if (node) {
            *out_depth = level;
            return tree_entry(node, struct region, node);
        }
    }
    return NULL;
}

static uint64_t committed_pages_of(struct vmo *named, uint64_t offset, uint64_t length) {
    struct vmo *vmo = vmo_pages_of(named);
    offset += named->shown_offset;
    uint64_t first = offset >> PAGE_SHIFT, last = (offset + length - 1) >> PAGE_SHIFT, pages = 0;
    MUTEX_GUARD(&vmo->lock);
    while (first <= last && page_map_next(&vmo->map, first, last, &first)) {
        pages++;
        first++;
    }
    return pages;
}

static void entry_name(struct aspace_entry *entry, struct vmo *vmo) {
    MUTEX_GUARD(&vmo->base.own_lock);
    memcpy(entry->name, vmo->name, sizeof(entry->name));
}

/* The VMO is referenced in *out_vmo, so that counting its pages needs no aspace lock. */
static bool next_entry(struct aspace *aspace, const struct aspace_entry *previous,
                       struct aspace_entry *entry, struct vmo **out_vmo) {
    MUTEX_GUARD(&aspace->lock);
    uint64_t depth = 1;
    struct region *region = aspace->root;
    if (region && previous)
        region = walk_next_locked(aspace, previous->start, previous->depth, &depth);
    if (!region)
        return false;
    *entry = (struct aspace_entry){.kind = region->kind,
                                   .depth = depth,
                                   .start = region->start,
                                   .size = region->size};
    if (region->kind == REGION_VMAR)
        return true;
    entry->perm = region->perm;
    entry->vmo_koid = region->vmo->base.koid;
    entry->vmo_offset = region->view.offset - region->vmo->shown_offset;
    vmo_ref(region->vmo);
    *out_vmo = region->vmo;
    return true;
}

bool aspace_next_entry(struct aspace *aspace, const struct aspace_entry *previous,
                       struct aspace_entry *out_entry) {
    AUTO(vmo) vmo = NULL;
    struct aspace_entry entry;
    if (!next_entry(aspace, previous, &entry, &vmo))
        return false;
    if (vmo) {
        entry_name(&entry, vmo);
        entry.committed_pages = committed_pages_of(vmo, entry.vmo_offset, entry.size);
    }
    *out_entry = entry;
    return true;
}

static struct vmo *find_module(struct aspace *aspace, vaddr_t address, vaddr_t *out_base) {
    MUTEX_GUARD(&aspace->lock);
    struct region *mapping = aspace_find_locked(aspace, address), *outermost = mapping;
    if (!mapping)
        return NULL;
    while (outermost->parent && outermost->parent != aspace->root)
        outermost = outermost->parent;
    *out_base = outermost->start;
    vmo_ref(mapping->vmo);
    return mapping->vmo;
}

bool aspace_find_module(struct aspace *aspace, vaddr_t address, struct aspace_module *out_module) {
    AUTO(vmo) vmo = find_module(aspace, address, &out_module->base);
    struct aspace_entry entry;
    if (!vmo)
        return false;
    entry_name(&entry, vmo);
    /* Programs are mapped from the initrd itself: their process knows the better name. */
    memset(out_module->name, 0, sizeof(out_module->name));
    if (!vmo->immutable)
        memcpy(out_module->name, entry.name, sizeof(entry.name));
    /* The vDSO's image begins before its code. */
    if (vmo->vdso_code_length)
        out_module->base = aspace->vdso_base;
    return true;
}

static void stats_add(struct aspace *aspace, const struct aspace_entry *entry,
                      struct aspace_stats *stats) {
    struct aspace_place place;
    if (entry->kind != REGION_MAPPING || aspace_resolve(aspace, entry->start, &place) != OK)
        return;
    uint64_t bytes = entry->committed_pages << PAGE_SHIFT;
    uint64_t shares = vmo_info(place.vmo).share_count;
    stats->mapped_bytes += entry->size;
    if (shares <= 1) {
        stats->private_bytes += bytes;
    } else {
        stats->shared_bytes += bytes;
        stats->scaled_shared_bytes += bytes / shares;
        stats->scaled_shared_fraction += (MAP_SHARE_ONE / shares) * (bytes % shares);
        stats->scaled_shared_bytes += stats->scaled_shared_fraction / MAP_SHARE_ONE;
        stats->scaled_shared_fraction %= MAP_SHARE_ONE;
    }
    vmo_unref(place.vmo);
}

struct aspace_stats aspace_stats(struct aspace *aspace) {
    struct aspace_stats stats = {.table_pages = aspace->mmu.table_pages};
    struct aspace_entry entry;
    for (bool more = aspace_next_entry(aspace, NULL, &entry); more;
         more = aspace_next_entry(aspace, &entry, &entry))
        stats_add(aspace, &entry, &stats);
    return stats;
}
