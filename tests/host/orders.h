/*
 * orders.h - small cases of which every order is run.
 *
 * A case has two or three threads, each on a CPU of its own: thread i on CPU i + 1. For
 * each order everything is made anew: prepare() on the test's thread, then the threads'
 * work in that order, then check(), which gives everything back; what heap blocks, pages
 * and objects there are must be the same afterwards. check() tells what came out by
 * orders_saw(); that must be one of the case's outcomes, and each of these must come out
 * in some order: so the list is neither too long nor too short.
 *
 * EXPECT of ktest.h may be used anywhere.
 */
#pragma once

#include "lib/ktest.h"
#include "object/process.h"
#include "object/user_thread.h"
#include "sched/park.h"

#define ORDERS_THREADS  3
#define ORDERS_OUTCOMES 12

struct orders_case {
    const char *suite, *name;
    unsigned switches; /* preemptions in an order, at most */
    bool scheduler;    /* steps of sched.c may be preempted, too */
    bool is_user;      /* the threads are user threads, of one new process */
    void (*prepare)(void);
    void (*work[ORDERS_THREADS])(void); /* the last may be NULL */
    void (*check)(void);
    const char *outcomes[ORDERS_OUTCOMES];
};

#define ORDERS(suite_, name_, ...)                                                                 \
    static const struct orders_case orders_##suite_##_##name_ USED SECTION("orders") ALIGNED(8) =  \
        {.suite = #suite_, .name = #name_, __VA_ARGS__}

/* In check(): formatted, one of the case's outcomes. */
void orders_saw(const char *format, ...) PRINTF_LIKE(1, 2);
/* A status by its name, for that. */
const char *orders_status(status_t status);
/* Thread i of the case. */
struct thread *orders_thread(unsigned index);

/* ---- Where the threads are user threads ---- */
struct process *orders_process(void);
struct user_thread *orders_user_thread(unsigned index);
/* As after each system call: stops where the thread is suspended; ends it if it is killed. */
void orders_return_to_user(void);
