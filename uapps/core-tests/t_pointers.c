/*
 * t_pointers.c - every pointer of every row of syscalls.def, made bad in every way
 * (P19): ZX_ERR_INVALID_ARGS, no handle more or less, and the kernel goes on. The
 * good arguments come from call_arguments.c; then each pointer in turn is replaced.
 */
#include <jacinth/utest.h>
#include <string.h>
#include <threads.h>

#include "core-tests/calls.h"
#include "core-tests/support.h"

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
    {"channel_call_etc", 4, true},
    {"channel_call_etc", 5, true},
    {"ktrace_control", 3, true}, /* for actions that this kernel does not have */
    {"socket_read", 4, false},
    {"socket_write", 4, false},
    {"fifo_read", 4, false},
    {"fifo_write", 4, false},
    {"stream_readv", 4, false},
    {"stream_readv_at", 5, false},
    {"stream_writev", 4, false},
    {"stream_writev_at", 5, false},
    {"stream_seek", 3, false},
    {"process_read_memory", 4, false},
    {"process_write_memory", 4, false},
    {"vmo_op_range", 4, true},
    {"interrupt_wait", 1, false},
    {"vmar_op_range", 4, false},
    {"pager_query_dirty_ranges", 6, false},
    {"pager_query_dirty_ranges", 7, false},
    {"futex_wake", 0, true}, /* its waiters are looked for, not its value */
    {"futex_wake_single_owner", 0, true},
    {"futex_requeue", 3, true},
    {"futex_requeue_single_owner", 2, true},
    {"futex_get_owner", 0, true},
    {"debug_read", 1, true}, /* the handle is wrong: no test takes the console's input */
    {"debug_read", 3, true},
    {"debug_write", 0, true}, /* of no bytes */
    {"system_powerctl", 2, true},
};

static bool is_good_after_all(const struct call *row, int argument, enum bad bad) {
    if (bad == BAD_READ_ONLY && call_reads(row, argument))
        return true;
    /* Their results are written only after a failure. */
    if (bad == BAD_READ_ONLY && row->kinds[argument] == KIND_INOUT_DISPOSITIONS)
        return true;
    if (bad == BAD_STRADDLE && strcmp(row->name, "iommu_create") == 0)
        return true; /* its one byte lies before the hole */
    /* One unaligned byte is enough for text; a straddling string is read as far as it goes. */
    for (size_t i = 0; i < sizeof exceptions / sizeof exceptions[0]; i++) {
        if (strcmp(exceptions[i].name, row->name) == 0 && exceptions[i].argument == argument)
            return exceptions[i].any || bad == BAD_NULL;
    }
    return false;
}

static void try_bad(const struct call *row, int argument, enum bad bad) {
    uint64_t a[8];
    unsigned before = own_handles();
    call_prepare(row, a);
    /* What can be read there is what the call wants to read. */
    memcpy((void *)(bad_address[BAD_UNMAPPED] - PAGE), call_buffers[argument], PAGE);
    a[argument] = bad_address[bad];
    zx_status_t status = call_make(row, a);
    if (status >= 0) {
        a[argument] = (uint64_t)call_buffers[argument]; /* it was not looked at */
        call_drop_results(row, a);
    }
    call_tidy();
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
    for (size_t i = 0; i < calls_count; i++) {
        if (call_is_off(calls[i].name))
            continue;
        for (int argument = 0; argument < 8; argument++) {
            if (!call_has_pointer(&calls[i], argument))
                continue;
            for (int bad = 0; bad < BAD_COUNT; bad++)
                try_bad(&calls[i], argument, (enum bad)bad);
        }
    }
}

