/* Rows of messages between threads and processes, and of waiting. */
#include "measure.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rows.h"

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

void ipc_rows(int ncpu)
{
    static char buf[PAGE] __attribute__((aligned(4096)));
    memset(buf, 1, sizeof buf);
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
}

/* ---- waiting ------------------------------------------------------------ */

static void epoll_rows(void)
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

/* Ticks in a nanosecond, from a fresh 50 ms calibration. */
static double ticks_per_ns(void)
{
    struct timespec h = { 0, 50000000 };
    int64_t c0 = clk(), t0 = tsc();
    nanosleep(&h, NULL);
    int64_t t1 = tsc(), c1 = clk();
    return (double)(t1 - t0) / (double)(c1 - c0);
}

static void timer_row(void)
{
    int tf = CK(timerfd_create(CLOCK_MONOTONIC, 0));
    int n = cnt(1000);
    double ticks = ticks_per_ns();
    for (int i = -20; i < n; i++) {
        uint64_t x;
        int64_t c0 = clk(), t0 = tsc(), dl = c0 + 100000;
        struct itimerspec it = { .it_value = { dl / 1000000000, dl % 1000000000 } };
        CK(timerfd_settime(tf, TFD_TIMER_ABSTIME, &it, NULL));
        CK(read(tf, &x, 8));
        int64_t t1 = tsc(), c1 = clk();
        if (i >= 0) {
            sc[i] = c1 - dl;
            st[i] = t1 - t0 - (int64_t)(100000 * ticks);
        }
    }
    report("timer_oneshot_latency", n, 1);
    close(tf);
}

void waiting_rows(void)
{
    epoll_rows();
    if (want("timer_oneshot_latency"))
        timer_row();
}
