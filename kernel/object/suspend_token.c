/*
 * suspend_token.c - counting suspensions, and the objects that stand for them.
 */
#include "object/suspend_token.h"

#include <zircon/types.h>

#include "vm/kheap.h"

struct suspend_token {
    struct waitable base;
    /* Set once; the one or the other, referenced. */
    struct user_thread *thread;
    struct process *process;
};

static struct suspend_token *token_from(struct waitable *object) {
    return container_of(object, struct suspend_token, base);
}

static void resume_thread(struct user_thread *thread) {
    MUTEX_GUARD(&thread->process->lock);

    thread->suspend_count--;
    user_thread_update_locked(thread);
}

static void update_all_locked(struct process *process) REQUIRES(process->lock) {
    list_for_each(node, &process->threads) {
        struct user_thread *thread = list_entry(node, struct user_thread, process_node);
        mutex_assert_held(&thread->process->lock);
        user_thread_update_locked(thread);
    }
}

static void resume_process(struct process *process) {
    MUTEX_GUARD(&process->lock);

    process->suspend_count--;
    update_all_locked(process);
}

static void token_on_zero_handles(struct waitable *object) {
    struct suspend_token *token = token_from(object);

    if (token->thread)
        resume_thread(token->thread);
    else
        resume_process(token->process);
}

static void token_destroy(struct waitable *object) {
    struct suspend_token *token = token_from(object);
    struct waitable *target = token->thread ? &token->thread->base : &token->process->base;

    kheap_free_sized(token, sizeof(*token));
    waitable_unref(target);
}

static const struct waitable_ops token_ops = {
    .name = "suspend token",
    .type = ZX_OBJ_TYPE_SUSPEND_TOKEN,
    .default_rights = ZX_DEFAULT_SUSPEND_TOKEN_RIGHTS,
    .destroy = token_destroy,
    .on_zero_handles = token_on_zero_handles,
};

static struct suspend_token *token_create(struct user_thread *thread, struct process *process) {
    struct suspend_token *token = kheap_zalloc(sizeof(*token));

    if (!token)
        return NULL;
    waitable_init(&token->base, &token_ops, 0);
    waitable_ref(thread ? &thread->base : &process->base);
    token->thread = thread;
    token->process = process;
    return token;
}

static status_t thread_count_up(struct user_thread *thread) {
    MUTEX_GUARD(&thread->process->lock);

    if (thread->process->state >= PROCESS_DYING || thread->state == USER_THREAD_DEAD ||
        thread_is_killed(&thread->thread))
        return ERR_BAD_STATE;
    thread->suspend_count++;
    user_thread_update_locked(thread);
    return OK;
}

static status_t process_count_up(struct process *process) {
    MUTEX_GUARD(&process->lock);

    if (process->state >= PROCESS_DYING)
        return ERR_BAD_STATE;
    process->suspend_count++;
    update_all_locked(process);
    return OK;
}

status_t suspend_thread(struct user_thread *thread, struct waitable **out_token) {
    struct suspend_token *token = token_create(thread, NULL);

    if (!token)
        return ERR_NO_MEMORY;
    status_t status = thread_count_up(thread);
    if (status == OK)
        *out_token = &token->base;
    else
        waitable_unref(&token->base); /* never had a handle, so it resumes nobody */
    return status;
}

status_t suspend_process(struct process *process, struct waitable **out_token) {
    struct suspend_token *token = token_create(NULL, process);

    if (!token)
        return ERR_NO_MEMORY;
    status_t status = process_count_up(process);
    if (status == OK)
        *out_token = &token->base;
    else
        waitable_unref(&token->base);
    return status;
}
