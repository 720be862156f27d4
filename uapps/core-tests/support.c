/*
 * support.c - memory objects, handles and bare children for the tests; see support.h.
 */
#include "core-tests/support.h"

#include <elf.h>
#include <jacinth/utest.h>
#include <string.h>
#include <zircon/processargs.h>

#include "zx/load.h"
#include "zx/start.h"

#define WAIT_LIMIT ZX_SEC(5)

/* --- handles --- */

static zx_handle_t resource;

/* Another test takes the one of the start message and closes it. */
__attribute__((constructor)) static void keep_resource(void) {
    (void)zx_handle_duplicate(start_find_handle(PA_HND(PA_RESOURCE, 0)), ZX_RIGHT_SAME_RIGHTS,
                              &resource);
}

zx_handle_t root_resource(void) { return resource; }

bool call_is_off(const char *name) {
    const char *bare = strncmp(name, "zx_", 3) == 0 ? name + 3 : name;
    return strcmp(bare, "debug_send_command") == 0 &&
           zx_debug_send_command(ZX_HANDLE_INVALID, "", 0) == ZX_ERR_NOT_SUPPORTED;
}

void close_handle(zx_handle_t handle) { EXPECT_OK(zx_handle_close(handle)); }

static zx_info_handle_basic_t basic_info(zx_handle_t handle) {
    zx_info_handle_basic_t info = {0};
    EXPECT_OK(
        zx_object_get_info(handle, ZX_INFO_HANDLE_BASIC, &info, sizeof info, NULL, NULL));
    return info;
}

zx_rights_t rights_of(zx_handle_t handle) { return basic_info(handle).rights; }
zx_koid_t koid_of(zx_handle_t handle) { return basic_info(handle).koid; }

zx_handle_t copy_with(zx_handle_t handle, zx_rights_t rights) {
    zx_handle_t copy = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_handle_duplicate(handle, rights, &copy));
    return copy;
}

zx_handle_t copy_without(zx_handle_t handle, zx_rights_t rights) {
    return copy_with(handle, rights_of(handle) & ~rights);
}

/* A thread that was joined may still be closing its own handle. */
static void settle_threads(void) {
    for (int i = 0; i < 1000; i++) {
        size_t count = 0;
        zx_status_t status = zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_THREADS, NULL,
                                                0, NULL, &count);
        if (status != ZX_OK || count <= 1)
            return;
        (void)zx_nanosleep(zx_deadline_after(ZX_USEC(200)));
    }
}

unsigned own_handles(void) {
    settle_threads();
    zx_info_process_handle_stats_t stats;
    unsigned count = 0;
    EXPECT_OK(zx_object_get_info(zx_process_self(), ZX_INFO_PROCESS_HANDLE_STATS, &stats,
                                 sizeof stats, NULL, NULL));
    for (size_t i = 0; i < sizeof stats.handle_count / sizeof stats.handle_count[0]; i++)
        count += stats.handle_count[i];
    return count;
}

zx_handle_t make_job(zx_handle_t parent) {
    zx_handle_t job = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_job_create(parent, 0, &job));
    return job;
}

zx_handle_t make_event(void) {
    zx_handle_t event = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_event_create(0, &event));
    return event;
}

zx_handle_t make_port(void) {
    zx_handle_t port = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_port_create(0, &port));
    return port;
}

/* --- memory objects --- */

static zx_handle_t make(size_t pages, uint32_t options) {
    zx_handle_t vmo = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_vmo_create(pages * PAGE, options, &vmo));
    return vmo;
}

zx_handle_t make_vmo(size_t pages) { return make(pages, 0); }
zx_handle_t make_resizable_vmo(size_t pages) { return make(pages, ZX_VMO_RESIZABLE); }

zx_handle_t make_snapshot(zx_handle_t vmo, size_t pages) {
    zx_handle_t child = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, pages * PAGE, &child));
    return child;
}

void put(zx_handle_t vmo, size_t page, uint8_t value) {
    EXPECT_OK(zx_vmo_write(vmo, &value, page * PAGE, 1));
}

