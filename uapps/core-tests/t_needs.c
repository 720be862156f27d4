/*
 * t_needs.c - what syscalls.def says a call needs, checked against the kernel.
 *
 * For each handle that a row names: a value that is no handle is BAD_HANDLE, a handle
 * to an object of every other type is WRONG_TYPE, and a handle of the right type that
 * lacks one of the rights is ACCESS_DENIED. All other arguments are as harmless as
 * possible, so that nothing else is wrong with the call.
 */
#include <jacinth/utest.h>
#include <stdio.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

#include "core-tests/support.h"
#include "syscall/expand.h"

/* --- the rows --- */

enum kind {
#define KIND(name, passed, user) KIND_##name,
#include "syscall/kinds.def"
#undef KIND
};

struct need {
    int argument; /* -1: none */
    zx_obj_type_t type;
    zx_rights_t rights;
};
struct row {
    const char *name;
    void *call;
    struct need needs[2]; /* in the order in which the kernel checks them */
    enum kind kinds[8];
};

typedef int32_t any_call(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                         uint64_t);

#define NO_NEED {-1, 0, 0}
#define NEED(i, type, ...)  {i, ZX_OBJ_TYPE_##type, RIGHTS(__VA_ARGS__)}
#define NEEDS_NOTHING       {NO_NEED, NO_NEED}
#define NEEDS(...)          {NEED(__VA_ARGS__), NO_NEED}
#define NEEDS2(first, second) {NEED first, NEED second}
#define KIND_OF(i, kind, name) KIND_##kind
#define SYSCALL(name, text, needs, ...)                                                            \
    {"zx_" #name, (void *)zx_##name, needs, {EACH_PAIR(KIND_OF, __VA_ARGS__)}},
#define SYSCALL_VOID(name, ...)
#define SYSCALL_INNER(name, ...)
#define VDSO_CALL(type, name, ...)

static const struct row rows[] = {
#include "syscall/syscalls.def"
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

/* --- one object of each type --- */

#define OBJECTS_MAX 40
struct sample {
    zx_obj_type_t type;
    zx_handle_t handle;
};
static struct sample samples[OBJECTS_MAX];
static int sample_count;

static void add_sample(zx_status_t status, zx_handle_t handle) {
    zx_info_handle_basic_t info = {0};
    if (status == ZX_OK && zx_object_get_info(handle, ZX_INFO_HANDLE_BASIC, &info, sizeof info,
                                              NULL, NULL) == ZX_OK)
        samples[sample_count++] = (struct sample){info.type, handle};
}

static void add_pair(zx_status_t status, zx_handle_t one, zx_handle_t other) {
    add_sample(status, one);
    if (status == ZX_OK)
        (void)zx_handle_close(other);
}

static void make_tasks(void) {
    zx_handle_t job, process, vmar, thread, token;
    add_sample(zx_job_create(zx_job_default(), 0, &job), job);
    zx_status_t status = zx_process_create(job, "sample", 6, 0, &process, &vmar);
    add_sample(status, process);
    add_sample(status, vmar);
    add_sample(zx_thread_create(process, "sample", 6, 0, &thread), thread);
    add_sample(zx_task_suspend(process, &token), token);
}

static void make_device_samples(zx_handle_t root) {
    static const zx_iommu_desc_dummy_t dummy;
    zx_handle_t iommu = 0, bti = 0;
    zx_status_t status = zx_iommu_create(root, ZX_IOMMU_TYPE_DUMMY, &dummy, 1, &iommu);
    add_sample(status, iommu);
    add_sample(zx_bti_create(iommu, 0, 0, &bti), bti);
    zx_handle_t vmo = make_vmo(1), pmt = 0;
    zx_paddr_t address;
    add_sample(zx_bti_pin(bti, ZX_BTI_PERM_READ, vmo, 0, PAGE, &address, 1, &pmt), pmt);
    close_handle(vmo);
    zx_handle_t msi = 0;
    add_sample(zx_msi_allocate(root, 1, &msi), msi);
}

/* What only a program with the root resource can make; it keeps that for the next test. */
static void make_privileged(void) {
    static zx_handle_t root;
    zx_handle_t copy, log;
    if (root == ZX_HANDLE_INVALID)
        root = zx_take_startup_handle(PA_HND(PA_RESOURCE, 0));
    if (root == ZX_HANDLE_INVALID)
        return;
    make_device_samples(root);
    add_sample(zx_debuglog_create(root, ZX_LOG_FLAG_READABLE, &log), log);
    add_sample(zx_handle_duplicate(root, ZX_RIGHT_SAME_RIGHTS, &copy), copy);
}

static void make_samples(void) {
    zx_handle_t one, other;
    sample_count = 0;
    add_sample(zx_event_create(0, &one), one);
    add_sample(zx_port_create(0, &one), one);
    add_sample(zx_timer_create(0, ZX_CLOCK_MONOTONIC, &one), one);
    add_sample(zx_vmo_create(4096, 0, &one), one);
    add_sample(zx_stream_create(ZX_STREAM_MODE_READ | ZX_STREAM_MODE_WRITE, one, 0, &other), other);
    add_sample(zx_pager_create(0, &one), one);
    add_sample(zx_interrupt_create(0, 0, ZX_INTERRUPT_VIRTUAL, &one), one);
    add_sample(zx_clock_create(0, NULL, &one), one);
    static const zx_profile_info_t info = {.flags = ZX_PROFILE_INFO_FLAG_CPU_MASK};
    add_sample(zx_profile_create(zx_job_default(), 0, &info, &one), one);
    add_pair(zx_eventpair_create(0, &one, &other), one, other);
    add_pair(zx_channel_create(0, &one, &other), one, other);
    add_pair(zx_socket_create(0, &one, &other), one, other);
    add_pair(zx_fifo_create(1, 1, 0, &one, &other), one, other);
    make_tasks();
    make_privileged();
}

static void close_samples(void) {
    for (int i = 0; i < sample_count; i++) {
        if (samples[i].type == ZX_OBJ_TYPE_PMT)
            (void)zx_pmt_unpin(samples[i].handle);
        else
            (void)zx_handle_close(samples[i].handle);
    }
}

static zx_handle_t sample_of(zx_obj_type_t type) {
    if (type == ZX_OBJ_TYPE_TASK)
        type = ZX_OBJ_TYPE_PROCESS;
    if (type == ZX_OBJ_TYPE_ANY)
        type = ZX_OBJ_TYPE_EVENT;
    for (int i = 0; i < sample_count; i++) {
        if (samples[i].type == type)
            return samples[i].handle;
    }
    return ZX_HANDLE_INVALID;
}

/* --- calls --- */

static char scratch[4096];
static zx_channel_call_args_t call_args = {.wr_bytes = scratch, .wr_num_bytes = 16};

static uint64_t harmless(enum kind kind) {
    switch (kind) {
    case KIND_SIZE:
        return 8;
    case KIND_ENTRY_COUNT:
        return 1;
    case KIND_CLOCK_DETAILS:
        return ZX_CLOCK_ARGS_VERSION(1);
    case KIND_CLOCK_UPDATE:
        return ZX_CLOCK_ARGS_VERSION(1) | ZX_CLOCK_UPDATE_OPTION_VALUE_VALID;
    case KIND_IN_CALL_ARGS:
    case KIND_IN_CALL_ETC_ARGS:
        return (uint64_t)&call_args;
    case KIND_HANDLE:
    case KIND_OPTIONS:
    case KIND_U32:
    case KIND_RIGHTS:
    case KIND_SIGNALS:
    case KIND_SIGNAL_MASK:
    case KIND_CLOCK:
    case KIND_VM_OPTIONS:
    case KIND_IO_PORT:
    case KIND_I32:
    case KIND_FUTEX_VALUE:
    case KIND_U64:
    case KIND_KOID:
    case KIND_VADDR:
    case KIND_PADDR:
    case KIND_UINTPTR:
    case KIND_I64:
    case KIND_TIME:
    case KIND_DURATION:
        return 0;
    default:
        return (uint64_t)scratch;
    }
}

/* Call a row with `handle` as the handle of need number `which`; earlier needs are met. */
static zx_status_t call_with(const struct row *row, int which, zx_handle_t handle) {
    uint64_t a[8] = {0};
    for (int i = 0; i < 8; i++)
        a[i] = harmless(row->kinds[i]);
    for (int i = 0; i < which; i++)
        a[row->needs[i].argument] = sample_of(row->needs[i].type);
    a[row->needs[which].argument] = handle;
    return ((any_call *)row->call)(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
}

static void expect_status(const struct row *row, const char *what, zx_status_t want,
                          zx_status_t got) {
    if (want != got)
        utest_fail(__FILE__, __LINE__, "%s with %s is %d, not %d", row->name, what, got, want);
}

#define EACH_NEED(row, need, which)                                                                \
    for (const struct row *row = rows; row < rows + ROW_COUNT; row++)                              \
        for (int which = 0; which < 2; which++)                                                    \
            for (const struct need *need = &row->needs[which]; need; need = NULL)                  \
                if (need->argument >= 0 && !call_is_off(row->name))

TEST(every_call_refuses_what_is_no_handle) {
    make_samples();
    EXPECT(sample_count >= 12);
    EACH_NEED(row, need, which) {
        expect_status(row, "handle 0", ZX_ERR_BAD_HANDLE, call_with(row, which, 0));
        expect_status(row, "a made-up handle", ZX_ERR_BAD_HANDLE,
                      call_with(row, which, 0x3fffffff));
        expect_status(row, "low bits clear", ZX_ERR_BAD_HANDLE,
                      call_with(row, which, sample_of(need->type) & ~3u));
    }
    close_samples();
}

TEST(every_call_refuses_every_other_type) {
    make_samples();
    EXPECT(sample_count >= 12);
    EACH_NEED(row, need, which) {
        for (int i = 0; i < sample_count; i++) {
            if (need->type == ZX_OBJ_TYPE_ANY || need->type == ZX_OBJ_TYPE_TASK ||
                need->type == samples[i].type)
                continue;
            char what[32];
            snprintf(what, sizeof what, "an object of type %u", samples[i].type);
            expect_status(row, what, ZX_ERR_WRONG_TYPE, call_with(row, which, samples[i].handle));
        }
    }
    close_samples();
}

/* A handle with all rights of the sample but one. */
static zx_handle_t without(zx_handle_t handle, zx_rights_t right) {
    zx_info_handle_basic_t info;
    zx_handle_t weaker;
    if (zx_object_get_info(handle, ZX_INFO_HANDLE_BASIC, &info, sizeof info, NULL, NULL) != ZX_OK)
        return ZX_HANDLE_INVALID;
    if (zx_handle_duplicate(handle, info.rights & ~right, &weaker) == ZX_OK)
        return weaker;
    /* A channel's end cannot be duplicated: take it, and make a new one for the next test. */
    if (zx_handle_replace(handle, info.rights & ~right, &weaker) != ZX_OK)
        return ZX_HANDLE_INVALID;
    for (int i = 0; i < sample_count; i++) {
        zx_handle_t other;
        if (samples[i].handle == handle &&
            zx_channel_create(0, &samples[i].handle, &other) == ZX_OK)
            (void)zx_handle_close(other);
    }
    return weaker;
}

TEST(every_call_refuses_a_handle_that_lacks_a_right) {
    make_samples();
    EXPECT(sample_count >= 12);
    EACH_NEED(row, need, which) {
        zx_handle_t sample = sample_of(need->type);
        for (zx_rights_t right = 1; right != 0 && sample != ZX_HANDLE_INVALID; right <<= 1) {
            if (!(need->rights & right))
                continue;
            char what[40];
            snprintf(what, sizeof what, "right %#x missing", right);
            zx_handle_t weaker = without(sample, right);
            expect_status(row, what, ZX_ERR_ACCESS_DENIED, call_with(row, which, weaker));
            (void)zx_handle_close(weaker);
            sample = sample_of(need->type);
        }
    }
    close_samples();
}
