/*
 * sys_channel_etc.c - messages made of several pieces of memory, and handles that are
 * sent with fewer rights, or as duplicates.
 *
 * As in sys_channel.c, handles that are to move are consumed on every outcome, except
 * when their array can't be read. An entry with an operation that does not exist moves
 * nothing.
 */
#include <zircon/syscalls/exception.h>

#include "object/flood.h"
#include "object/message_etc.h"
#include "syscall/sys_channel.h"
#include "syscall/sys_util.h"
#include "vm/kheap.h"

/* What a message is made of. */
struct writer {
    struct user_in bytes;   /* or zx_channel_iovec_t[num_bytes] */
    struct user_in handles; /* zx_handle_t, or zx_handle_disposition_t */
    uint32_t num_bytes, num_handles;
    bool vector, etc;
};

void sys_channel_flooded(const struct channel *channel) {
    flood_report(ZX_EXCP_POLICY_CODE_CHANNEL_FULL_WRITE);
}

/* ---- one handle ---- */

/* The checks on a handle that was found, in their order; its rights become those wanted. */
static status_t check_disposition(const struct waitable *channel,
                                  const zx_handle_disposition_t *disposition, rights_t needed,
                                  struct handle *handle) {
    if (handle->object == channel)
        return ERR_NOT_SUPPORTED;
    if (disposition->type != ZX_OBJ_TYPE_NONE && disposition->type != handle->object->ops->type)
        return ERR_WRONG_TYPE;
    if (!rights_are_subset(needed, handle->rights))
        return ERR_ACCESS_DENIED;
    if (disposition->rights == ZX_RIGHT_SAME_RIGHTS)
        return OK;
    if (!rights_are_subset(disposition->rights, handle->rights))
        return ERR_INVALID_ARGS;
    handle->rights = disposition->rights;
    return OK;
}

/* The handle stays in the message also when it may not be sent, and dies with it. */
static status_t take_moved(const struct waitable *channel,
                           const zx_handle_disposition_t *disposition,
                           struct handle *out_handle) {
    status_t status = handle_table_remove(sys_table(), disposition->handle, out_handle);

    return status != OK
               ? policy_lookup_failed(status)
               : check_disposition(channel, disposition, ZX_RIGHT_TRANSFER, out_handle);
}

static status_t take_duplicate(const struct waitable *channel,
                               const zx_handle_disposition_t *disposition,
                               struct handle *out_handle) {
    struct handle_table *table = sys_table();
    MUTEX_GUARD(&table->lock);
    struct handle handle;

    status_t status = handle_table_find_locked(table, disposition->handle, &handle);
    if (status == OK)
        status = check_disposition(channel, disposition, ZX_RIGHT_TRANSFER | ZX_RIGHT_DUPLICATE,
                                   &handle);
    if (status == OK)
        *out_handle = handle_make(handle.object, handle.rights);
    return status;
}

/* The policy is asked without the table's lock. */
static status_t take_copy(const struct waitable *channel,
                          const zx_handle_disposition_t *disposition, struct handle *out_handle) {
    status_t status = take_duplicate(channel, disposition, out_handle);

    return status == ERR_BAD_HANDLE ? policy_lookup_failed(status) : status;
}

static status_t take_one(const struct waitable *channel,
                         const zx_handle_disposition_t *disposition, struct handle *out_handle) {
    switch (disposition->operation) {
    case ZX_HANDLE_OP_MOVE: return take_moved(channel, disposition, out_handle);
    case ZX_HANDLE_OP_DUPLICATE: return take_copy(channel, disposition, out_handle);
    default: return ERR_INVALID_ARGS;
    }
}

/* ---- all of them ---- */

/* Each entry's own result; the first that failed is the call's. */
static status_t take_all(const struct waitable *channel, zx_handle_disposition_t *dispositions,
                         struct message *message) {
    status_t first = OK;

    for (uint32_t i = 0; i < message->handle_count; i++) {
        status_t status = take_one(channel, &dispositions[i], &message->handles[i]);
        dispositions[i].result = status;
        if (first == OK)
            first = status;
    }
    return first;
}

static void copy_out_results(struct user_in handles, const zx_handle_disposition_t *dispositions,
                             uint32_t count) {
    struct user_out to = {handles.address + offsetof(zx_handle_disposition_t, result)};

    for (uint32_t i = 0; i < count; i++) {
        if (user_copy_out_u32(user_out_at(to, i * sizeof(*dispositions)),
                              (uint32_t)dispositions[i].result) != OK)
            return;
    }
}

