/*
 * stream.h - a place in a memory object from which bytes are read and to which they
 * are written in order.
 *
 * How much is there to read is the object's content size, shared by all streams on it.
 * Writing behind it raises it; writing behind the object's end makes a resizable object
 * larger. Writes to one object follow each other, so those that append never overlap.
 *
 * No lock is held while user memory is brought in: a call that meets a page that is
 * absent lets go of everything, touches what it will need, and starts again. Nothing
 * shows before all is copied: content size and place move at the end.
 */
#pragma once

#include <zircon/syscalls/object.h>
#include <zircon/types.h>

#include "vm/vmo.h"

/* Entries of one vector. */
#define STREAM_VECTOR_MAX 8192u

struct stream {
    struct waitable base;
    struct vmo *vmo;   /* set once, referenced */
    uint32_t mode;     /* set once: ZX_STREAM_MODE_READ, WRITE */
    struct mutex lock; /* RANK_STREAM */
    /* Under lock. */
    bool append;       /* writes go behind the content */
    uint64_t seek;
};

/* User memory that a call moves bytes to or from; the list itself is the kernel's. */
struct stream_vector {
    const zx_iovec_t *entries;
    size_t count;
    uint64_t total; /* their capacities together */
};

/* Where a call works. */
struct stream_place {
    bool at_seek;    /* at the stream's place, which moves; else at `offset` */
    bool append;     /* behind the content, in spite of `offset` or the place */
    uint64_t offset;
};

ALWAYS_INLINE struct stream *stream_from(struct waitable *object) {
    return container_of(object, struct stream, base);
}

/* `options`: ZX_STREAM_MODE_ bits. A reference to the VMO is taken. ERR_NO_MEMORY. */
status_t stream_create(uint32_t options, struct vmo *vmo, uint64_t seek,
                       struct stream **out_stream);
/* Bytes up to the end of the content. ERR_INVALID_ARGS when the first cannot be moved. */
status_t stream_read(struct stream *stream, struct stream_place place,
                     const struct stream_vector *vector, uint64_t *out_actual);
/*
 * As many bytes as the object can take. ERR_FILE_BIG, ERR_NO_SPACE, ERR_OUT_OF_RANGE (the
 * object could never be so large), ERR_INVALID_ARGS, ERR_NO_MEMORY.
 */
status_t stream_write(struct stream *stream, struct stream_place place,
                      const struct stream_vector *vector, uint64_t *out_actual);
/* ERR_INVALID_ARGS leaves the place. */
status_t stream_seek(struct stream *stream, uint32_t whence, int64_t offset, uint64_t *out_seek);
bool stream_append_mode(struct stream *stream);
void stream_set_append_mode(struct stream *stream, bool append);
void stream_get_info(struct stream *stream, zx_info_stream_t *out_info);
