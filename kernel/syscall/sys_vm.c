/*
 * sys_vm.c - memory objects and regions (ZX-ABI.md sections 3.4 and 3.5).
 */
#include <zircon/types.h>

#include "object/object.h"
#include "object/resource.h"
#include "syscall/sys_util.h"
#include "vm/aspace.h"

/* ---- Memory objects ---- */

static status_t lookup_vmo(uint32_t handle, rights_t needed, struct vmo **out_vmo,
                           rights_t *out_rights) {
    struct waitable *object;
    status_t status =
        sys_lookup_rights(handle, ZX_OBJ_TYPE_VMO, needed, &object, out_rights);
    if (status == OK)
        *out_vmo = vmo_from(object);
    return status;
}

status_t sys_vmo_create(uint64_t size, uint32_t options, struct user_out out) {
    struct vmo *vmo;
    status_t status = policy_check(ZX_POL_NEW_VMO);
    if (status != OK)
        return status;
    if (options & ~(uint32_t)(ZX_VMO_RESIZABLE | ZX_VMO_DISCARDABLE))
        return ERR_INVALID_ARGS;
    bool resizable = options & ZX_VMO_RESIZABLE;
    status = options & ZX_VMO_DISCARDABLE ? vmo_create_discardable(size, resizable, &vmo)
                                          : vmo_create(size, resizable, &vmo);
    return status == OK ? sys_publish_new(out, &vmo->base) : status;
}

NO_STACK_PROTECTOR /* no array lies in its frame */
status_t sys_vmo_read(uint32_t handle, struct user_out buffer, uint64_t offset,
                      uint64_t buffer_size) {
    AUTO(vmo) vmo = NULL;
    status_t status = lookup_vmo(handle, ZX_RIGHT_READ, &vmo, NULL);
    return status == OK ? vmo_read(vmo, offset, buffer, buffer_size) : status;
}

status_t sys_vmo_write(uint32_t handle, struct user_in buffer, uint64_t offset,
                       uint64_t buffer_size) {
    AUTO(vmo) vmo = NULL;
    status_t status = lookup_vmo(handle, ZX_RIGHT_WRITE, &vmo, NULL);
    return status == OK ? vmo_write(vmo, offset, buffer, buffer_size) : status;
}

status_t sys_vmo_get_size(uint32_t handle, struct user_out size) {
    AUTO(vmo) vmo = NULL;
    status_t status = lookup_vmo(handle, 0, &vmo, NULL);
    return status == OK ? user_copy_out_u64(size, vmo_size(vmo)) : status;
}

status_t sys_vmo_set_size(uint32_t handle, uint64_t size) {
    AUTO(vmo) vmo = NULL;
    status_t status = lookup_vmo(handle, ZX_RIGHT_WRITE, &vmo, NULL);
    return status == OK ? vmo_set_size(vmo, size) : status;
}

/* The right that an operation needs (either of two for LOCK and its like); NOTHING for hints. */
static rights_t op_rights(uint32_t op) {
    switch (op) {
    case ZX_VMO_OP_DONT_NEED:
    case ZX_VMO_OP_ALWAYS_NEED:
        return 0;
    case ZX_VMO_OP_LOCK:
    case ZX_VMO_OP_TRY_LOCK:
    case ZX_VMO_OP_UNLOCK:
        return ZX_RIGHT_READ | ZX_RIGHT_WRITE;
    case ZX_VMO_OP_CACHE_SYNC:
    case ZX_VMO_OP_CACHE_CLEAN:
    case ZX_VMO_OP_CACHE_CLEAN_INVALIDATE:
        return ZX_RIGHT_READ;
    default:
        return ZX_RIGHT_WRITE;
    }
}

/* The answer tells what was lost; a lock that nobody can be told of is taken back. */
static status_t op_lock(struct vmo *vmo, uint64_t offset, uint64_t size, struct user_out buffer,
                        uint64_t buffer_size) {
    zx_vmo_lock_state_t state = {.offset = offset, .size = size};
    bool discarded;
    status_t status = vmo_lock(vmo, offset, size, &discarded);
    if (status != OK)
        return status;
    state.discarded_size = discarded ? size : 0;
    status = buffer_size < sizeof(state) ? ERR_INVALID_ARGS
                                         : user_copy_out(buffer, &state, sizeof(state));
    if (status != OK)
        (void)vmo_unlock(vmo, offset, size);
    return status;
}

