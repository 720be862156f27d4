/*
 * vmo - all memory objects, by family, and whether their pages are all that there are.
 *
 * No program may list its own memory objects, so the tool has another one do it: it
 * starts itself again, with a memory object to write the list to, and waits. When the
 * lister has ended, its own memory is gone and all else is in the list. The kernel's
 * count is taken before and after; when they differ, something went on meanwhile (at
 * first, this program's own growth), and all is done again.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "common/authority.h"
#include "common/show.h"
#include "common/system.h"
#include "common/tasks.h"
#include "common/tool.h"

static const char help[] =
    "usage: vmo\n"
    "Shows all memory objects, children below the object that they were made from: size,\n"
    "pages that it shows, those of them that it pays for (OWN), those that an older\n"
    "relative pays for (SHARED), living relatives, mappings, name, and the processes that\n"
    "have it; with SHARED pages also the relatives that may have them. The sum of OWN is\n"
    "compared with the kernel's count.\n";

#define LIST_VMO  PA_HND(PA_USER0, AUTHORITY_HANDLES) /* what the lister writes to */
#define LIST_SIZE ((size_t)1 << 20)
#define MOST_NAMES 4

struct record {
    zx_info_vmo_v3_t info;
    zx_koid_t process;
    char process_name[ZX_MAX_NAME_LEN];
};
struct record_list {
    size_t count;
    bool is_too_long;
    struct record records[];
};
#define LIST_ROOM ((LIST_SIZE - sizeof(struct record_list)) / sizeof(struct record))

static struct record_list *list_map(zx_handle_t vmo) {
    zx_vaddr_t address = 0;
    (void)zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0,
                      LIST_SIZE, &address);
    return (struct record_list *)address;
}

/* --- the lister --- */

static void add_process(struct record_list *list, const struct task *task) {
    size_t count;
    void *records;
    if (tasks_list(task->handle, ZX_INFO_PROCESS_VMOS_V3, sizeof(zx_info_vmo_v3_t), &records,
                   &count) != ZX_OK)
        return; /* it ends, or it is this one */
    const zx_info_vmo_v3_t *infos = records;
    for (size_t i = 0; i < count; i++) {
        if (list->count == LIST_ROOM) {
            list->is_too_long = true;
            break;
        }
        struct record *record = &list->records[list->count++];
        record->info = infos[i];
        record->process = task->koid;
        memcpy(record->process_name, task->name, sizeof record->process_name);
    }
    free(records);
}

static bool visit(void *context, struct task *task) {
    if (task->kind == TASK_PROCESS)
        add_process(context, task);
    return true;
}

static int list_main(zx_handle_t root_job, zx_handle_t vmo) {
    struct record_list *list = list_map(vmo);
    if (!list)
        return 1;
    list->count = 0;
    list->is_too_long = false;
    return tasks_walk(root_job, false, visit, list) ? 0 : 1;
}

/* --- having the list made --- */

static zx_status_t make_list(const char *program, zx_handle_t root_job, zx_handle_t vmo) {
    const char *const argv[] = {program, NULL};
    struct jx_launch_handle handles[] = {{AUTHORITY_ROOT_JOB, ZX_HANDLE_INVALID},
                                         {LIST_VMO, ZX_HANDLE_INVALID}};
    const struct jx_launch launch = {.argv = argv, .handles = handles, .handle_count = 2};
    zx_handle_t process;
    int64_t code;
    zx_status_t status =
        zx_handle_duplicate(root_job, ZX_RIGHT_SAME_RIGHTS, &handles[0].handle);
    if (status != ZX_OK)
        return status;
    status = zx_handle_duplicate(vmo, ZX_RIGHT_SAME_RIGHTS, &handles[1].handle);
    if (status != ZX_OK) {
        (void)zx_handle_close(handles[0].handle);
        return status;
    }
    status = jx_launch(&launch, &process, NULL, 0);
    if (status == ZX_OK)
        status = jx_wait(process, &code);
    return status != ZX_OK || code == 0 ? status : ZX_ERR_INTERNAL;
}

static zx_status_t count_bytes(zx_handle_t system, uint64_t *out_bytes) {
    struct system_answer answer;
    zx_handle_t none;
    zx_status_t status = system_ask(system, SYSTEM_MEMORY, 0, &answer, &none);
    if (status == ZX_OK)
        *out_bytes = answer.memory.vmo_bytes;
    return status;
}

#define ROUNDS 10

/* The list, and the kernel's count of the same moment; on a busy machine, nearly. */
static zx_status_t take_stock(const char *program, const struct authority *authority,
                              zx_handle_t vmo, uint64_t *out_bytes) {
    uint64_t before = 0;
    zx_status_t status = ZX_OK;
    *out_bytes = 1;
    for (int round = 0; round < ROUNDS && status == ZX_OK && before != *out_bytes; round++) {
        status = count_bytes(authority->system, &before);
        if (status == ZX_OK)
            status = make_list(program, authority->root_job, vmo);
        if (status == ZX_OK)
            status = count_bytes(authority->system, out_bytes);
    }
    return status;
}

/* --- families --- */

/* Records of one object stand together; koids rise from parents to children. */
static int by_koid(const void *a, const void *b) {
    const struct record *one = a, *other = b;
    if (one->info.koid != other->info.koid)
        return one->info.koid < other->info.koid ? -1 : 1;
    return one->process < other->process ? -1 : one->process > other->process;
}

