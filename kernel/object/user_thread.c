/*
 * user_thread.c - the life of a user thread: made, launched, reaped.
 *
 * A running thread holds a reference to itself, which the reaper drops; so its
 * stack and registers outlive every handle. Kill and suspension reach it at each
 * return to user mode and in each killable park.
 *
 * A thread that stands still (stopped, or in an exception) is woken by nobody who does
 * not hold its process's lock: not by a resume, an answer, or a kill. So whoever holds
 * it and finds the thread parked there may use its registers.
 */
#include "object/user_thread.h"

#include <zircon/types.h>

#include "arch/clock.h"
#include "arch/upcall.h"
#include "lib/string.h"
#include "object/exception.h"
#include "object/exception_object.h"
#include "object/futex.h"
#include "sched/kill_point.h"
#include "sched/park.h"
#include "sched/sched.h"
#include "sched/trace.h"
#include "vm/aspace.h"
#include "vm/kernel_thread.h"
#include "vm/kheap.h"

#define EXTENDED_STATE_ALIGN ((uintptr_t)64)

static uint64_t user_thread_related_koid(const struct waitable *object) {
    return user_thread_from((struct waitable *)(uintptr_t)object)->process->base.koid;
}

static char *user_thread_name_storage(struct waitable *object) {
    return user_thread_from(object)->name;
}

static void user_thread_destroy(struct waitable *object) {
    struct user_thread *self = user_thread_from(object);
    struct process *process = self->process;
    if (self->futexes_owned > 0) /* it never ran */
        futex_owner_gone(process->futexes, self);
    if (self->thread.ops)
        thread_abandon(&self->thread);
    exception_slot_close(&self->handler, &self->base);
    kernel_stack_free(self->thread.stack_base);
    kheap_free(self->extended_state);
    kheap_free_sized(self, sizeof(*self));
    waitable_unref(&process->base);
}

static const struct waitable_ops user_thread_object_ops = {
    .name = "thread",
    .type = ZX_OBJ_TYPE_THREAD,
    .can_wait = true,
    .default_rights = ZX_DEFAULT_THREAD_RIGHTS,
    .destroy = user_thread_destroy,
    .related_koid = user_thread_related_koid,
    .name_storage = user_thread_name_storage,
};

/* ---- What sched asks for ---- */

static bool is_suspended(const struct user_thread *self) {
    return atomic_load_explicit(&self->thread.pending, memory_order_relaxed) &
           THREAD_PENDING_SUSPEND;
}

static void user_thread_return_to_user(struct thread *thread) {
    struct user_thread *self = user_thread_of(thread);

    kill_point("return", thread);
    if (!thread_is_killed(thread) && (thread->pending & THREAD_PENDING_STARTING)) {
        thread_clear_pending(thread, THREAD_PENDING_STARTING);
        exception_report_start(self);
    }
    /* First this: a suspension that comes now sets it again. */
    thread_clear_pending(thread, THREAD_PENDING_LONG_WAY);
    if (is_suspended(self))
        user_thread_stop(self);
    if (thread_is_killed(thread))
        user_thread_exit();
}

static void user_thread_reaped(struct thread *thread) {
    struct user_thread *self = user_thread_of(thread);
    kill_point("thread gone", thread);
    kheap_free(TAKE(thread->spare_message));
    process_thread_gone(self->process, self);
    waitable_unref(&self->base);
}

static const struct thread_ops user_thread_ops = {user_thread_return_to_user, user_thread_reaped};

/* The first code of a user thread, on its kernel stack. */
static void user_thread_main(void *argument) {
    struct user_thread *self = argument;
    struct aspace *aspace = self->process->aspace;
    sched_first_run();
    kill_point("thread first", &self->thread);
    arch_set_syscall_window(&self->thread.arch, aspace->vdso_code, aspace->vdso_code_end);
    if (unlikely(exception_start_is_watched(self)))
        thread_set_pending(&self->thread, THREAD_PENDING_STARTING);
    /* From the look at `pending` to user mode no interrupt may slip in and be lost. */
    irq_disable();
    if (thread_is_killed(&self->thread)) {
        irq_enable();
        user_thread_exit();
    }
    arch_enter_user(&self->start);
}

/* ---- Life ---- */

static status_t user_thread_furnish(struct user_thread *self) {
    self->extended_state = kheap_zalloc(arch_extended_state_size() + EXTENDED_STATE_ALIGN - 1);
    void *stack = self->extended_state ? kernel_stack_alloc() : NULL;
    if (!stack)
        return ERR_NO_MEMORY;
    thread_init(&self->thread, self->name, &user_thread_ops, stack, KERNEL_STACK_SIZE,
                user_thread_main, self, PRIORITY_DEFAULT);
    uintptr_t area = round_up((uintptr_t)self->extended_state, EXTENDED_STATE_ALIGN);
    arch_thread_set_extended_state(&self->thread.arch, (void *)area);
    self->thread.arch.mmu = &self->process->aspace->mmu;
    self->thread.uses_reserve = self->process->job == job_root();
    self->thread.user = self;
    self->thread.aspace = self->process->aspace;
    self->thread.tid = self->base.koid;
    self->thread.pid = self->process->base.koid;
    return OK;
}

