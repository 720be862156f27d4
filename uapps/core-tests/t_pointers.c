/*
 * t_pointers.c - every pointer of every row of syscalls.def, made bad in every way
 * (P19): ZX_ERR_INVALID_ARGS, no handle more or less, and the kernel goes on.
 *
 * The list cannot be shorter than the table: each row names prepare_NAME, which makes
 * arguments with which the call works. Then each pointer in turn is replaced.
 */
#include <jacinth/utest.h>
#include <stdio.h>
#include <string.h>
#include <zircon/processargs.h>

#include "core-tests/support.h"
#include "syscall/expand.h"

/* --- what prepare_ functions make --- */

#define MADE_MAX 8
static zx_handle_t made[MADE_MAX];
static int made_count;
static _Alignas(4096) char buffers[8][4096];
static zx_handle_t handle_list[2];
static zx_channel_call_args_t call_args;

static zx_handle_t keep(zx_handle_t handle) {
    made[made_count++] = handle;
    return handle;
}

static zx_handle_t event(void) {
    zx_handle_t handle = 0;
    EXPECT_OK(zx_event_create(0, &handle));
    return keep(handle);
}
static zx_handle_t vmo(void) { return keep(make_vmo(1)); }
static zx_handle_t port(void) {
    zx_handle_t handle = 0;
    EXPECT_OK(zx_port_create(0, &handle));
    return keep(handle);
}
static zx_handle_t region(void) {
    zx_handle_t handle = 0;
    zx_vaddr_t address;
    EXPECT_OK(zx_vmar_allocate(zx_vmar_root_self(), ZX_VM_CAN_MAP_READ, 0, 4 * PAGE, &handle,
                               &address));
    EXPECT_OK(zx_vmar_destroy(handle)); /* the next test needs no tidying */
    return keep(handle);
}
static zx_handle_t channel_with_message(bool with_handle) {
    zx_handle_t one = 0, other = 0, inside = event();
    EXPECT_OK(zx_channel_create(0, &one, &other));
    EXPECT_OK(zx_channel_write(one, 0, "message", 8, &inside, with_handle));
    keep(one);
    return keep(other);
}
static zx_handle_t socket_with_bytes(void) {
    zx_handle_t one = 0, other = 0;
    EXPECT_OK(zx_socket_create(0, &one, &other));
    EXPECT_OK(zx_socket_write(one, 0, "12345678", 8, NULL));
    keep(one);
    return keep(other);
}

static void tidy(void) {
    for (int i = 0; i < made_count; i++) {
        if (zx_object_get_info(made[i], ZX_INFO_HANDLE_VALID, NULL, 0, NULL, NULL) == ZX_OK)
            close_handle(made[i]);
    }
    made_count = 0;
}

/* Pointers are buffers already; a prepare_ function fills in the rest. */
#define PREPARE(name) static void prepare_##name(uint64_t *a)
#define NOTHING_TO_DO(name)                                                                        \
    PREPARE(name) {}

