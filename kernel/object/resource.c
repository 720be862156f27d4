/*
 * resource.c - resources.
 */
#include "object/resource.h"

#include "lib/string.h"
#include "vm/kheap.h"

#define OPTIONS_KIND_MASK 0xffffu

/* The end of each ranged kind's numbers; 0: the kind has no range. */
static const uint64_t kind_ends[ZX_RSRC_KIND_COUNT] = {
    [ZX_RSRC_KIND_MMIO] = (uint64_t)1 << 52,
    [ZX_RSRC_KIND_IRQ] = 256,
    [ZX_RSRC_KIND_IOPORT] = 65536,
    [ZX_RSRC_KIND_SMC] = (uint64_t)1 << 32,
};

static struct mutex ranges_lock;
static struct list ranges; /* struct resource with a range and a handle */

void resource_init(void) {
    mutex_init(&ranges_lock, RANK_FAMILY, "resources");
    list_init(&ranges);
}

/* ---- life ---- */

static void ranges_leave(struct resource *resource) {
    MUTEX_GUARD(&ranges_lock);

    if (list_node_is_linked(&resource->node))
        list_remove(&resource->node);
}

static void resource_on_zero_handles(struct waitable *object) {
    ranges_leave(resource_from(object));
}

static void resource_destroy(struct waitable *object) {
    ranges_leave(resource_from(object));
    kheap_free(resource_from(object));
}

static char *resource_name_storage(struct waitable *object) {
    return resource_from(object)->name;
}

static const struct waitable_ops resource_ops = {
    .name = "resource",
    .type = ZX_OBJ_TYPE_RESOURCE,
    .default_rights = ZX_DEFAULT_RESOURCE_RIGHTS,
    .destroy = resource_destroy,
    .on_zero_handles = resource_on_zero_handles,
    .name_storage = resource_name_storage,
};

static struct resource *resource_alloc(uint32_t kind, uint32_t flags) {
    struct resource *resource = kheap_zalloc(sizeof(*resource));

    if (!resource)
        return NULL;
    waitable_init(&resource->base, &resource_ops, 0);
    resource->kind = kind;
    resource->flags = flags;
    return resource;
}

status_t resource_create_root(struct resource **out_resource) {
    struct resource *root = resource_alloc(ZX_RSRC_KIND_ROOT, 0);

    if (!root)
        return ERR_NO_MEMORY;
    string_copy(root->name, sizeof(root->name), "root");
    *out_resource = root;
    return OK;
}

/* ---- ranges ---- */

static bool ranges_overlap(const struct resource *a, const struct resource *b) {
    return a->start < b->start + b->size && b->start < a->start + a->size;
}

/* Join the list, unless that would break an exclusive range. */
static status_t ranges_join(struct resource *resource) {
    MUTEX_GUARD(&ranges_lock);

    list_for_each(node, &ranges) {
        const struct resource *other = list_entry(node, struct resource, node);
        bool exclusive = (resource->flags | other->flags) & ZX_RSRC_FLAG_EXCLUSIVE;
        if (exclusive && other->kind == resource->kind && ranges_overlap(resource, other))
            return ERR_NOT_FOUND;
    }
    list_add_tail(&ranges, &resource->node);
    return OK;
}

static status_t range_check(uint32_t kind, uint64_t start, uint64_t size) {
    if (kind_ends[kind] == 0)
        return start == 0 && size == 0 ? OK : ERR_INVALID_ARGS;
    if (size == 0)
        return ERR_INVALID_ARGS;
    return range_within(start, size, kind_ends[kind]) ? OK : ERR_NOT_FOUND;
}

/* ---- making and checking ---- */

status_t resource_check_create(const struct resource *parent, uint32_t options) {
    uint32_t flags = options & ~OPTIONS_KIND_MASK;

    if (parent->kind != ZX_RSRC_KIND_ROOT)
        return ERR_ACCESS_DENIED;
    if ((options & OPTIONS_KIND_MASK) >= ZX_RSRC_KIND_COUNT || (flags & ~ZX_RSRC_FLAGS_MASK))
        return ERR_INVALID_ARGS;
    return OK;
}

status_t resource_create(const struct resource *parent, uint32_t options, uint64_t start,
                         uint64_t size, const char name[OBJECT_NAME_SIZE],
                         struct resource **out_resource) {
    uint32_t kind = options & OPTIONS_KIND_MASK;

    status_t status = resource_check_create(parent, options);
    if (status == OK)
        status = range_check(kind, start, size);
    if (status != OK)
        return status;
    struct resource *resource = resource_alloc(kind, options & ~OPTIONS_KIND_MASK);
    if (!resource)
        return ERR_NO_MEMORY;
    resource->start = start;
    resource->size = size;
    memcpy(resource->name, name, OBJECT_NAME_SIZE);
    status = size == 0 ? OK : ranges_join(resource);
    if (status != OK) {
        waitable_unref(&resource->base);
        return status;
    }
    *out_resource = resource;
    return OK;
}

status_t resource_check(const struct resource *resource, uint32_t kind) {
    return resource->kind == kind || resource->kind == ZX_RSRC_KIND_ROOT ? OK : ERR_WRONG_TYPE;
}

status_t resource_check_range(const struct resource *resource, uint32_t kind, uint64_t start,
                              uint64_t size) {
    uint64_t first = resource->start, end = first + resource->size;

    status_t status = resource_check(resource, kind);
    if (status != OK || resource->kind == ZX_RSRC_KIND_ROOT)
        return status;
    if (kind == ZX_RSRC_KIND_MMIO) {
        first = round_down(first, PAGE_SIZE);
        end = round_up(end, PAGE_SIZE);
    }
    return start >= first && range_within(start - first, size, end - first) ? OK
                                                                             : ERR_OUT_OF_RANGE;
}

void resource_get_info(struct resource *resource, zx_info_resource_t *out_info) {
    MUTEX_GUARD(resource->base.lock);

    *out_info = (zx_info_resource_t){
        .kind = resource->kind,
        .flags = resource->flags,
        .base = resource->start,
        .size = resource->size,
    };
    memcpy(out_info->name, resource->name, OBJECT_NAME_SIZE);
}
