/* Rows of threads and processes. */
#include "measure.h"

#include <limits.h>
#include <pthread.h>
#include <spawn.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rows.h"

#define CHILD_PATH "/spawn_child"

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

void thread_rows(void)
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

void process_rows(void)
{
    BENCH("process_spawn_exit", 1000, 1, spawn_posix());
    BENCH("process_vfork_exec_exit", 1000, 1, spawn_vfork());
    BENCH("process_fork_exec_exit", 1000, 1, spawn_fork_exec());
    BENCH("process_fork_exit", 1000, 1, fork_exit());
}