PREPARE(handle_close) { a[0] = event(); }
PREPARE(handle_close_many) {
    handle_list[0] = event();
    memcpy(buffers[0], handle_list, 4);
    a[1] = 1;
}
PREPARE(handle_duplicate) {
    a[0] = event();
    a[1] = ZX_RIGHT_SAME_RIGHTS;
}
PREPARE(handle_replace) { prepare_handle_duplicate(a); }
PREPARE(object_wait_one) {
    a[0] = event();
    EXPECT_OK(zx_object_signal((zx_handle_t)a[0], 0, ZX_EVENT_SIGNALED));
    a[1] = ZX_EVENT_SIGNALED;
}
PREPARE(object_wait_many) {
    zx_wait_item_t item = {event(), ZX_EVENT_SIGNALED, 0};
    EXPECT_OK(zx_object_signal(item.handle, 0, ZX_EVENT_SIGNALED));
    memcpy(buffers[0], &item, sizeof item);
    a[1] = 1;
}
PREPARE(object_wait_async) {
    a[0] = event();
    a[1] = port();
    a[3] = ZX_EVENT_SIGNALED;
}
PREPARE(object_signal) { a[0] = event(); }
PREPARE(object_signal_peer) { a[0] = channel_with_message(false); }
PREPARE(object_get_info) {
    a[0] = event();
    a[1] = ZX_INFO_HANDLE_BASIC;
    a[3] = sizeof(zx_info_handle_basic_t);
}
PREPARE(object_get_child) {
    zx_handle_t process = 0, vmar = 0;
    EXPECT_OK(zx_process_create(zx_job_default(), "p", 1, 0, &process, &vmar));
    keep(process);
    keep(vmar);
    a[0] = zx_job_default();
    a[1] = koid_of(process);
    a[2] = ZX_RIGHT_SAME_RIGHTS;
}
PREPARE(object_get_property) {
    a[0] = vmo();
    a[1] = ZX_PROP_NAME;
    a[3] = ZX_MAX_NAME_LEN;
}
PREPARE(object_set_property) {
    prepare_object_get_property(a);
    strcpy(buffers[2], "name");
}
NOTHING_TO_DO(clock_get)
NOTHING_TO_DO(nanosleep)
NOTHING_TO_DO(timer_create)
PREPARE(timer_set) {
    zx_handle_t timer = 0;
    EXPECT_OK(zx_timer_create(0, ZX_CLOCK_MONOTONIC, &timer));
    a[0] = keep(timer);
}
PREPARE(timer_cancel) { prepare_timer_set(a); }
NOTHING_TO_DO(event_create)
NOTHING_TO_DO(eventpair_create)
NOTHING_TO_DO(channel_create)
PREPARE(channel_read) {
    a[0] = channel_with_message(true);
    a[4] = 64;
    a[5] = 4;
}
PREPARE(channel_read_etc) { prepare_channel_read(a); }
PREPARE(channel_write) {
    a[0] = channel_with_message(false);
    handle_list[0] = event();
    memcpy(buffers[4], handle_list, 4);
    a[3] = 16;
    a[5] = 1;
}
/* The answer is there before the question: number 0x80000001 is the first that a channel uses. */
PREPARE(channel_call) {
    a[0] = channel_with_message(false);
    call_args = (zx_channel_call_args_t){.wr_bytes = buffers[6],
                                         .wr_num_bytes = 16,
                                         .rd_bytes = buffers[7],
                                         .rd_num_bytes = 64};
    memcpy(buffers[3], &call_args, sizeof call_args);
}
NOTHING_TO_DO(socket_create)
PREPARE(socket_read) {
    a[0] = socket_with_bytes();
    a[3] = 8;
}
PREPARE(socket_write) { prepare_socket_read(a); }
PREPARE(socket_set_disposition) { a[0] = socket_with_bytes(); }
NOTHING_TO_DO(port_create)
PREPARE(port_queue) { a[0] = port(); }
PREPARE(port_wait) {
    zx_port_packet_t packet = {.key = 1};
    a[0] = port();
    EXPECT_OK(zx_port_queue((zx_handle_t)a[0], &packet));
}
PREPARE(port_cancel) {
    a[0] = port();
    a[1] = event();
}
PREPARE(process_create) {
    a[0] = zx_job_default();
    a[2] = 4;
}
PREPARE(process_start) { a[0] = event(); }
static uint64_t remote_word;
PREPARE(process_read_memory) {
    a[0] = zx_process_self();
    a[1] = (uint64_t)&remote_word;
    a[3] = 8;
}
PREPARE(process_write_memory) { prepare_process_read_memory(a); }
PREPARE(thread_create) {
    a[0] = zx_process_self();
    a[2] = 4;
}
PREPARE(thread_start) { a[0] = event(); }
PREPARE(task_kill) { a[0] = event(); }
PREPARE(job_create) { a[0] = zx_job_default(); }
PREPARE(vmo_create) { a[0] = PAGE; }
PREPARE(vmo_read) {
    a[0] = vmo();
    a[3] = 8;
}
PREPARE(vmo_write) { prepare_vmo_read(a); }
PREPARE(vmo_get_size) { a[0] = vmo(); }
PREPARE(vmo_set_size) { a[0] = vmo(); }
PREPARE(vmo_op_range) {
    a[0] = vmo();
    a[1] = ZX_VMO_OP_ZERO;
    a[3] = PAGE;
}
PREPARE(vmo_create_child) {
    a[0] = vmo();
    a[1] = ZX_VMO_CHILD_SNAPSHOT;
    a[3] = PAGE;
}
PREPARE(vmo_replace_as_executable) { a[0] = vmo(); }
PREPARE(vmar_allocate) {
    a[0] = zx_vmar_root_self();
    a[3] = PAGE;
}
PREPARE(vmar_map) {
    a[0] = zx_vmar_root_self();
    a[1] = ZX_VM_PERM_READ;
    a[3] = vmo();
    a[5] = PAGE;
}
PREPARE(vmar_unmap) { a[0] = region(); }
PREPARE(vmar_protect) { a[0] = region(); }
PREPARE(vmar_destroy) { a[0] = region(); }
PREPARE(vmar_op_range) {
    a[0] = region();
    a[1] = ZX_VMAR_OP_COMMIT;
    a[2] = PAGE;
    a[3] = PAGE;
    a[4] = 0; /* takes no buffer */
}
PREPARE(futex_wait) { memset(buffers[0], 0, 8); }
NOTHING_TO_DO(futex_wake)
PREPARE(debug_read) { a[0] = event(); }
PREPARE(debug_write) { a[1] = 0; }
PREPARE(debuglog_create) { a[0] = root_resource(); }
PREPARE(debuglog_read) {
    zx_handle_t log = 0;
    EXPECT_OK(zx_debuglog_create(root_resource(), ZX_LOG_FLAG_READABLE, &log));
    a[0] = keep(log);
    a[3] = ZX_LOG_RECORD_MAX;
}
PREPARE(debuglog_write) {
    prepare_debuglog_read(a);
    a[3] = 4;
    memcpy(buffers[2], "test", 4);
}
PREPARE(resource_create) {
    a[0] = root_resource();
    a[1] = ZX_RSRC_KIND_ROOT;
    a[5] = 4;
}
PREPARE(system_get_event) {
    a[0] = zx_job_default();
    a[1] = ZX_SYSTEM_EVENT_OUT_OF_MEMORY;
}
PREPARE(system_powerctl) { a[0] = root_resource(); }