struct object {
    const struct record *records; /* the first of `count` */
    size_t count;
    size_t parent; /* NO_PARENT: none in the list */
    size_t family; /* the object at its top */
};
#define NO_PARENT ((size_t)-1)

static struct object *objects;
static size_t object_count;

static const zx_info_vmo_v3_t *info_of(const struct object *object) {
    return &object->records->info;
}

static size_t find_object(zx_koid_t koid) {
    for (size_t i = 0; i < object_count; i++) {
        if (info_of(&objects[i])->koid == koid)
            return i;
    }
    return NO_PARENT;
}

static void collect(struct record_list *list) {
    qsort(list->records, list->count, sizeof list->records[0], by_koid);
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0 && list->records[i].info.koid == list->records[i - 1].info.koid) {
            objects[object_count - 1].count++;
            continue;
        }
        struct object *object = &objects[object_count];
        *object = (struct object){&list->records[i], 1, NO_PARENT, object_count};
        zx_koid_t parent = info_of(object)->parent_koid;
        object->parent = parent ? find_object(parent) : NO_PARENT;
        if (object->parent != NO_PARENT)
            object->family = objects[object->parent].family;
        object_count++;
    }
}

static size_t family_size(const struct object *object) {
    size_t size = 0;
    for (size_t i = 0; i < object_count; i++)
        size += objects[i].family == object->family;
    return size;
}

/* --- printing --- */

static void print_users(const struct object *object) {
    size_t names = 0;
    for (size_t i = 0; i < object->count; i++) {
        const struct record *record = &object->records[i];
        if (i > 0 && record->process == record[-1].process)
            continue;
        if (names++ < MOST_NAMES)
            printf(" %s", record->process_name);
    }
    if (names > MOST_NAMES)
        printf(" and %zu more", names - MOST_NAMES);
}

/* Older relatives: who is older than an object pays for what both see. */
static void print_payers(const struct object *object) {
    const char *before = ", shares with ";
    size_t names = 0;
    for (const struct object *other = objects; other < object; other++) {
        if (other->family != object->family || info_of(other)->populated_bytes == 0)
            continue;
        if (names++ < MOST_NAMES)
            printf("%s%llu", before, (unsigned long long)info_of(other)->koid);
        before = " ";
    }
    if (names > MOST_NAMES)
        printf(" and %zu more", names - MOST_NAMES);
}

static void print_object(const struct object *object, int depth) {
    const zx_info_vmo_v3_t *info = info_of(object);
    uint64_t seen = info->populated_bytes / ZX_PAGE_SIZE;
    uint64_t own = info->committed_bytes / ZX_PAGE_SIZE;
    char size[SHOW_SIZE];
    printf("%*s%-*llu %6s %7llu %7llu %7llu %4zu %4zu %-16s", depth, "", 8 - depth,
           (unsigned long long)info->koid, show_bytes(info->size_bytes, size),
           (unsigned long long)seen, (unsigned long long)own, (unsigned long long)(seen - own),
           family_size(object) - 1, info->num_mappings, info->name);
    print_users(object);
    if (seen > own)
        print_payers(object);
    printf("\n");
}

static void print_tree(size_t top, int depth) {
    print_object(&objects[top], depth);
    for (size_t i = top + 1; i < object_count; i++) {
        if (objects[i].parent == top)
            print_tree(i, depth < 6 ? depth + 1 : depth);
    }
}

static void print_all(uint64_t kernel_bytes) {
    uint64_t listed = 0, counted = kernel_bytes / ZX_PAGE_SIZE;
    printf("KOID       SIZE    SEES     OWN  SHARED KIN  MAPS NAME             PROCESSES\n");
    for (size_t i = 0; i < object_count; i++) {
        if (objects[i].parent == NO_PARENT)
            print_tree(i, 0);
        listed += info_of(&objects[i])->committed_bytes / ZX_PAGE_SIZE;
    }
    printf("%zu objects\n", object_count);
    printf("pages of these objects     %8llu\n", (unsigned long long)listed);
    printf("pages of no process's      %8lld\n", (long long)(counted - listed));
    printf("pages by the kernel's count%8llu\n", (unsigned long long)counted);
}

int main(int argc, char **argv) {
    struct authority authority = authority_take();
    zx_handle_t vmo = zx_take_startup_handle(LIST_VMO);
    uint64_t bytes = 0;
    tool_start(argc, argv, help);
    if (vmo != ZX_HANDLE_INVALID)
        return list_main(authority.root_job, vmo);
    if (argc != 1)
        return tool_usage();
    zx_status_t status = zx_vmo_create(LIST_SIZE, 0, &vmo);
    if (status == ZX_OK)
        status = zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 0, LIST_SIZE, NULL, 0);
    struct record_list *list = status == ZX_OK ? list_map(vmo) : NULL;
    if (status == ZX_OK)
        status = take_stock(argv[0], &authority, vmo, &bytes);
    if (status != ZX_OK || !list)
        return tool_fail(status, "no list");
    if (list->is_too_long)
        return tool_fail(ZX_OK, "there are more objects than this program can list");
    objects = calloc(list->count + 1, sizeof objects[0]);
    if (!objects)
        return tool_fail(ZX_ERR_NO_MEMORY, "the list");
    collect(list);
    print_all(bytes);
    return 0;
}
