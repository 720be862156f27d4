/* Rows of memory: first and later touches, unmapping, fork and the faults after it. */
#include "measure.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rows.h"

#define MB16 (16UL << 20)
#define NPG (MB16 / PAGE)

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

/* ---- touching and unmapping --------------------------------------------- */

static void fault_row(int reps)
{
    int k = 0;
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

static void again_row(int reps)	/* control: same loop, no fault */
{
    int k = 0;
    char *p = anon16();
    touch(p);
    for (int r = 0; r < reps; r++)
        k = touch_sampled(p, k);
    CK(munmap(p, MB16));
    report("touch_again_16MiB", k, TB);
}

static void unmap_row(void)
{
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

/* ---- fork --------------------------------------------------------------- */

/* The region is hidden from the child by MADV_DONTFORK in the 0 MiB case. */
static void clone_once(char *p, int big)
{
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
}

/* fork with and without a committed 16 MiB region, interleaved */
static void clone_rows(void)
{
    int n = cnt(200);
    int64_t *d = malloc(sizeof *d * (size_t)n * 4);
    if (!d)
        die("malloc");
    char *p = anon16();
    touch(p);
    for (int i = -4; i < n; i++) {
        for (int big = 0; big < 2; big++) {
            clone_once(p, big);
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

/* A child's first write to each page, the samples from `at` on. */
static void child_writes(char *p, int at)
{
    pid_t c = CK(fork());
    if (!c) {
        touch_sampled(p, at);
        _exit(0);
    }
    int ws;
    CK(waitpid(c, &ws, 0));
    if (ws)
        errno = EPROTO, die("cow child");
}

static void write_row(char *p, int reps)
{
    int k = 0;
    for (int r = -1; r < reps; r++) {
        touch(p);
        child_writes(p, k);
        if (r >= 0)
            k += (int)(NPG / TB);
    }
    report("cow_write_fault", k, TB);
}

/* The parent's first write to each page, after the child is gone. */
static void reuse_row(char *p, int reps)
{
    int k = 0;
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
}

void memory_rows(void)
{
    int reps = cnt(16);
    if (reps > MAXS / (int)(NPG / TB))
        reps = MAXS / (int)(NPG / TB);

    if (want("fault_touch_16MiB"))
        fault_row(reps);
    if (want("touch_again_16MiB"))
        again_row(reps);
    if (want("unmap_16MiB_committed"))
        unmap_row();
    if (want("cow_clone_16MiB"))
        clone_rows();
    if (want("cow_write_fault")) {
        char *p = anon16();
        write_row(p, reps);
        reuse_row(p, reps);
        CK(munmap(p, MB16));
    }
}

/* ---- fork against the size of the process ------------------------------- */

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

void fork_by_size(void)
{
    long free_kib = mem_kib("MemFree:");
    static const long sizes[] = { 4, 64, 1024, 16 << 10, 256 << 10, 1 << 20, 4 << 20 };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (sizes[i] < free_kib - 64 * 1024)
            fork_of_size(sizes[i]);
}
