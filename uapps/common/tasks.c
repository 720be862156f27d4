/*
 * tasks.c - walking by zx_object_get_info and zx_object_get_child.
 *
 * The walk goes as deep as the tree of jobs, of which the kernel allows 32 levels.
 */
#include "common/tasks.h"

#include <stdlib.h>
#include <string.h>
#include <zircon/rights.h>
#include <zircon/syscalls.h>

zx_status_t tasks_list(zx_handle_t task, zx_object_info_topic_t topic, size_t record_size,
                       void **out_list, size_t *out_count) {
    size_t room = 16, count = 0, avail = 0;
    void *list = NULL;
    zx_status_t status;
    for (;;) {
        void *larger = reallocarray(list, room, record_size);
        status = larger ? ZX_OK : ZX_ERR_NO_MEMORY;
        if (larger)
            list = larger;
        if (status == ZX_OK)
            status = zx_object_get_info(task, topic, list, room * record_size, &count, &avail);
        if (status != ZX_OK || avail <= room)
            break;
        room = avail + 8; /* it may grow meanwhile */
    }
    if (status != ZX_OK) {
        free(list);
        list = NULL;
    }
    *out_list = list;
    *out_count = status == ZX_OK ? count : 0;
    return status;
}

bool tasks_parse_koid(const char *text, zx_koid_t *out_koid) {
    char *end;
    *out_koid = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0';
}

/* --- the walk --- */

struct walk {
    bool threads;
    task_visit *visit;
    void *context;
};

static bool walk_task(const struct walk *walk, struct task *task);

static void name_task(struct task *task) {
    if (zx_object_get_property(task->handle, ZX_PROP_NAME, task->name, sizeof task->name) != ZX_OK)
        strlcpy(task->name, "?", sizeof task->name);
}

static bool walk_child(const struct walk *walk, const struct task *parent, enum task_kind kind,
                       zx_koid_t koid) {
    struct task child = {.kind = kind, .depth = parent->depth + 1, .koid = koid};
    zx_status_t status =
        zx_object_get_child(parent->handle, koid, ZX_RIGHT_SAME_RIGHTS, &child.handle);
    if (status == ZX_ERR_NOT_FOUND)
        return true; /* it has ended since the list was made */
    bool go_on = walk_task(walk, &child);
    (void)zx_handle_close(child.handle);
    return go_on;
}

static bool walk_children(const struct walk *walk, const struct task *parent,
                          zx_object_info_topic_t topic, enum task_kind kind) {
    size_t count;
    bool go_on = true;
    void *list;
    (void)tasks_list(parent->handle, topic, sizeof(zx_koid_t), &list, &count);
    const zx_koid_t *koids = list;
    for (size_t i = 0; i < count && go_on; i++)
        go_on = walk_child(walk, parent, kind, koids[i]);
    free(list);
    return go_on;
}

static bool walk_task(const struct walk *walk, struct task *task) {
    name_task(task);
    if (!walk->visit(walk->context, task))
        return false;
    if (task->kind == TASK_JOB)
        return walk_children(walk, task, ZX_INFO_JOB_PROCESSES, TASK_PROCESS) &&
               walk_children(walk, task, ZX_INFO_JOB_CHILDREN, TASK_JOB);
    if (task->kind == TASK_PROCESS && walk->threads)
        return walk_children(walk, task, ZX_INFO_PROCESS_THREADS, TASK_THREAD);
    return true;
}

bool tasks_walk(zx_handle_t root, bool threads, task_visit *visit, void *context) {
    const struct walk walk = {.threads = threads, .visit = visit, .context = context};
    struct task task = {.kind = TASK_JOB, .handle = root};
    zx_info_handle_basic_t info;
    if (zx_object_get_info(root, ZX_INFO_HANDLE_BASIC, &info, sizeof info, NULL, NULL) != ZX_OK)
        return false;
    task.koid = info.koid;
    return walk_task(&walk, &task);
}

/* --- one of them --- */

struct search {
    zx_koid_t koid;
    zx_handle_t handle;
    enum task_kind kind;
};

static bool match(void *context, struct task *task) {
    struct search *search = context;
    if (task->koid != search->koid || task->depth == 0)
        return true;
    search->kind = task->kind;
    search->handle = task->handle;
    task->handle = ZX_HANDLE_INVALID; /* taken */
    return false;
}

zx_status_t tasks_find(zx_handle_t root, zx_koid_t koid, zx_handle_t *out_task,
                       enum task_kind *out_kind) {
    struct search search = {.koid = koid};
    if (root == ZX_HANDLE_INVALID)
        return ZX_ERR_ACCESS_DENIED;
    (void)tasks_walk(root, true, match, &search);
    *out_task = search.handle;
    *out_kind = search.kind;
    return search.handle != ZX_HANDLE_INVALID ? ZX_OK : ZX_ERR_NOT_FOUND;
}