status_t user_thread_create(struct process *process, const char *name,
                            struct user_thread **out_thread) {
    if (process_state(process) >= PROCESS_DYING)
        return ERR_BAD_STATE;
    struct user_thread *self = kheap_zalloc(sizeof(*self));
    if (!self)
        return ERR_NO_MEMORY;
    waitable_init(&self->base, &user_thread_object_ops, 0);
    self->process = process;
    waitable_ref(&process->base);
    string_copy(self->name, sizeof(self->name), name);
    if (user_thread_furnish(self) != OK) {
        waitable_unref(&self->base);
        return ERR_NO_MEMORY;
    }
    kill_point("thread made", &self->thread);
    *out_thread = self;
    return OK;
}

void user_thread_launch_locked(struct user_thread *self) {
    self->state = USER_THREAD_RUNNING;
    list_add_tail(&self->process->threads, &self->process_node);
    self->process->thread_count++;
    waitable_ref(&self->base); /* its own, until it is reaped */
    waitable_change(&self->base, 0, ZX_THREAD_RUNNING);
    if (unlikely(self->process->suspend_count > 0))
        user_thread_update_locked(self);
    if (trace_is_on(KTRACE_GRP_TASKS)) {
        trace_event(KTRACE_GRP_TASKS, JX_TRACE_THREAD_START, self->thread.tid, self->thread.pid);
        trace_name(self->thread.tid, self->name);
        trace_name(self->thread.pid, self->process->name);
    }
    thread_start(&self->thread);
}

static status_t start(struct user_thread *self, const struct user_start *start) {
    MUTEX_GUARD(&self->process->lock);
    if (self->process->state != PROCESS_RUNNING || self->state != USER_THREAD_NEW)
        return ERR_BAD_STATE;
    self->start = *start;
    user_thread_launch_locked(self);
    return OK;
}

status_t user_thread_start(struct user_thread *self, vaddr_t entry, vaddr_t stack, uint64_t arg1,
                           uint64_t arg2) {
    kill_point("thread start", &self->thread);
    status_t status = start(self, &(struct user_start){entry, stack, arg1, arg2});
    kill_point("thread started", &self->thread);
    return status;
}

void user_thread_exit(void) {
    kill_point("thread exit", thread_current());
    exception_report_end(user_thread_current());
    trace_event(KTRACE_GRP_TASKS, JX_TRACE_THREAD_END, thread_current()->tid, thread_current()->pid);
    thread_exit();
}

/* ---- Standing still ---- */

void user_thread_update_locked(struct user_thread *self) {
    if (self->suspend_count + self->process->suspend_count > 0) {
        if (!is_suspended(self))
            thread_set_pending(&self->thread, THREAD_PENDING_SUSPEND | THREAD_PENDING_LONG_WAY);
        return;
    }
    thread_clear_pending(&self->thread, THREAD_PENDING_SUSPEND);
    if (!self->stopped)
        return;
    struct parker *parker = self->stopped;
    self->stopped = NULL;
    waitable_change(&self->base, ZX_THREAD_SUSPENDED, ZX_THREAD_RUNNING);
    thread_unpark(parker, OK);
}

static bool stop_begin(struct user_thread *self, struct parker *parker) {
    MUTEX_GUARD(&self->process->lock);

    if (!is_suspended(self) || thread_is_killed(&self->thread))
        return false;
    park_prepare(parker);
    self->stopped = parker;
    waitable_change(&self->base, ZX_THREAD_RUNNING, ZX_THREAD_SUSPENDED);
    return true;
}

static void stop_end(struct user_thread *self) {
    MUTEX_GUARD(&self->process->lock);

    self->stopped = NULL;
}

void user_thread_stop(struct user_thread *self) {
    struct parker parker;

    while (stop_begin(self, &parker))
        if (thread_park(&parker, TIME_INFINITE, PARK_KILL_ONLY, BLOCK_OTHER) != OK)
            stop_end(self);
}

void upcall_pause(void) { user_thread_stop(user_thread_current()); }

/* What it stands still in; NULL: it does not. */
static const struct parker *still_in_locked(const struct user_thread *thread)
    REQUIRES(thread->process->lock) {
    if (thread->stopped)
        return thread->stopped;
    return thread->exception ? &thread->exception->parker : NULL;
}

typedef status_t register_access(struct arch_thread *thread, uint32_t kind, void *set);

/* ERR_SHOULD_WAIT: it is about to stand still. */
static status_t access_once(struct user_thread *thread, register_access *access, uint32_t kind,
                            void *set) {
    MUTEX_GUARD(&thread->process->lock);

    const struct parker *parker = still_in_locked(thread);
    if (!parker || thread_is_killed(&thread->thread))
        return ERR_BAD_STATE;
    if (!thread_is_parked_on(&thread->thread, parker))
        return ERR_SHOULD_WAIT;
    return access(&thread->thread.arch, kind, set);
}

#define MOMENT ((nstime_t)20000) /* ns */

/* Between its word and its park lie a few hundred instructions, or a preemption. */
static status_t access_registers(struct user_thread *thread, register_access *access,
                                 uint32_t kind, void *set) {
    status_t status;

    while ((status = access_once(thread, access, kind, set)) == ERR_SHOULD_WAIT) {
        status_t slept = thread_sleep_until(clock_now() + MOMENT);
        if (slept != OK)
            return slept;
    }
    return status;
}

static status_t write_access(struct arch_thread *thread, uint32_t kind, void *set) {
    return arch_registers_write(thread, kind, set);
}

status_t user_thread_read_registers(struct user_thread *thread, uint32_t kind, void *set) {
    return access_registers(thread, arch_registers_read, kind, set);
}

status_t user_thread_write_registers(struct user_thread *thread, uint32_t kind,
                                     const void *set) {
    return access_registers(thread, write_access, kind, (void *)(uintptr_t)set);
}
