/*
 * sys_channel.c - events, event pairs and channels.
 *
 * The handles of a message to be sent are consumed on every outcome, except that
 * an array that can't be read is left alone. The message owns them from the moment
 * they leave the table, so destroying it is all that a failure needs.
 */
#include "object/channel.h"
#include "object/event.h"
#include "object/eventpair.h"
#include "syscall/sys_channel.h"
#include "syscall/sys_util.h"

status_t sys_event_create(uint32_t options, struct user_out out) {
    struct waitable *event;

    if (options != 0)
        return ERR_INVALID_ARGS;
    status_t status = policy_check(ZX_POL_NEW_EVENT);
    if (status == OK)
        status = event_create(&event);
    return status != OK ? status : sys_publish_new(out, event);
}

status_t sys_eventpair_create(uint32_t options, struct user_out out0, struct user_out out1) {
    struct waitable *a, *b;

    if (options != 0)
        return ERR_NOT_SUPPORTED;
    status_t status = policy_check(ZX_POL_NEW_EVENTPAIR);
    if (status == OK)
        status = eventpair_create(&a, &b);
    return status != OK ? status : sys_publish_new_two(out0, a, out1, b);
}

status_t sys_channel_create(uint32_t options, struct user_out out0, struct user_out out1) {
    struct channel *a, *b;

    if (options != 0)
        return ERR_INVALID_ARGS;
    status_t status = policy_check(ZX_POL_NEW_CHANNEL);
    if (status == OK)
        status = channel_create(&a, &b);
    return status != OK ? status : sys_publish_new_two(out0, &a->end.base, out1, &b->end.base);
}

/* ---- reading ---- */

ALWAYS_INLINE status_t copy_out_sizes(const struct reader *reader, struct channel_limits sizes) {
    status_t status = user_copy_out_u32_optional(reader->actual_bytes, sizes.bytes);

    if (status != OK)
        return status;
    return user_copy_out_u32_optional(reader->actual_handles, sizes.handles);
}

static status_t copy_out_infos(const struct reader *reader, const struct message *message,
                               const uint32_t *values) {
    for (uint32_t i = 0; i < message->handle_count; i++) {
        zx_handle_info_t info = {
            .handle = values[i],
            .type = message->handles[i].object->ops->type,
            .rights = message->handles[i].rights,
        };
        status_t status =
            user_copy_out(user_out_at(reader->handles, i * sizeof(info)), &info, sizeof(info));
        if (status != OK)
            return status;
    }
    return OK;
}

ALWAYS_INLINE status_t copy_out_bytes(const struct reader *reader, const struct message *message) {
    status_t status = copy_out_sizes(
        reader, (struct channel_limits){message->byte_count, message->handle_count, false});

    return status != OK ? status : message_copy_out(message, reader->bytes);
}

static status_t copy_out_message(const struct reader *reader, const struct message *message,
                                 const uint32_t *values) {
    status_t status = copy_out_bytes(reader, message);

    if (status != OK)
        return status;
    if (reader->etc)
        return copy_out_infos(reader, message, values);
    return user_copy_out(reader->handles, values, message->handle_count * sizeof(*values));
}

/* The reserved values become the message's handles, or free again. */
static void settle_values(struct message *message, const uint32_t *values, bool publish) {
    for (uint32_t i = 0; i < message->handle_count; i++) {
        if (publish)
            handle_table_publish(sys_table(), values[i], handle_take(&message->handles[i]));
        else
            handle_table_cancel(sys_table(), values[i]);
    }
}

/* *out_untouched: there was no room for the handles, and nothing has happened yet. */
static status_t deliver_in_steps(struct message *message, const struct reader *reader,
                                 bool *out_untouched) {
    uint32_t values[ZX_CHANNEL_MAX_MSG_HANDLES];

    status_t status = handle_table_reserve(sys_table(), message->handle_count, values);
    *out_untouched = status != OK;
    if (status != OK)
        return status;
    status = copy_out_message(reader, message, values);
    settle_values(message, values, status == OK);
    return status;
}

/* A single value is stored and made valid at once, where the user's page is there. */
static status_t deliver_handles(struct message *message, const struct reader *reader,
                                bool *out_untouched) {
    *out_untouched = false;
    if (message->handle_count > 1 || reader->etc)
        return deliver_in_steps(message, reader, out_untouched);
    status_t status = copy_out_bytes(reader, message);
    if (status != OK)
        return status;
    status = handle_table_give(sys_table(), message->handles[0], reader->handles);
    if (likely(status == OK))
        message->handles[0].object = NULL; /* the table's now */
    else if (status == ERR_INTERNAL_RETRY)
        status = deliver_in_steps(message, reader, out_untouched);
    else
        *out_untouched = true;
    return status;
}

