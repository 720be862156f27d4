/*
 * storm.c - every allocation of every call fails in turn (P20): the call says so,
 * leaves no handle, and after all of them the kernel's counters are back.
 *
 * It takes a debug kernel that was booted with alloc.storm=1; see
 * kernel/syscall/alloc_storm.h.
 */
#include <jacinth/utest.h>
#include <stdlib.h>
#include <string.h>

#include "core-tests/calls.h"
#include "core-tests/support.h"
#include "proofs/counters.h"

#define TURNS_MAX 1000

static void rename_to(const char *name) {
    while (zx_object_set_property(zx_process_self(), ZX_PROP_NAME, name, strlen(name)) != ZX_OK)
        ;
}
static void storm_begin(void) { rename_to("alloc-storm"); }
static void storm_end(void) { rename_to("proofs"); }

static bool is_storm_there(void) { return getenv("alloc.storm") != NULL; }

/* --- each row of the table --- */

static zx_status_t call_in_storm(const struct call *call) {
    uint64_t a[8];
    call_prepare(call, a);
    storm_begin();
    zx_status_t status = call_make(call, a);
    storm_end();
    if (status >= 0)
        call_drop_results(call, a);
    call_tidy();
    return status;
}

/* What a call may say when there is no memory; a page that a copy needs may be missing too. */
static bool is_refusal(zx_status_t status) {
    return status == ZX_ERR_NO_MEMORY || status == ZX_ERR_INVALID_ARGS;
}

static unsigned weather(const struct call *call) {
    zx_status_t want = call_expected(call), status = ZX_ERR_NO_MEMORY;
    unsigned failures = 0, handles = own_handles();
    for (; failures < TURNS_MAX; failures++) {
        status = call_in_storm(call);
        if (own_handles() != handles) {
            utest_fail(__FILE__, __LINE__, "%s, failure %u (%d): %d handles left", call->name,
                       failures, status, (int)(own_handles() - handles));
            return failures;
        }
        if (want == ZX_OK ? status >= 0 : status == want)
            break;
        if (!is_refusal(status))
            utest_fail(__FILE__, __LINE__, "%s, failure %u: %d", call->name, failures, status);
    }
    if (failures == TURNS_MAX)
        utest_fail(__FILE__, __LINE__, "%s never works (%d)", call->name, status);
    return failures;
}

TEST(p20_storm_every_allocation_of_every_call_may_fail) {
    unsigned failures = 0;
    if (!is_storm_there())
        return;
    for (int round = 0; round < 2; round++) {
        struct counters before = count_settled();
        for (size_t i = 0; i < calls_count; i++)
            failures += weather(&calls[i]);
        if (round > 0) /* in the first, tables grow that are kept */
            expect_back("the storm", before);
    }
    EXPECT(failures > 40);
}

/* --- calls in situations where they allocate more --- */

static zx_handle_t scene_vmo, scene_child, scene_region, scene_other;
static uintptr_t scene_base;

static void make_family(void) {
    scene_vmo = make_vmo(300);
    EXPECT_OK(zx_vmo_op_range(scene_vmo, ZX_VMO_OP_COMMIT, 0, 300 * PAGE, NULL, 0));
    scene_child = make_snapshot(scene_vmo, 300);
}
static void make_mapping(void) {
    zx_vaddr_t address;
    scene_vmo = make_vmo(8);
    EXPECT_OK(zx_vmar_allocate(zx_vmar_root_self(),
                               ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_SPECIFIC,
                               0, 16 * PAGE, &scene_region, &scene_base));
    EXPECT_OK(zx_vmar_map(scene_region, READ_WRITE | ZX_VM_SPECIFIC, 0, scene_vmo, 0, 8 * PAGE,
                          &address));
}
static void make_task(void) {
    zx_handle_t vmar;
    EXPECT_OK(zx_process_create(zx_job_default(), "scene", 5, 0, &scene_vmo, &vmar));
    EXPECT_OK(zx_thread_create(scene_vmo, "t", 1, 0, &scene_child));
    EXPECT_OK(zx_event_create(0, &scene_other));
    close_handle(vmar);
}

