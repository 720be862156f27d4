/*
 * debuglog.c - readers of the log, and telling them.
 */
#include "object/debuglog.h"

#include "arch/cpu.h"
#include "lib/panic.h"
#include "object/deferred.h"
#include "vm/kheap.h"

/* Its holder signals objects, so it ranks above them. */
static struct mutex readers_lock;
static struct list readers; /* struct debuglog */
static atomic_uint reader_count;

static void debuglog_update(struct debuglog *log) {
    MUTEX_GUARD(log->base.lock);

    if (log->cursor < log_next_sequence())
        waitable_change_locked(&log->base, 0, ZX_LOG_READABLE);
}

static void tell_readers(struct deferred *work) {
    MUTEX_GUARD(&readers_lock);

    list_for_each(node, &readers)
        debuglog_update(list_entry(node, struct debuglog, node));
}
static struct deferred tell_work = {.run = tell_readers};

/*
 * Any context. Somebody who logs with interrupts off may hold the very spinlocks
 * that waking takes; readers then hear of the record with the next one.
 */
static void debuglog_notify(void) {
    if (atomic_load_explicit(&reader_count, memory_order_relaxed) == 0)
        return;
    if (irqs_enabled() && !panic_is_running())
        deferred_queue(&tell_work);
}

void debuglog_init(void) {
    mutex_init(&readers_lock, RANK_FAMILY, "debuglog readers");
    list_init(&readers);
    log_set_notify(debuglog_notify);
}

static void readers_add(struct debuglog *log) {
    MUTEX_GUARD(&readers_lock);

    list_add_tail(&readers, &log->node);
    atomic_fetch_add(&reader_count, 1);
}

static void readers_remove(struct debuglog *log) {
    MUTEX_GUARD(&readers_lock);

    list_remove(&log->node);
    atomic_fetch_sub(&reader_count, 1);
}

static void debuglog_destroy(struct waitable *object) {
    struct debuglog *log = debuglog_from(object);

    if (log->readable)
        readers_remove(log);
    kheap_free(log);
}

static const struct waitable_ops debuglog_ops = {
    .name = "debuglog",
    .type = ZX_OBJ_TYPE_LOG,
    .can_wait = true,
    .default_rights = ZX_DEFAULT_LOG_RIGHTS,
    .destroy = debuglog_destroy,
};

status_t debuglog_create(bool readable, struct debuglog **out_log) {
    struct debuglog *log = kheap_zalloc(sizeof(*log));

    if (!log)
        return ERR_NO_MEMORY;
    waitable_init(&log->base, &debuglog_ops, ZX_LOG_WRITABLE);
    log->readable = readable;
    if (readable) {
        readers_add(log);
        debuglog_update(log);
    }
    *out_log = log;
    return OK;
}

status_t debuglog_read(struct debuglog *log, struct log_record *out_record) {
    MUTEX_GUARD(log->base.lock);

    if (!log->readable)
        return ERR_BAD_STATE;
    if (log_read(&log->cursor, out_record))
        return OK;
    waitable_change_locked(&log->base, ZX_LOG_READABLE, 0);
    return ERR_SHOULD_WAIT;
}
