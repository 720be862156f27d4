/*
 * job.h - the tree of jobs.
 *
 * A job holds its children weakly (lists under RANK_TASKS), children hold their
 * parent by reference. A job with neither handles nor children goes away. Killing
 * makes it refuse children for ever, then kills everything below, iteratively.
 */
#pragma once

#include "object/deferred.h"
#include "object/exception_channel.h"
#include "object/job_policy.h"
#include "sched/waitable.h"
#include "vm/user_copy.h"

#define JOB_MAX_HEIGHT 32

struct process;

struct job {
    struct waitable base;
    /* Set once. */
    struct job *parent;       /* referenced; NULL for the root */
    uint32_t height;          /* root JOB_MAX_HEIGHT, each child one less */
    /* Under the tasks lock. */
    struct list jobs, processes; /* children, weak */
    struct list_node sibling;
    uint32_t job_count, process_count;
    bool killed;
    bool kill_on_oom;         /* may be ended when memory runs out */
    bool linked;              /* in the parent's list: not once it has ended */
    int64_t return_code;
    struct run_times dead_times; /* of children that are gone */
    struct list_node ended_node; /* on the way to job_ended, referenced */
    struct deferred kill_work;   /* job_kill_soon, referenced while queued */
    _Atomic int64_t kill_code;
    struct job_policy policy; /* changes only while there are no children */
    /* Under base.lock. */
    struct exception_slot handler, debugger;
    char name[OBJECT_NAME_SIZE];
};

ALWAYS_INLINE struct job *job_from(struct waitable *object) {
    return container_of(object, struct job, base);
}
ALWAYS_INLINE void job_unref(struct job *job) { waitable_unref(&job->base); }
AUTO_RELEASE(job, job_unref)
extern struct mutex tasks_lock; /* RANK_TASKS: the shape of the whole task tree */

/* The root job exists from boot. Borrowed. */
struct job *job_root(void);
status_t job_init_root(void);
/* ERR_OUT_OF_RANGE too deep, ERR_BAD_STATE killed, ERR_NO_MEMORY. */
status_t job_create(struct job *parent, struct job **out_job);
void job_kill(struct job *job, int64_t return_code);
/* The same from where it must not nest: a worker does it. */
void job_kill_soon(struct job *job, int64_t return_code);
/* ERR_BAD_STATE once it is killed; else like exception_slot_bind. */
status_t job_bind_exceptions(struct job *job, bool is_debugger, struct exception_binding *binding,
                             rights_t rights);
/* See job_policy_add; ERR_BAD_STATE if the job has children. */
status_t job_set_policy(struct job *job, bool absolute, const zx_policy_basic_v2_t *entries,
                        uint32_t count);
status_t job_set_slack(struct job *job, const zx_policy_timer_slack_t *slack);
/* Link, with the job's policy, and unlink a process; ERR_BAD_STATE if the job is killed. */
status_t job_add_process(struct job *job, struct process *process);
/* The job after `at` in a depth-first walk below `top`; NULL at the end. */
struct job *job_walk_next_locked(struct job *top, struct job *at) REQUIRES(tasks_lock);
void job_set_kill_on_oom(struct job *job, bool allowed);
void job_remove_process(struct job *job, struct process *process);
