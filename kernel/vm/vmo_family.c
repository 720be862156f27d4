/*
 * vmo_family.c - who descends from whom, and who pays for shared pages.
 *
 * A family comes into being at the first clone and holds all living relatives in
 * the order of their creation. When a member goes, its children become its
 * parent's, so "clone, close the parent, repeat" leaves nothing behind. The oldest
 * living member that sees a page pays for it.
 */
#include "vm/kheap.h"
#include "vm/vmo_internal.h"

static _Atomic uint64_t next_epoch = 1;

static void family_unref(struct vmo_family *family) {
    if (ref_put(&family->refs))
        kheap_free_sized(family, sizeof(*family));
}

static struct vmo_family *family_create(void) {
    struct vmo_family *family = kheap_zalloc(sizeof(*family));
    if (!family)
        return NULL;
    ref_init(&family->refs);
    mutex_init(&family->lock, RANK_FAMILY, "vmo family");
    list_init(&family->members);
    return family;
}

/* Under the new family's lock, which whoever sees the family takes before it looks. */
static bool family_found(struct vmo_family *family, struct vmo *vmo) {
    struct vmo_family *none = NULL;
    MUTEX_GUARD(&family->lock);
    if (!atomic_compare_exchange_strong(&vmo->family, &none, family))
        return false;
    list_add_tail(&family->members, &vmo->member);
    return true;
}

/* A family of one for a VMO that has none. */
status_t vmo_family_ensure(struct vmo *vmo) {
    if (atomic_load(&vmo->family))
        return OK;
    struct vmo_family *family = family_create();
    if (!family)
        return ERR_NO_MEMORY;
    if (!family_found(family, vmo))
        kheap_free(family); /* another clone of the same VMO was first */
    return OK;
}

static void child_link_locked(struct vmo_family *family, struct vmo *parent, struct vmo *child)
    REQUIRES(family->lock) {
    child->parent = parent;
    list_add_tail(&parent->children, &child->sibling);
    if (parent->child_count++ == 0)
        waitable_change(&parent->base, VMO_SIGNAL_ZERO_CHILDREN, 0);
}

void vmo_family_join(struct vmo *parent, struct vmo *child) {
    struct vmo_family *family = atomic_load(&parent->family);
    MUTEX_GUARD(&family->lock);
    ref_get(&family->refs);
    atomic_store(&child->family, family);
    list_add_tail(&family->members, &child->member);
    child_link_locked(family, parent, child);
}

static void leave_locked(struct vmo_family *family, struct vmo *vmo) REQUIRES(family->lock) {
    struct vmo *parent = vmo->parent;
    list_remove(&vmo->member);
    for (struct list_node *node = list_pop(&vmo->children); node; node = list_pop(&vmo->children)) {
        struct vmo *child = list_entry(node, struct vmo, sibling);
        child->parent = NULL;
        if (parent)
            child_link_locked(family, parent, child);
    }
    if (!parent)
        return;
    list_remove(&vmo->sibling);
    if (--parent->child_count == 0)
        waitable_change(&parent->base, 0, VMO_SIGNAL_ZERO_CHILDREN);
}

static void family_leave(struct vmo_family *family, struct vmo *vmo) {
    MUTEX_GUARD(&family->lock);
    leave_locked(family, vmo);
}

void vmo_family_leave(struct vmo *vmo) {
    struct vmo_family *family = atomic_load(&vmo->family);
    if (!family)
        return;
    family_leave(family, vmo);
    family_unref(family);
}

bool vmo_has_relatives(struct vmo *vmo) {
    struct vmo_family *family = atomic_load(&vmo->family);
    unsigned with_pages = 0;
    if (!family)
        return false;
    MUTEX_GUARD(&family->lock);
    list_for_each(node, &family->members) {
        with_pages += !list_entry(node, struct vmo, member)->shown;
        if (with_pages > 1)
            return true;
    }
    return false;
}

uint64_t vmo_family_child_count(struct vmo *vmo) {
    struct vmo_family *family = atomic_load(&vmo->family);
    if (!family)
        return 0;
    MUTEX_GUARD(&family->lock);
    return vmo->child_count;
}

static uint64_t member_charge(struct vmo *member, uint64_t epoch) {
    MUTEX_GUARD(&member->lock);
    return page_map_charge(&member->map, epoch);
}

/* One walk, oldest member first, as far as `vmo`: what the older ones see is theirs. */
uint64_t vmo_family_committed_pages(struct vmo *vmo) {
    struct vmo_family *family = atomic_load(&vmo->family);
    uint64_t epoch = atomic_fetch_add(&next_epoch, 1);
    MUTEX_GUARD(&family->lock);
    list_for_each(node, &family->members) {
        struct vmo *member = list_entry(node, struct vmo, member);
        uint64_t pages = member_charge(member, epoch);
        if (member == vmo)
            return pages;
    }
    UNREACHABLE("a VMO outside its family");
}
