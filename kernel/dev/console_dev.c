/*
 * console_dev.c - sleeping until the console has room or bytes.
 */
#include "dev/console_dev.h"

#include "arch/console.h"
#include "arch/upcall.h"
#include "sched/mutex.h"
#include "sched/park.h"

/* Threads that wait for one of the rings. */
struct console_waiters {
    struct spinlock lock; /* RANK_IRQ: interrupts wake */
    struct list threads;  /* struct console_waiter */
};
struct console_waiter {
    struct list_node node;
    struct parker parker;
};

/* Ready from the first instruction: a key may come before there is any thread. */
static struct console_waiters for_room = {SPINLOCK_INIT(RANK_IRQ, "console output"),
                                          LIST_INIT(for_room.threads)};
static struct console_waiters for_input = {SPINLOCK_INIT(RANK_IRQ, "console input"),
                                           LIST_INIT(for_input.threads)};
static struct mutex write_lock; /* one writer's bytes stay together */
static _Atomic bool user_output = true;

void console_dev_init(void) {
    mutex_init(&write_lock, RANK_OBJECT, "console writer");
}

void console_dev_set_user_output(bool allowed) { atomic_store(&user_output, allowed); }
bool console_dev_allows_user_output(void) { return atomic_load(&user_output); }

static void waiters_link(struct console_waiters *waiters, struct console_waiter *waiter) {
    SPIN_GUARD(&waiters->lock);

    list_add_tail(&waiters->threads, &waiter->node);
}

static void waiters_unlink(struct console_waiters *waiters, struct console_waiter *waiter) {
    SPIN_GUARD(&waiters->lock);

    if (list_node_is_linked(&waiter->node))
        list_remove(&waiter->node);
}

/* Interrupt context, interrupts off. */
static void waiters_wake(struct console_waiters *waiters) {
    struct console_waiter *waiter;
    SPIN_GUARD(&waiters->lock);

    while ((waiter = list_pop_entry(&waiters->threads, struct console_waiter, node)))
        thread_unpark(&waiter->parker, OK);
}

void upcall_console_room(void) { waiters_wake(&for_room); }
void upcall_console_input(void) { waiters_wake(&for_input); }

/* ---- writing ---- */

/* The ring was full. Looks once more after linking, so no interrupt is missed. */
static status_t wait_for_room(void) {
    struct console_waiter waiter = {};
    status_t status = OK;

    park_prepare(&waiter.parker);
    waiters_link(&for_room, &waiter);
    /* A suspension waits: what has been written must not be written again. */
    if (!console_has_room())
        status = thread_park(&waiter.parker, TIME_INFINITE, PARK_KILL_ONLY, BLOCK_OTHER);
    waiters_unlink(&for_room, &waiter);
    return status;
}

status_t console_dev_write(const char *bytes, size_t length) {
    MUTEX_GUARD(&write_lock);

    for (;;) {
        size_t written = console_write(bytes, length);
        bytes += written;
        length -= written;
        if (length == 0)
            return OK;
        status_t status = wait_for_room();
        if (status != OK)
            return status;
    }
}

/* ---- reading ---- */

static size_t take_input(char *buffer, size_t size) {
    size_t length = console_read(buffer, size);

    for (size_t i = 0; i < length; i++)
        if (buffer[i] == '\r')
            buffer[i] = '\n';
    return length;
}

status_t console_dev_read(char *buffer, size_t size, size_t *out_length) {
    struct console_waiter waiter;
    status_t status = OK;

    *out_length = 0;
    while (size > 0 && status == OK && *out_length == 0) {
        waiter = (struct console_waiter){};
        park_prepare(&waiter.parker);
        waiters_link(&for_input, &waiter);
        *out_length = take_input(buffer, size);
        if (*out_length == 0)
            status = thread_park(&waiter.parker, TIME_INFINITE, PARK_KILLABLE, BLOCK_OTHER);
        waiters_unlink(&for_input, &waiter);
    }
    return status;
}
