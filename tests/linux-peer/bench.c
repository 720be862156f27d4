/*
 * Linux side of a side-by-side primitive-operation benchmark.  One file, two
 * static programs:
 *   - default:       /init of an initramfs (pid 1); measures, prints, reboots.
 *   - -DSPAWN_CHILD: the tiny binary the process-spawn rows execute (no libc).
 *
 * Every row is N samples; one sample is BATCH back-to-back operations bracketed
 * by clock_gettime(CLOCK_MONOTONIC) outside and rdtsc inside.  Figures are per
 * operation: (sample / BATCH).  Nothing is subtracted; `timer_overhead` is what
 * one empty sample costs, so (timer_overhead / BATCH) bounds the bias of a row.
 *
 * Results are kept in memory and printed once at the end, so that the serial
 * port's interrupts never fall inside a measurement.
 *
 * Environment (kernel command line NAME=VALUE reaches init's environment):
 *   BSCALE=percent   scale the number of samples (default 100)
 *   BFIFO=1          run under SCHED_FIFO priority 1 instead of SCHED_OTHER
 *   BONLY=substr     only rows whose name contains substr
 */
#ifdef SPAWN_CHILD
void _start(void)
{
    __asm__ volatile("syscall" : : "a"(231L), "D"(0L) : "rcx", "r11", "memory");
    __builtin_unreachable();
}
#else
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096UL
#define MB16 (16UL << 20)
#define NPG (MB16 / PAGE)
#define MAXS 20000
#define CHILD_PATH "/spawn_child"

static char out[64 * 1024];
static size_t outlen;
static int64_t *sc, *st;	/* samples: clock ns, tsc ticks (MAP_SHARED) */
static int scale = 100;
static const char *only;
static int ncpu;
static pid_t main_pid;

static void emit(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(out + outlen, sizeof out - outlen, fmt, ap);
    va_end(ap);
    if (n > 0)
        outlen += (size_t)n < sizeof out - outlen ? (size_t)n : sizeof out - outlen - 1;
}

static void flush_out(void)
{
    size_t o = 0;
    while (o < outlen) {
        ssize_t r = write(1, out + o, outlen - o);
        if (r <= 0)
            break;
        o += (size_t)r;
    }
    outlen = 0;
    tcdrain(1);
}

static _Noreturn void leave(void)
{
    flush_out();
    sync();
    reboot(RB_AUTOBOOT);
    for (;;)
        pause();
}

static _Noreturn void die(const char *what)
{
    int e = errno;
    if (getpid() != main_pid) {
        char b[160];
        int n = snprintf(b, sizeof b, "PEER-FAIL child: %s: %s\n", what, strerror(e));
        if (n > 0 && write(1, b, (size_t)n) < 0)
            _exit(98);
        _exit(99);
    }
    emit("PEER-FAIL %s: %s\n", what, strerror(e));
    leave();
}