static status_t take_dispositions(const struct waitable *channel, const struct writer *writer,
                                  zx_handle_disposition_t *room, struct message *message) {
    status_t status = take_all(channel, room, message);

    if (status != OK)
        copy_out_results(writer->handles, room, writer->num_handles);
    return status;
}

static status_t take_values(const struct waitable *channel, const struct writer *writer,
                            struct message *message) {
    uint32_t values[ZX_CHANNEL_MAX_MSG_HANDLES];
    status_t first =
        user_copy_in(values, writer->handles, message->handle_count * sizeof(*values));

    if (first != OK)
        return first;
    for (uint32_t i = 0; i < message->handle_count; i++) {
        struct handle *handle = &message->handles[i];
        status_t status = handle_table_remove(sys_table(), values[i], handle);
        if (status != OK)
            status = policy_lookup_failed(status);
        else if (!(handle->rights & ZX_RIGHT_TRANSFER))
            status = ERR_ACCESS_DENIED;
        else if (handle->object == channel)
            status = ERR_NOT_SUPPORTED;
        if (first == OK)
            first = status;
    }
    return first;
}

/* Close what would have moved, as far as the array can be read. */
static void consume_dispositions(struct user_in handles, uint32_t count) {
    zx_handle_disposition_t disposition;
    struct handle handle;

    for (uint32_t i = 0; i < count && !thread_is_killed(thread_current()); i++) {
        if (user_copy_in(&disposition, user_in_at(handles, i * sizeof(disposition)),
                         sizeof(disposition)) != OK)
            return;
        if (disposition.operation == ZX_HANDLE_OP_MOVE &&
            handle_table_remove(sys_table(), disposition.handle, &handle) == OK)
            handle_release(&handle);
    }
}

static void consume(const struct writer *writer) {
    if (writer->etc)
        consume_dispositions(writer->handles, writer->num_handles);
    else
        sys_consume_handles(writer->handles, writer->num_handles);
}

/* ---- a message ---- */

static status_t create_plain(const struct writer *writer, struct message **out_message) {
    if (writer->num_bytes > ZX_CHANNEL_MAX_MSG_BYTES)
        return ERR_OUT_OF_RANGE;
    *out_message = message_create(writer->num_bytes, writer->num_handles);
    return *out_message ? message_copy_in(*out_message, writer->bytes) : ERR_NO_MEMORY;
}

static status_t create(const struct writer *writer, uint32_t least_bytes,
                       struct message **out_message) {
    if (writer->num_handles > ZX_CHANNEL_MAX_MSG_HANDLES)
        return ERR_OUT_OF_RANGE;
    if (!writer->vector)
        return create_plain(writer, out_message);
    if (writer->num_bytes > ZX_CHANNEL_MAX_MSG_IOVECS)
        return ERR_OUT_OF_RANGE;
    status_t status = message_create_from_vector(writer->bytes, writer->num_bytes,
                                                 writer->num_handles, out_message);
    if (status != OK)
        return status;
    return (*out_message)->byte_count < least_bytes ? ERR_INVALID_ARGS : OK;
}

/* Room for the dispositions, and they in it. */
static status_t read_dispositions(const struct writer *writer,
                                  zx_handle_disposition_t **out_room) {
    size_t size = writer->num_handles * sizeof(**out_room);

    *out_room = kheap_alloc(size);
    return *out_room ? user_copy_in(*out_room, writer->handles, size) : ERR_NO_MEMORY;
}

/* An array that can't be read is left alone. */
static status_t take_handles(const struct waitable *channel, const struct writer *writer,
                             struct message *message) {
    zx_handle_disposition_t *room;

    if (writer->num_handles == 0)
        return OK;
    if (!writer->etc)
        return take_values(channel, writer, message);
    status_t status = read_dispositions(writer, &room);
    if (status == OK)
        status = take_dispositions(channel, writer, room, message);
    else if (status == ERR_NO_MEMORY)
        consume(writer);
    kheap_free(room);
    return status;
}

/*
 * The channel and a message ready to be sent. `failed` is an error found earlier: like
 * those found here it consumes the handles.
 */
static status_t prepare(status_t failed, uint32_t handle, rights_t needed, uint32_t least_bytes,
                        const struct writer *writer, struct waitable **out_object,
                        struct message **out_message) {
    status_t status = failed;

    if (status == OK)
        status = sys_lookup(handle, ZX_OBJ_TYPE_CHANNEL, needed, out_object);
    if (status == OK)
        status = create(writer, least_bytes, out_message);
    if (status == OK)
        return take_handles(*out_object, writer, *out_message);
    consume(writer);
    return status;
}

