/*
 * loop.c - a port, a list of tasks by time, and a list of waits.
 *
 * A wait's key is its address. A packet with the key 0 says only that the first task or
 * the wish to quit has changed. A wait leaves its list when its packet comes out of the
 * port or is cancelled there, and the port decides which of the two it is.
 */
#include <jacinth/loop.h>

#include <jacinth/sync.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <zircon/syscalls.h>

struct jx_loop {
    zx_handle_t port;
    _Atomic(bool) quits;
    struct jx_mutex mutex;
    /* Under the mutex; rings that begin and end with these. */
    struct jx_wait waits;
    struct jx_task tasks; /* earliest first */
};

#define RING_INIT(ring)       ((ring)->next = (ring)->previous = (ring))
#define RING_ADD(ring, entry) /* at its end */                                                     \
    ((entry)->next = (ring), (entry)->previous = (ring)->previous,                                 \
     (ring)->previous->next = (entry), (ring)->previous = (entry))
#define RING_REMOVE(entry)                                                                         \
    ((entry)->previous->next = (entry)->next, (entry)->next->previous = (entry)->previous,         \
     (entry)->next = (entry)->previous = NULL)

/* Is it in the ring? Entries that are in none may hold anything. */
#define RING_HAS(ring, entry)                                                                      \
    ({                                                                                             \
        __typeof__(entry) at_ = (ring)->next;                                                      \
        while (at_ != (ring) && at_ != (entry))                                                    \
            at_ = at_->next;                                                                       \
        at_ == (entry);                                                                            \
    })

zx_status_t jx_loop_create(struct jx_loop **out) {
    struct jx_loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return ZX_ERR_NO_MEMORY;
    RING_INIT(&loop->waits);
    RING_INIT(&loop->tasks);
    zx_status_t status = zx_port_create(0, &loop->port);
    if (status != ZX_OK) {
        free(loop);
        return status;
    }
    *out = loop;
    return ZX_OK;
}

/* A full port needs no further packet to wake who waits there. */
static void poke(struct jx_loop *loop) {
    const zx_port_packet_t packet = {.key = 0, .type = ZX_PKT_TYPE_USER};
    (void)zx_port_queue(loop->port, &packet);
}

/* --- waits --- */

zx_status_t jx_loop_wait(struct jx_loop *loop, struct jx_wait *wait) {
    jx_mutex_lock(&loop->mutex);
    zx_status_t status = zx_object_wait_async(wait->handle, loop->port, (uintptr_t)wait,
                                              wait->signals, ZX_WAIT_ASYNC_ONCE);
    if (status == ZX_OK)
        RING_ADD(&loop->waits, wait);
    jx_mutex_unlock(&loop->mutex);
    return status;
}

zx_status_t jx_loop_cancel_wait(struct jx_loop *loop, struct jx_wait *wait) {
    jx_mutex_lock(&loop->mutex);
    zx_status_t status = RING_HAS(&loop->waits, wait)
                             ? zx_port_cancel(loop->port, wait->handle, (uintptr_t)wait)
                             : ZX_ERR_NOT_FOUND;
    if (status == ZX_OK)
        RING_REMOVE(wait);
    jx_mutex_unlock(&loop->mutex);
    return status;
}

static void deliver(struct jx_loop *loop, const zx_port_packet_t *packet) {
    struct jx_wait *wait = (struct jx_wait *)(uintptr_t)packet->key;
    if (!wait)
        return;
    jx_mutex_lock(&loop->mutex);
    RING_REMOVE(wait);
    jx_mutex_unlock(&loop->mutex);
    wait->function(loop, wait, ZX_OK, &packet->signal);
}

/* --- tasks --- */

void jx_loop_post(struct jx_loop *loop, struct jx_task *task, zx_time_t time) {
    task->time = time;
    jx_mutex_lock(&loop->mutex);
    struct jx_task *after = &loop->tasks; /* the new one comes before this one */
    while (after->previous != &loop->tasks && after->previous->time > time)
        after = after->previous;
    RING_ADD(after, task);
    bool is_first = loop->tasks.next == task;
    jx_mutex_unlock(&loop->mutex);
    if (is_first)
        poke(loop);
}

zx_status_t jx_loop_cancel_task(struct jx_loop *loop, struct jx_task *task) {
    jx_mutex_lock(&loop->mutex);
    bool found = RING_HAS(&loop->tasks, task);
    if (found)
        RING_REMOVE(task);
    jx_mutex_unlock(&loop->mutex);
    return found ? ZX_OK : ZX_ERR_NOT_FOUND;
}

/* Take the first task if it is due by `now`; else NULL, and when the first one will be. */
static struct jx_task *take_task(struct jx_loop *loop, zx_time_t now, zx_time_t *out_next) {
    jx_mutex_lock(&loop->mutex);
    struct jx_task *task = loop->tasks.next == &loop->tasks ? NULL : loop->tasks.next;
    *out_next = task ? task->time : ZX_TIME_INFINITE;
    if (task && task->time <= now)
        RING_REMOVE(task);
    else
        task = NULL;
    jx_mutex_unlock(&loop->mutex);
    return task;
}

/* --- the loop --- */

void jx_loop_quit(struct jx_loop *loop) {
    atomic_store(&loop->quits, true);
    poke(loop);
}

/* A task that is due goes first, yet between two tasks the port has its turn. */
zx_status_t jx_loop_run(struct jx_loop *loop, zx_time_t deadline) {
    zx_port_packet_t packet;
    for (;;) {
        if (atomic_exchange(&loop->quits, false))
            return ZX_ERR_CANCELED;
        zx_time_t next, now = zx_clock_get_monotonic();
        struct jx_task *task = take_task(loop, now, &next);
        if (task) {
            task->function(loop, task, ZX_OK);
            next = 0;
        }
        if (atomic_load(&loop->quits))
            continue;
        zx_status_t status = zx_port_wait(loop->port, next < deadline ? next : deadline, &packet);
        if (status == ZX_OK)
            deliver(loop, &packet);
        else if (status != ZX_ERR_TIMED_OUT)
            return status;
        else if (!task && next > deadline && !atomic_load(&loop->quits))
            return ZX_ERR_TIMED_OUT;
    }
}

static void cancel_all_waits(struct jx_loop *loop) {
    while (loop->waits.next != &loop->waits) {
        struct jx_wait *wait = loop->waits.next;
        (void)zx_port_cancel(loop->port, wait->handle, (uintptr_t)wait);
        RING_REMOVE(wait);
        wait->function(loop, wait, ZX_ERR_CANCELED, NULL);
    }
}

void jx_loop_destroy(struct jx_loop *loop) {
    zx_time_t next;
    struct jx_task *task;
    cancel_all_waits(loop);
    while ((task = take_task(loop, ZX_TIME_INFINITE, &next)))
        task->function(loop, task, ZX_ERR_CANCELED);
    (void)zx_handle_close(loop->port);
    free(loop);
}