/* Caches are coherent with memory on amd64, so there is nothing left to do after the checks. */
static status_t op_cache(struct vmo *vmo, uint64_t offset, uint64_t size) {
    if (size == 0)
        return ERR_INVALID_ARGS;
    return range_within(offset, size, vmo_size(vmo)) ? OK : ERR_OUT_OF_RANGE;
}

static status_t op_range(struct vmo *vmo, uint32_t op, uint64_t offset, uint64_t size,
                         struct user_out buffer, uint64_t buffer_size) {
    switch (op) {
    case ZX_VMO_OP_COMMIT:
        return vmo_commit(vmo, offset, size);
    case ZX_VMO_OP_DECOMMIT:
        return vmo_decommit(vmo, offset, size);
    case ZX_VMO_OP_ZERO:
        return vmo_zero(vmo, offset, size);
    case ZX_VMO_OP_DONT_NEED:
    case ZX_VMO_OP_ALWAYS_NEED:
        return vmo_hint(vmo, op == ZX_VMO_OP_ALWAYS_NEED, offset, size);
    case ZX_VMO_OP_LOCK:
        return op_lock(vmo, offset, size, buffer, buffer_size);
    case ZX_VMO_OP_TRY_LOCK:
        return vmo_try_lock(vmo, offset, size);
    case ZX_VMO_OP_UNLOCK:
        return vmo_unlock(vmo, offset, size);
    case ZX_VMO_OP_CACHE_SYNC:
    case ZX_VMO_OP_CACHE_INVALIDATE:
    case ZX_VMO_OP_CACHE_CLEAN:
    case ZX_VMO_OP_CACHE_CLEAN_INVALIDATE:
        return op_cache(vmo, offset, size);
    default:
        return ERR_INVALID_ARGS;
    }
}

status_t sys_vmo_op_range(uint32_t handle, uint32_t op, uint64_t offset, uint64_t size,
                          struct user_out buffer, uint64_t buffer_size) {
    AUTO(vmo) vmo = NULL;
    rights_t rights;
    status_t status = lookup_vmo(handle, 0, &vmo, &rights);
    if (status != OK)
        return status;
    if (op < ZX_VMO_OP_COMMIT || op > ZX_VMO_OP_ALWAYS_NEED || op == 5)
        return ERR_INVALID_ARGS;
    rights_t needed = op_rights(op);
    if (needed && !(rights & needed))
        return ERR_ACCESS_DENIED;
    return op_range(vmo, op, offset, size, buffer, buffer_size);
}

#define CHILD_TYPES                                                                                \
    (ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_SLICE | ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE |        \
     ZX_VMO_CHILD_REFERENCE | ZX_VMO_CHILD_SNAPSHOT_MODIFIED)
#define CHILD_MODIFIERS (ZX_VMO_CHILD_RESIZABLE | ZX_VMO_CHILD_NO_WRITE)

/* Exactly one type, only modifiers that go with it. */
static status_t check_child_options(uint32_t options) {
    uint32_t type = options & CHILD_TYPES;
    if ((options & ~(uint32_t)(CHILD_TYPES | CHILD_MODIFIERS)) || __builtin_popcount(type) != 1)
        return ERR_INVALID_ARGS;
    if (type == ZX_VMO_CHILD_SLICE && (options & ZX_VMO_CHILD_RESIZABLE))
        return ERR_INVALID_ARGS;
    return OK;
}

static enum snapshot_kind snapshot_kind(uint32_t options) {
    if (options & ZX_VMO_CHILD_SNAPSHOT)
        return SNAPSHOT_FULL;
    return options & ZX_VMO_CHILD_SNAPSHOT_MODIFIED ? SNAPSHOT_MODIFIED : SNAPSHOT_ON_WRITE;
}

/*
 * On anonymous memory the two weaker kinds of snapshot are full ones (ZX-ABI.md
 * section 4.2): stronger than asked, and simplest to rely on.
 */
static status_t create_child(struct vmo *parent, uint32_t options, uint64_t offset, uint64_t size,
                             struct vmo **out_child) {
    bool resizable = options & ZX_VMO_CHILD_RESIZABLE;
    if (options & ZX_VMO_CHILD_SLICE)
        return vmo_create_slice(parent, offset, size, out_child);
    if (!(options & ZX_VMO_CHILD_REFERENCE))
        return vmo_create_snapshot(parent, snapshot_kind(options), offset, size, resizable,
                                   out_child);
    if (offset || size)
        return ERR_INVALID_ARGS;
    return vmo_create_reference(parent, resizable, out_child);
}

