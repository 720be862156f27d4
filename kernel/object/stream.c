/*
 * stream.c - reading and writing memory objects in order.
 *
 * A call is a loop of attempts. An attempt holds the stream's lock, and for a write
 * the object's content lock, and copies without faulting. It counts only if all that
 * it wanted was copied; otherwise the pages from there on are touched and another
 * attempt begins. Where touching fails, what lies before is all that is wanted.
 */
#include "object/stream.h"

#include "sched/thread.h"
#include "vm/kheap.h"
#include "vm/reclaim.h"
#include "vm/vmo_content.h"

/* ---- life ---- */

static void stream_destroy(struct waitable *object) {
    struct stream *stream = stream_from(object);
    struct vmo *vmo = stream->vmo;

    kheap_free_sized(stream, sizeof(*stream));
    vmo_unref(vmo);
}

static const struct waitable_ops stream_ops = {
    .name = "stream",
    .type = ZX_OBJ_TYPE_STREAM,
    .can_wait = true,
    .default_rights = ZX_DEFAULT_STREAM_RIGHTS,
    .destroy = stream_destroy,
};

status_t stream_create(uint32_t options, struct vmo *vmo, uint64_t seek,
                       struct stream **out_stream) {
    struct stream *stream = kheap_zalloc(sizeof(*stream));

    if (!stream)
        return ERR_NO_MEMORY;
    waitable_init(&stream->base, &stream_ops, 0);
    mutex_init(&stream->lock, RANK_STREAM, "stream");
    vmo_ref(vmo);
    stream->vmo = vmo;
    stream->mode = options & (ZX_STREAM_MODE_READ | ZX_STREAM_MODE_WRITE);
    stream->append = options & ZX_STREAM_MODE_APPEND;
    stream->seek = seek;
    *out_stream = stream;
    return OK;
}

/* ---- copying ---- */

typedef status_t move_part(struct vmo *vmo, uint64_t offset, vaddr_t user, uint64_t length,
                           uint64_t *out_moved);

static status_t read_part(struct vmo *vmo, uint64_t offset, vaddr_t user, uint64_t length,
                          uint64_t *out_moved) {
    return vmo_read_present(vmo, offset, (struct user_out){user}, length, out_moved);
}

static status_t write_part(struct vmo *vmo, uint64_t offset, vaddr_t user, uint64_t length,
                           uint64_t *out_moved) {
    return vmo_write_present(vmo, offset, (struct user_in){user}, length, out_moved);
}

/* The first `length` bytes of the vector, as far as they are present. */
static status_t move_vector(struct vmo *vmo, uint64_t offset, const struct stream_vector *vector,
                            uint64_t length, move_part *move, uint64_t *out_moved) {
    uint64_t done = 0, moved;

    for (size_t i = 0; i < vector->count && done < length; i++) {
        uint64_t part = MIN(length - done, (uint64_t)vector->entries[i].capacity);
        status_t status =
            move(vmo, offset + done, (vaddr_t)vector->entries[i].buffer, part, &moved);
        done += moved;
        *out_moved = done;
        if (status != OK || moved < part)
            return status;
    }
    *out_moved = done;
    return OK;
}

/*
 * Touch the pages of bytes [from, end) of the vector. ERR_INVALID_ARGS: not even the
 * first is there; what fails later, a later attempt will find.
 */
static status_t touch_vector(const struct stream_vector *vector, uint64_t from, uint64_t end,
                             status_t (*touch)(vaddr_t address)) {
    uint64_t start = 0;
    bool first = true;

    for (size_t i = 0; i < vector->count && start < end; i++) {
        uint64_t stop = MIN(start + vector->entries[i].capacity, end);
        for (uint64_t at = MAX(start, from); at < stop; first = false) {
            vaddr_t address = (vaddr_t)vector->entries[i].buffer + (at - start);
            if (touch(address) != OK)
                return first ? ERR_INVALID_ARGS : OK;
            if (thread_is_killed(thread_current()))
                return ERR_INTERNAL_KILLED;
            at += PAGE_SIZE - (address & PAGE_MASK);
        }
        start += vector->entries[i].capacity;
    }
    return OK;
}

/* One attempt: what there was to copy, what of it was copied, whom a pager keeps waiting. */
struct attempt {
    uint64_t wanted, moved;
    struct vmo_blocked blocked;
};
typedef status_t try_transfer(struct stream *stream, struct stream_place place,
                              const struct stream_vector *vector, uint64_t limit,
                              struct attempt *attempt);

