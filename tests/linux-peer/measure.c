/* How a row is measured and told: see measure.h. */
#include "measure.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

static char out[64 * 1024];
static size_t outlen;
int64_t *sc, *st;
static int scale = 100;
static const char *only;
static pid_t main_pid;

void emit(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(out + outlen, sizeof out - outlen, fmt, ap);
    va_end(ap);
    if (n > 0)
        outlen += (size_t)n < sizeof out - outlen ? (size_t)n : sizeof out - outlen - 1;
}

void flush_out(void)
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

_Noreturn void leave(void)
{
    flush_out();
    sync();
    reboot(RB_AUTOBOOT);
    for (;;)
        pause();
}

_Noreturn void die(const char *what)
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

void measure_begin(void)
{
    const char *e;
    main_pid = getpid();
    if ((e = getenv("BSCALE")) && atoi(e) > 0)
        scale = atoi(e);
    only = getenv("BONLY");
}

static int64_t *samples(void)
{
    int64_t *p = mmap(NULL, MAXS * sizeof *p, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (p == MAP_FAILED)
        die("sample arrays");
    return p;
}

void measure_room(void)
{
    sc = samples();
    st = samples();
}

static int cmp64(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

void stat3(int64_t *v, int n, double batch, double o[3])
{
    double s = 0;
    for (int i = 0; i < n; i++)
        s += (double)v[i];
    qsort(v, (size_t)n, sizeof *v, cmp64);
    o[0] = (double)v[0] / batch;
    o[1] = (n & 1 ? (double)v[n / 2] : ((double)v[n / 2 - 1] + (double)v[n / 2]) / 2) / batch;
    o[2] = s / n / batch;
}

void emit_row(const char *name, const double c[3], const double t[3], int n, int batch)
{
    emit("ROW\t%s\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%d\t%d\n", name, c[0], c[1], c[2],
         t[0], t[1], t[2], n, batch);
}

void report(const char *name, int n, int batch)
{
    double c[3], t[3];
    stat3(sc, n, batch, c);
    stat3(st, n, batch, t);
    emit_row(name, c, t, n, batch);
}

int cnt(int n)
{
    n = (int)((long)n * scale / 100);
    return n < 10 ? 10 : n > MAXS ? MAXS : n;
}

int want(const char *name) { return !only || strstr(name, only) != NULL; }
int asked_for(const char *name) { return only && want(name); }

void pin(int cpu)
{
    cpu_set_t s;
    CPU_ZERO(&s);
    CPU_SET(cpu, &s);
    CK(sched_setaffinity(0, sizeof s, &s));
}