uint8_t get(zx_handle_t vmo, size_t page) {
    uint8_t value = 0xee;
    EXPECT_OK(zx_vmo_read(vmo, &value, page * PAGE, 1));
    return value;
}

zx_info_vmo_t vmo_info_of(zx_handle_t vmo) {
    zx_info_vmo_t info = {0};
    EXPECT_OK(zx_object_get_info(vmo, ZX_INFO_VMO, &info, sizeof info, NULL, NULL));
    return info;
}

size_t committed_pages(zx_handle_t vmo) { return vmo_info_of(vmo).committed_bytes / PAGE; }

volatile uint8_t *map_vmo(zx_handle_t vmo, zx_vm_option_t perm, size_t pages) {
    zx_vaddr_t address = 0;
    EXPECT_OK(zx_vmar_map(zx_vmar_root_self(), perm, 0, vmo, 0, pages * PAGE, &address));
    return (volatile uint8_t *)address;
}

void unmap(const volatile void *address, size_t pages) {
    EXPECT_OK(zx_vmar_unmap(zx_vmar_root_self(), (uintptr_t)address, pages * PAGE));
}

/* --- bare children --- */

static zx_status_t map_at(zx_handle_t vmar, uintptr_t address, zx_vm_option_t perm,
                          zx_handle_t vmo) {
    zx_info_vmar_t region;
    zx_vaddr_t got;
    zx_status_t status =
        zx_object_get_info(vmar, ZX_INFO_VMAR, &region, sizeof region, NULL, NULL);
    return status == ZX_OK ? zx_vmar_map(vmar, perm | ZX_VM_SPECIFIC, address - region.base, vmo,
                                         0, PAGE, &got)
                           : status;
}

static bool map_code(struct child *child, const void *code, const void *code_end) {
    zx_handle_t writable = make_vmo(1), vmo = ZX_HANDLE_INVALID;
    size_t size = (uintptr_t)code_end - (uintptr_t)code;
    EXPECT_OK(zx_vmo_write(writable, code, 0, size));
    EXPECT_OK(zx_vmo_replace_as_executable(writable, ZX_HANDLE_INVALID, &vmo));
    zx_status_t status =
        map_at(child->vmar, CHILD_CODE, ZX_VM_PERM_READ | ZX_VM_PERM_EXECUTE, vmo);
    EXPECT_OK(status);
    close_handle(vmo);
    return status == ZX_OK;
}

static bool map_data(struct child *child) {
    child->data_vmo = make_vmo(1);
    child->data = (volatile uint64_t *)map_vmo(child->data_vmo, READ_WRITE, 1);
    zx_status_t status = map_at(child->vmar, CHILD_DATA, READ_WRITE, child->data_vmo);
    EXPECT_OK(status);
    return status == ZX_OK;
}

bool child_make(struct child *child, const void *code, const void *code_end) {
    return child_make_in(child, zx_job_default(), code, code_end);
}

bool child_make_in(struct child *child, zx_handle_t job, const void *code, const void *code_end) {
    *child = (struct child){0};
    zx_status_t status =
        zx_process_create(job, "child", 5, 0, &child->process, &child->vmar);
    EXPECT_OK(status);
    if (status != ZX_OK || !map_code(child, code, code_end) || !map_data(child))
        return false;
    status = zx_thread_create(child->process, "only", 4, 0, &child->thread);
    EXPECT_OK(status);
    return status == ZX_OK;
}

bool child_give_vdso(struct child *child) {
    struct jx_file file = {.vmo = start_find_handle(PA_HND(PA_VMO_VDSO, 0))};
    struct elf_image image;
    struct loaded loaded;
    const char *reason;
    zx_vaddr_t address = 0;
    EXPECT_OK(zx_vmo_get_size(file.vmo, &file.size));
    EXPECT_OK(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ, 0, file.vmo, 0, file.size,
                          &address));
    file.data = (const char *)address;
    zx_status_t status = load_parse(&file, &image, &reason);
    if (status == ZX_OK)
        status = load_image(child->vmar, &file, &image, &loaded);
    EXPECT_OK(status);
    unmap(file.data, file.size / PAGE);
    if (status != ZX_OK)
        return false;
    child->vdso = loaded.base;
    close_handle(loaded.region);
    return true;
}