/* --- the table --- */

enum kind {
    KIND_none,
#define KIND(name, passed, user) KIND_##name,
#include "syscall/kinds.def"
#undef KIND
};
enum passed { none_passed, u32, i32, u64, i64, in, out };
static const enum passed passed_of[] = {
    [KIND_none] = none_passed,
#define KIND(name, passed, user) [KIND_##name] = passed,
#include "syscall/kinds.def"
#undef KIND
};

struct row {
    const char *name;
    void *call;
    void (*prepare)(uint64_t *a);
    enum kind kinds[9];
};

typedef int32_t any_call(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t,
                         uint64_t);

#define KIND_OF(i, kind, name) KIND_##kind
#define SYSCALL(name, text, needs, ...)                                                            \
    {#name, (void *)zx_##name, prepare_##name, {EACH_PAIR(KIND_OF, __VA_ARGS__)}},
#define SYSCALL_VOID(name, ...)
#define SYSCALL_INNER(name, ...)
#define VDSO_CALL(type, name, ...)

static const struct row rows[] = {
#include "syscall/syscalls.def"
};
#define ROW_COUNT (sizeof rows / sizeof rows[0])

static bool is_pointer(const struct row *row, int i) {
    return row->kinds[i] != KIND_none && passed_of[row->kinds[i]] >= in;
}

/* --- bad pointers --- */

enum bad { BAD_NULL, BAD_LOW, BAD_KERNEL, BAD_IMAGE, BAD_CROOKED, BAD_UNMAPPED, BAD_STRADDLE,
           BAD_TOP, BAD_LAST, BAD_READ_ONLY, BAD_COUNT };
static const char *const bad_names[] = {"null", "low", "kernel", "kernel image", "non-canonical",
                                        "unmapped", "straddling", "end of user space",
                                        "last bytes", "read-only"};
static uintptr_t bad_address[BAD_COUNT];

/* [mapped][nothing][read-only][nothing] */
static bool make_bad_addresses(void) {
    static zx_handle_t place;
    zx_vaddr_t base, got;
    zx_handle_t object = make_vmo(1);
    if (place != ZX_HANDLE_INVALID) {
        close_handle(object);
        return true;
    }
    if (zx_vmar_allocate(zx_vmar_root_self(),
                         ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_SPECIFIC, 0,
                         4 * PAGE, &place, &base) != ZX_OK)
        return false;
    EXPECT_OK(zx_vmar_map(place, READ_WRITE | ZX_VM_SPECIFIC, 0, object, 0, PAGE, &got));
    EXPECT_OK(
        zx_vmar_map(place, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 2 * PAGE, object, 0, PAGE, &got));
    close_handle(object);
    const uintptr_t addresses[BAD_COUNT] = {
        [BAD_NULL] = 0,
        [BAD_LOW] = 8,
        [BAD_KERNEL] = 0xffff800000001000,
        [BAD_IMAGE] = 0xffffffff80100000,
        [BAD_CROOKED] = 0x0000900000000000,
        [BAD_UNMAPPED] = base + PAGE,
        [BAD_STRADDLE] = base + PAGE - 2,
        [BAD_TOP] = 0x00007ffffffff000,
        [BAD_LAST] = UINTPTR_MAX - 2,
        [BAD_READ_ONLY] = base + 2 * PAGE,
    };
    memcpy(bad_address, addresses, sizeof addresses);
    return true;
}

/* Pointers of which NULL, or anything, is good; what the documents say of each. */
struct exception {
    const char *name;
    int argument;
    bool any; /* not only NULL: the call never looks */
};
static const struct exception exceptions[] = {
    {"object_wait_one", 3, false},
    {"object_get_info", 4, false},
    {"object_get_info", 5, false},
    {"channel_read", 6, false},
    {"channel_read", 7, false},
    {"channel_read_etc", 6, false},
    {"channel_read_etc", 7, false},
    {"channel_call", 4, true}, /* the call times out: there is no answer */
    {"channel_call", 5, true},
    {"socket_read", 4, false},
    {"socket_write", 4, false},
    {"process_read_memory", 4, false},
    {"process_write_memory", 4, false},
    {"vmo_op_range", 4, true},
    {"vmar_op_range", 4, false},
    {"futex_wake", 0, true},
    {"debug_read", 1, true}, /* the handle is wrong: no test takes the console's input */
    {"debug_read", 3, true},
    {"debug_write", 0, true}, /* of no bytes */
    {"system_powerctl", 2, true},
};

static bool is_good_after_all(const struct row *row, int argument, enum bad bad) {
    if (bad == BAD_READ_ONLY && passed_of[row->kinds[argument]] == in)
        return true;
    /* One unaligned byte is enough for text; a straddling string is read as far as it goes. */
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++) {
        if (strcmp(exceptions[i].name, row->name) == 0 && exceptions[i].argument == argument)
            return exceptions[i].any || bad == BAD_NULL;
    }
    return false;
}