static status_t check_options(uint32_t options) {
    return options & ~ZX_CHANNEL_WRITE_USE_IOVEC ? ERR_INVALID_ARGS : OK;
}

/* ---- writing ---- */

static status_t write(uint32_t handle, uint32_t options, const struct writer *writer) {
    AUTO(waitable) object = NULL;
    AUTO(message) message = NULL;

    status_t status = prepare(check_options(options), handle, ZX_RIGHT_WRITE, 0, writer, &object,
                              &message);
    if (status != OK)
        return status;
    status = channel_write(channel_from(object), message);
    if (status != OK)
        return status;
    message = NULL; /* it is the other end's now */
    sys_channel_check_flood(channel_from(object));
    return OK;
}

status_t sys_channel_write_with_options(uint32_t handle, uint32_t options, struct user_in bytes,
                                        uint32_t num_bytes, struct user_in handles,
                                        uint32_t num_handles) {
    const struct writer writer = {.bytes = bytes,
                                  .handles = handles,
                                  .num_bytes = num_bytes,
                                  .num_handles = num_handles,
                                  .vector = options & ZX_CHANNEL_WRITE_USE_IOVEC};

    return write(handle, options, &writer);
}

status_t sys_channel_write_etc(uint32_t handle, uint32_t options, struct user_in bytes,
                               uint32_t num_bytes, struct user_out handles,
                               uint32_t num_handles) {
    const struct writer writer = {.bytes = bytes,
                                  .handles = {handles.address},
                                  .num_bytes = num_bytes,
                                  .num_handles = num_handles,
                                  .vector = options & ZX_CHANNEL_WRITE_USE_IOVEC,
                                  .etc = true};

    return write(handle, options, &writer);
}

/* ---- calling ---- */

/* The two argument structures have the same shape. */
_Static_assert(sizeof(zx_channel_call_etc_args_t) == sizeof(zx_channel_call_args_t) &&
                   offsetof(zx_channel_call_etc_args_t, rd_num_handles) ==
                       offsetof(zx_channel_call_args_t, rd_num_handles),
               "what follows reads one as the other");

static status_t call(uint32_t handle, uint32_t options, nstime_t deadline,
                     const zx_channel_call_args_t *args, const struct reader *reader) {
    const struct writer writer = {.bytes = {(vaddr_t)args->wr_bytes},
                                  .handles = {(vaddr_t)args->wr_handles},
                                  .num_bytes = args->wr_num_bytes,
                                  .num_handles = args->wr_num_handles,
                                  .vector = options & ZX_CHANNEL_WRITE_USE_IOVEC,
                                  .etc = reader->etc};
    AUTO(waitable) object = NULL;
    AUTO(message) message = NULL;
    struct message *reply = NULL;

    status_t status = check_options(options);
    if (status == OK && !writer.vector && writer.num_bytes < sizeof(zx_txid_t))
        status = ERR_INVALID_ARGS;
    status = prepare(status, handle, ZX_RIGHT_READ | ZX_RIGHT_WRITE, sizeof(zx_txid_t), &writer,
                     &object, &message);
    if (status != OK)
        return status;
    status = channel_call(channel_from(object), sys_table(), handle, TAKE(message), deadline,
                          &reply);
    if (status != OK) {
        sys_channel_check_flood(channel_from(object));
        return status;
    }
    return sys_channel_deliver_reply(
        reply, reader, (struct channel_limits){args->rd_num_bytes, args->rd_num_handles, false});
}

status_t sys_channel_call_with_options(uint32_t handle, uint32_t options, nstime_t deadline,
                                       const zx_channel_call_args_t *args,
                                       struct user_out actual_bytes,
                                       struct user_out actual_handles) {
    const struct reader reader = {{(vaddr_t)args->rd_bytes},
                                  {(vaddr_t)args->rd_handles},
                                  actual_bytes,
                                  actual_handles,
                                  false};

    return call(handle, options, deadline, args, &reader);
}

status_t sys_channel_call_etc(uint32_t handle, uint32_t options, int64_t deadline,
                              struct user_in user_args, struct user_out actual_bytes,
                              struct user_out actual_handles) {
    zx_channel_call_args_t args;

    status_t status = user_copy_in(&args, user_args, sizeof(args));
    if (status != OK)
        return status;
    const struct reader reader = {{(vaddr_t)args.rd_bytes},
                                  {(vaddr_t)args.rd_handles},
                                  actual_bytes,
                                  actual_handles,
                                  true};
    return call(handle, options, deadline, &args, &reader);
}
