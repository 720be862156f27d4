/*
 * curves.h - what memory objects cost against their size, history and relatives; messages
 * against what is in them; wakes against how many wait.
 *
 * A curve is a row that is measured only when its name is given, and prints several
 * figures: `curve.figure<TAB>x<TAB>value`. `./jx bench vm` and `messages` run them, in a machine
 * whose first process this program is, so that it may ask how much memory is in use.
 */
#pragma once

#include "bench/bench.h"

#define CURVE(name) ROW_ALONE(name)
/* One figure of the curve that runs. */
void point(const char *figure, uint64_t x, int64_t value);
/* With the word `short` among the arguments only every second or third point is measured. */
bool curves_short(void);

/* The median of one operation, after a warm-up. */
#define COST(samples, batch, ...)                                                                  \
    ({                                                                                             \
        for (unsigned warm_ = 0; warm_ < 2; warm_++) {                                             \
            __VA_ARGS__;                                                                           \
        }                                                                                          \
        samples_begin(samples);                                                                    \
        while (samples_wanted()) {                                                                 \
            int64_t start_ = ticks();                                                              \
            for (unsigned again_ = (batch); again_ > 0; again_--) {                                \
                __VA_ARGS__;                                                                       \
            }                                                                                      \
            sample_add(ticks() - start_);                                                          \
        }                                                                                          \
        samples_median(batch);                                                                     \
    })

/* ---- The machine's counts (machine.c) ---- */

/* Bytes of the kernel's heap that are in use: nodes of page maps, objects, handle tables. */
int64_t heap_in_use(void);
/* Bytes of page tables. */
int64_t tables_in_use(void);
int64_t memory_free(void);
/* How often a CPU interrupted another because a thread is to run there. */
int64_t reschedule_ipis(void);
/*
 * How often a lock was not free at once, since boot: of a rank by its name, or of "all"; -1
 * if the kernel does not tell (it does when it was booted with debug.syscalls).
 */
int64_t locks_contended(const char *rank);
