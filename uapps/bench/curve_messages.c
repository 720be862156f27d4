/*
 * curve_messages.c - messages against their bytes and handles, and calls of several
 * pairs of processes at once.
 */
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "bench/curves.h"

#define SAMPLES     21
#define BATCH       8
#define HANDLES_MAX ZX_CHANNEL_MAX_MSG_HANDLES
#define GO          ZX_USER_SIGNAL_0

static uint8_t message[ZX_CHANNEL_MAX_MSG_BYTES];
static zx_handle_t handles[HANDLES_MAX];

static void pair_make(zx_handle_t out[2]) { CHECK(zx_channel_create(0, &out[0], &out[1])); }

/* There and back in one thread: the handles that were read are those that are written next. */
static int64_t cost_of_message(const zx_handle_t ends[2], uint32_t bytes, uint32_t count) {
    uint32_t got_bytes, got_handles;
    return COST(SAMPLES, BATCH,
                CHECK(zx_channel_write(ends[0], 0, message, bytes, handles, count));
                CHECK(zx_channel_read(ends[1], 0, message, handles, bytes, count, &got_bytes,
                                      &got_handles)));
}

CURVE(bytes) {
    static const uint32_t sizes[] = {0, 4096, 65536, 64, 224, 256, 1024, 16384};
    unsigned points = curves_short() ? 3 : sizeof sizes / sizeof sizes[0];
    zx_handle_t ends[2];
    pair_make(ends);
    for (unsigned i = 0; i < points; i++)
        point("write_read", sizes[i], cost_of_message(ends, sizes[i], 0));
    CHECK(zx_handle_close_many(ends, 2));
}

CURVE(handles) {
    static const uint32_t counts[] = {0, 8, 64, 1, 2, 4, 16, 32};
    unsigned points = curves_short() ? 3 : sizeof counts / sizeof counts[0];
    zx_handle_t ends[2];
    pair_make(ends);
    for (unsigned i = 0; i < HANDLES_MAX; i++)
        handles[i] = event_new();
    for (unsigned i = 0; i < points; i++)
        point("write_read", counts[i], cost_of_message(ends, 64, counts[i]));
    CHECK(zx_handle_close_many(handles, HANDLES_MAX));
    CHECK(zx_handle_close_many(ends, 2));
}

/* ---- Calls of several pairs ---- */

#define PAIRS_MAX    8
#define CALL_SAMPLES 401

static void call(zx_handle_t channel) {
    uint32_t bytes, count;
    zx_channel_call_args_t args = {
        .wr_bytes = message, .wr_num_bytes = 64, .rd_bytes = message, .rd_num_bytes = 64};
    CHECK(zx_channel_call(channel, 0, ZX_TIME_INFINITE, &args, &bytes, &count));
}

/* Numbers between this program and its partners. */
static void tell(zx_handle_t end, int64_t number) {
    CHECK(zx_channel_write(end, 0, &number, sizeof number, NULL, 0));
}

static int64_t hear(zx_handle_t end) {
    int64_t number;
    uint32_t bytes;
    CHECK(zx_object_wait_one(end, ZX_CHANNEL_READABLE, ZX_TIME_INFINITE, NULL));
    CHECK(zx_channel_read(end, 0, &number, NULL, sizeof number, 0, &bytes, NULL));
    return number;
}

/*
 * Under -icount the CPUs take turns of ten milliseconds, so a batch of calls has, but for the
 * few that a turn cuts, the instructions of its own CPU alone.
 */
void call_server(zx_handle_t channel, zx_handle_t own, zx_handle_t go) {
    call(channel);
    tell(own, 0);
    CHECK(zx_object_wait_one(go, GO, ZX_TIME_INFINITE, NULL));
    tell(own, COST(CALL_SAMPLES, BATCH, call(channel)));
}

/*
 * The dearest pair's figure; and how often the CPUs were in each other's way: at locks that all
 * pairs share, and at those of objects, which here are a channel's own, between its two ends
 * when they happen to run on two CPUs.
 */
static void measure_calls(const zx_handle_t *own, unsigned pairs, zx_handle_t go) {
    const int64_t calls = (int64_t)pairs * CALL_SAMPLES * BATCH;
    int64_t most = 0;
    for (unsigned i = 0; i < pairs; i++)
        (void)hear(own[i]);
    int64_t locks = locks_contended("all"), own_locks = locks_contended("object");
    int64_t ipis = reschedule_ipis();
    CHECK(zx_object_signal(go, 0, GO));
    for (unsigned i = 0; i < pairs; i++) {
        int64_t cost = hear(own[i]);
        most = cost > most ? cost : most;
    }
    point("instructions", pairs, most);
    point("ipis_per_thousand", pairs, (reschedule_ipis() - ipis) * 1000 / calls);
    if (locks < 0)
        return;
    own_locks = locks_contended("object") - own_locks;
    locks = locks_contended("all") - locks - own_locks;
    point("contended_per_million", pairs, locks * 1000000 / calls);
    point("own_contended_per_million", pairs, own_locks * 1000000 / calls);
}

/* Prefer that the process's one thread runs there. */
static void bind_to_cpu(struct partner partner, unsigned cpu) {
    const zx_profile_info_t info = {.flags = ZX_PROFILE_INFO_FLAG_CPU_MASK,
                                    .cpu_affinity_mask = {{1ull << cpu}}};
    zx_handle_t both[2];
    zx_koid_t koid;
    CHECK(zx_profile_create(zx_job_default(), 0, &info, &both[0]));
    CHECK(zx_object_get_info(partner.process, ZX_INFO_PROCESS_THREADS, &koid, sizeof koid, NULL,
                             NULL));
    CHECK(zx_object_get_child(partner.process, koid, ZX_RIGHT_SAME_RIGHTS, &both[1]));
    CHECK(zx_object_set_profile(both[1], both[0], 0));
    CHECK(zx_handle_close_many(both, 2));
}

/* A pair of processes for each CPU: one calls, the other answers. */
CURVE(calls) {
    zx_handle_t go = event_new(), own[PAIRS_MAX];
    struct partner servers[PAIRS_MAX], callers[PAIRS_MAX];
    unsigned pairs = zx_system_get_num_cpus() < PAIRS_MAX ? zx_system_get_num_cpus() : PAIRS_MAX;
    for (unsigned i = 0; i < pairs; i++) {
        zx_handle_t ends[2], words[2];
        pair_make(ends);
        pair_make(words);
        own[i] = words[0];
        const zx_handle_t given[] = {ends[0], words[1], duplicate(go)};
        servers[i] = partner_start("channel", &ends[1], 1);
        callers[i] = partner_start("calls", given, 3);
        bind_to_cpu(servers[i], i);
        bind_to_cpu(callers[i], i);
    }
    measure_calls(own, pairs, go);
    for (unsigned i = 0; i < pairs; i++) {
        partner_join(callers[i]);
        partner_join(servers[i]); /* its channel's other end is gone */
    }
    CHECK(zx_handle_close_many(own, pairs));
    CHECK(zx_handle_close(go));
}