#define CK(expr)                                                               \
    __extension__({                                                        \
        __typeof__(expr) r_ = (expr);                                  \
        if (__builtin_expect(r_ == (__typeof__(expr))-1, 0))           \
            die(#expr);                                            \
        r_;                                                            \
    })

static inline int64_t tsc(void)
{
    uint32_t a, d;
    __asm__ volatile("rdtsc" : "=a"(a), "=d"(d) : : "memory");
    return (int64_t)(((uint64_t)d << 32) | a);
}

static inline int64_t clk(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int cmp64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void stat3(int64_t *v, int n, double batch, double o[3])
{
    double s = 0;
    for (int i = 0; i < n; i++)
        s += (double)v[i];
    qsort(v, (size_t)n, sizeof *v, cmp64);
    o[0] = (double)v[0] / batch;
    o[1] = (n & 1 ? (double)v[n / 2] : ((double)v[n / 2 - 1] + (double)v[n / 2]) / 2) / batch;
    o[2] = s / n / batch;
}

static void emit_row(const char *name, const double c[3], const double t[3], int n, int batch)
{
    emit("ROW\t%s\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%d\t%d\n", name, c[0], c[1], c[2],
         t[0], t[1], t[2], n, batch);
}

static void report(const char *name, int n, int batch)
{
    double c[3], t[3];
    stat3(sc, n, batch, c);
    stat3(st, n, batch, t);
    emit_row(name, c, t, n, batch);
}

static int cnt(int n)
{
    n = (int)((long)n * scale / 100);
    return n < 10 ? 10 : n > MAXS ? MAXS : n;
}

static int want(const char *name) { return !only || strstr(name, only) != NULL; }

#define T0 int64_t c0_ = clk(), t0_ = tsc()
#define T1(i)                                                                  \
    do {                                                                   \
        int64_t t1_ = tsc(), c1_ = clk();                              \
        st[i] = t1_ - t0_;                                             \
        sc[i] = c1_ - c0_;                                             \
    } while (0)

#define BENCH(NAME, N, BATCH, ...)                                             \
    do {                                                                   \
        if (want(NAME)) {                                              \
            int n_ = cnt(N), w_ = n_ / 10 + 8;                     \
            for (int i_ = -w_; i_ < n_; i_++) {                    \
                T0;                                            \
                for (int b_ = 0; b_ < (BATCH); b_++) {         \
                    __VA_ARGS__;                           \
                }                                              \
                T1(i_ < 0 ? 0 : i_);                           \
            }                                                      \
            report(NAME, n_, BATCH);                               \
        }                                                              \
    } while (0)

static void pin(int cpu)
{
    cpu_set_t s;
    CPU_ZERO(&s);
    CPU_SET(cpu, &s);
    CK(sched_setaffinity(0, sizeof s, &s));
}

/* ---- ping-pong over file descriptors ---------------------------------- */

struct link {
    int ar, aw, br, bw, cpu;
    size_t len;
};

enum { SEQPACKET, PIPE, EVENTFD };

static void link_open(struct link *l, int kind, int cpu)
{
    int p[2];
    l->cpu = cpu;
    l->len = 64;
    if (kind == SEQPACKET) {
        CK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p));
        l->ar = l->aw = p[0];
        l->br = l->bw = p[1];
    } else if (kind == PIPE) {
        CK(pipe(p));
        l->br = p[0], l->aw = p[1];
        CK(pipe(p));
        l->ar = p[0], l->bw = p[1];
    } else {
        l->len = 8;
        l->aw = l->br = CK(eventfd(0, 0));
        l->ar = l->bw = CK(eventfd(0, 0));
    }
}

static void link_close(struct link *l)
{
    close(l->ar);
    close(l->br);
    if (l->aw != l->ar && l->aw != l->br)
        close(l->aw);
    if (l->bw != l->ar && l->bw != l->br)
        close(l->bw);
}

static void echo(struct link *l)
{
    uint64_t b[8] = { 0 };
    pin(l->cpu);
    do {
        if (read(l->br, b, l->len) != (ssize_t)l->len)
            die("echo read");
        if (write(l->bw, b, l->len) != (ssize_t)l->len)
            die("echo write");
    } while (b[0] != 2);
}

static void *echo_thread(void *a)
{
    echo(a);
    return NULL;
}

static inline void roundtrip(struct link *l, uint64_t v)
{
    uint64_t b[8] = { v };
    if (write(l->aw, b, l->len) != (ssize_t)l->len)
        die("rt write");
    if (read(l->ar, b, l->len) != (ssize_t)l->len)
        die("rt read");
}

static void pingpong(const char *base, int kind, int procs, int xcpu)
{
    char name[80];
    snprintf(name, sizeof name, "%s%s", base, xcpu ? "_xcpu" : "");
    if (!want(name))
        return;
    struct link l;
    pthread_t th;
    pid_t pid = 0;
    link_open(&l, kind, xcpu ? 1 : 0);
    if (procs) {
        pid = CK(fork());
        if (!pid) {
            echo(&l);
            _exit(0);
        }
    } else if ((errno = pthread_create(&th, NULL, echo_thread, &l))) {
        die("pthread_create");
    }
    BENCH(name, 4000, 4, roundtrip(&l, 1));
    roundtrip(&l, 2);
    if (procs) {
        int ws;
        CK(waitpid(pid, &ws, 0));
        if (ws)
            errno = EPROTO, die("echo child");
    } else {
        pthread_join(th, NULL);
    }
    link_close(&l);
}

/* ---- futex ping-pong ---------------------------------------------------- */

static struct {
    _Atomic uint32_t a __attribute__((aligned(64)));
    _Atomic uint32_t b __attribute__((aligned(64)));
    int cpu;
} fx;