/* What all types check alike; a window that is too far off is each type's own matter. */
static status_t check_child_window(uint64_t offset, uint64_t size) {
    uint64_t rounded;
    if (!is_page_aligned(offset))
        return ERR_INVALID_ARGS;
    return page_round_up_checked(size, &rounded) && rounded <= VMO_SIZE_MAX ? OK
                                                                             : ERR_OUT_OF_RANGE;
}

/* A snapshot may be written by whoever could read; code must be blessed anew. */
static rights_t child_rights(rights_t parent, uint32_t options) {
    rights_t rights = parent | ZX_RIGHT_GET_PROPERTY | ZX_RIGHT_SET_PROPERTY;
    if (options & ZX_VMO_CHILD_NO_WRITE)
        return rights & ~ZX_RIGHT_WRITE;
    if (options & (ZX_VMO_CHILD_SLICE | ZX_VMO_CHILD_REFERENCE))
        return rights;
    return (rights & ~ZX_RIGHT_EXECUTE) | ZX_RIGHT_WRITE;
}

status_t sys_vmo_create_child(uint32_t handle, uint32_t options, uint64_t offset, uint64_t size,
                              struct user_out out) {
    AUTO(vmo) parent = NULL;
    AUTO(vmo) child = NULL;
    rights_t rights;
    char name[OBJECT_NAME_SIZE];
    if ((options & ZX_VMO_CHILD_NO_WRITE) && (options & ZX_VMO_CHILD_RESIZABLE))
        return ERR_INVALID_ARGS;
    status_t status = lookup_vmo(handle, ZX_RIGHT_DUPLICATE | ZX_RIGHT_READ, &parent, &rights);
    if (status == OK && parent->kind == VMO_DISCARDABLE)
        status = ERR_NOT_SUPPORTED;
    if (status == OK)
        status = check_child_options(options);
    if (status == OK)
        status = check_child_window(offset, size);
    if (status == OK)
        status = create_child(parent, options, offset, size, &child);
    if (status != OK)
        return status;
    child->is_fixed = (options & ZX_VMO_CHILD_SNAPSHOT) && (options & ZX_VMO_CHILD_NO_WRITE);
    if (rights & ZX_RIGHT_GET_PROPERTY) {
        object_get_name(&parent->base, name);
        status = object_set_name(&child->base, name);
    }
    return status == OK ? sys_publish(out, handle_make(&child->base, child_rights(rights, options)))
                        : status;
}

status_t sys_vmo_set_cache_policy(uint32_t handle, uint32_t cache_policy) {
    AUTO(vmo) vmo = NULL;
    if (cache_policy & ~(uint32_t)ZX_CACHE_POLICY_MASK)
        return ERR_INVALID_ARGS;
    status_t status = lookup_vmo(handle, ZX_RIGHT_MAP, &vmo, NULL);
    return status == OK ? vmo_set_cache_policy(vmo, cache_policy) : status;
}

/* ZX_HANDLE_INVALID: the job's policy decides. */
static status_t check_vmex(uint32_t vmex) {
    AUTO(waitable) object = NULL;
    if (vmex == ZX_HANDLE_INVALID)
        return policy_check(ZX_POL_AMBIENT_MARK_VMO_EXEC);
    status_t status = sys_lookup(vmex, ZX_OBJ_TYPE_RESOURCE, 0, &object);
    return status == OK ? resource_check(resource_from(object), ZX_RSRC_KIND_VMEX) : status;
}

status_t sys_vmo_replace_as_executable(uint32_t handle, uint32_t vmex, struct user_out out) {
    struct handle old;
    status_t allowed = check_vmex(vmex);
    status_t status = handle_table_remove(sys_table(), handle, &old);
    if (status != OK)
        return policy_lookup_failed(status);
    if (allowed != OK)
        status = allowed;
    else if (old.object->ops->type != ZX_OBJ_TYPE_VMO)
        status = ERR_BAD_HANDLE;
    if (status != OK) {
        handle_release(&old);
        return status;
    }
    old.rights |= ZX_RIGHT_EXECUTE;
    return sys_publish(out, old);
}

/* ---- Regions ---- */

static status_t lookup_vmar(uint32_t handle, struct region **out_vmar, rights_t *out_rights) {
    struct waitable *object;
    status_t status =
        sys_lookup_rights(handle, ZX_OBJ_TYPE_VMAR, 0, &object, out_rights);
    if (status == OK)
        *out_vmar = region_from(object);
    return status;
}

