/*
 * test_crew.h - for tests: some threads, and waiting until all of them are done.
 */
#pragma once

#include "sched/mutex.h"
#include "sched/park.h"

struct crew {
    struct mutex lock;
    unsigned working; /* under lock */
    struct parker done;
    void (*work)(void *context, unsigned index);
    void *context;
};

/*
 * Run work(context, 0 .. count - 1), each on a thread of its own, and return when
 * all have returned. False if a thread could not be made; those that were have run.
 */
bool crew_run(struct crew *crew, unsigned count, void (*work)(void *context, unsigned index),
              void *context);
/* The two halves, for a caller who has something to do meanwhile. */
bool crew_start(struct crew *crew, unsigned count, void (*work)(void *context, unsigned index),
                void *context);
void crew_wait(struct crew *crew);
