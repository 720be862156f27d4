/*
 * kill_points.c - the killer, and who is stopped for it; see kill_points.h.
 *
 * The one that stops waits for the killer, and the killer for nobody: who holds a lock
 * is not stopped, and neither is who waits for a mutex, because it may be given to him
 * meanwhile.
 */
#include "object/kill_points.h"

#include <zircon/types.h>

#include "arch/boot.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "object/user_thread.h"
#include "sched/kill_point.h"
#include "sched/park.h"
#include "vm/kernel_thread.h"

struct order {
    struct process *process; /* borrowed: whoever stopped has a reference */
    struct parker stopped;
    struct list_node node;
};
static struct {
    struct spinlock lock; /* RANK_IRQ */
    struct list orders;
    struct parker parker;
    bool waiting;
    uint64_t koid;        /* of the process that is counted */
    uint32_t passes;
} killer = {.lock = SPINLOCK_INIT(RANK_IRQ, "killer"), .orders = LIST_INIT(killer.orders)};

static bool may_stop(void) {
    if (!irqs_enabled())
        return false;
    irq_state_t state = irq_save();
    bool free = cpu_this()->spinlocks.count == 0 && thread_current()->mutexes.count == 0;
    irq_restore(state);
    return free;
}

/* What follows "kill:POINT:" in the name; NULL: it is another's name. */
static const char *wanted_pass(const struct process *process, const char *point) {
    size_t length = strlen(point);
    if (strncmp(process->name, "kill:", 5) != 0 || strncmp(process->name + 5, point, length) != 0)
        return NULL;
    return process->name[5 + length] == ':' ? process->name + 6 + length : NULL;
}

static uint32_t number(const char *digits) {
    uint32_t value = 0;
    for (; *digits >= '0' && *digits <= '9'; digits++)
        value = value * 10 + (uint32_t)(*digits - '0');
    return value;
}

/* Is it this pass? Then it was the last one that counts. */
static bool is_due(struct process *process, const char *point) {
    SPIN_GUARD(&killer.lock);
    const char *digits = wanted_pass(process, point);
    if (!digits)
        return false;
    if (killer.koid != process->base.koid)
        killer.passes = 0;
    killer.koid = process->base.koid;
    if (killer.passes++ != number(digits))
        return false;
    fmt_format(process->name, sizeof(process->name), "killed at %s", point);
    return true;
}

static void give_order(struct order *order) {
    SPIN_GUARD(&killer.lock);
    list_add_tail(&killer.orders, &order->node);
    if (killer.waiting)
        thread_unpark(&killer.parker, OK);
    killer.waiting = false;
}

void kill_point_of_process(const char *point, struct process *process) {
    if (!kill_point_door || !wanted_pass(process, point) || !may_stop())
        return;
    if (!is_due(process, point))
        return;
    struct order order = {.process = process};
    park_prepare(&order.stopped);
    give_order(&order);
    (void)thread_park(&order.stopped, TIME_INFINITE, 0, BLOCK_OTHER);
}

static void pass(const char *point, struct thread *thread) {
    if (thread->user)
        kill_point_of_process(point, user_thread_of(thread)->process);
}

static struct order *next_order(void) {
    SPIN_GUARD(&killer.lock);
    struct order *order = list_pop_entry(&killer.orders, struct order, node);
    if (!order) {
        park_prepare(&killer.parker);
        killer.waiting = true;
    }
    return order;
}

static void killer_main(void *unused) {
    for (;;) {
        struct order *order = next_order();
        if (order) {
            process_kill(order->process, ZX_TASK_RETCODE_SYSCALL_KILL);
            thread_unpark(&order->stopped, OK);
        } else {
            (void)thread_park(&killer.parker, TIME_INFINITE, 0, BLOCK_OTHER);
        }
    }
}

status_t kill_points_init(void) {
    if (!boot_option_bool("kill.points", false))
        return OK;
    struct thread *thread = kernel_thread_create("killer", killer_main, NULL, PRIORITY_KERNEL);
    if (!thread)
        return ERR_NO_MEMORY;
    kill_point_door = pass;
    thread_start(thread);
    return OK;
}
