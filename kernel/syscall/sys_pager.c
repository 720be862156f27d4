/*
 * sys_pager.c - pagers (ZX-ABI.md section 3.16, ABI-MORE.md section S1).
 */
#include <zircon/syscalls/pager.h>

#include "object/pager.h"
#include "syscall/sys_util.h"
#include "vm/vmo_pager.h"

status_t sys_pager_create(uint32_t options, struct user_out out) {
    struct pager *pager;
    status_t status = policy_check(ZX_POL_NEW_PAGER);
    if (status != OK)
        return status;
    if (options)
        return ERR_INVALID_ARGS;
    status = pager_create(&pager);
    return status == OK ? sys_publish_new(out, &pager->base) : status;
}

static status_t create_vmo(struct pager *pager, uint32_t options, struct port *port, uint64_t key,
                           uint64_t size, struct user_out out) {
    struct vmo *vmo;
    if (options & ~(uint32_t)(ZX_VMO_RESIZABLE | ZX_VMO_TRAP_DIRTY))
        return ERR_INVALID_ARGS;
    status_t status = pager_create_vmo(pager, size, options & ZX_VMO_RESIZABLE,
                                       options & ZX_VMO_TRAP_DIRTY, port, key, &vmo);
    return status == OK ? sys_publish_new(out, &vmo->base) : status;
}

status_t sys_pager_create_vmo(uint32_t pager, uint32_t options, uint32_t port, uint64_t key,
                              uint64_t size, struct user_out out) {
    AUTO(waitable) pager_object = NULL;
    AUTO(waitable) port_object = NULL;
    status_t status = policy_check(ZX_POL_NEW_VMO);
    if (status == OK)
        status = sys_lookup(pager, ZX_OBJ_TYPE_PAGER, 0, &pager_object);
    if (status == OK)
        status = sys_lookup(port, ZX_OBJ_TYPE_PORT, ZX_RIGHT_WRITE, &port_object);
    if (status != OK)
        return status;
    return create_vmo(pager_from(pager_object), options, port_from(port_object), key, size, out);
}

/* The pager, and an object that must be its own. */
static status_t look_up_own(uint32_t pager, uint32_t vmo, struct waitable **out_pager,
                            struct waitable **out_vmo) {
    status_t status = sys_lookup(pager, ZX_OBJ_TYPE_PAGER, 0, out_pager);
    if (status == OK)
        status = sys_lookup(vmo, ZX_OBJ_TYPE_VMO, 0, out_vmo);
    if (status != OK)
        return status;
    return pager_owns(pager_from(*out_pager), vmo_from(*out_vmo)) ? OK : ERR_INVALID_ARGS;
}

status_t sys_pager_detach_vmo(uint32_t pager, uint32_t pager_vmo) {
    AUTO(waitable) pager_object = NULL;
    AUTO(waitable) vmo_object = NULL;
    status_t status = look_up_own(pager, pager_vmo, &pager_object, &vmo_object);
    if (status == OK)
        pager_detach(pager_from(pager_object), vmo_from(vmo_object));
    return status;
}

status_t sys_pager_supply_pages(uint32_t pager, uint32_t pager_vmo, uint64_t offset,
                                uint64_t length, uint32_t aux_vmo, uint64_t aux_offset) {
    AUTO(waitable) pager_object = NULL;
    AUTO(waitable) vmo_object = NULL;
    AUTO(waitable) aux_object = NULL;
    if (!is_page_aligned(offset) || !is_page_aligned(length) || !is_page_aligned(aux_offset))
        return ERR_INVALID_ARGS;
    status_t status = look_up_own(pager, pager_vmo, &pager_object, &vmo_object);
    if (status == OK)
        status = sys_lookup(aux_vmo, ZX_OBJ_TYPE_VMO, ZX_RIGHT_READ | ZX_RIGHT_WRITE, &aux_object);
    if (status != OK)
        return status;
    return vmo_supply(vmo_from(vmo_object), offset, length, vmo_from(aux_object), aux_offset);
}

/* Only errors of storage may be passed on to those who wait. */
static bool may_fail_with(uint64_t data) {
    static const status_t allowed[] = {ERR_IO, ERR_IO_DATA_INTEGRITY, ERR_BAD_STATE, ERR_NO_SPACE,
                                       ERR_BUFFER_TOO_SMALL};
    for (unsigned i = 0; i < ARRAY_SIZE(allowed); i++)
        if ((int64_t)data == (int64_t)allowed[i])
            return true;
    return false;
}

