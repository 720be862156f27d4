/*
 * debuglog.h - the kernel's log as an object: a cursor into the ring of lib/log.
 *
 * Every writer appends to the one ring; each readable debuglog has a place of its
 * own in it and is READABLE while there is something behind that place. A reader
 * that is slower than the ring is long misses records; `sequence` tells.
 */
#pragma once

#include "lib/log.h"
#include "object/handle.h"

struct debuglog {
    struct waitable base;
    bool readable;         /* set once */
    struct list_node node; /* on the list of readable ones, under its lock */
    uint64_t cursor;       /* under base.lock */
};

ALWAYS_INLINE struct debuglog *debuglog_from(struct waitable *object) {
    return container_of(object, struct debuglog, base);
}
/* From now on new records make the readable ones READABLE. Once, at boot. */
void debuglog_init(void);
status_t debuglog_create(bool readable, struct debuglog **out_log);
/* The next record. ERR_SHOULD_WAIT; ERR_BAD_STATE if it is not readable. */
status_t debuglog_read(struct debuglog *log, struct log_record *out_record);