static void fwait(_Atomic uint32_t *p)
{
    while (!atomic_load(p))
        syscall(SYS_futex, p, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void fset(_Atomic uint32_t *p, uint32_t v)
{
    atomic_store(p, v);
    syscall(SYS_futex, p, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *futex_thread(void *a)
{
    (void)a;
    pin(fx.cpu);
    for (;;) {
        fwait(&fx.a);
        uint32_t v = atomic_exchange(&fx.a, 0);
        fset(&fx.b, 1);
        if (v == 2)
            return NULL;
    }
}

static inline void futex_rt(uint32_t v)
{
    fset(&fx.a, v);
    fwait(&fx.b);
    atomic_store(&fx.b, 0);
}

static void futex_pingpong(int xcpu)
{
    pthread_t th;
    const char *name = xcpu ? "futex_pingpong_threads_xcpu" : "futex_pingpong_threads";
    if (!want(name))
        return;
    fx.cpu = xcpu ? 1 : 0;
    if ((errno = pthread_create(&th, NULL, futex_thread, NULL)))
        die("pthread_create");
    BENCH(name, 4000, 4, futex_rt(1));
    futex_rt(2);
    pthread_join(th, NULL);
}

/* ---- memory ------------------------------------------------------------- */

static char *anon16(void)
{
    char *p = mmap(NULL, MB16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        die("mmap 16 MiB");
    madvise(p, MB16, MADV_NOHUGEPAGE);
    return p;
}

static void touch(char *p)
{
    for (size_t i = 0; i < NPG; i++)
        *(volatile char *)(p + i * PAGE) = (char)i;
}

#define TB 16			/* pages per sample in the per-page rows */

static int touch_sampled(char *p, int at)
{
    for (size_t i = 0; i < NPG; i += TB, at++) {
        T0;
        for (size_t j = 0; j < TB; j++)
            *(volatile char *)(p + (i + j) * PAGE) = (char)i;
        T1(at);
    }
    return at;
}

static void mem_rows(void)
{
    int reps = cnt(16), k = 0;
    if (reps > MAXS / (int)(NPG / TB))
        reps = MAXS / (int)(NPG / TB);

    if (want("fault_touch_16MiB")) {
        char *w = anon16();
        touch(w);
        CK(munmap(w, MB16));
        for (int r = 0; r < reps; r++) {
            char *p = anon16();
            k = touch_sampled(p, k);
            CK(munmap(p, MB16));
        }
        report("fault_touch_16MiB", k, TB);
    }
    if (want("touch_again_16MiB")) {	/* control: same loop, no fault */
        char *p = anon16();
        touch(p);
        k = 0;
        for (int r = 0; r < reps; r++)
            k = touch_sampled(p, k);
        CK(munmap(p, MB16));
        report("touch_again_16MiB", k, TB);
    }
    if (want("unmap_16MiB_committed")) {
        int n = cnt(32);
        for (int i = -2; i < n; i++) {
            char *p = anon16();
            touch(p);
            T0;
            CK(munmap(p, MB16));
            T1(i < 0 ? 0 : i);
        }
        report("unmap_16MiB_committed", n, (int)NPG);
    }

    /* fork with and without a committed 16 MiB region, interleaved: the
     * region is hidden from the child by MADV_DONTFORK in the 0 MiB case. */
    if (want("cow_clone_16MiB")) {
        int n = cnt(200);
        int64_t *d = malloc(sizeof *d * (size_t)n * 4);
        if (!d)
            die("malloc");
        char *p = anon16();
        touch(p);
        for (int i = -4; i < n; i++) {
            for (int big = 0; big < 2; big++) {
                CK(madvise(p, MB16, big ? MADV_DOFORK : MADV_DONTFORK));
                touch(p);	/* writable again after the last clone */
                T0;
                pid_t c = fork();
                if (!c)
                    _exit(0);
                T1(0);
                if (c < 0)
                    die("fork");
                CK(waitpid(c, NULL, 0));
                if (i >= 0) {
                    d[(big * 2) * n + i] = sc[0];
                    d[(big * 2 + 1) * n + i] = st[0];
                }
            }
        }
        CK(munmap(p, MB16));
        /* the last row is the difference of the two rows' statistics */
        double c[2][3], t[2][3];
        for (int big = 0; big < 2; big++) {
            stat3(d + big * 2 * n, n, 1, c[big]);
            stat3(d + (big * 2 + 1) * n, n, 1, t[big]);
            emit_row(big ? "fork_16MiB" : "fork_0MiB", c[big], t[big], n, 1);
        }
        for (int j = 0; j < 3; j++)
            c[1][j] -= c[0][j], t[1][j] -= t[0][j];
        emit_row("cow_clone_16MiB", c[1], t[1], n, 1);
        free(d);
    }
    if (want("cow_write_fault")) {
        char *p = anon16();
        k = 0;
        for (int r = -1; r < reps; r++) {
            touch(p);
            pid_t c = CK(fork());
            if (!c) {
                touch_sampled(p, k);
                _exit(0);
            }
            int ws;
            CK(waitpid(c, &ws, 0));
            if (ws)
                errno = EPROTO, die("cow child");
            if (r >= 0)
                k += (int)(NPG / TB);
        }
        report("cow_write_fault", k, TB);

        k = 0;
        for (int r = -1; r < reps; r++) {
            touch(p);
            pid_t c = CK(fork());
            if (!c)
                _exit(0);
            CK(waitpid(c, NULL, 0));
            int e = touch_sampled(p, k);
            if (r >= 0)
                k = e;
        }
        report("cow_reuse_fault", k, TB);
        CK(munmap(p, MB16));
    }
}

/* ---- processes and threads ----------------------------------------------- */

static char *const child_argv[] = { (char *)CHILD_PATH, NULL };
static char *const child_envp[] = { NULL };

static void reap(pid_t p)
{
    int ws;
    CK(waitpid(p, &ws, 0));
    if (!WIFEXITED(ws) || WEXITSTATUS(ws))
        errno = ECHILD, die("spawned child status");
}

static void spawn_posix(void)
{
    pid_t p;
    if ((errno = posix_spawn(&p, CHILD_PATH, NULL, NULL, child_argv, child_envp)))
        die("posix_spawn");
    reap(p);
}

static void spawn_vfork(void)
{
    pid_t p = vfork();
    if (!p) {
        execve(CHILD_PATH, child_argv, child_envp);
        _exit(127);
    }
    if (p < 0)
        die("vfork");
    reap(p);
}

static void spawn_fork_exec(void)
{
    pid_t p = CK(fork());
    if (!p) {
        execve(CHILD_PATH, child_argv, child_envp);
        _exit(127);
    }
    reap(p);
}

static void fork_exit(void)
{
    pid_t p = CK(fork());
    if (!p)
        _exit(0);
    reap(p);
}

static void *nop_thread(void *a) { return a; }

/* ---- fork against the size of the process, only when asked for by name --------- */

/* A line of /proc/meminfo, after the kernel has added up what its CPUs counted. */
static long mem_kib(const char *what)
{
    static char b[8192];
    int fd = open("/proc/sys/vm/stat_refresh", O_RDONLY);
    if (fd >= 0) {
        (void)!read(fd, b, 1);
        close(fd);
    }
    fd = CK(open("/proc/meminfo", O_RDONLY));
    ssize_t n = CK(read(fd, b, sizeof b - 1));
    b[n] = 0;
    close(fd);
    char *at = strstr(b, what);
    if (!at)
        die(what);
    return atol(at + strlen(what));
}

static void emit_one(const char *what, long kib, double figure)
{
    char name[80];
    double v[3] = { figure, figure, figure };
    snprintf(name, sizeof name, "fork_by_size_%ld_%s", kib, what);
    emit_row(name, v, v, 1, 1);
}

/*
 * Page tables and kernel stack of a child that has done nothing. What else it takes
 * (its records) comes from slabs that the kernel keeps, and is left out.
 */
static double fork_bytes(void)
{
    enum { CHILDREN = 16 };
    pid_t c[CHILDREN];
    int p[2], x;
    CK(pipe(p));
    long before = mem_kib("PageTables:") + mem_kib("KernelStack:");
    for (int i = 0; i < CHILDREN; i++) {
        c[i] = CK(fork());
        if (!c[i]) {
            close(p[1]);
            x = read(p[0], &x, 1) == 0;
            _exit(!x);
        }
    }
    struct timespec ts = { 0, 50000000 };	/* until all of them wait */
    nanosleep(&ts, NULL);
    long after = mem_kib("PageTables:") + mem_kib("KernelStack:");
    close(p[1]);
    for (int i = 0; i < CHILDREN; i++)
        CK(waitpid(c[i], NULL, 0));
    close(p[0]);
    return (double)(after - before) * 1024 / CHILDREN;
}

/* The parent's view of fork(), and the child's first write to each of up to 1,024 pages. */
static void fork_of_size(long kib)
{
    enum { N = 11, PAGES = 1024 };
    size_t size = (size_t)kib * 1024, pages = size / PAGE < PAGES ? size / PAGE : PAGES;
    int n = kib > 16384 ? 3 : N;
    int64_t forks[N], writes[N];
    double v[3];
    char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED)
        die("mmap");
    for (int i = -1; i < n; i++) {
        for (size_t o = 0; o < size; o += PAGE)
            *(volatile char *)(p + o) = 1;
        int64_t t0 = tsc();
        pid_t c = CK(fork());
        if (!c) {
            t0 = tsc();
            for (size_t o = 0; o < pages * PAGE; o += PAGE)
                *(volatile char *)(p + o) = 1;
            st[0] = tsc() - t0;
            _exit(0);
        }
        int64_t t1 = tsc();
        CK(waitpid(c, NULL, 0));
        if (i >= 0)
            forks[i] = t1 - t0, writes[i] = st[0];
    }
    stat3(forks, n, 1, v);
    emit_one("fork", kib, v[1]);
    stat3(writes, n, (double)pages, v);
    emit_one("write", kib, v[1]);
    emit_one("bytes", kib, fork_bytes());
    CK(munmap(p, size));
}

static void fork_by_size(void)
{
    long free_kib = mem_kib("MemFree:");
    static const long sizes[] = { 4, 64, 1024, 16 << 10, 256 << 10, 1 << 20, 4 << 20 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (sizes[i] < free_kib - 64 * 1024)
            fork_of_size(sizes[i]);
}

/* ---- IPC carrying a handle ------------------------------------------------ */

static void send_handle(int tx, int rx, int fd)
{
    char data[64] = { 0 };
    union {
        struct cmsghdr h;
        char b[CMSG_SPACE(sizeof(int))];
    } u;
    struct iovec iov = { data, sizeof data };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = u.b,
                .msg_controllen = sizeof u.b };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    CK(sendmsg(tx, &m, 0));
    m.msg_controllen = sizeof u.b;
    CK(recvmsg(rx, &m, 0));
    c = CMSG_FIRSTHDR(&m);
    if (!c || c->cmsg_type != SCM_RIGHTS)
        die("no handle received");
    int got;
    memcpy(&got, CMSG_DATA(c), sizeof got);
    CK(close(got));
}

/* ---- environment report ---------------------------------------------------- */

static void cat(const char *path, const char *const *keys)
{
    FILE *f = fopen(path, "r");
    char line[4096];
    if (!f)
        return;
    while (fgets(line, sizeof line, f)) {
        if (keys) {
            int hit = 0;
            for (const char *const *k = keys; *k; k++)
                hit |= !strncmp(line, *k, strlen(*k));
            if (!hit)
                continue;
        }
        emit("INFO\t%s\t%s%s", path, line, strchr(line, '\n') ? "" : "\n");
    }
    fclose(f);
}

static void env_report(void)
{
    static const char *const mem[] = { "MemTotal", "MemFree", "MemAvailable", "Slab",
        "SUnreclaim", "KernelStack", "PageTables", "Percpu", "VmallocUsed", "Shmem:",
        "Unevictable", NULL };
    static const char *const cpu[] = { "vendor_id", "cpu family", "model", "flags", "bugs",
        "cpu MHz", "address sizes", NULL };
    static const char *const vul[] = { "meltdown", "spectre_v1", "spectre_v2", "retbleed",
        "spec_store_bypass", "l1tf", "mds", "srbds", "gather_data_sampling",
        "spec_rstack_overflow", "mmio_stale_data", "tsx_async_abort", "itlb_multihit",
        "tsa", "vmscape", NULL };
    cat("/proc/meminfo", mem);
    cat("/proc/version", NULL);
    cat("/proc/cmdline", NULL);
    cat("/sys/devices/system/clocksource/clocksource0/current_clocksource", NULL);
    cat("/sys/devices/system/clocksource/clocksource0/available_clocksource", NULL);
    cat("/sys/kernel/mm/transparent_hugepage/enabled", NULL);
    /* first CPU only */
    FILE *f = fopen("/proc/cpuinfo", "r");
    char line[4096];
    while (f && fgets(line, sizeof line, f) && line[0] != '\n')
        for (const char *const *k = cpu; *k; k++)
            if (!strncmp(line, *k, strlen(*k))) {
                emit("INFO\t/proc/cpuinfo\t%s", line);
                break;
            }
    if (f)
        fclose(f);
    for (const char *const *k = vul; *k; k++) {
        char p[128];
        snprintf(p, sizeof p, "/sys/devices/system/cpu/vulnerabilities/%s", *k);
        cat(p, NULL);
    }
    static char kb[256 * 1024];
    static const char *const kk[] = { "Memory:", "tsc:", "clocksource: Switched", "x86/fpu: Enabled",
        "Kernel/User page tables", "Mitigation", "Spectre", "Retbleed", "Freeing unused kernel",
        "Freeing initrd", "mem auto-init", "Dynamic Preempt", "lapic timer", "APIC: Switch",
        "Write protecting", NULL };
    int n = klogctl(3 /* SYSLOG_ACTION_READ_ALL */, kb, sizeof kb - 1);
    if (n > 0) {
        kb[n] = 0;
        for (char *l = strtok(kb, "\n"); l; l = strtok(NULL, "\n"))
            for (const char *const *k = kk; *k; k++)
                if (strstr(l, *k)) {
                    emit("INFO\tkmsg\t%s\n", l);
                    break;
                }
    }
}

static void meminfo_line(const char *tag)
{
    FILE *f = fopen("/proc/meminfo", "r");
    char line[256];
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, "MemFree", 7))
            emit("INFO\t%s\t%s", tag, line);
    if (f)
        fclose(f);
}

int main(void)
{
    int64_t boot_tsc = tsc(), boot_clk = clk();
    struct timespec bt;
    main_pid = getpid();
    clock_gettime(CLOCK_BOOTTIME, &bt);
    emit("PEER-INIT tsc=%lld monotonic_ns=%lld\n", (long long)boot_tsc, (long long)boot_clk);
    flush_out();
    if (main_pid != 1) {
        fprintf(stderr, "this program is meant to be /init\n");
        return 2;
    }
    mount("proc", "/proc", "proc", 0, NULL);
    mount("sysfs", "/sys", "sysfs", 0, NULL);
    const char *e;
    if ((e = getenv("BSCALE")) && atoi(e) > 0)
        scale = atoi(e);
    only = getenv("BONLY");
    env_report();
    ncpu = (int)sysconf(_SC_NPROCESSORS_ONLN);
    pin(0);
    CK(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
    if ((e = getenv("BFIFO")) && atoi(e)) {
        struct sched_param sp = { .sched_priority = 1 };
        CK(sched_setscheduler(0, SCHED_FIFO, &sp));
    }
    size_t sz = MAXS * sizeof(int64_t);
    sc = mmap(NULL, sz, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    st = mmap(NULL, sz, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (sc == MAP_FAILED || st == MAP_FAILED)
        die("sample arrays");

    /* let late boot work (RCU, async probes, clocksource selection) settle;
     * then relate the TSC to CLOCK_MONOTONIC over half a second */
    struct timespec ts = { .tv_sec = 2 };
    nanosleep(&ts, NULL);
    {
        int64_t c0 = clk(), t0 = tsc();
        ts.tv_sec = 0, ts.tv_nsec = 500000000;
        nanosleep(&ts, NULL);
        int64_t t1 = tsc(), c1 = clk();
        emit("INFO\ttsc_hz_measured\t%.0f\n", (double)(t1 - t0) * 1e9 / (double)(c1 - c0));
    }
    cat("/sys/devices/system/clocksource/clocksource0/current_clocksource", NULL);
    emit("INFO\tncpu\t%d\n", ncpu);
    int64_t w0 = clk();

    /* -- entry/exit and time ------------------------------------------------ */
    BENCH("timer_overhead", 20000, 1, );
    BENCH("null_syscall", 10000, 16, syscall(SYS_getppid));
    struct timespec tv;
    BENCH("clock_get_syscall", 10000, 16, syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &tv));
    BENCH("clock_get_vdso", 10000, 16, clock_gettime(CLOCK_MONOTONIC, &tv));
    BENCH("rdtsc", 10000, 16, (void)tsc());
    BENCH("thread_yield", 10000, 4, sched_yield());

    /* -- handles and objects ------------------------------------------------- */
    BENCH("handle_dup_close", 10000, 4, CK(close(CK(dup(0)))));
    BENCH("event_create_close", 5000, 4, CK(close(CK(eventfd(0, 0)))));
    BENCH("ipc_create_close", 3000, 2, {
        int p_[2];
        CK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p_));
        CK(close(p_[0]));
        CK(close(p_[1]));
    });

    /* -- memory objects -------------------------------------------------------- */
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
    mem_rows();
    if (only && want("fork_by_size"))
        fork_by_size();

    /* -- IPC ---------------------------------------------------------------------- */
    int sp[2];
    CK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, sp));
    BENCH("ipc_same_thread_64B", 8000, 4, {
        CK(write(sp[0], buf, 64));
        CK(read(sp[1], buf, 64));
    });
    BENCH("ipc_same_thread_64B_1handle", 4000, 4, send_handle(sp[0], sp[1], 0));
    close(sp[0]);
    close(sp[1]);
    for (int x = 0; x <= (ncpu > 1); x++) {
        pingpong("ipc_pingpong_threads_64B", SEQPACKET, 0, x);
        pingpong("ipc_pingpong_processes_64B", SEQPACKET, 1, x);
        pingpong("ipc_pingpong_processes_64B_pipe", PIPE, 1, x);
        pingpong("ipc_pingpong_processes_8B_eventfd", EVENTFD, 1, x);
        futex_pingpong(x);
    }

    /* -- waiting -------------------------------------------------------------------- */
    {
        uint64_t one = 1, got;
        struct epoll_event ev = { .events = EPOLLIN };
        int ef = CK(eventfd(0, EFD_NONBLOCK)), ep = CK(epoll_create1(0));
        CK(epoll_ctl(ep, EPOLL_CTL_ADD, ef, &ev));
        BENCH("wait_multiplex", 8000, 4, {
            CK(write(ef, &one, 8));
            if (epoll_wait(ep, &ev, 1, -1) != 1)
                die("epoll_wait");
            CK(read(ef, &got, 8));
        });
        ev.events = EPOLLIN | EPOLLET;
        CK(epoll_ctl(ep, EPOLL_CTL_MOD, ef, &ev));
        BENCH("wait_multiplex_edge", 8000, 4, {
            CK(write(ef, &one, 8));
            if (epoll_wait(ep, &ev, 1, -1) != 1)
                die("epoll_wait");
        });
        close(ef);
        close(ep);
    }
    if (want("timer_oneshot_latency")) {
        int tf = CK(timerfd_create(CLOCK_MONOTONIC, 0));
        int n = cnt(1000);
        double hz = 0;
        {		/* ticks in 100 us, from a fresh 50 ms calibration */
            struct timespec h = { 0, 50000000 };
            int64_t c0 = clk(), t0 = tsc();
            nanosleep(&h, NULL);
            int64_t t1 = tsc(), c1 = clk();
            hz = (double)(t1 - t0) / (double)(c1 - c0);
        }
        for (int i = -20; i < n; i++) {
            uint64_t x;
            int64_t c0 = clk(), t0 = tsc(), dl = c0 + 100000;
            struct itimerspec it = { .it_value = { dl / 1000000000, dl % 1000000000 } };
            CK(timerfd_settime(tf, TFD_TIMER_ABSTIME, &it, NULL));
            CK(read(tf, &x, 8));
            int64_t t1 = tsc(), c1 = clk();
            if (i >= 0) {
                sc[i] = c1 - dl;
                st[i] = t1 - t0 - (int64_t)(100000 * hz);
            }
        }
        report("timer_oneshot_latency", n, 1);
        close(tf);
    }

    /* -- threads and processes ------------------------------------------------------ */
    {
        pthread_attr_t at;
        long ss = sysconf(_SC_THREAD_STACK_MIN);
        pthread_attr_init(&at);
        pthread_attr_setstacksize(&at, ss > 16384 ? (size_t)ss : 16384);
        BENCH("thread_create_join", 3000, 1, {
            pthread_t t_;
            if ((errno = pthread_create(&t_, &at, nop_thread, NULL)))
                die("pthread_create");
            pthread_join(t_, NULL);
        });
    }
    BENCH("process_spawn_exit", 1000, 1, spawn_posix());
    BENCH("process_vfork_exec_exit", 1000, 1, spawn_vfork());
    BENCH("process_fork_exec_exit", 1000, 1, spawn_fork_exec());
    BENCH("process_fork_exit", 1000, 1, fork_exit());

    emit("INFO\tbench_virtual_ns\t%lld\n", (long long)(clk() - w0));
    meminfo_line("meminfo_after");
    emit("PEER-DONE\n");
    leave();
}
#endif