/* Of its own, and with the reader in pieces, so that only messages with handles pay for it. */
static NOINLINE status_t deliver_with_handles(struct message *message, struct channel *from,
                                              struct user_out bytes, struct user_out handles,
                                              struct user_out actual_bytes,
                                              struct user_out actual_handles, bool etc) {
    const struct reader reader = {bytes, handles, actual_bytes, actual_handles, etc};
    bool untouched;

    status_t status = deliver_handles(message, &reader, &untouched);
    if (untouched && from)
        channel_unread(from, message);
    else
        message_destroy(message);
    return status;
}

/*
 * Give a message to the caller; it is consumed. If its handles have no room, before
 * anything has happened, it goes back to the channel it was read from.
 */
ALWAYS_INLINE status_t deliver(struct message *message, const struct reader *reader,
                               struct channel *from) {
    if (unlikely(message->handle_count > 0))
        return deliver_with_handles(message, from, reader->bytes, reader->handles,
                                    reader->actual_bytes, reader->actual_handles, reader->etc);
    status_t status = copy_out_bytes(reader, message);
    message_destroy(message);
    return status;
}

/* What channel_read_quickly did not find. The reader in pieces, too. */
static NOINLINE status_t read_otherwise(struct channel *channel, struct channel_limits limits,
                                        struct user_out bytes, struct user_out handles,
                                        struct user_out actual_bytes,
                                        struct user_out actual_handles, bool etc) {
    const struct reader reader = {bytes, handles, actual_bytes, actual_handles, etc};
    AUTO(message) message = NULL;
    struct channel_limits sizes;

    status_t status = channel_read(channel, limits, &message, &sizes);
    if (status == ERR_BUFFER_TOO_SMALL) {
        status_t copied = copy_out_sizes(&reader, sizes);
        return copied != OK ? copied : status;
    }
    return status != OK ? status : deliver(TAKE(message), &reader, channel);
}

ALWAYS_INLINE status_t read_from(struct channel *channel, uint32_t options,
                                 struct channel_limits limits, const struct reader *reader) {
    if (options & ~ZX_CHANNEL_READ_MAY_DISCARD)
        return ERR_NOT_SUPPORTED;
    struct message *message = channel_read_quickly(channel, limits.bytes, limits.handles);
    if (likely(message))
        return deliver(message, reader, channel);
    limits.discard = options & ZX_CHANNEL_READ_MAY_DISCARD;
    return read_otherwise(channel, limits, reader->bytes, reader->handles, reader->actual_bytes,
                          reader->actual_handles, reader->etc);
}

ALWAYS_INLINE status_t read_message(uint32_t handle, uint32_t options, struct channel_limits limits,
                                    const struct reader *reader) {
    struct found found = handle_table_look_up_inline(sys_table(), handle, ZX_OBJ_TYPE_CHANNEL,
                                                     ZX_RIGHT_READ);

    if (unlikely(found.status != OK))
        return policy_lookup_failed(found.status);
    status_t status = read_from(channel_from(found.object), options, limits, reader);
    waitable_unref(found.object);
    return status;
}

status_t sys_channel_read(uint32_t handle, uint32_t options, struct user_out bytes,
                          struct user_out handles, uint32_t num_bytes, uint32_t num_handles,
                          struct user_out actual_bytes, struct user_out actual_handles) {
    const struct reader reader = {bytes, handles, actual_bytes, actual_handles, false};

    return read_message(handle, options, (struct channel_limits){num_bytes, num_handles, false},
                        &reader);
}

status_t sys_channel_read_etc(uint32_t handle, uint32_t options, struct user_out bytes,
                              struct user_out handles, uint32_t num_bytes, uint32_t num_handles,
                              struct user_out actual_bytes, struct user_out actual_handles) {
    const struct reader reader = {bytes, handles, actual_bytes, actual_handles, true};

    return read_message(handle, options, (struct channel_limits){num_bytes, num_handles, false},
                        &reader);
}

/* ---- writing ---- */

/* What a message is made of. */
struct writer {
    struct user_in bytes, handles;
    uint32_t num_bytes, num_handles;
};

