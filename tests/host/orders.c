/*
 * orders.c - runs each case of orders.h in all its orders.
 *
 *   orders [FILTER] [--switches N] [--order ORDER] [--list]
 *
 * The kernel is this process's, with one CPU for each thread of a case and one for the
 * test's own thread, on one pthread (arch/host/turns.c). Nothing is random: a case that
 * fails prints its order, and --order runs that one alone and tells each switch.
 * --switches allows another number of preemptions than the case's own.
 */
#include "tests/host/orders.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/clock.h"
#include "arch/upcall.h"
#include "lib/log.h"
#include "object/job.h"
#include "tests/host/machine.h"
#include "tests/host/orders_search.h"
#include "vm/kernel_thread.h"
#include "vm/kheap.h"
#include "vm/pmm.h"

#define MS ((nstime_t)1000000)
/* Longer than a slice, so that no tick of an earlier order comes in a later one. */
#define REST (25 * MS)

extern const struct orders_case __start_orders[] __attribute__((visibility("hidden")));
extern const struct orders_case __stop_orders[] __attribute__((visibility("hidden")));

const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    /* Fibres have no fake stacks; an abort after a panic shows the stack by names. */
    return "detect_stack_use_after_return=0:handle_abort=1";
}
void __sanitizer_set_death_callback(void (*callback)(void));

static struct {
    const char *filter, *order;
    int switches; /* -1: the case's own */
    bool list;
} options = {.filter = "all", .switches = -1};

static struct ktest_result total;

/* ---- What the orders of a case showed ---- */

static const struct orders_case *running; /* NULL: none */
static uint64_t seen[ORDERS_OUTCOMES];    /* in so many orders */

void orders_saw(const char *format, ...) {
    char text[128];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (unsigned i = 0; i < ORDERS_OUTCOMES && running->outcomes[i]; i++) {
        if (strcmp(text, running->outcomes[i]) == 0) {
            seen[i]++;
            return;
        }
    }
    ktest_fail(__FILE__, __LINE__, "\"%s\" may not come out", text);
}

const char *orders_status(status_t status) {
    switch (status) {
    case OK: return "OK";
    case ERR_BAD_HANDLE: return "BAD_HANDLE";
    case ERR_CANCELED: return "CANCELED";
    case ERR_NOT_FOUND: return "NOT_FOUND";
    case ERR_TIMED_OUT: return "TIMED_OUT";
    case ERR_PEER_CLOSED: return "PEER_CLOSED";
    case ERR_SHOULD_WAIT: return "SHOULD_WAIT";
    case ERR_BAD_STATE: return "BAD_STATE";
    case ERR_IO: return "IO";
    case ERR_INTERNAL_KILLED: return "KILLED";
    case ERR_INTERNAL_RETRY: return "RETRY";
    default: return "another status";
    }
}

static void print_order(void) {
    if (!running)
        return;
    printf("orders: %s.%s fails with --order %s\n", running->suite, running->name,
           search_order_text());
    fflush(stdout);
}

/* ---- Threads, and when the order begins and ends ---- */

static struct worker {
    struct thread *thread;
    struct parker parker; /* between two orders */
    bool finished;
} workers[ORDERS_THREADS];

static struct {
    struct process *process;
    struct user_thread *threads[ORDERS_THREADS];
} user;

static enum { NO_ORDER, GATHERING, IN_ORDER } phase;
static unsigned thread_count, gathered;
static _Atomic unsigned resting;

struct thread *orders_thread(unsigned index) {
    return running->is_user ? &user.threads[index]->thread : workers[index].thread;
}
struct process *orders_process(void) { return user.process; }
struct user_thread *orders_user_thread(unsigned index) { return user.threads[index]; }

void orders_return_to_user(void) {
    if (thread_current()->pending)
        upcall_return_to_user();
}

static bool has_finished(unsigned index) {
    return workers[index].finished ||
           (running->is_user && orders_thread(index)->state == THREAD_DEAD);
}

static bool all_have_finished(void) {
    for (unsigned i = 0; i < thread_count; i++)
        if (!has_finished(i))
            return false;
    return true;
}

