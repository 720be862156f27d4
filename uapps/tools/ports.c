/*
 * ports - the ports of all processes, and what every thread waits for.
 *
 * One walk over all tasks collects processes, threads and handles; so the tables that are
 * printed belong to about the same moment, and a koid that a thread waits for can be looked
 * up among the handles of all.
 */
#include <jacinth/info.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/syscalls.h>

#include "common/authority.h"
#include "common/show.h"
#include "common/tasks.h"
#include "common/tool.h"

static const char help[] =
    "usage: ports\n"
    "First all handles to ports: koid and name of the process, value, koid of the port, packets\n"
    "in it, asynchronous waits that have not come true, threads that wait for a packet.\n"
    "Then all threads that wait: koid, process, what they do, for how many seconds, and for\n"
    "what: koid and type of the object (the first of several), the name of a process, and\n"
    "who holds the other end; of a futex the address.\n";

struct process {
    zx_koid_t koid;
    char name[ZX_MAX_NAME_LEN];
};
struct waiter {
    size_t process; /* index */
    zx_koid_t koid;
    jx_info_thread_wait_t wait;
};
struct holding {
    size_t process;
    zx_obj_type_t type;
    zx_koid_t koid, related;
};
struct port {
    size_t process;
    jx_info_port_t info;
};

/* An array that grows. */
struct table {
    void *rows;
    size_t count, room;
};

struct world {
    struct table processes, waiters, holdings, ports;
    bool failed;
};

static void add_row(struct world *world, struct table *table, const void *row, size_t size) {
    if (table->count == table->room) {
        size_t room = table->room ? table->room * 2 : 32;
        void *rows = reallocarray(table->rows, room, size);
        if (!rows) {
            world->failed = true;
            return;
        }
        table->rows = rows;
        table->room = room;
    }
    memcpy((char *)table->rows + table->count++ * size, row, size);
}

/* --- collecting --- */

static void add_ports(struct world *world, const struct task *task, size_t process) {
    void *list;
    size_t count;
    if (tasks_list(task->handle, JX_INFO_PROCESS_PORTS, sizeof(jx_info_port_t), &list, &count) !=
        ZX_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        struct port row = {process, ((jx_info_port_t *)list)[i]};
        add_row(world, &world->ports, &row, sizeof row);
    }
    free(list);
}

static void add_holdings(struct world *world, const struct task *task, size_t process) {
    void *list;
    size_t count;
    if (tasks_list(task->handle, ZX_INFO_HANDLE_TABLE, sizeof(zx_info_handle_extended_t), &list,
                   &count) != ZX_OK)
        return;
    for (size_t i = 0; i < count; i++) {
        const zx_info_handle_extended_t *handle = (zx_info_handle_extended_t *)list + i;
        struct holding row = {process, handle->type, handle->koid, handle->related_koid};
        add_row(world, &world->holdings, &row, sizeof row);
    }
    free(list);
}

static void add_waiter(struct world *world, const struct task *task) {
    struct waiter row = {world->processes.count - 1, task->koid, {0}};
    if (zx_object_get_info(task->handle, JX_INFO_THREAD_WAIT, &row.wait, sizeof row.wait, NULL,
                           NULL) == ZX_OK &&
        ZX_THREAD_STATE_BASIC(row.wait.state) == ZX_THREAD_STATE_BLOCKED)
        add_row(world, &world->waiters, &row, sizeof row);
}

/* A process's threads are visited right after it. */
static bool visit(void *context, struct task *task) {
    struct world *world = context;
    if (task->kind == TASK_THREAD)
        add_waiter(world, task);
    if (task->kind == TASK_PROCESS) {
        struct process row = {.koid = task->koid};
        strlcpy(row.name, task->name[0] ? task->name : "-", sizeof row.name);
        add_row(world, &world->processes, &row, sizeof row);
        add_ports(world, task, world->processes.count - 1);
        add_holdings(world, task, world->processes.count - 1);
    }
    return !world->failed;
}

/* --- printing --- */

static const struct process *process_at(const struct world *world, size_t index) {
    return (const struct process *)world->processes.rows + index;
}

static const struct holding *find_holding(const struct world *world, zx_koid_t koid) {
    for (size_t i = 0; i < world->holdings.count; i++) {
        const struct holding *holding = (const struct holding *)world->holdings.rows + i;
        if (holding->koid == koid)
            return holding;
    }
    return NULL;
}

static void print_ports(const struct world *world) {
    printf("PROCESS NAME               HANDLE   PORT PACKETS WAITS THREADS\n");
    for (size_t i = 0; i < world->ports.count; i++) {
        const struct port *port = (const struct port *)world->ports.rows + i;
        const struct process *process = process_at(world, port->process);
        printf("%7llu %-16s %08x %6llu %7u %5u %7u\n", (unsigned long long)process->koid,
               process->name, port->info.handle_value, (unsigned long long)port->info.koid,
               port->info.packets, port->info.waits, port->info.threads);
    }
}

static bool has_two_ends(zx_obj_type_t type) {
    return type == ZX_OBJ_TYPE_CHANNEL || type == ZX_OBJ_TYPE_SOCKET || type == ZX_OBJ_TYPE_FIFO ||
           type == ZX_OBJ_TYPE_EVENTPAIR;
}

static void print_process_name(const struct world *world, zx_koid_t koid) {
    for (size_t i = 0; i < world->processes.count; i++)
        if (process_at(world, i)->koid == koid)
            printf(" %s", process_at(world, i)->name);
}

static void print_target(const struct world *world, const jx_info_thread_wait_t *wait) {
    if (wait->state == ZX_THREAD_STATE_BLOCKED_FUTEX)
        printf(" %#llx", (unsigned long long)wait->target);
    else if (wait->target)
        printf(" %llu", (unsigned long long)wait->target);
    const struct holding *holding = find_holding(world, wait->target), *other;
    if (wait->state == ZX_THREAD_STATE_BLOCKED_FUTEX || !holding)
        return;
    printf(" %s", show_type(holding->type));
    if (holding->type == ZX_OBJ_TYPE_PROCESS)
        print_process_name(world, holding->koid);
    if (!has_two_ends(holding->type))
        return;
    other = find_holding(world, holding->related);
    printf(", the other end: %s", other ? process_at(world, other->process)->name
                                  : holding->related ? "in a message, or closed" : "closed");
}

static void print_waiters(const struct world *world) {
    printf(" THREAD PROCESS          STATE       WAITED FOR\n");
    for (size_t i = 0; i < world->waiters.count; i++) {
        const struct waiter *waiter = (const struct waiter *)world->waiters.rows + i;
        char time[SHOW_SIZE];
        printf("%7llu %-16s %-9s %8s", (unsigned long long)waiter->koid,
               process_at(world, waiter->process)->name, show_thread_state(waiter->wait.state),
               show_time(waiter->wait.waited, time));
        print_target(world, &waiter->wait);
        printf("\n");
    }
}

int main(int argc, char **argv) {
    struct authority authority = authority_take();
    struct world world = {0};
    tool_start(argc, argv, help);
    if (argc != 1)
        return tool_usage();
    if (authority.root_job == ZX_HANDLE_INVALID)
        return tool_fail(ZX_ERR_ACCESS_DENIED, "no root job");
    if (!tasks_walk(authority.root_job, true, visit, &world) || world.failed)
        return tool_fail(ZX_ERR_NO_MEMORY, "cannot look at all processes");
    print_ports(&world);
    print_waiters(&world);
    return 0;
}
