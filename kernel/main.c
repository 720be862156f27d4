/*
 * main.c - the boot order: one call and one comment for each step.
 *
 * Nothing registers itself elsewhere; what runs at boot, and in which order, is
 * this page. The boot CPU's first context becomes its idle thread; everything
 * that may block runs in the thread "main".
 */
#include "arch/boot.h"
#include "arch/clock.h"
#include "arch/console.h"
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "arch/upcall.h"
#include "dev/acpi.h"
#include "dev/console_dev.h"
#include "lib/assert.h"
#include "lib/ktest.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "lib/string.h"
#include "sched/park.h"
#include "object/bootstrap.h"
#include "object/object.h"
#include "sched/sched.h"
#include "vm/entropy.h"
#include "vm/kernel_thread.h"
#include "vm/kheap.h"
#include "vm/page_map.h"
#include "vm/reclaim.h"
#include "vm/pmm.h"
#include "vm/registry.h"

static struct thread boot_idle_thread;
static struct platform_info platform;

/* ---- What a panic may call ---- */

static void report_locks(void) {
    held_locks_dump(&cpu_this()->spinlocks);
    if (thread_current())
        held_locks_dump(&thread_current()->mutexes);
}
static void NORETURN end_after_panic(void) { machine_end(MACHINE_PANIC, 0x12); }
static const struct panic_reporter reporters[] = {
    {"held locks", report_locks},
    {"threads", thread_dump_all},
    {NULL, NULL},
};
const struct panic_doors panic_doors = {
    .cpu = cpu_id,
    .stand_still = cpu_stand_still,
    .stop_others = cpu_stop_others,
    .emit = console_emit,
    .backtrace = cpu_backtrace,
    .end = end_after_panic,
    .reporters = reporters,
};

/* ---- Tests at boot ---- */

static uint64_t balance_heap(void) { return kheap_stats().blocks_used; }

static void settle(void) { (void)thread_sleep_until(clock_now() + 1000000); }

/*
 * What must hold when the machine ends: text and constants are what they were (P23).
 * With irq.report a debug kernel tells how long interrupts were off at most (P34).
 */
static uint64_t image_checksum; /* 0: with ktest=off nobody looks */
static void check_end(void) {
    uint64_t ticks = 0;
    if (image_checksum && image_checksum != kernel_image_checksum())
        panic("the kernel's text or constants have changed");
    for (unsigned i = 0; i < cpu_count(); i++)
        ticks = MAX(ticks, counter_read(&cpu_get(i)->counters.irq_off_max_ticks));
    if (boot_option_bool("irq.report", false))
        log_info("irq: off for at most %lu ticks", ticks);
}

/* Booting has them off for long, and nobody waits then. */
static void forget_irq_off(void) {
    for (unsigned i = 0; i < cpu_count(); i++)
        cpu_get(i)->counters.irq_off_max_ticks = 0;
}

static void run_boot_tests(void) {
    char filter[64];
    if (!boot_option("ktest", filter, sizeof(filter)))
        string_copy(filter, sizeof(filter), "quick");
    bool end = boot_option_bool("ktest.exit", false);
    if (!strcmp(filter, "off"))
        return;
    image_checksum = kernel_image_checksum();
    ktest_set_balance("heap blocks", balance_heap);
    ktest_set_settle(settle);
    struct ktest_result result = ktest_run(filter, end);
    log_info("ktest: %u passed, %u failed", result.passed, result.failed);
    if (!end)
        return;
    check_end();
    machine_end(MACHINE_POWEROFF, result.failed ? 0x11 : 0x10);
}

/* ---- The first process ---- */

/* A moment after init began to run; under -icount the ticks are instructions. Only when
   asked, because the line would get into what init writes. */
static void report_boot(void) {
    uint64_t total, calibration;
    if (!boot_option_bool("boot.ticks", false))
        return;
    settle();
    if (boot_ticks(&total, &calibration))
        log_info("boot: %lu ticks to the first user instruction, and %lu to measure the clocks",
                 total - calibration, calibration);
}

/* When init ends, so does the machine; ./jx exec --init reads the line. */
static void run_init(void) {
    forget_irq_off();
    struct process *init = bootstrap_start_init();
    report_boot();
    process_wait_until_dead(init);
    check_end();
    log_info("jx-result: %ld", init->return_code);
    machine_end(MACHINE_POWEROFF, 0);
}

/* ---- The order ---- */

static void read_platform(void) {
    struct acpi_source source = {
        .read = arch_read_physical,
        .rsdp = boot_info.rsdp.value,
        .rsdp_copy = boot_info.has_rsdp_copy ? boot_info.rsdp_copy : NULL,
    };
    acpi_read(&source, &platform);
}

/* An application CPU, once and for good: its context becomes its idle thread. */
void upcall_cpu_started(void) {
    struct thread *idle = kernel_thread_alloc();
    if (!idle)
        panic("no memory for the idle thread of CPU %u", cpu_id());
    sched_init_cpu(idle);
    sched_idle_loop();
}

/* In a thread, so that it may block. */
static void main_thread(void *unused) {
    struct thread *reaper =
        kernel_thread_create("reaper", sched_reaper_main, NULL, PRIORITY_DEFAULT);
    ASSERT(reaper);
    sched_start_reaper(reaper);                                 /* dead threads go away */
    arch_start_cpus(&platform, (unsigned)boot_option_u64("smp", MAX_CPUS)); /* all CPUs */
    entropy_init();                                             /* random numbers */
    console_dev_init();                                         /* threads at the console */
    ASSERT(objects_init() == OK);                               /* workers, readers of the log */
    log_info("jacinth: %u CPU%s, %lu MiB of RAM, %lu KiB free", cpu_count(),
             cpu_count() == 1 ? "" : "s", boot_info.ram_bytes >> 20, pmm_free_pages() << 2);
    if (job_init_root() != OK)                                  /* the tree of tasks */
        panic("no memory for the root job");
    run_boot_tests();                                           /* or ktest=off */
    run_init();                                                 /* the first process */
}

void kernel_main(void) {
    arch_init_early();                        /* console, traps, processor features */
    arch_init_memory();                       /* physical map, W^X, no identity map */
    pmm_init();                               /* page records, free pages */
    registry_init();                          /* are there to be lists for audits? */
    page_map_init_markers();                  /* subtrees of zeros */
    vmo_reclaim_init();                       /* who loses pages first */
    alloc_fail_set(boot_option_u64("alloc.fail", 0));
    read_platform();                          /* what the firmware says of the machine */
    arch_init_platform(&platform);            /* interrupt controllers, clock, serial line */
    log_set_clock(clock_now);                 /* log lines bear times from here */
    sched_init_cpu(&boot_idle_thread);        /* this context is the idle thread from here */
    struct thread *main = kernel_thread_create("main", main_thread, NULL, PRIORITY_DEFAULT);
    ASSERT(main);
    thread_start(main);
    sched_idle_loop();
}
