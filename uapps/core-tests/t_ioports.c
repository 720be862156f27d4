/*
 * t_ioports.c - I/O ports for programs: who may use which, in which process, on which CPU.
 *
 * The ports are those of PCI's first way into configuration space: what is written to the
 * first can be read back, and then names the host bridge. Without the root resource there is
 * nothing to test.
 */
#include <jacinth/utest.h>
#include <threads.h>

#include "core-tests/support.h"

#define PCI_ADDRESS 0xcf8
#define PCI_DATA    0xcfc
#define BRIDGE      0x80000000u

static void out32(uint16_t port, uint32_t value) {
    __asm__ volatile("outl %0, %1" ::"a"(value), "d"(port));
}
static uint32_t in32(uint16_t port) {
    uint32_t value;
    __asm__ volatile("inl %1, %0" : "=a"(value) : "d"(port));
    return value;
}

/* --- what is asked for --- */

static zx_handle_t ports_resource(uint16_t first, size_t count) {
    zx_handle_t made = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_resource_create(root_resource(), ZX_RSRC_KIND_IOPORT, first, count, "", 0, &made));
    return made;
}

TEST(ioports_request_wants_a_resource_that_contains_the_range) {
    zx_handle_t ports, irq;
    if (root_resource() == ZX_HANDLE_INVALID)
        return;
    ports = ports_resource(0x80, 2);
    EXPECT_OK(zx_resource_create(root_resource(), ZX_RSRC_KIND_IRQ, 0x80, 2, "", 0, &irq));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_ioports_request(ZX_HANDLE_INVALID, 0xffff, 2));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_ioports_request(irq, 0x80, 1));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_ioports_request(irq, 0xffff, 2));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_ioports_request(zx_process_self(), 0x80, 1));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_ioports_request(ports, 0x7f, 1));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_ioports_request(ports, 0x80, 3));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_ioports_request(ports, 0x81, 2));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_ioports_request(ports, 0x80, UINT32_MAX));
    /* The root contains all that there is. */
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_ioports_request(root_resource(), 0xffff, 2));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_ioports_request(root_resource(), 1, 65536));
    EXPECT_EQ(ZX_ERR_OUT_OF_RANGE, zx_ioports_request(root_resource(), 0, UINT32_MAX));
    EXPECT_OK(zx_ioports_request(ports, 0x80, 0));
    EXPECT_OK(zx_ioports_request(ports, 0x81, 1));
    close_handle(ports);
    close_handle(irq);
}

/* --- what a child may do --- */

enum { REQUEST = 1, STATUS, READ_BACK, DATA, PROGRESS }; /* words of its data page */

/*
 * Asks for eight ports from PCI_ADDRESS on with the handle that it was given, if any; uses
 * them; then tries what lies at their end.
 */
#define PORT_CODE(name, last)                                                                      \
    CODE(name, "mov %rsi, %rbp\n\t"                                                                \
               "test %edi, %edi\n\t"                                                               \
               "jz 1f\n\t"                                                                         \
               "mov $0xcf8, %esi\n\t"                                                              \
               "mov $8, %edx\n\t"                                                                  \
               "call *8(%rbp)\n\t"                                                                 \
               "mov %eax, 16(%rbp)\n"                                                              \
               "1:\tmov $0xcf8, %edx\n\t"                                                          \
               "mov $0x80000000, %eax\n\t"                                                         \
               "outl %eax, %dx\n\t"                                                                \
               "inl %dx, %eax\n\t"                                                                 \
               "mov %eax, 24(%rbp)\n\t"                                                            \
               "mov $0xcfc, %edx\n\t"                                                              \
               "inl %dx, %eax\n\t"                                                                 \
               "mov %eax, 32(%rbp)\n\t"                                                            \
               "movl $1, 40(%rbp)\n\t" last "\n\t"                                                 \
               "movl $2, 40(%rbp)\n\t"                                                             \
               "ud2")
PORT_CODE(one_before, "mov $0xcf7, %edx\n\tinb %dx, %al");
PORT_CODE(one_behind, "mov $0xd00, %edx\n\toutb %al, %dx");
PORT_CODE(half_behind, "mov $0xcff, %edx\n\tinw %dx, %ax");
PORT_CODE(last_port, "mov $0xffff, %edx\n\tinb %dx, %al");
PORT_CODE(last_inside, "mov $0xcfe, %edx\n\tinw %dx, %ax");

/* Runs it to its exception, whose vector is the result, and ends it; child_end is the caller's. */
static uint64_t run_to_exception(struct child *child, const void *code, const void *code_end,
                                 zx_handle_t resource) {
    zx_handle_t channel = ZX_HANDLE_INVALID;
    zx_exception_report_t report = {0};
    if (!child_make(child, code, code_end) || !child_give_vdso(child))
        return UINT64_MAX;
    child->data[REQUEST] = child_call(child, "zx_ioports_request");
    EXPECT_OK(zx_task_create_exception_channel(child->process, 0, &channel));
    EXPECT_OK(zx_process_start(child->process, child->thread, CHILD_CODE, CHILD_STACK, resource,
                               CHILD_DATA));
    EXPECT_OK(zx_object_wait_one(channel, ZX_CHANNEL_READABLE, zx_deadline_after(ZX_SEC(10)),
                                 NULL));
    EXPECT_OK(zx_object_get_info(child->thread, ZX_INFO_THREAD_EXCEPTION_REPORT, &report,
                                 sizeof report, NULL, NULL));
    EXPECT_OK(zx_task_kill(child->process));
    close_handle(channel);
    return report.context.arch.u.x86_64.vector;
}