static status_t op_range(struct vmo *vmo, uint32_t op, uint64_t offset, uint64_t length,
                         uint64_t data) {
    switch (op) {
    case ZX_PAGER_OP_FAIL:
        return may_fail_with(data) ? vmo_fail_requests(vmo, offset, length, (status_t)data)
                                   : ERR_INVALID_ARGS;
    case ZX_PAGER_OP_DIRTY:
        return data ? ERR_INVALID_ARGS : vmo_mark_dirty(vmo, offset, length);
    case ZX_PAGER_OP_WRITEBACK_BEGIN:
        return data & ~ZX_VMO_DIRTY_RANGE_IS_ZERO
                   ? ERR_INVALID_ARGS
                   : vmo_writeback_begin(vmo, offset, length, data & ZX_VMO_DIRTY_RANGE_IS_ZERO);
    case ZX_PAGER_OP_WRITEBACK_END:
        return data ? ERR_INVALID_ARGS : vmo_writeback_end(vmo, offset, length);
    default:
        return ERR_NOT_SUPPORTED;
    }
}

status_t sys_pager_op_range(uint32_t pager, uint32_t op, uint32_t pager_vmo, uint64_t offset,
                            uint64_t length, uint64_t data) {
    AUTO(waitable) pager_object = NULL;
    AUTO(waitable) vmo_object = NULL;
    if (!is_page_aligned(offset) || !is_page_aligned(length))
        return ERR_INVALID_ARGS;
    status_t status = look_up_own(pager, pager_vmo, &pager_object, &vmo_object);
    return status == OK ? op_range(vmo_from(vmo_object), op, offset, length, data) : status;
}

/* One record to a user's array, if there is room. */
static status_t put_range(struct user_out buffer, uint64_t room, uint64_t index,
                          const struct dirty_range *range) {
    zx_vmo_dirty_range_t record = {range->offset, range->length,
                                   range->is_zero ? ZX_VMO_DIRTY_RANGE_IS_ZERO : 0};
    if (index >= room)
        return OK;
    return user_copy_out(user_out_at(buffer, index * sizeof(record)), &record, sizeof(record));
}

static status_t query_dirty(struct vmo *vmo, uint64_t offset, uint64_t end,
                            struct user_out buffer, uint64_t room, bool count_all,
                            uint64_t *out_count) {
    struct dirty_range range;
    status_t status = OK;
    *out_count = 0;
    while (status == OK && (count_all || *out_count < room) &&
           vmo_next_dirty_range(vmo, offset, end, &range)) {
        status = put_range(buffer, room, (*out_count)++, &range);
        offset = range.offset + range.length;
    }
    return status;
}

status_t sys_pager_query_dirty_ranges(uint32_t pager, uint32_t pager_vmo, uint64_t offset,
                                      uint64_t length, struct user_out buffer,
                                      uint64_t buffer_size, struct user_out actual,
                                      struct user_out avail) {
    AUTO(waitable) pager_object = NULL;
    AUTO(waitable) vmo_object = NULL;
    uint64_t room = buffer_size / sizeof(zx_vmo_dirty_range_t), count;
    status_t status = look_up_own(pager, pager_vmo, &pager_object, &vmo_object);
    if (status != OK)
        return status;
    if (!range_within(offset, length, vmo_size(vmo_from(vmo_object))))
        return ERR_OUT_OF_RANGE;
    uint64_t end = round_up(offset + length, PAGE_SIZE);
    status = query_dirty(vmo_from(vmo_object), round_down(offset, PAGE_SIZE),
                         length ? end : offset, buffer, room, avail.address != 0, &count);
    if (status == OK)
        status = user_copy_out_u64_optional(actual, MIN(count, room));
    return status == OK ? user_copy_out_u64_optional(avail, count) : status;
}

status_t sys_pager_query_vmo_stats(uint32_t pager, uint32_t pager_vmo, uint32_t options,
                                   struct user_out buffer, uint64_t buffer_size) {
    AUTO(waitable) pager_object = NULL;
    AUTO(waitable) vmo_object = NULL;
    status_t status = look_up_own(pager, pager_vmo, &pager_object, &vmo_object);
    if (status != OK)
        return status;
    if (buffer_size < sizeof(zx_pager_vmo_stats_t))
        return ERR_BUFFER_TOO_SMALL;
    if (options & ~ZX_PAGER_RESET_VMO_STATS)
        return ERR_INVALID_ARGS;
    bool modified = vmo_was_modified(vmo_from(vmo_object), false);
    zx_pager_vmo_stats_t stats = {modified ? ZX_PAGER_VMO_STATS_MODIFIED : 0};
    status = user_copy_out(buffer, &stats, sizeof(stats));
    if (status == OK && (options & ZX_PAGER_RESET_VMO_STATS))
        (void)vmo_was_modified(vmo_from(vmo_object), true);
    return status;
}