static void prepare(const struct row *row, uint64_t *a) {
    memset(buffers, 0, sizeof buffers);
    for (int i = 0; i < 8; i++)
        a[i] = is_pointer(row, i) ? (uint64_t)buffers[i] : 0;
    row->prepare(a);
}

static zx_status_t call(const struct row *row, const uint64_t *a) {
    return ((any_call *)row->call)(a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]);
}

/* After a call that worked: what it made goes away. */
static void drop_results(const struct row *row, const uint64_t *a) {
    for (int i = 0; i < 8; i++) {
        zx_handle_t handle;
        if ((row->kinds[i] != KIND_OUT_HANDLE && row->kinds[i] != KIND_OUT_HANDLES &&
             row->kinds[i] != KIND_OUT_HANDLE_INFOS))
            continue;
        memcpy(&handle, (const void *)a[i], 4);
        if (handle != ZX_HANDLE_INVALID)
            close_handle(handle);
    }
}

static void try_bad(const struct row *row, int argument, enum bad bad) {
    uint64_t a[8];
    unsigned before = own_handles();
    prepare(row, a);
    /* What can be read there is what the call wants to read. */
    memcpy((void *)(bad_address[BAD_UNMAPPED] - PAGE), buffers[argument], PAGE);
    a[argument] = bad_address[bad];
    zx_status_t status = call(row, a);
    if (status >= 0) {
        a[argument] = (uint64_t)buffers[argument]; /* it was not looked at */
        drop_results(row, a);
    }
    tidy();
    unsigned after = own_handles();
    bool expected = status == ZX_ERR_INVALID_ARGS || is_good_after_all(row, argument, bad);
    if (!expected)
        utest_fail(__FILE__, __LINE__, "%s, argument %d %s: %d", row->name, argument,
                   bad_names[bad], status);
    if (after != before)
        utest_fail(__FILE__, __LINE__, "%s, argument %d %s: %d handles left", row->name, argument,
                   bad_names[bad], (int)(after - before));
}

