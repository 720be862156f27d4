/*
 * lockstep.h - runs worlds, in which real objects and a model take the same steps.
 *
 * Each thread has a world of its own, so on several processors the steps of one run
 * beside those of the others, in one address space. A run that fails is repeated in a
 * fresh world, with steps left out as long as it still fails, and the short list is
 * printed.
 *
 * To add a step to a world: write a function that draws its arguments, tells them, asks
 * the model what must come, makes the call and compares; put it into the world's table of
 * steps. A step means something in any state, and changes the model before its first call
 * or after it, not while it makes several. To add a kind of object: teach the model its
 * rules, and have the steps that create things draw it.
 *
 * Where the machine can make allocations fail (tests/host), now and then the first call
 * of a step is tried with each of its allocations failing in turn; after each failure
 * everything is compared with the model as it was before the step.
 */
#pragma once

#include "stress/stress.h"

#define LOCKSTEP_THREADS 8

/* How often a call did its work, and how often it was rightly refused. */
#define LOCKSTEP_WHATS    64
#define LOCKSTEP_SUBJECTS 10
struct lockstep_count {
    const char *what;
    uint32_t done[LOCKSTEP_SUBJECTS], refused[LOCKSTEP_SUBJECTS];
};

/* The beginning of every world. */
struct lockstep {
    uint64_t seed, step;
    uint64_t calls, refused; /* made, and of these rightly refused */
    bool tells;              /* prints each step */
    bool failed;
    char problem[200]; /* the first difference */
    bool between;      /* the last call failed and may be partly done: see `other` */
    const void *other; /* then: the model as it would be had the call been done */
    bool is_failing;   /* the calls of this step may be made to fail */
    bool is_disturbed; /* another thread has changed something for the call that failed */
    unsigned subject;  /* what kind of thing this step's calls are about */
    struct lockstep_count count[LOCKSTEP_WHATS];
    /* Where the draws come from, if not from the seed: bytes, two for a draw. */
    const uint8_t *bytes;
    size_t byte_count, byte_at;
    uint16_t drawn[16]; /* this step's draws from bytes, as far as they were asked for */
    uint32_t is_drawn;  /* a bit for each */
};

struct lockstep_kind {
    const char *name;
    struct lockstep *worlds; /* LOCKSTEP_THREADS of them */
    size_t world_size;
    size_t model_at, model_size; /* where in a world its model lies */
    void (*begin)(struct lockstep *world); /* after seed and tells are set, the rest zeroed */
    void (*step)(struct lockstep *world);  /* step number world->step */
    void (*check)(struct lockstep *world); /* compare everything */
    void (*end)(struct lockstep *world);   /* let go of everything */
    uint64_t (*pages)(const struct lockstep *world); /* that its objects should have */
    /* May be NULL: let what can be reclaimed be reclaimed, as calls that fail might. */
    void (*reclaim)(struct lockstep *world);
    const char *const *subjects; /* may be NULL: the names of kinds of things */
    /* May be NULL: says what this machine has no means for; false: the options want that. */
    bool (*tell)(const struct options *options);
};

extern const struct lockstep_kind lockstep_objects, lockstep_faults, lockstep_spaces;

/* The whole program; its exit code. */
int lockstep_main(const struct lockstep_kind *kind, struct options *options, int argc, char **argv);

/*
 * For fuzzers: take the steps that the bytes make of the first world, then compare
 * everything and end the world. False: a difference; it has been printed.
 */
bool lockstep_play(const struct lockstep_kind *kind, const uint8_t *bytes, size_t size);

/* ---- What the machine does (lockstep_machine.c; the host has its own) ---- */

/*
 * The bytes at an address of this process, which can be reached: a program ends if not,
 * on the host the answer is false.
 */
bool lockstep_load(uintptr_t address, void *bytes, size_t length);
bool lockstep_store(uintptr_t address, const void *bytes, size_t length);
/* Calls are made to fail at all (but not to several worlds). */
bool lockstep_has_failures(void);
/* All that can be reclaimed is; false: this machine has no such means. */
bool lockstep_reclaim(void);
/* A BTI for pinning; ZX_HANDLE_INVALID: this program has no authority for it. */
zx_handle_t lockstep_bti(void);
/*
 * Device memory that keeps what is written to it: the root resource gives so many bytes from
 * *out_base on. False: there is none, or this program has no authority for it.
 */
bool lockstep_device_memory(uint64_t size, zx_paddr_t *out_base);
/* Have the next call tried with its allocations failing in turn; false: it cannot be done. */
bool lockstep_fail_next_call(void (*judge)(bool partly));

/* ---- For the steps ---- */

void lockstep_differs(struct lockstep *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void lockstep_tell(struct lockstep *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Does a call's status agree? Returns whether it was ZX_OK. */
bool lockstep_agrees(struct lockstep *world, const char *what, zx_status_t want, zx_status_t got);
/*
 * Other worlds run in this process at the same time: what is mapped here costs each
 * processor an interrupt at every change, so most is mapped elsewhere.
 */
bool lockstep_is_elsewhere(const struct lockstep *world, unsigned index);
bool lockstep_is_alone(void);
unsigned lockstep_number(const struct lockstep *world);
/* This step makes several calls that belong together: none is to fail. */
void lockstep_spare(struct lockstep *world);
/* Draw number `index` (below 16) of this step. */
uint64_t lockstep_draw(const struct lockstep *world, unsigned index, uint64_t below);