#define PROTECTION 13
#define UNDEFINED  6

TEST(p30_a_program_uses_the_ports_that_it_asked_for_and_no_other) {
    static const struct {
        const char *code, *code_end;
        uint64_t vector, progress;
    } rows[] = {
        {one_before, one_before_end, PROTECTION, 1},
        {one_behind, one_behind_end, PROTECTION, 1},
        {half_behind, half_behind_end, PROTECTION, 1},
        {last_port, last_port_end, PROTECTION, 1},
        {last_inside, last_inside_end, UNDEFINED, 2},
    };
    struct child child;
    if (root_resource() == ZX_HANDLE_INVALID)
        return;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        EXPECT_EQ(rows[i].vector, run_to_exception(&child, rows[i].code, rows[i].code_end,
                                                   ports_resource(PCI_ADDRESS, 8)));
        EXPECT_EQ(ZX_OK, (int32_t)child.data[STATUS]);
        EXPECT_EQ(BRIDGE, (uint32_t)child.data[READ_BACK]);
        EXPECT_EQ(0x8086, (uint32_t)child.data[DATA] & 0xffff);
        EXPECT_EQ(rows[i].progress, child.data[PROGRESS]);
        child_end(&child);
    }
}

TEST(p30_a_program_that_asked_for_no_ports_may_use_none) {
    struct child child;
    EXPECT_EQ(PROTECTION,
              run_to_exception(&child, one_before, one_before_end, ZX_HANDLE_INVALID));
    EXPECT_EQ(0, child.data[READ_BACK]);
    child_end(&child);
}

/* --- this process, whose ports others do not have --- */

static int use_ports(void *unused) {
    int wrong = 0;
    for (int i = 0; i < 200; i++) {
        wrong += (in32(PCI_ADDRESS) & 0xff000000u) != BRIDGE;
        if (i % 8 == 0)
            (void)zx_nanosleep(zx_deadline_after(ZX_USEC(50)));
    }
    return wrong;
}

TEST(ports_are_for_all_threads_of_a_process_on_all_cpus_and_for_no_other_process) {
    struct child child;
    thrd_t threads[6];
    int wrong;
    if (root_resource() == ZX_HANDLE_INVALID)
        return;
    EXPECT_OK(zx_ioports_request(root_resource(), PCI_ADDRESS, 8));
    out32(PCI_ADDRESS, BRIDGE);
    EXPECT_EQ(BRIDGE, in32(PCI_ADDRESS));
    EXPECT_EQ(0x8086, in32(PCI_DATA) & 0xffff);
    for (size_t i = 0; i < 6; i++)
        REQUIRE_EQ(thrd_success, thrd_create(&threads[i], use_ports, NULL));
    /* Meanwhile, between those threads' turns: */
    for (int i = 0; i < 8; i++) {
        EXPECT_EQ(PROTECTION,
                  run_to_exception(&child, one_before, one_before_end, ZX_HANDLE_INVALID));
        EXPECT_EQ(0, child.data[READ_BACK]);
        child_end(&child);
    }
    for (size_t i = 0; i < 6; i++) {
        thrd_join(threads[i], &wrong);
        EXPECT_EQ(0, wrong);
    }
}

/* Each new port is usable at once wherever a thread of the process runs. */
static _Atomic bool stop;
static _Atomic uint32_t allowed_up_to;
static int use_the_newest(void *unused) {
    int used = 0;
    do {
        uint16_t port = (uint16_t)allowed_up_to;
        __asm__ volatile("inb %0, %%al" ::"d"(port) : "eax");
        used++;
    } while (!stop);
    return used;
}

TEST(ports_that_are_asked_for_later_reach_threads_that_run_already) {
    thrd_t threads[3];
    int used;
    if (root_resource() == ZX_HANDLE_INVALID)
        return;
    EXPECT_OK(zx_ioports_request(root_resource(), 0x7f80, 1));
    allowed_up_to = 0x7f80;
    for (size_t i = 0; i < 3; i++)
        REQUIRE_EQ(thrd_success, thrd_create(&threads[i], use_the_newest, NULL));
    for (uint32_t port = 0x7f81; port < 0x8080; port++) {
        EXPECT_OK(zx_ioports_request(root_resource(), (uint16_t)port, 1));
        allowed_up_to = port;
    }
    stop = true;
    for (size_t i = 0; i < 3; i++) {
        thrd_join(threads[i], &used);
        EXPECT(used > 0);
    }
}