/* No CPU can go on: all wait for the beginning, or have come to the end, or are stuck. */
static bool nobody_can(void) {
    if (phase == GATHERING && gathered == thread_count) {
        phase = IN_ORDER;
        host_turns_release(((cpu_bit(thread_count) - 1) << 1));
        search_order_begins();
        return true;
    }
    if (phase == IN_ORDER && all_have_finished()) {
        phase = NO_ORDER;
        search_order_ends();
        host_turns_release(UINT64_MAX);
        return true;
    }
    return false;
}

static const struct host_turn_hooks hooks = {search_at_point, search_choose, nobody_can};

/* A thread's part of an order, on its CPU. */
static void take_part(unsigned index) {
    gathered++;
    host_turn_wait();
    running->work[index]();
    workers[index].finished = true;
    host_turn_wait();
}

static void worker_main(void *argument) {
    struct worker *worker = argument;

    for (;;) {
        park_prepare(&worker->parker);
        resting++;
        (void)thread_park(&worker->parker, TIME_INFINITE, 0, BLOCK_OTHER);
        take_part((unsigned)(worker - workers));
        thread_clear_pending(worker->thread, UINT32_MAX);
    }
}

static void start_workers(void) {
    for (unsigned i = 0; i < ORDERS_THREADS; i++) {
        workers[i].thread = kernel_thread_create("worker", worker_main, &workers[i],
                                                 PRIORITY_DEFAULT);
        ASSERT(workers[i].thread);
        thread_start_pinned(workers[i].thread, i + 1);
    }
}

static void user_main(const struct user_start *start) {
    take_part((unsigned)start->arg1);
    orders_return_to_user();
    user_thread_exit();
}

/* ---- One order ---- */

static void rest(nstime_t duration) { (void)thread_sleep_until(clock_now() + duration); }

static void make_process(void) {
    status_t status = process_create(job_root(), "orders", &user.process);

    ASSERT(status == OK);
    for (unsigned i = 0; i < thread_count; i++) {
        status = user_thread_create(user.process, "orders", &user.threads[i]);
        ASSERT(status == OK);
        user.threads[i]->thread.pinned = true;
        user.threads[i]->thread.cpu = i + 1;
    }
}

static void start_users(void) {
    status_t status = process_start(user.process, user.threads[0], 0, 0, 0, 0);

    for (unsigned i = 1; i < thread_count && status == OK; i++)
        status = user_thread_start(user.threads[i], 0, 0, i, 0);
    ASSERT(status == OK);
}

static void await_users(void) {
    while (!(waitable_signals(&user.process->base) & ZX_PROCESS_TERMINATED))
        rest(MS);
}

static void let_users_go(void) {
    for (unsigned i = 0; i < thread_count; i++)
        user_thread_unref(TAKE(user.threads[i]));
    process_unref(TAKE(user.process));
}

static void start_kernel_threads(void) {
    for (unsigned i = 0; i < thread_count; i++)
        thread_unpark(&workers[i].parker, OK);
}

static void await_kernel_threads(void) {
    while (resting < ORDERS_THREADS)
        rest(MS);
}

/* An earlier order may have left the only thread that has no CPU of its own anywhere. */
static void begin_as_always(void) {
    rest(REST);
    ASSERT(!machine_reaper()->on_cpu);
    machine_reaper()->cpu = 1;
}

static void run_order(void) {
    begin_as_always();
    gathered = 0;
    for (unsigned i = 0; i < ORDERS_THREADS; i++)
        workers[i].finished = false;
    if (running->is_user)
        make_process();
    running->prepare();
    phase = GATHERING;
    if (running->is_user) {
        start_users();
    } else {
        resting -= thread_count;
        start_kernel_threads();
    }
    host_turn_wait();
    if (running->is_user)
        await_users();
    else
        await_kernel_threads();
    running->check();
    if (running->is_user)
        let_users_go();
}

/* ---- All orders of a case ---- */

static bool run_and_judge(void) {
    const struct ktest test = {running->suite, running->name, run_order, false};

    if (ktest_run_one(&test))
        return true;
    print_order();
    return false;
}

