/*
 * race.h - two or three threads do something to one thing at about the same time, in many
 * rounds.
 *
 * No test here depends on how fast anything is. What may come before what is part of the
 * question, so each round accepts every order's answer and no other; where an order is
 * certain (see enum moment) it accepts that one's only. A round that does not end ends
 * the program, for its thread could not be joined.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <threads.h>
#include <zircon/types.h>

/* When something happens to a call: surely before it, at any point of it, while it is blocked. */
enum moment { BEFORE, DURING, AFTER };
#define MOMENTS 3

/*
 * A time after which nothing that may still happen is waited for: a minute from now, or
 * races.patience=SECONDS of the command line, for kernels that are known to have a fault.
 */
#define PATIENCE race_patience()
zx_time_t race_patience(void);

/* --- a thread that is told what to do, once for each round --- */

struct runner {
    thrd_t thread;
    zx_handle_t self;                  /* its own handle, borrowed */
    zx_status_t (*function)(void *);   /* what it is to do now */
    void *argument;
    atomic_int ordered, begun, done;   /* rounds */
    zx_status_t status;                /* of the last round */
};

/* The threads exist between these two, so that a test's end can count what is left. */
void runner_start(struct runner *runner);
void runner_end(struct runner *runner);
void runner_go(struct runner *runner, zx_status_t (*function)(void *), void *argument);
/* It has come to its function. */
void runner_await_begun(struct runner *runner);
/* It is in this ZX_THREAD_STATE_, or has come back already. */
void runner_await_state(struct runner *runner, uint32_t state);
/* Waits for the round's end; the function's result. */
zx_status_t runner_finish(struct runner *runner);

/* --- being close to each other --- */

/* Some time, from nothing to about two switches of threads: a pause, yields or a sleep. */
void race_moment(void);
uint64_t race_random(uint64_t below);
/*
 * For one of two who would come at the same time if one of them was not always faster: it
 * holds back for about as long as the other one needs, which the outcomes tell.
 */
struct hold {
    atomic_uint pauses;
};
void race_hold(struct hold *hold);
/* Whoever holds back came after the other one, or before it. */
void race_learn(struct hold *hold, bool was_late);
/* Returns when `count` threads have come here; the line is 0 before. */
void race_line_up(atomic_uint *line, unsigned count);

/* --- rounds, results, and what is left --- */

/*
 * Runs the body, with a few rounds to fill the kernel's caches and then with all of them,
 * which must bring every counter back; prints rounds and outcomes. Two thirds of the rounds
 * at 4 CPUs, half at 8; more with races.times=N on the command line.
 */
void race_run(const char *name, void (*body)(unsigned rounds), unsigned rounds);
/* One more round, and what came of it. */
void race_count(const char *what, zx_status_t outcome);
/* The same, and the test fails when the outcome is none of these. */
void race_expect(const char *what, const char *how, zx_status_t outcome, const zx_status_t *legal,
                 unsigned count);
#define LEGAL(what, how, outcome, ...)                                                             \
    race_expect(what, how, outcome, (const zx_status_t[]){__VA_ARGS__},                            \
                sizeof((zx_status_t[]){__VA_ARGS__}) / sizeof(zx_status_t))
/* For what can't be gone on from: says so and ends the program. */
void race_hangs(const char *what) __attribute__((noreturn));
/* TEST with the body's rounds. */
#define RACE(name, rounds_)                                                                        \
    static void race_##name(unsigned rounds);                                                      \
    TEST(name) { race_run(#name, race_##name, rounds_); }                                          \
    static void race_##name(unsigned rounds)