/* Take one handle into the message; it stays there also when it may not be sent. */
static status_t take_handle(const struct waitable *channel, uint32_t value,
                            struct handle *out_handle) {
    status_t status = handle_table_remove(sys_table(), value, out_handle);

    if (status != OK)
        return policy_lookup_failed(status);
    if (!(out_handle->rights & ZX_RIGHT_TRANSFER))
        return ERR_ACCESS_DENIED;
    return out_handle->object == channel ? ERR_NOT_SUPPORTED : OK;
}

static NOINLINE status_t take_handles(const struct waitable *channel, struct user_in handles,
                                      struct message *message) {
    uint32_t values[ZX_CHANNEL_MAX_MSG_HANDLES];

    status_t result = user_copy_in(values, handles, message->handle_count * sizeof(*values));
    if (result != OK)
        return result;
    for (uint32_t i = 0; i < message->handle_count; i++) {
        status_t status = take_handle(channel, values[i], &message->handles[i]);
        if (result == OK)
            result = status;
    }
    return result;
}

/* The message with its bytes, its handles not yet in it. */
ALWAYS_INLINE status_t message_begin(const struct writer *writer, struct message **out_message) {
    if (unlikely(writer->num_bytes > MESSAGE_SMALL_BYTES || writer->num_handles > 0) &&
        (writer->num_bytes > ZX_CHANNEL_MAX_MSG_BYTES ||
         writer->num_handles > ZX_CHANNEL_MAX_MSG_HANDLES))
        return ERR_OUT_OF_RANGE;
    *out_message = message_create(writer->num_bytes, writer->num_handles);
    if (!*out_message)
        return ERR_NO_MEMORY;
    return message_copy_in(*out_message, writer->bytes);
}

/*
 * The channel and a message ready to be sent. `failed` is an error found earlier:
 * like those found here it consumes the handles. No options are given.
 */
static status_t write_prepare(status_t failed, uint32_t handle, rights_t needed,
                              const struct writer *writer, struct waitable **out_object,
                              struct message **out_message) {
    status_t status = failed;

    if (status == OK)
        status = sys_lookup(handle, ZX_OBJ_TYPE_CHANNEL, needed, out_object);
    if (status == OK)
        status = message_begin(writer, out_message);
    if (unlikely(status != OK)) {
        sys_consume_handles(writer->handles, writer->num_handles);
        return status;
    }
    return take_handles(*out_object, writer->handles, *out_message);
}

static NOINLINE status_t write_with_handles(uint32_t handle, struct user_in bytes,
                                            uint32_t num_bytes, struct user_in handles,
                                            uint32_t num_handles) {
    const struct writer writer = {bytes, handles, num_bytes, num_handles};
    AUTO(waitable) object = NULL;
    AUTO(message) message = NULL;

    status_t status = write_prepare(OK, handle, ZX_RIGHT_WRITE, &writer, &object, &message);
    if (status != OK)
        return status;
    status = channel_write(channel_from(object), message);
    if (status != OK)
        return status;
    message = NULL; /* it is the other end's now */
    sys_channel_check_flood(channel_from(object));
    return OK;
}

ALWAYS_INLINE status_t write_plainly(struct channel *channel, struct user_in bytes,
                                     uint32_t num_bytes) {
    const struct writer writer = {.bytes = bytes, .num_bytes = num_bytes};
    struct message *message = NULL;

    status_t status = message_begin(&writer, &message);
    if (likely(status == OK))
        status = channel_write(channel, message);
    if (unlikely(status != OK))
        message_destroy_otherwise(message);
    return status;
}

status_t sys_channel_write(uint32_t handle, uint32_t options, struct user_in bytes,
                           uint32_t num_bytes, struct user_in handles, uint32_t num_handles) {
    if (unlikely(options != 0))
        return sys_channel_write_with_options(handle, options, bytes, num_bytes, handles,
                                              num_handles);
    if (unlikely(num_handles > 0))
        return write_with_handles(handle, bytes, num_bytes, handles, num_handles);
    struct found found = handle_table_look_up_inline(sys_table(), handle, ZX_OBJ_TYPE_CHANNEL,
                                                     ZX_RIGHT_WRITE);
    if (unlikely(found.status != OK))
        return policy_lookup_failed(found.status);
    status_t status = write_plainly(channel_from(found.object), bytes, num_bytes);
    sys_channel_check_flood(channel_from(found.object));
    waitable_unref(found.object);
    return status;
}

/* ---- calling ---- */

