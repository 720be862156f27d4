/*
 * Linux side of a side-by-side primitive-operation benchmark: /init of an initramfs
 * (pid 1), which measures, prints and reboots.  measure.h tells what a row is;
 * spawn_child.c is what the process-spawn rows execute.
 *
 * Environment (kernel command line NAME=VALUE reaches init's environment):
 *   BSCALE=percent   scale the number of samples (default 100)
 *   BFIFO=1          run under SCHED_FIFO priority 1 instead of SCHED_OTHER
 *   BONLY=substr     only rows whose name contains substr
 */
#include "measure.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rows.h"

/* -- entry/exit and time ------------------------------------------------ */
static void time_rows(void)
{
    BENCH("timer_overhead", 20000, 1, );
    BENCH("null_syscall", 10000, 16, syscall(SYS_getppid));
    struct timespec tv;
    BENCH("clock_get_syscall", 10000, 16, syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &tv));
    BENCH("clock_get_vdso", 10000, 16, clock_gettime(CLOCK_MONOTONIC, &tv));
    BENCH("rdtsc", 10000, 16, (void)tsc());
    BENCH("thread_yield", 10000, 4, sched_yield());
}

/* -- handles and objects ------------------------------------------------- */
static void handle_rows(void)
{
    BENCH("handle_dup_close", 10000, 4, CK(close(CK(dup(0)))));
    BENCH("event_create_close", 5000, 4, CK(close(CK(eventfd(0, 0)))));
    BENCH("ipc_create_close", 3000, 2, {
        int p_[2];
        CK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p_));
        CK(close(p_[0]));
        CK(close(p_[1]));
    });
}

/* -- memory objects -------------------------------------------------------- */
static void object_rows(void)
{
    BENCH("memobj_create_close_4k", 3000, 2, {
        int f_ = CK(memfd_create("m", 0));
        CK(ftruncate(f_, PAGE));
        CK(close(f_));
    });
    static char buf[PAGE] __attribute__((aligned(4096)));
    memset(buf, 1, sizeof buf);
    int m = CK(memfd_create("m", 0));
    CK(ftruncate(m, PAGE));
    CK(pwrite(m, buf, PAGE, 0));
    BENCH("map_unmap_1page", 5000, 4, {
        void *p_ = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, m, 0);
        if (p_ == MAP_FAILED)
            die("mmap");
        CK(munmap(p_, PAGE));
    });
    BENCH("map_touch_unmap_1page", 5000, 4, {
        char *p_ = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, m, 0);
        if (p_ == MAP_FAILED)
            die("mmap");
        *(volatile char *)p_ = 1;
        CK(munmap(p_, PAGE));
    });
    BENCH("memobj_read_4k", 10000, 4, CK(pread(m, buf, PAGE, 0)));
    BENCH("memobj_write_4k", 10000, 4, CK(pwrite(m, buf, PAGE, 0)));
    close(m);
}

static void set_up(void)
{
    const char *e;
    env_report();
    pin(0);
    CK(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
    if ((e = getenv("BFIFO")) && atoi(e)) {
        struct sched_param sp = { .sched_priority = 1 };
        CK(sched_setscheduler(0, SCHED_FIFO, &sp));
    }
    measure_room();
}

/* Let late boot work (RCU, async probes, clocksource selection) settle;
 * then relate the TSC to CLOCK_MONOTONIC over half a second. */
static void settle(void)
{
    struct timespec ts = { .tv_sec = 2 };
    nanosleep(&ts, NULL);
    int64_t c0 = clk(), t0 = tsc();
    ts.tv_sec = 0, ts.tv_nsec = 500000000;
    nanosleep(&ts, NULL);
    int64_t t1 = tsc(), c1 = clk();
    emit("INFO\ttsc_hz_measured\t%.0f\n", (double)(t1 - t0) * 1e9 / (double)(c1 - c0));
}

static void rows(int ncpu)
{
    time_rows();
    handle_rows();
    object_rows();
    memory_rows();
    if (asked_for("fork_by_size"))
        fork_by_size();
    ipc_rows(ncpu);
    waiting_rows();
    thread_rows();
    process_rows();
}

int main(void)
{
    int64_t boot_tsc = tsc(), boot_clk = clk();
    measure_begin();
    emit("PEER-INIT tsc=%lld monotonic_ns=%lld\n", (long long)boot_tsc, (long long)boot_clk);
    flush_out();
    if (getpid() != 1) {
        fprintf(stderr, "this program is meant to be /init\n");
        return 2;
    }
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    set_up();
    settle();
    cat("/sys/devices/system/clocksource/clocksource0/current_clocksource", NULL);
    int ncpu = (int)sysconf(_SC_NPROCESSORS_ONLN);
    emit("INFO\tncpu\t%d\n", ncpu);
    int64_t w0 = clk();
    rows(ncpu);
    emit("INFO\tbench_virtual_ns\t%lld\n", (long long)(clk() - w0));
    meminfo_line("meminfo_after");
    emit("PEER-DONE\n");
    leave();
}
