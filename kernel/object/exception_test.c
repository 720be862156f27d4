/*
 * exception_test.c - slots for exception channels, and suspensions that are counted, on
 * tasks that do not run.
 */
#include <zircon/types.h>

#include "lib/ktest.h"
#include "object/exception.h"
#include "object/suspend_token.h"

struct scene {
    struct process *process;
    struct user_thread *thread;
};

static status_t scene_make(struct scene *scene) {
    status_t status = process_create(job_root(), "scene", &scene->process);

    if (status == OK)
        status = user_thread_create(scene->process, "still", &scene->thread);
    return status;
}

static void scene_end(struct scene *scene) {
    if (scene->process)
        process_kill(scene->process, 0);
    if (scene->thread)
        user_thread_unref(scene->thread);
    if (scene->process)
        process_unref(scene->process);
}
#define SCENE(name)                                                                                \
    __attribute__((cleanup(scene_end))) struct scene name = {};                                    \
    REQUIRE(scene_make(&name) == OK)

/* The program's end, as a handle, or none. */
static struct handle bind(struct process *process, bool is_debugger, status_t *out_status) {
    struct exception_binding binding;
    struct handle end = {};

    *out_status = exception_binding_make(&binding);
    if (*out_status != OK)
        return end;
    end = handle_make(&binding.theirs->end.base, ZX_DEFAULT_EXCEPTION_CHANNEL_RIGHTS);
    *out_status = exception_bind_process(process, is_debugger, &binding, 1);
    exception_binding_finish(&binding);
    if (*out_status != OK)
        handle_release(&end);
    return end;
}

KTEST(exception, a_slot_is_bound_once_until_its_other_end_is_closed) {
    SCENE(scene);
    struct waitable *task = &scene.process->base;
    status_t status;
    rights_t rights;

    struct handle first = bind(scene.process, false, &status);
    REQUIRE(status == OK);
    EXPECT(exception_slot_is_live(&scene.process->handler, task));
    EXPECT(!exception_slot_is_live(&scene.process->debugger, task));
    (void)bind(scene.process, false, &status);
    EXPECT_EQ(ERR_ALREADY_BOUND, status);
    handle_release(&first);
    EXPECT(!exception_slot_is_live(&scene.process->handler, task));
    EXPECT(exception_slot_get(&scene.process->handler, task, &rights) == NULL);
    struct handle second = bind(scene.process, false, &status);
    EXPECT_EQ(OK, status);
    EXPECT(exception_slot_is_live(&scene.process->handler, task));
    handle_release(&second);
}

KTEST(exception, a_dead_process_closes_its_slots_and_refuses_new_ones) {
    SCENE(scene);
    status_t status;

    struct handle end = bind(scene.process, true, &status);
    REQUIRE(status == OK);
    process_kill(scene.process, 1);
    EXPECT(waitable_signals(end.object) & ZX_CHANNEL_PEER_CLOSED);
    (void)bind(scene.process, true, &status);
    EXPECT_EQ(ERR_BAD_STATE, status);
    handle_release(&end);
}

static uint32_t pending_in(const struct scene *scene) { return scene->thread->thread.pending; }

KTEST(suspend, suspensions_count_and_the_last_one_s_end_clears_the_bit) {
    SCENE(scene);
    struct handle tokens[3];
    unsigned made = 0;

    for (struct waitable *token; made < 3; made++) {
        if (suspend_thread(scene.thread, &token) != OK)
            break;
        tokens[made] = handle_adopt(token, ZX_DEFAULT_SUSPEND_TOKEN_RIGHTS);
        EXPECT(pending_in(&scene) & THREAD_PENDING_SUSPEND);
    }
    EXPECT_EQ(3, made);
    while (made-- > 0) {
        EXPECT(pending_in(&scene) & THREAD_PENDING_SUSPEND);
        handle_release(&tokens[made]);
    }
    EXPECT_EQ(THREAD_PENDING_LONG_WAY, pending_in(&scene));
}

KTEST(suspend, a_dead_task_can_t_be_suspended_and_its_tokens_are_harmless) {
    SCENE(scene);
    struct waitable *token, *none;

    REQUIRE(suspend_process(scene.process, &token) == OK);
    struct handle handle = handle_adopt(token, ZX_DEFAULT_SUSPEND_TOKEN_RIGHTS);
    process_kill(scene.process, 1);
    EXPECT_EQ(ERR_BAD_STATE, suspend_process(scene.process, &none));
    EXPECT_EQ(ERR_BAD_STATE, suspend_thread(scene.thread, &none));
    handle_release(&handle);
    EXPECT_EQ(0, scene.process->suspend_count);
}

KTEST(suspend, registers_of_a_thread_that_runs_or_has_not_begun_are_refused) {
    SCENE(scene);
    char set[REGISTER_SET_MAX / 8];
    struct waitable *token;

    EXPECT_EQ(ERR_BAD_STATE, user_thread_read_registers(scene.thread, 0, set));
    REQUIRE(suspend_thread(scene.thread, &token) == OK);
    struct handle handle = handle_adopt(token, ZX_DEFAULT_SUSPEND_TOKEN_RIGHTS);
    EXPECT_EQ(ERR_BAD_STATE, user_thread_read_registers(scene.thread, 0, set));
    handle_release(&handle);
}