TEST(p19_every_bad_pointer_of_every_call_is_refused_and_nothing_leaks) {
    REQUIRE(make_bad_addresses());
    for (size_t i = 0; i < ROW_COUNT; i++) {
        for (int argument = 0; argument < 8; argument++) {
            if (!is_pointer(&rows[i], argument))
                continue;
            for (int bad = 0; bad < BAD_COUNT; bad++)
                try_bad(&rows[i], argument, (enum bad)bad);
        }
    }
}

/* The arguments are good ones, or the test above would show nothing. */
TEST(p38_every_call_works_with_good_pointers) {
    static const struct {
        const char *name;
        zx_status_t status;
    } others[] = {
        {"channel_call", ZX_ERR_TIMED_OUT},   {"process_start", ZX_ERR_WRONG_TYPE},
        {"thread_start", ZX_ERR_WRONG_TYPE},  {"task_kill", ZX_ERR_ACCESS_DENIED},
        {"port_cancel", ZX_ERR_NOT_FOUND},    {"futex_wait", ZX_ERR_TIMED_OUT},
        {"debug_read", ZX_ERR_WRONG_TYPE},    {"vmo_set_size", ZX_ERR_UNAVAILABLE},
        {"vmar_unmap", ZX_ERR_INVALID_ARGS},  {"vmar_protect", ZX_ERR_INVALID_ARGS},
        {"vmar_destroy", ZX_ERR_BAD_STATE},   {"vmar_op_range", ZX_ERR_ACCESS_DENIED},
         {"system_powerctl", ZX_ERR_INVALID_ARGS},
    };
    for (size_t i = 0; i < ROW_COUNT; i++) {
        uint64_t a[8];
        zx_status_t want = ZX_OK;
        unsigned before = own_handles();
        for (size_t j = 0; j < sizeof others / sizeof others[0]; j++) {
            if (strcmp(others[j].name, rows[i].name) == 0)
                want = others[j].status;
        }
        prepare(&rows[i], a);
        zx_status_t status = call(&rows[i], a);
        if (status >= 0)
            drop_results(&rows[i], a);
        tidy();
        /* A record's length is a success too. */
        if (want == ZX_OK ? status < 0 : status != want)
            utest_fail(__FILE__, __LINE__, "%s is %d, not %d", rows[i].name, status, want);
        if (own_handles() != before)
            utest_fail(__FILE__, __LINE__, "%s: %d handles left", rows[i].name,
                       (int)(own_handles() - before));
    }
}

/* Structures that hold pointers. */
TEST(p19_bad_pointers_inside_the_arguments_of_a_call_are_refused) {
    zx_handle_t one, other;
    REQUIRE(make_bad_addresses());
    REQUIRE_OK(zx_channel_create(0, &one, &other));
    unsigned before = own_handles();
    for (int bad = 0; bad < BAD_COUNT; bad++) {
        void *pointer = (void *)bad_address[bad];
        zx_channel_call_args_t args = {
            .wr_bytes = pointer, .wr_num_bytes = 16, .rd_bytes = buffers[0], .rd_num_bytes = 64};
        zx_status_t want = bad == BAD_READ_ONLY ? ZX_ERR_TIMED_OUT : ZX_ERR_INVALID_ARGS;
        EXPECT_EQ(want, zx_channel_call(one, 0, 0, &args, NULL, NULL));
        args.wr_bytes = buffers[1];
        args.wr_handles = pointer;
        args.wr_num_handles = 1;
        if (bad != BAD_READ_ONLY)
            EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_channel_call(one, 0, 0, &args, NULL, NULL));
    }
    EXPECT_EQ(before, own_handles());
    close_handle(one);
    close_handle(other);
}

TEST(a_closed_handle_is_bad_for_every_call) {
    zx_handle_t closed = make_vmo(1);
    close_handle(closed);
    for (size_t i = 0; i < ROW_COUNT; i++) {
        for (int argument = 0; argument < 8; argument++) {
            uint64_t a[8];
            if (rows[i].kinds[argument] != KIND_HANDLE)
                continue;
            unsigned before = own_handles();
            prepare(&rows[i], a);
            a[argument] = closed;
            zx_status_t status = call(&rows[i], a);
            tidy();
            /* Earlier arguments may be wrong, a value may not match, and time may be up first. */
            bool refused = status == ZX_ERR_BAD_HANDLE || status == ZX_ERR_WRONG_TYPE;
            if (!refused)
                utest_fail(__FILE__, __LINE__, "%s, argument %d closed: %d", rows[i].name,
                           argument, status);
            EXPECT_EQ(before, own_handles());
        }
    }
}