static zx_status_t write_to_clone(void) { return zx_vmo_write(scene_child, "x", 200 * PAGE, 1); }
static zx_status_t zero_middle(void) {
    return zx_vmo_op_range(scene_vmo, ZX_VMO_OP_ZERO, PAGE + 5, 250 * PAGE, NULL, 0);
}
static zx_status_t commit_clone(void) {
    return zx_vmo_op_range(scene_child, ZX_VMO_OP_COMMIT, 0, 300 * PAGE, NULL, 0);
}
static zx_status_t clone_window(void) {
    zx_handle_t clone;
    zx_status_t status = zx_vmo_create_child(scene_child, ZX_VMO_CHILD_SNAPSHOT, 70 * PAGE,
                                             100 * PAGE, &clone);
    if (status == ZX_OK)
        storm_end(), close_handle(clone);
    return status;
}
static zx_status_t unmap_middle(void) {
    return zx_vmar_unmap(scene_region, scene_base + 2 * PAGE, PAGE);
}
static zx_status_t protect_middle(void) {
    return zx_vmar_protect(scene_region, ZX_VM_PERM_READ, scene_base + 2 * PAGE, PAGE);
}
static zx_status_t overwrite_middle(void) {
    zx_vaddr_t address;
    return zx_vmar_map(scene_region, ZX_VM_PERM_READ | ZX_VM_SPECIFIC_OVERWRITE, 2 * PAGE,
                       scene_vmo, 0, PAGE, &address);
}
static zx_status_t populate(void) {
    zx_vaddr_t address;
    return zx_vmar_map(scene_region, READ_WRITE | ZX_VM_SPECIFIC | ZX_VM_MAP_RANGE, 8 * PAGE,
                       scene_vmo, 0, 8 * PAGE, &address);
}
static zx_status_t start_task(void) {
    return zx_process_start(scene_vmo, scene_child, 0, 0, scene_other, 0);
}

struct scene {
    const char *name;
    void (*make)(void);
    zx_status_t (*act)(void);
};
static const struct scene scenes[] = {
    {"a write to a clone", make_family, write_to_clone},
    {"zero of a shared range", make_family, zero_middle},
    {"commit of a clone", make_family, commit_clone},
    {"a clone of a clone's window", make_family, clone_window},
    {"unmap of a mapping's middle", make_mapping, unmap_middle},
    {"protect of a mapping's middle", make_mapping, protect_middle},
    {"overwrite of a mapping's middle", make_mapping, overwrite_middle},
    {"a map that fills the table", make_mapping, populate},
    {"the start of a process", make_task, start_task},
};

static zx_status_t act_in_storm(const struct scene *scene) {
    scene_vmo = scene_child = scene_region = scene_other = ZX_HANDLE_INVALID;
    scene->make();
    storm_begin();
    zx_status_t status = scene->act();
    storm_end();
    if (scene_region != ZX_HANDLE_INVALID)
        EXPECT_OK(zx_vmar_destroy(scene_region));
    if (scene->make == make_task)
        (void)zx_task_kill(scene_vmo);
    const zx_handle_t handles[] = {scene_vmo, scene_child, scene_region, scene_other};
    /* One may have been given away: its value is not valid any more. */
    (void)zx_handle_close_many(handles, 4);
    return status;
}

TEST(p20_storm_failures_in_the_middle_of_things_leave_nothing_behind) {
    if (!is_storm_there())
        return;
    for (size_t i = 0; i < sizeof scenes / sizeof scenes[0]; i++) {
        zx_status_t status = ZX_ERR_NO_MEMORY;
        unsigned failures = 0;
        (void)act_in_storm(&scenes[i]); /* caches fill */
        struct counters before = count_settled();
        for (; failures < TURNS_MAX && is_refusal(status); failures++)
            status = act_in_storm(&scenes[i]);
        if (status != ZX_OK)
            utest_fail(__FILE__, __LINE__, "%s: %d after %u failures", scenes[i].name, status,
                       failures);
        expect_back(scenes[i].name, before);
    }
}
