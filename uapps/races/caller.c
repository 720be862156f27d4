/*
 * caller.c - makes the calls of the table, here and in a child; see caller.h.
 */
#include "races/caller.h"

#include <jacinth/utest.h>
#include <stdio.h>
#include <string.h>

#include "core-tests/debuggee.h"

/* --- here --- */

static _Alignas(4096) volatile uint64_t own_page[512];

void call_here_make(struct call_here *call, const struct blocking *blocking_call) {
    *call = (struct call_here){.call = blocking_call,
                               .scene = {.page = own_page,
                                         .seen = (uintptr_t)own_page,
                                         .vmar = zx_vmar_root_self()}};
    blocking_call->make(&call->scene);
    volatile char *place = (volatile char *)own_page + HANDLE_PLACE;
    *(volatile zx_handle_t *)place = call->scene.handle;
    *(volatile zx_handle_t *)(place + 12) = call->scene.handle;
    if (call->scene.arguments[0] == THE_HANDLE)
        call->scene.arguments[0] = call->scene.handle;
}

zx_status_t call_here_run(void *argument) {
    typedef zx_status_t function(uint64_t, uint64_t, uint64_t, uint64_t, uint64_t, uint64_t);
    const struct call_here *call = argument;
    const uint64_t *a = call->scene.arguments;
    if (call->hold)
        race_hold(call->hold);
    return ((function *)call->call->function)(a[0], a[1], a[2], a[3], a[4], a[5]);
}

void call_here_judge(const struct call_here *call, const struct ending *ending, enum moment moment,
                     zx_status_t status) {
    static const char *const moments[MOMENTS] = {"before", "during", "after"};
    const zx_status_t legal[] = {ending->before, ending->after, ending->also};
    char how[64];
    snprintf(how, sizeof how, "%s %s it", ending->name, moments[moment]);
    race_expect(call->call->name, how, status, moment == AFTER ? legal + 1 : legal,
                moment == BEFORE ? 1 : moment == AFTER ? 2 : 3);
    bool is_late = call->scene.deadline == 0 || status != ending->after ||
                   strcmp(ending->name, "nothing") != 0 ||
                   zx_clock_get_monotonic() >= call->scene.deadline;
    if (!is_late)
        utest_fail(__FILE__, __LINE__, "%s: came back before its deadline", call->call->name);
}

/* --- there --- */

/*
 * Words of its page: 0 the call, 1 to 6 its arguments, 7 its answer, 8 process_exit. The
 * handle that it was started with goes where the table says.
 */
CODE(caller_code, "mov %rsi, %rbx\n\t"
                  "mov %edi, %r12d\n\t"
                  "mov %edi, 2048(%rbx)\n\t"
                  "mov %edi, 2060(%rbx)\n\t"
                  CODE_CALL_OF_ENTRY
                  "mov $77, %edi\n\t"
                  "call *64(%rbx)");
_Static_assert(HANDLE_PLACE == 2048 && CAME_BACK == 77, "the code has them as numbers");

bool call_there_make(struct call_there *call, const struct blocking *blocking_call) {
    *call = (struct call_there){.call = blocking_call};
    if (!child_make(&call->child, caller_code, caller_code_end) || !child_give_vdso(&call->child))
        return false;
    call->scene = (struct scene){.page = call->child.data,
                                 .seen = CHILD_DATA,
                                 .vmar = call->child.vmar,
                                 .may_be_dead = true};
    blocking_call->make(&call->scene);
    call->child.data[0] = child_call(&call->child, blocking_call->call);
    for (int i = 0; i < 6; i++)
        call->child.data[1 + i] = call->scene.arguments[i];
    call->child.data[8] = child_call(&call->child, "zx_process_exit");
    return true;
}

zx_status_t call_there_start(struct call_there *call) {
    zx_handle_t handle = call->scene.handle;
    call->scene.handle = ZX_HANDLE_INVALID; /* given away on every result */
    return zx_process_start(call->child.process, call->child.thread, CHILD_CODE, CHILD_STACK,
                            handle, CHILD_DATA);
}

void call_there_await_blocked(const struct call_there *call) {
    zx_time_t limit = PATIENCE;
    for (;;) {
        uint32_t state = thread_state(call->child.thread);
        if (state == call->call->state || state == ZX_THREAD_STATE_DYING ||
            state == ZX_THREAD_STATE_DEAD)
            return;
        if (zx_clock_get_monotonic() > limit)
            race_hangs(call->call->name);
        (void)zx_nanosleep(zx_deadline_after(ZX_USEC(20)));
    }
}

void call_there_end(struct call_there *call) {
    call->scene.mapped = 0; /* it went with the child */
    scene_end(&call->scene);
    child_end(&call->child);
}