status_t sys_channel_deliver_reply(struct message *reply, const struct reader *reader,
                                   struct channel_limits room) {
    status_t status = OK;

    if (reply->byte_count > room.bytes || reply->handle_count > room.handles)
        status = ERR_BUFFER_TOO_SMALL;
    else if (reader->actual_bytes.address == 0 || reader->actual_handles.address == 0)
        status = ERR_INVALID_ARGS;
    if (status == OK)
        return deliver(reply, reader, NULL);
    message_destroy_otherwise(reply);
    return status;
}

static NOINLINE status_t call_with_handles(status_t failed, uint32_t handle, int64_t deadline,
                                           const zx_channel_call_args_t *args,
                                           struct message **out_reply) {
    const struct writer writer = {{(vaddr_t)args->wr_bytes},
                                  {(vaddr_t)args->wr_handles},
                                  args->wr_num_bytes,
                                  args->wr_num_handles};
    AUTO(waitable) object = NULL;
    AUTO(message) message = NULL;

    status_t status = write_prepare(failed, handle, ZX_RIGHT_READ | ZX_RIGHT_WRITE, &writer,
                                    &object, &message);
    if (status != OK)
        return status;
    return channel_call(channel_from(object), sys_table(), handle, TAKE(message), deadline,
                        out_reply);
}

/* The message can't be made; but what is wrong with the handle is told first. */
static NOINLINE status_t call_failed(uint32_t handle, status_t failed, struct message *message) {
    AUTO(waitable) object = NULL;

    message_destroy(message);
    status_t status =
        sys_lookup(handle, ZX_OBJ_TYPE_CHANNEL, ZX_RIGHT_READ | ZX_RIGHT_WRITE, &object);
    return status != OK ? status : failed;
}

/* Without handles the message is made first, and one lookup under one lock does. */
ALWAYS_INLINE status_t call_plainly(uint32_t handle, int64_t deadline,
                                    const zx_channel_call_args_t *args,
                                    struct message **out_reply) {
    const struct writer writer = {.bytes = {(vaddr_t)args->wr_bytes},
                                  .num_bytes = args->wr_num_bytes};
    struct message *message = NULL;

    status_t status = message_begin(&writer, &message);
    if (unlikely(status != OK))
        return call_failed(handle, status, message);
    return channel_call(NULL, sys_table(), handle, message, deadline, out_reply);
}

/* What was asked in vain stays in the other end's queue. */
static NOINLINE void check_flood(uint32_t handle) {
    AUTO(waitable) object = NULL;

    if (sys_lookup(handle, ZX_OBJ_TYPE_CHANNEL, 0, &object) == OK)
        sys_channel_check_flood(channel_from(object));
}

ALWAYS_INLINE status_t call_deliver(struct message *reply, const zx_channel_call_args_t *args,
                                    struct user_out actual_bytes,
                                    struct user_out actual_handles) {
    const struct reader reader = {{(vaddr_t)args->rd_bytes},
                                  {(vaddr_t)args->rd_handles},
                                  actual_bytes,
                                  actual_handles,
                                  false};
    status_t status = OK;

    if (reply->byte_count > args->rd_num_bytes || reply->handle_count > args->rd_num_handles)
        status = ERR_BUFFER_TOO_SMALL;
    else if (actual_bytes.address == 0 || actual_handles.address == 0)
        status = ERR_INVALID_ARGS;
    if (likely(status == OK))
        return deliver(reply, &reader, NULL);
    message_destroy_otherwise(reply);
    return status;
}

NO_STACK_PROTECTOR /* no array lies in its frame */
status_t sys_channel_call(uint32_t handle, uint32_t options, int64_t deadline,
                          struct user_in user_args, struct user_out actual_bytes,
                          struct user_out actual_handles) {
    zx_channel_call_args_t args;
    struct message *reply;

    status_t status = user_copy_in(&args, user_args, sizeof(args));
    if (status != OK)
        return status;
    if (unlikely(options != 0))
        return sys_channel_call_with_options(handle, options, deadline, &args, actual_bytes,
                                             actual_handles);
    if (unlikely(args.wr_num_bytes < sizeof(zx_txid_t)))
        status = ERR_INVALID_ARGS;
    if (unlikely(status != OK || args.wr_num_handles > 0))
        status = call_with_handles(status, handle, deadline, &args, &reply);
    else
        status = call_plainly(handle, deadline, &args, &reply);
    if (likely(status == OK))
        return call_deliver(reply, &args, actual_bytes, actual_handles);
    check_flood(handle);
    return status;
}
