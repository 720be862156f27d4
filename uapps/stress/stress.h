/*
 * stress.h - what the stress programs and the models share: options, draws from a
 * seed, progress, and the machine's count of its memory.
 *
 * A program is told what to do by its arguments. Every run prints its seed; the same
 * seed makes the same draws.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zircon/syscalls/object.h>
#include <zircon/types.h>

#define PAGE ((uint64_t)ZX_PAGE_SIZE)

struct options {
    uint64_t seed;    /* --seed N; else drawn */
    uint64_t seconds; /* --seconds N */
    uint64_t steps;   /* --steps N */
    uint64_t threads; /* --threads N; 0: one for each CPU */
    uint64_t every;   /* --every N: steps between two looks at everything */
    uint64_t raw;     /* --raw 1: a case that fails is not made shorter */
    uint64_t device;  /* --device 1: fails where there is no device memory to work with */
};

/* Fills in what the arguments say and prints the line with the seed; exits on wrong ones. */
void options_read(struct options *options, const char *name, int argc, char **argv);
/* What this program was started as, for one that starts itself again. After options_read. */
extern const char *program_path;
unsigned options_threads(const struct options *options);

/* ---- Draws ---- */

/* Draw number `index` of a seed: any of them can be had without the others. */
uint64_t draw_at(uint64_t seed, uint64_t index);

struct draws {
    uint64_t seed, next;
};
uint64_t draw(struct draws *draws, uint64_t below);

/* ---- Progress ---- */

/* Ends the program with a complaint; any thread may call it. */
void stress_fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* The call must succeed. */
#define MUST(call) stress_must(call, #call, __FILE__, __LINE__)
void stress_must(zx_status_t status, const char *call, const char *file, int line);

/* Since the options were read. */
uint64_t stress_elapsed_ms(void);
/* True while the time of --seconds has not run out. */
bool stress_goes_on(const struct options *options);

/* ---- The machine (stress_machine.c; the host has its own) ---- */

/* Called once, when the options are read. */
void stress_machine_begin(void);

/* ---- Threads ---- */

/* Run `work` on that many threads (its argument is their number), and wait for all. */
#define STRESS_THREADS_MAX 16
void stress_run(unsigned threads, void (*work)(unsigned index));

/* The same for one thread that goes on meanwhile; the numbers are the caller's. */
void stress_start(unsigned index, void (*work)(unsigned index));
void stress_join(unsigned index);

/* ---- The machine's memory ---- */

/* ZX_HANDLE_INVALID: this program has no such authority. */
zx_handle_t stress_root_resource(void);

/* False if this program may not ask. */
bool machine_memory(zx_info_kmem_stats_t *out_stats);
/* Physical pages of all memory objects; 0 if this program may not ask. */
uint64_t machine_vmo_pages(void);
/*
 * Has the kernel give back what it keeps for later, if it was booted with debug.syscalls
 * and this program may ask; false if not.
 */
bool machine_trim(void);
/*
 * Has the kernel compare all that it records of memory, if it was booted with
 * debug.syscalls and this program may ask; ends the program if something differs.
 */
void stress_audit(void);
