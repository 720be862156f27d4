/*
 * machine.c - boots the portable kernel in this process, in the order of
 * kernel/main.c.
 */
#include "tests/host/machine.h"

#include "arch/boot.h"
#include "arch/clock.h"
#include "arch/console.h"
#include "arch/platform.h"
#include "arch/upcall.h"
#include "dev/console_dev.h"
#include "lib/log.h"
#include "lib/panic.h"
#include "object/object.h"
#include "object/job.h"
#include "sched/sched.h"
#include "tests/host/play.h"
#include "vm/entropy.h"
#include "vm/kernel_thread.h"
#include "vm/page_map.h"
#include "vm/pmm.h"
#include "vm/reclaim.h"

static struct thread boot_idle_thread, other_idle_threads[MAX_CPUS];
static struct platform_info platform;
static void (*machine_body)(void);
static struct thread *reaper;

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

/* ---- The order ---- */

__attribute__((weak)) void upcall_cpu_started(void) {
    sched_init_cpu(&other_idle_threads[cpu_id()]);
    sched_idle_loop();
}

static void main_thread(void *unused) {
    reaper = kernel_thread_create("reaper", sched_reaper_main, NULL, PRIORITY_DEFAULT);
    ASSERT(reaper);
    sched_start_reaper(reaper);
    arch_start_cpus(&platform, MAX_CPUS);
    entropy_init();
    console_dev_init();
    status_t status = objects_init();
    ASSERT(status == OK);
    status = job_init_root();
    ASSERT(status == OK);
    play_init();
    machine_body();
    host_finish(0);
}

static void first_steps(void) {
    arch_init_early();
    arch_init_memory();
    pmm_init();
    page_map_init_markers();
    vmo_reclaim_init();
}

static void machine_main(void) {
    first_steps();
    arch_init_platform(&platform);
    log_set_clock(clock_now);
    sched_init_cpu(&boot_idle_thread);
    struct thread *main = kernel_thread_create("main", main_thread, NULL, PRIORITY_DEFAULT);
    ASSERT(main);
    thread_start(main);
    sched_idle_loop();
}

struct thread *machine_reaper(void) { return reaper; }

int machine_run(const struct host_options *options, void (*body)(void)) {
    platform.cpu_count = options->cpus;
    machine_body = body;
    return host_run(options, machine_main);
}

void machine_init_plain(const struct host_options *options) {
    platform.cpu_count = 1;
    host_init(options);
    first_steps();
    sched_init_cpu(&boot_idle_thread);
}
