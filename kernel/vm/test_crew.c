/*
 * test_crew.c - threads for tests.
 *
 * The last member to finish unparks whoever waits; it does so under the crew's
 * lock, which the waiter takes once more before it leaves, so the crew may lie on
 * the waiter's stack.
 */
#include "vm/test_crew.h"

#include "vm/kernel_thread.h"
#include "vm/kheap.h"

struct member {
    struct crew *crew;
    unsigned index;
};

static void member_leaves(struct crew *crew) {
    MUTEX_GUARD(&crew->lock);
    if (--crew->working == 0)
        thread_unpark(&crew->done, OK);
}

static void member_main(void *argument) {
    struct member member = *(struct member *)argument;

    kheap_free(argument);
    member.crew->work(member.crew->context, member.index);
    member_leaves(member.crew);
}

static bool member_start(struct crew *crew, unsigned index) {
    struct member *member = kheap_alloc(sizeof(*member));
    struct thread *thread =
        member ? kernel_thread_create("crew", member_main, member, PRIORITY_DEFAULT) : NULL;

    if (!thread) {
        kheap_free(member);
        return false;
    }
    *member = (struct member){crew, index};
    thread_start(thread);
    return true;
}

bool crew_start(struct crew *crew, unsigned count, void (*work)(void *context, unsigned index),
                void *context) {
    mutex_init(&crew->lock, RANK_TASKS, "crew");
    park_prepare(&crew->done);
    crew->work = work;
    crew->context = context;
    crew->working = count + 1; /* the caller is one of them until crew_wait */
    for (unsigned i = 0; i < count; i++) {
        if (member_start(crew, i))
            continue;
        mutex_lock(&crew->lock);
        crew->working -= count - i;
        mutex_unlock(&crew->lock);
        return false;
    }
    return true;
}

void crew_wait(struct crew *crew) {
    member_leaves(crew);
    status_t status = thread_park(&crew->done, TIME_INFINITE, 0, BLOCK_OTHER);
    ASSERT(status == OK);
    MUTEX_GUARD(&crew->lock); /* the last member is out of it now */
}

bool crew_run(struct crew *crew, unsigned count, void (*work)(void *context, unsigned index),
              void *context) {
    bool complete = crew_start(crew, count, work, context);

    crew_wait(crew);
    return complete;
}
