/*
 * fifo.h - two ends, each with a ring of elements of one size for it.
 *
 * A ring has its full size from the start, so nothing is allocated when elements
 * pass. READABLE and WRITABLE follow empty and full exactly.
 */
#pragma once

#include "object/bytes.h"
#include "object/peered.h"

struct fifo {
    struct peered end;
    /* Set once. */
    size_t element_count, element_size;
    char *ring; /* owned: elements for this end */
    /* Under *end.base.lock. */
    size_t first; /* of the oldest element */
    size_t used;
};

ALWAYS_INLINE struct fifo *fifo_from(struct waitable *object) {
    return container_of(object, struct fifo, end.base);
}

/* ERR_OUT_OF_RANGE unless the count is a power of two and a ring fits ZX_FIFO_MAX_SIZE_BYTES. */
status_t fifo_create(uint64_t element_count, uint64_t element_size, struct fifo **out_a,
                     struct fifo **out_b);
/*
 * As many whole elements as fit. ERR_PEER_CLOSED, ERR_OUT_OF_RANGE (size, or no
 * element), ERR_SHOULD_WAIT (full), ERR_INVALID_ARGS; nothing is written then.
 */
status_t fifo_write(struct fifo *fifo, uint64_t element_size, const struct byte_source *source,
                    uint64_t count, size_t *out_actual);
/*
 * Up to `count` elements. ERR_OUT_OF_RANGE, ERR_SHOULD_WAIT or ERR_PEER_CLOSED (empty),
 * ERR_INVALID_ARGS; nothing is taken then.
 */
status_t fifo_read(struct fifo *fifo, uint64_t element_size, const struct byte_sink *sink,
                   uint64_t count, size_t *out_actual);