/* The vDSO's names are asked by hash; kernel/vdso/hash.h makes it of literals only. */
static uint32_t hash_of(const char *name) {
    uint32_t hash = 0, power = 1;
    for (; *name; name++, power *= 16777619u)
        hash += (uint32_t)(unsigned char)*name * power;
    return hash;
}

uintptr_t child_call(const struct child *child, const char *name) {
    uintptr_t own = 0;
    EXPECT_OK(zx_object_get_property(zx_process_self(), ZX_PROP_PROCESS_VDSO_BASE_ADDRESS, &own,
                                     sizeof own));
    uintptr_t (*find)(uint32_t) = (uintptr_t(*)(uint32_t))(own + ((Elf64_Ehdr *)own)->e_entry);
    uintptr_t call = find(hash_of(name));
    if (call == 0)
        utest_fail(__FILE__, __LINE__, "the vDSO has no %s", name);
    return call - own + child->vdso;
}

zx_status_t child_start(struct child *child, uintptr_t arg2) {
    return zx_process_start(child->process, child->thread, CHILD_CODE, CHILD_STACK,
                            ZX_HANDLE_INVALID, arg2);
}

int64_t child_wait(const struct child *child) {
    zx_info_process_t info = {0};
    if (zx_object_wait_one(child->process, ZX_PROCESS_TERMINATED, zx_deadline_after(WAIT_LIMIT),
                           NULL) != ZX_OK)
        return INT64_MIN;
    EXPECT_OK(
        zx_object_get_info(child->process, ZX_INFO_PROCESS, &info, sizeof info, NULL, NULL));
    EXPECT(info.exited);
    return info.return_code;
}

void child_end(struct child *child) {
    const zx_handle_t handles[] = {child->process, child->vmar, child->thread, child->data_vmo};
    (void)zx_task_kill(child->process);
    EXPECT_OK(zx_handle_close_many(handles, sizeof handles / sizeof handles[0]));
    if (child->data)
        unmap(child->data, 1);
    *child = (struct child){0};
}

int64_t child_run(const void *code, const void *code_end, uintptr_t arg2) {
    struct child child;
    int64_t result = INT64_MIN;
    if (child_make(&child, code, code_end)) {
        EXPECT_OK(child_start(&child, arg2));
        result = child_wait(&child);
    }
    child_end(&child);
    return result;
}

/* --- scripts --- */

#define ENTRY_WORDS  8   /* call, six arguments, result */
#define SCRIPT_WORDS 384 /* of its page, at most */

CODE(script_code, "mov %rsi, %rbx\n\t"
                  "mov %edi, %r12d\n"
                  "1:\tcmpq $0, (%rbx)\n\t"
                  "je 2f\n\t"
                  CODE_CALL_OF_ENTRY
                  "add $64, %rbx\n\t"
                  "jmp 1b\n"
                  "2:\tud2");

bool script_make_in(struct child *child, zx_handle_t job) {
    return child_make_in(child, job, script_code, script_code_end) && child_give_vdso(child);
}

bool script_make(struct child *child) { return script_make_in(child, zx_job_default()); }

void script_add(struct child *child, unsigned index, const char *call, uint64_t a0, uint64_t a1,
                uint64_t a2, uint64_t a3) {
    volatile uint64_t *entry = child->data + index * ENTRY_WORDS;
    EXPECT((index + 2) * ENTRY_WORDS < SCRIPT_WORDS);
    entry[0] = child_call(child, call);
    entry[1] = a0;
    entry[2] = a1;
    entry[3] = a2;
    entry[4] = a3;
    entry[7] = 0x5a5a5a5a;
}

int32_t script_result(const struct child *child, unsigned index) {
    return (int32_t)child->data[index * ENTRY_WORDS + 7];
}