#define ASK_PAGES 16 /* at most, of a pager at a time */

/* What can be done about an attempt that failed: OK, try again. No lock held. */
static status_t help(struct stream *stream, const struct attempt *attempt, bool writes,
                     status_t status) {
    if (status == ERR_INTERNAL_PAGER)
        return vmo_await(stream->vmo, attempt->blocked.first, attempt->blocked.count, writes);
    return status == ERR_NO_MEMORY && reclaim_memory() ? OK : status;
}

/* After a part could not be moved: the pages to wait for. */
static struct vmo_blocked blocked_at(const struct vmo *vmo, uint64_t offset, uint64_t left) {
    uint64_t first = (vmo->shown_offset + offset) >> PAGE_SHIFT;

    return (struct vmo_blocked){first, MIN((left + PAGE_SIZE - 1) >> PAGE_SHIFT,
                                           (uint64_t)ASK_PAGES)};
}

static status_t transfer(struct stream *stream, struct stream_place place,
                         const struct stream_vector *vector, try_transfer *try,
                         status_t (*touch)(vaddr_t address), uint64_t *out_actual) {
    uint64_t limit = vector->total;

    for (;;) {
        struct attempt attempt = {0};
        status_t status = try(stream, place, vector, limit, &attempt);
        if (status != OK) {
            status = help(stream, &attempt, touch == user_touch_read, status);
            if (status != OK)
                return status;
            continue;
        }
        *out_actual = attempt.moved;
        if (attempt.moved == attempt.wanted)
            return OK;
        status = touch_vector(vector, attempt.moved, attempt.wanted, touch);
        if (status == ERR_INVALID_ARGS && attempt.moved > 0)
            limit = attempt.moved;
        else if (status != OK)
            return status;
    }
}

/* ---- reading ---- */

/* An object that shrinks meanwhile ends the content early. */
static status_t try_read_at(struct stream *stream, uint64_t offset,
                            const struct stream_vector *vector, uint64_t limit,
                            struct attempt *attempt) {
    uint64_t end = MIN(vmo_content_size(stream->vmo), vmo_size(stream->vmo));

    attempt->wanted = offset < end ? MIN(limit, end - offset) : 0;
    status_t status = move_vector(stream->vmo, offset, vector, attempt->wanted, read_part,
                                  &attempt->moved);
    attempt->blocked =
        blocked_at(stream->vmo, offset + attempt->moved, attempt->wanted - attempt->moved);
    if (status != ERR_OUT_OF_RANGE)
        return status;
    attempt->wanted = attempt->moved;
    return OK;
}

static status_t try_read(struct stream *stream, struct stream_place place,
                         const struct stream_vector *vector, uint64_t limit,
                         struct attempt *attempt) {
    if (!place.at_seek)
        return try_read_at(stream, place.offset, vector, limit, attempt);
    MUTEX_GUARD(&stream->lock);
    status_t status = try_read_at(stream, stream->seek, vector, limit, attempt);
    if (status == OK && attempt->moved == attempt->wanted)
        stream->seek += attempt->moved;
    return status;
}

status_t stream_read(struct stream *stream, struct stream_place place,
                     const struct stream_vector *vector, uint64_t *out_actual) {
    return transfer(stream, place, vector, try_read, user_touch_write, out_actual);
}

/* ---- writing ---- */

/* A vector of which not even the first byte is there leaves the object as it is. */
static bool first_byte_is_present(const struct stream_vector *vector) {
    char byte;

    for (size_t i = 0; i < vector->count; i++)
        if (vector->entries[i].capacity > 0)
            return user_copy_in_nofault(
                       &byte, (struct user_in){(vaddr_t)vector->entries[i].buffer}, 1) == 1;
    return false;
}

/* How much of [offset, offset + *length) the object can hold, growing it if it may. */
static status_t make_room(struct vmo *vmo, uint64_t offset, uint64_t *length) {
    status_t grown = OK;
    uint64_t end = offset + *length;

    if (end > vmo_size(vmo))
        grown = vmo_grow(vmo, end);
    uint64_t size = vmo_size(vmo);
    if (end <= size)
        return OK;
    if (offset >= size)
        return grown == ERR_OUT_OF_RANGE ? grown : ERR_NO_SPACE;
    *length = size - offset;
    return OK;
}