/* READ, WRITE and EXECUTE as ZX_VM_PERM bits: they lie two bits higher. */
static uint32_t rights_as_perm(rights_t rights) { return rights >> 2 & PERM_MASK; }
/* Memory that can be written and executed at once is a matter of the job's policy. */
static status_t check_write_execute(uint32_t options) {
    const uint32_t both = ZX_VM_PERM_WRITE | ZX_VM_PERM_EXECUTE;
    return likely((options & both) != both) ? OK : policy_check(ZX_POL_VMAR_WX);
}
static rights_t region_rights(const struct region *vmar) {
    return vmar->base.ops->default_rights | vmar->possible << 2;
}

#define CAN_MAP_SHIFT 7 /* ZX_VM_CAN_MAP_READ is ZX_VM_PERM_READ << 7, and so on */

status_t sys_vmar_allocate(uint32_t parent_vmar, uint32_t options, uint64_t offset, uint64_t size,
                           struct user_out child_vmar, struct user_out child_addr) {
    AUTO(region) parent = NULL;
    AUTO(region) child = NULL;
    rights_t rights;
    status_t status = lookup_vmar(parent_vmar, &parent, &rights);
    if (status != OK)
        return status;
    if ((options >> CAN_MAP_SHIFT & PERM_MASK) & ~rights_as_perm(rights))
        return ERR_ACCESS_DENIED;
    status = vmar_allocate(parent, options, offset, size, &child);
    if (status != OK)
        return status;
    status = user_copy_out_u64(child_addr, child->start);
    if (status == OK)
        status = sys_publish(child_vmar, handle_make(&child->base, region_rights(child)));
    if (status != OK)
        (void)vmar_destroy(child);
    return status;
}

status_t sys_vmar_map(uint32_t handle, uint32_t options, uint64_t vmar_offset, uint32_t vmo_handle,
                      uint64_t vmo_offset, uint64_t len, struct user_out mapped_addr) {
    AUTO(region) vmar = NULL;
    AUTO(vmo) vmo = NULL;
    rights_t vmar_rights, vmo_rights;
    vaddr_t address;
    status_t status = check_write_execute(options);
    if (status == OK)
        status = lookup_vmar(handle, &vmar, &vmar_rights);
    if (status == OK)
        status = lookup_vmo(vmo_handle, ZX_RIGHT_MAP, &vmo, &vmo_rights);
    if (status == OK)
        status = vmar_map(vmar, options, vmar_offset, vmo, vmo_offset, len,
                          rights_as_perm(vmar_rights & vmo_rights), &address);
    if (status != OK)
        return status;
    status = user_copy_out_u64(mapped_addr, address);
    if (status != OK)
        (void)vmar_unmap(vmar, address, len);
    return status;
}

status_t sys_vmar_unmap(uint32_t handle, uint64_t addr, uint64_t len) {
    AUTO(region) vmar = NULL;
    status_t status = lookup_vmar(handle, &vmar, NULL);
    return status == OK ? vmar_unmap(vmar, addr, len) : status;
}

status_t sys_vmar_protect(uint32_t handle, uint32_t options, uint64_t addr, uint64_t len) {
    AUTO(region) vmar = NULL;
    rights_t rights;
    status_t status = check_write_execute(options);
    if (status == OK)
        status = lookup_vmar(handle, &vmar, &rights);
    if (status != OK)
        return status;
    if ((options & PERM_MASK) & ~rights_as_perm(rights))
        return ERR_ACCESS_DENIED;
    return vmar_protect(vmar, options, addr, len);
}

status_t sys_vmar_destroy(uint32_t handle) {
    AUTO(region) vmar = NULL;
    status_t status = lookup_vmar(handle, &vmar, NULL);
    return status == OK ? vmar_destroy(vmar) : status;
}

status_t sys_vmar_op_range(uint32_t handle, uint32_t op, uint64_t address, uint64_t size,
                           struct user_out buffer, uint64_t buffer_size) {
    AUTO(region) vmar = NULL;
    rights_t rights;
    status_t status = lookup_vmar(handle, &vmar, &rights);
    if (status != OK)
        return status;
    bool changes_pages = op == ZX_VMAR_OP_COMMIT || op == ZX_VMAR_OP_DECOMMIT;
    if (!changes_pages && op != ZX_VMAR_OP_MAP_RANGE && op != ZX_VMAR_OP_DONT_NEED &&
        op != ZX_VMAR_OP_ALWAYS_NEED)
        return ERR_INVALID_ARGS;
    if (buffer.address || buffer_size)
        return ERR_INVALID_ARGS;
    if (changes_pages && !(rights & ZX_RIGHT_WRITE))
        return ERR_ACCESS_DENIED;
    return vmar_op_range(vmar, op, address, size);
}
