/*
 * user.c - the process whose code is this program's.
 */
#include "tests/host/user.h"

#include <zircon/process.h>
#include <zircon/rights.h>
#include <zircon/syscalls/object.h>

#include "arch/clock.h"
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "lib/log.h"
#include "object/job.h"
#include "object/object.h"
#include "object/resource.h"
#include "object/user_thread.h"
#include "sched/park.h"
#include "sched/sched.h"
#include "syscall/numbers.h"
#include "vm/aspace.h"
#include "vm/pmm.h"

#define BOUNCE_PLACE ((vaddr_t)0x10000000)
#define MS           ((nstime_t)1000000)

static struct {
    struct job *job;
    struct process *process;
    struct user_thread *thread;
    uint32_t job_handle, root_handle, process_handle, resource_handle;
    void (*main)(void);
    struct {
        void (*work)(unsigned argument);
        unsigned argument;
        _Atomic bool working;
    } threads[USER_THREADS + 1]; /* by number */
} user;

unsigned user_thread_number(void) { return (unsigned)user_thread_current()->start.ip; }
vaddr_t user_bounce(void) { return BOUNCE_PLACE + user_thread_number() * USER_BOUNCE_SIZE; }

zx_handle_t zx_job_default(void) { return user.job_handle; }
zx_handle_t zx_vmar_root_self(void) { return user.root_handle; }
zx_handle_t zx_process_self(void) { return user.process_handle; }
uint32_t user_root_resource(void) { return user.resource_handle; }

/* ---- Threads ---- */

static void NORETURN thread_ends(void) {
    upcall_syscall_table[SYS_thread_exit](0, 0, 0, 0, 0, 0, 0, 0);
    UNREACHABLE("a thread outlives its exit");
}

static void user_main(const struct user_start *start) {
    if (start->ip == 0) {
        user.main();
    } else {
        user.threads[start->ip].work(user.threads[start->ip].argument);
        user.threads[start->ip].working = false;
    }
    thread_ends();
}

static bool start_thread(unsigned number) {
    AUTO(user_thread) thread = NULL;

    return user_thread_create(user.process, "worker", &thread) == OK &&
           user_thread_start(thread, number, 0, 0, 0) == OK;
}

void user_start_thread(unsigned number, unsigned argument, void (*work)(unsigned argument)) {
    user.threads[number].work = work;
    user.threads[number].argument = argument;
    user.threads[number].working = true;
    if (!start_thread(number))
        panic("user: no memory for a thread");
}

void user_join_thread(unsigned number) {
    while (user.threads[number].working)
        (void)thread_sleep_until(clock_now() + MS / 10);
}

void user_run_threads(unsigned threads, void (*work)(unsigned index)) {
    for (unsigned i = 0; i < threads; i++)
        user_start_thread(i + 1, i, work);
    for (unsigned i = 0; i < threads; i++)
        user_join_thread(i + 1);
}

/* ---- Failing calls ---- */

static void (*_Atomic judge_failures)(bool partly); /* one thread at a time has use for it */
static _Atomic unsigned failing_thread;             /* that one's number */

static _Atomic bool is_judging;
bool user_is_judging(void) { return is_judging; }

void user_fail_next_call(void (*judge)(bool partly)) {
    failing_thread = user_thread_number();
    judge_failures = judge;
}

/* A copy that could not fault its page in says so of the buffer; an access only fails. */
static bool is_expected(uint64_t result) {
    return (status_t)(int32_t)result == ERR_INVALID_ARGS || result == 1;
}

uint64_t user_attempt(uint64_t (*attempt)(void *context), void *context, bool partly) {
    void (*judge)(bool partly) = judge_failures;
    uint64_t result, odd = 0;

    if (!judge || failing_thread != user_thread_number())
        return attempt(context);
    judge_failures = NULL;
    for (uint64_t n = 1;; n++) {
        alloc_fail_set(n);
        result = attempt(context);
        bool reached = alloc_fail_left() == 0;
        alloc_fail_set(0);
        if (!reached || result == 0)
            break;
        if ((status_t)(int32_t)result != ERR_NO_MEMORY)
            odd = result;
        is_judging = true;
        judge(partly);
        is_judging = false;
    }
    if (odd && odd != result && !is_expected(odd))
        panic("user: a call that found no memory gave %d", (int32_t)odd);
    return result;
}

/* ---- The process ---- */

static status_t give(struct waitable *object, rights_t rights, uint32_t *out_value) {
    struct handle handle = handle_make(object, rights);
    status_t status = handle_table_add(&user.process->handles, handle, out_value);

    if (status != OK)
        handle_release(&handle);
    return status;
}

/* All of it is there from the beginning, so that no bounce ever needs memory. */
static status_t give_bounce(struct region *root) {
    const uint64_t size = (USER_THREADS + 1) * USER_BOUNCE_SIZE;
    AUTO(vmo) vmo = NULL;
    vaddr_t address;
    status_t status = vmo_create(size, false, &vmo);

    if (status == OK)
        status = vmo_commit(vmo, 0, size);
    if (status == OK)
        status = vmar_map(root,
                          ZX_VM_SPECIFIC | ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_MAP_RANGE,
                          BOUNCE_PLACE - root->start, vmo, 0, size, PERM_MASK, &address);
    return status;
}

static status_t give_resource(void) {
    struct resource *root;
    status_t status = resource_create_root(&root);

    if (status == OK)
        status = give(&root->base, ZX_DEFAULT_RESOURCE_RIGHTS, &user.resource_handle);
    return status;
}

static status_t give_all(void) {
    AUTO(region) root = aspace_root(user.process->aspace);
    status_t status = give_bounce(root);

    if (status == OK)
        status = give(&user.job->base, ZX_DEFAULT_JOB_RIGHTS, &user.job_handle);
    if (status == OK)
        status = give_resource();
    if (status == OK)
        status = give(&user.process->base, ZX_DEFAULT_PROCESS_RIGHTS, &user.process_handle);
    if (status == OK)
        status = give(&root->base, region_ops.default_rights | PERM_MASK << 2, &user.root_handle);
    return status;
}

static status_t make(void) {
    status_t status = job_create(job_root(), &user.job);

    if (status == OK)
        status = process_create(user.job, "user", &user.process);
    if (status == OK)
        status = user_thread_create(user.process, "first", &user.thread);
    return status == OK ? give_all() : status;
}

static void let_go(void) {
    if (user.thread)
        user_thread_unref(user.thread);
    if (user.process)
        process_unref(user.process);
    if (user.job)
        job_unref(user.job);
    user.thread = NULL;
    user.process = NULL;
    user.job = NULL;
}

bool user_run(void (*main)(void)) {
    host_set_user_main(user_main);
    user.main = main;
    status_t status = make();
    if (status == OK)
        status = process_start(user.process, user.thread, 0, 0, 0, 0);
    if (status != OK)
        log_error("user: no process: %d", status);
    while (status == OK && process_state(user.process) != PROCESS_DEAD)
        (void)thread_sleep_until(clock_now() + MS);
    let_go();
    return status == OK;
}