static bool all_outcomes_were_seen(void) {
    bool good = true;

    for (unsigned i = 0; i < ORDERS_OUTCOMES && running->outcomes[i]; i++) {
        if (seen[i] > 0)
            continue;
        printf("orders: %s.%s: \"%s\" never came out\n", running->suite, running->name,
               running->outcomes[i]);
        good = false;
    }
    return good;
}

/* First few switches, then more: so the first order that fails has the fewest. */
static bool search_case(unsigned switches) {
    uint64_t orders = 0, steps = 0;

    for (unsigned allowed = 0; allowed <= switches; allowed++) {
        search_begin(thread_count, allowed, running->scheduler);
        orders = steps = 0;
        memset(seen, 0, sizeof(seen));
        do {
            if (!run_and_judge())
                return false;
            orders = search_orders();
            steps = MAX(steps, search_steps());
        } while (search_advance());
    }
    printf("%s.%s: %llu orders of up to %llu steps with at most %u switches\n", running->suite,
           running->name, (unsigned long long)orders, (unsigned long long)steps, switches);
    fflush(stdout);
    return all_outcomes_were_seen();
}

/* The second time everything is as warm as it is in a search. */
static bool run_given_order(void) {
    search_begin(thread_count, 0, false);
    if (!run_and_judge() || !search_begin_with(thread_count, options.order))
        return false;
    return run_and_judge();
}

static bool run_case(const struct orders_case *orders_case) {
    running = orders_case;
    for (thread_count = 0; thread_count < ORDERS_THREADS && running->work[thread_count];)
        thread_count++;
    bool good = options.order ? run_given_order()
                              : search_case(options.switches >= 0 ? (unsigned)options.switches
                                                                  : running->switches);
    running = NULL;
    return good;
}

/* ---- The program ---- */

static uint64_t balance_heap(void) { return kheap_stats().blocks_used; }
static uint64_t balance_pages(void) { return pmm_stats().pages[PAGE_VMO]; }
static void settle(void) { rest(MS); }

static bool is_wanted(const struct orders_case *orders_case) {
    const struct ktest test = {orders_case->suite, orders_case->name, NULL, false};

    return ktest_matches(&test, options.filter);
}

static void body(void) {
    ktest_set_balance("heap blocks", balance_heap);
    ktest_set_balance("pages of memory objects", balance_pages);
    ktest_set_balance("objects", waitable_live_total);
    ktest_set_settle(settle);
    host_set_user_main(user_main);
    ASSERT(cpu_id() == 0);
    thread_current()->pinned = true;
    start_workers();
    await_kernel_threads();
    host_turns_set_hooks(&hooks);
    for (const struct orders_case *at = __start_orders; at < __stop_orders; at++) {
        if (!is_wanted(at))
            continue;
        if (run_case(at))
            total.passed++;
        else
            total.failed++;
    }
    host_finish(total.failed != 0 || total.passed == 0);
}

static void list_cases(void) {
    for (const struct orders_case *at = __start_orders; at < __stop_orders; at++)
        printf("%s.%s\n", at->suite, at->name);
}

static bool read_arguments(char **argument) {
    for (; *argument; argument++) {
        if (strcmp(*argument, "--switches") == 0 && argument[1])
            options.switches = atoi(*++argument);
        else if (strcmp(*argument, "--order") == 0 && argument[1])
            options.order = *++argument;
        else if (strcmp(*argument, "--list") == 0)
            options.list = true;
        else if (**argument != '-')
            options.filter = *argument;
        else
            return false;
    }
    return true;
}

int main(int count, char **arguments) {
    const struct host_options machine = {
        .cpus = ORDERS_THREADS + 1, .memory = MIB(64), .seed = 1, .turns = true, .cmdline = ""};

    if (!read_arguments(arguments + 1)) {
        fprintf(stderr, "usage: orders [FILTER] [--switches N] [--order ORDER] [--list]\n");
        return 2;
    }
    if (options.list) {
        list_cases();
        return 0;
    }
    __sanitizer_set_death_callback(print_order);
    int code = machine_run(&machine, body);
    printf("%u passed, %u failed\n", total.passed, total.failed);
    return code;
}
