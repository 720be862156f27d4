/*
 * bench.h - rows of the measured table.
 *
 *     ROW(null_syscall) { MEASURE(64, zx_handle_close(ZX_HANDLE_INVALID)); }
 *
 * A row runs one operation again and again: first to warm up, then in samples of a
 * whole batch each. Its figure is the median sample divided by the batch, in ticks of
 * zx_ticks_get. Under -icount shift=0 a tick is one guest instruction, whoever executes
 * it: the kernel, its worker threads, a partner thread or process. Nothing is
 * subtracted: a figure contains the loop (two instructions an operation), the check of
 * each status, and its share of one zx_ticks_get (about twelve instructions a sample).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <zircon/syscalls.h>
#include <zircon/types.h>

#define PAGE      ((size_t)4096)
#define MIB(n)    ((size_t)(n) << 20)
#define BIG       MIB(16) /* what the rows "per page of 16 MiB" work on */
#define BIG_PAGES (BIG / PAGE)

struct row {
    const char *name;
    void (*run)(void);
    bool alone; /* needs a machine with more memory: only when it is asked for by name */
};
#define ROW_(name_, alone_)                                                                        \
    static void row_##name_(void);                                                                 \
    static const struct row row_record_##name_                                                     \
        __attribute__((used, retain, section("rows"), aligned(8))) = {#name_, row_##name_, alone_}; \
    static void row_##name_(void)
#define ROW(name)       ROW_(name, false)
#define ROW_ALONE(name) ROW_(name, true)

/* ---- Samples (measure.c) ---- */

#define WARM_UP 8

/* Forget what was measured; `wanted` samples are to come. */
void samples_begin(unsigned wanted);
bool samples_wanted(void);
void sample_add(int64_t ticks);
/* The median, divided by `operations` and rounded. */
int64_t samples_median(int64_t operations);
/* The figure of the row that runs. */
void row_result(int64_t instructions);

int64_t ticks(void);

/* The whole of an ordinary row. */
#define MEASURE(batch, ...) MEASURE_MANY(51, batch, __VA_ARGS__)
#define MEASURE_MANY(samples, batch, ...)                                                          \
    do {                                                                                           \
        for (unsigned warm_ = 0; warm_ < WARM_UP; warm_++) {                                       \
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
        row_result(samples_median(batch));                                                         \
    } while (0)

/* A row whose figure would be wrong ends the program. */
__attribute__((noreturn, cold)) void bench_fail(const char *what, int64_t value, int line);
#define CHECK(call)                                                                                \
    do {                                                                                           \
        zx_status_t checked_ = (call);                                                             \
        if (__builtin_expect(checked_ != ZX_OK, 0))                                                \
            bench_fail(#call, checked_, __LINE__);                                                 \
    } while (0)

/* ---- What several rows need ---- */

zx_handle_t vmo_new(size_t size);
zx_handle_t vmo_committed(size_t size);
uintptr_t map_whole(zx_handle_t vmo, size_t size);
void unmap(uintptr_t address, size_t size);
/* Measured itself, so no call of its own. */
static inline zx_handle_t snapshot(zx_handle_t vmo, size_t size) {
    zx_handle_t clone;
    CHECK(zx_vmo_create_child(vmo, ZX_VMO_CHILD_SNAPSHOT, 0, size, &clone));
    return clone;
}
zx_handle_t event_new(void);
zx_handle_t duplicate(zx_handle_t handle);
/* One write to the first byte of every `stride`th page. */
void touch_pages(uintptr_t address, size_t size, size_t stride);

/* ---- The other process of a row (partner.c) ---- */

struct partner {
    zx_handle_t process;
};
/* This program again, playing `part`; the handles are given away. */
struct partner partner_start(const char *part, const zx_handle_t *handles, unsigned count);
/* Wait until it has ended by itself. */
void partner_join(struct partner partner);
/* Its handle number `index`, in the partner. */
zx_handle_t partner_handle(unsigned index);
/* Play the part that the arguments name; false if they name none. */
bool partner_play(int argc, char **argv);

/* Answer each message on a channel until the other end is closed. */
void serve_channel(zx_handle_t channel);
/* Answer each signal of `ping` by one of `pong`; a user signal ends it. */
void serve_events(zx_handle_t ping, zx_handle_t pong);
#define PARTNER_STOP ZX_USER_SIGNAL_0
/* Write to each page of a clone when `go` is signalled (curve_faults.c). */
void write_clone(zx_handle_t clone, zx_handle_t own, zx_handle_t go);
/* Call a server again and again when `go` is signalled (curve_messages.c). */
void call_server(zx_handle_t channel, zx_handle_t own, zx_handle_t go);