/* Under the content lock. */
static status_t try_write_at(struct stream *stream, uint64_t offset, uint64_t content,
                             const struct stream_vector *vector, uint64_t limit,
                             struct attempt *attempt) {
    struct vmo *vmo = stream->vmo;
    uint64_t end;

    attempt->wanted = limit;
    if (__builtin_add_overflow(offset, limit, &end))
        return ERR_FILE_BIG;
    if (!first_byte_is_present(vector))
        return OK;
    status_t status = make_room(vmo, offset, &attempt->wanted);
    if (status == OK && offset > content)
        status = vmo_zero_unless_blocked(vmo, content, offset - content, &attempt->blocked);
    if (status != OK)
        return status;
    status = move_vector(vmo, offset, vector, attempt->wanted, write_part, &attempt->moved);
    attempt->blocked = blocked_at(vmo, offset + attempt->moved, attempt->wanted - attempt->moved);
    if (status == ERR_OUT_OF_RANGE) { /* it has shrunk */
        attempt->wanted = attempt->moved;
        status = attempt->moved > 0 ? OK : ERR_NO_SPACE;
    }
    if (status == OK && attempt->moved == attempt->wanted)
        vmo_raise_content_size(vmo, offset + attempt->moved);
    return status;
}

static status_t try_write_content(struct stream *stream, struct stream_place place,
                                  const struct stream_vector *vector, uint64_t limit,
                                  struct attempt *attempt, uint64_t *out_offset) {
    struct mutex *content_lock = vmo_content_lock(stream->vmo);
    MUTEX_GUARD(content_lock);
    uint64_t content = vmo_content_size(stream->vmo);

    *out_offset = place.append ? content : place.offset;
    return try_write_at(stream, *out_offset, content, vector, limit, attempt);
}

static status_t try_write(struct stream *stream, struct stream_place place,
                          const struct stream_vector *vector, uint64_t limit,
                          struct attempt *attempt) {
    uint64_t offset;

    if (!place.at_seek)
        return try_write_content(stream, place, vector, limit, attempt, &offset);
    MUTEX_GUARD(&stream->lock);
    place.offset = stream->seek;
    place.append |= stream->append;
    status_t status = try_write_content(stream, place, vector, limit, attempt, &offset);
    if (status == OK && attempt->moved == attempt->wanted)
        stream->seek = offset + attempt->moved;
    return status;
}

status_t stream_write(struct stream *stream, struct stream_place place,
                      const struct stream_vector *vector, uint64_t *out_actual) {
    *out_actual = 0;
    if (vector->total == 0)
        return OK;
    return transfer(stream, place, vector, try_write, user_touch_read, out_actual);
}

/* ---- the place, the mode ---- */

/* base + offset, if it is a place. */
static bool place_of(uint64_t base, int64_t offset, uint64_t *out_place) {
    return offset < 0 ? !__builtin_sub_overflow(base, 0 - (uint64_t)offset, out_place)
                      : !__builtin_add_overflow(base, (uint64_t)offset, out_place);
}

status_t stream_seek(struct stream *stream, uint32_t whence, int64_t offset, uint64_t *out_seek) {
    MUTEX_GUARD(&stream->lock);
    uint64_t base;

    switch (whence) {
    case ZX_STREAM_SEEK_ORIGIN_START: base = 0; break;
    case ZX_STREAM_SEEK_ORIGIN_CURRENT: base = stream->seek; break;
    case ZX_STREAM_SEEK_ORIGIN_END: base = vmo_content_size(stream->vmo); break;
    default: return ERR_INVALID_ARGS;
    }
    if (!place_of(base, offset, out_seek))
        return ERR_INVALID_ARGS;
    stream->seek = *out_seek;
    return OK;
}

bool stream_append_mode(struct stream *stream) {
    MUTEX_GUARD(&stream->lock);

    return stream->append;
}

void stream_set_append_mode(struct stream *stream, bool append) {
    MUTEX_GUARD(&stream->lock);

    stream->append = append;
}

void stream_get_info(struct stream *stream, zx_info_stream_t *out_info) {
    MUTEX_GUARD(&stream->lock);

    *out_info = (zx_info_stream_t){
        .options = stream->mode | (stream->append ? ZX_STREAM_MODE_APPEND : 0),
        .seek = stream->seek,
        .content_size = vmo_content_size(stream->vmo),
    };
}