/* The arguments are good ones, or the test above would show nothing. */
TEST(p38_every_call_works_with_good_pointers) {
    for (size_t i = 0; i < calls_count; i++) {
        uint64_t a[8];
        if (call_is_off(calls[i].name))
            continue;
        zx_status_t want = call_expected(&calls[i]);
        unsigned before = own_handles();
        call_prepare(&calls[i], a);
        zx_status_t status = call_make(&calls[i], a);
        if (status >= 0)
            call_drop_results(&calls[i], a);
        call_tidy();
        /* A record's length is a success too. */
        if (want == ZX_OK ? status < 0 : status != want)
            utest_fail(__FILE__, __LINE__, "%s is %d, not %d", calls[i].name, status, want);
        if (own_handles() != before)
            utest_fail(__FILE__, __LINE__, "%s: %d handles left", calls[i].name,
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
            .wr_bytes = pointer, .wr_num_bytes = 16, .rd_bytes = call_buffers[0], .rd_num_bytes = 64};
        zx_status_t want = bad == BAD_READ_ONLY ? ZX_ERR_TIMED_OUT : ZX_ERR_INVALID_ARGS;
        EXPECT_EQ(want, zx_channel_call(one, 0, 0, &args, NULL, NULL));
        args.wr_bytes = call_buffers[1];
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
    for (size_t i = 0; i < calls_count; i++) {
        for (int argument = 0; argument < 8; argument++) {
            uint64_t a[8];
            if (calls[i].kinds[argument] != KIND_HANDLE)
                continue;
            unsigned before = own_handles();
            call_prepare(&calls[i], a);
            a[argument] = closed;
            zx_status_t status = call_make(&calls[i], a);
            call_tidy();
            /* Earlier arguments may be wrong, a value may not match, and time may be up first. */
            bool refused = status == ZX_ERR_BAD_HANDLE || status == ZX_ERR_WRONG_TYPE;
            /* A virtual interrupt comes from nowhere: the handle is not looked at. */
            if (strcmp(calls[i].name, "interrupt_create") == 0)
                call_drop_results(&calls[i], a);
            else if (!refused)
                utest_fail(__FILE__, __LINE__, "%s, argument %d closed: %d", calls[i].name,
                           argument, status);
            EXPECT_EQ(before, own_handles());
        }
    }
}

/* --- pointers that go bad during the call --- */

static struct {
    zx_handle_t place, object; /* a region of one page, and what is mapped there now and then */
    zx_vaddr_t address;
    _Atomic bool over;
    _Atomic unsigned rounds;
} flicker;

static int flicker_main(void *unused) {
    zx_vaddr_t got;
    while (!flicker.over) {
        EXPECT_OK(zx_vmar_map(flicker.place, READ_WRITE | ZX_VM_SPECIFIC, 0, flicker.object, 0,
                              PAGE, &got));
        if (flicker.rounds++ % 2)
            zx_nanosleep(0);
        EXPECT_OK(zx_vmar_unmap(flicker.place, flicker.address, PAGE));
    }
    return 0;
}

/* The page's content is reached through its object, because its address comes and goes. */
static void try_flickering(const struct call *row, int argument) {
    uint64_t a[8];
    call_prepare(row, a);
    EXPECT_OK(zx_vmo_write(flicker.object, call_buffers[argument], 0, PAGE));
    a[argument] = flicker.address;
    zx_status_t status = call_make(row, a), want = call_expected(row);
    if (status >= 0) {
        EXPECT_OK(zx_vmo_read(flicker.object, call_buffers[argument], 0, PAGE));
        a[argument] = (uint64_t)call_buffers[argument];
        call_drop_results(row, a);
    }
    call_tidy();
    if (status != ZX_ERR_INVALID_ARGS && (want == ZX_OK ? status < 0 : status != want))
        utest_fail(__FILE__, __LINE__, "%s, argument %d flickering: %d", row->name, argument,
                   status);
}

static void try_all_flickering(void) {
    for (size_t i = 0; i < calls_count; i++)
        for (int argument = 0; argument < 8; argument++)
            for (int round = 0; call_has_pointer(&calls[i], argument) && round < 12; round++)
                try_flickering(&calls[i], argument);
}

TEST(p19_a_pointer_that_another_thread_unmaps_during_the_call_harms_nobody) {
    thrd_t thread;
    unsigned before = own_handles();
    flicker.over = false;
    flicker.object = make_vmo(1);
    REQUIRE_OK(zx_vmar_allocate(
        zx_vmar_root_self(), ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_SPECIFIC, 0,
        PAGE, &flicker.place, &flicker.address));
    REQUIRE_EQ(thrd_success, thrd_create(&thread, flicker_main, NULL));
    try_all_flickering();
    flicker.over = true;
    EXPECT_EQ(thrd_success, thrd_join(thread, NULL));
    EXPECT(flicker.rounds > 10);
    EXPECT_OK(zx_vmar_destroy(flicker.place));
    close_handle(flicker.place);
    close_handle(flicker.object);
    EXPECT_EQ(before, own_handles());
}
