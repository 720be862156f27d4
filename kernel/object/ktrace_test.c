/*
 * ktrace_test.c - buffers of events: what they keep, lose and tell.
 */
#include "arch/clock.h"
#include "lib/ktest.h"
#include "lib/string.h"
#include "object/ktrace.h"
#include "sched/sched.h"
#include "sched/trace.h"
#include "vm/test_crew.h"

/* Memory may be refused on purpose. */
static bool begin(uint32_t groups, bool circular) {
    status_t status = ktrace_start(groups, circular);

    EXPECT(status == OK || status == ERR_NO_MEMORY);
    return status == OK;
}

/* What all CPUs have of one kind; checks the order of each CPU's records. */
struct tally {
    uint64_t records, of_kind, lost, cpus;
    bool in_order;
};

static struct tally look_for(enum jx_trace_kind kind) {
    struct tally found = {.in_order = true};
    uint64_t total = 1, ticks = 0;
    jx_trace_record_t record;
    size_t count;

    for (uint64_t at = 0; at < total; at++) {
        EXPECT_EQ(OK, ktrace_get(at, 1, &record, &count, &total));
        EXPECT_EQ(1, count);
        found.of_kind += record.kind == kind;
        if (record.kind == JX_TRACE_CPU) {
            found.cpus++;
            found.lost += record.b;
            ticks = 0;
        } else if (at > 0) {
            found.records++;
            found.in_order = found.in_order && record.ticks >= ticks;
            ticks = record.ticks;
        }
    }
    return found;
}

KTEST(ktrace, what_is_read_begins_with_the_machine_and_each_cpu) {
    jx_trace_record_t records[2];
    uint64_t total;
    size_t count;

    if (!begin(KTRACE_GRP_PROBE, false))
        return;
    EXPECT_EQ(ERR_BAD_STATE, ktrace_start(KTRACE_GRP_PROBE, false));
    EXPECT_EQ(ERR_BAD_STATE, ktrace_get(0, 0, NULL, &count, &total));
    EXPECT_EQ(ERR_BAD_STATE, ktrace_forget());
    upcall_trace(JX_TRACE_PROBE, 7, 8, 9);
    ktrace_stop();
    upcall_trace(JX_TRACE_PROBE, 1, 2, 3); /* not any more */
    EXPECT_EQ(OK, ktrace_get(0, 2, records, &count, &total));
    EXPECT_EQ(2, count);
    EXPECT_EQ(1 + cpu_count() + 1, total);
    EXPECT_EQ(JX_TRACE_HEADER, records[0].kind);
    EXPECT_EQ(clock_ticks_per_second(), records[0].a);
    EXPECT_EQ(cpu_count(), records[0].b);
    EXPECT_EQ(JX_TRACE_CPU, records[1].kind);
    struct tally found = look_for(JX_TRACE_PROBE);
    EXPECT_EQ(1, found.of_kind);
    EXPECT_EQ(cpu_count(), found.cpus);
    EXPECT_EQ(OK, ktrace_get(total, 2, records, &count, &total));
    EXPECT_EQ(0, count);
    EXPECT_EQ(OK, ktrace_forget());
    EXPECT_EQ(0, look_for(JX_TRACE_PROBE).records);
}

/* More than a buffer holds, on this CPU. */
static size_t room(void) {
    static jx_trace_record_t record;
    size_t before = 0, count;
    uint64_t total;

    if (!begin(KTRACE_GRP_PROBE, false))
        return 0;
    irq_state_t state = irq_save();
    unsigned cpu = cpu_id();
    for (uint64_t i = 0; trace_lost(cpu) == 0; i++)
        upcall_trace(JX_TRACE_PROBE, 0, i, 0);
    before = trace_count(cpu);
    irq_restore(state);
    ktrace_stop();
    EXPECT_EQ(OK, ktrace_get(0, 1, &record, &count, &total));
    EXPECT_EQ(1 + cpu_count() + before, total);
    return before;
}

KTEST(ktrace, a_full_buffer_keeps_the_first_or_the_last_and_counts_the_lost) {
    size_t most = room();

    if (most == 0)
        return;
    EXPECT_EQ(1, look_for(JX_TRACE_PROBE).lost);
    EXPECT_EQ(OK, ktrace_forget());
    if (!begin(KTRACE_GRP_PROBE, true))
        return;
    irq_state_t state = irq_save();
    unsigned cpu = cpu_id();
    for (uint64_t i = 0; i < most + 3; i++)
        upcall_trace(JX_TRACE_PROBE, 0, i, 0);
    irq_restore(state);
    ktrace_stop();
    EXPECT_EQ(most, trace_count(cpu));
    EXPECT_EQ(3, trace_lost(cpu));
    EXPECT_EQ(3, trace_get(cpu, 0)->a); /* 0, 1 and 2 are lost */
    EXPECT_EQ(most + 2, trace_get(cpu, most - 1)->a);
    EXPECT(look_for(JX_TRACE_PROBE).in_order);
    EXPECT_EQ(OK, ktrace_forget());
}

#define WRITERS 6
#define WRITES  200

/* Threads that switch all the time, and what they write. */
static void write_and_yield(void *context, unsigned index) {
    for (unsigned i = 0; i < WRITES; i++) {
        if (trace_is_on(KTRACE_GRP_PROBE))
            upcall_trace(JX_TRACE_PROBE, (uint16_t)index, i, 0);
        sched_yield();
    }
}

static struct crew crew;

KTEST(ktrace, every_cpu_writes_its_own_buffer_in_the_order_of_time) {
    if (!begin(KTRACE_GRP_PROBE | KTRACE_GRP_SCHEDULER | KTRACE_GRP_LOCK, true))
        return;
    bool whole = crew_run(&crew, WRITERS, write_and_yield, NULL);
    ktrace_stop();
    struct tally found = look_for(JX_TRACE_PROBE);
    EXPECT(found.in_order);
    EXPECT(!whole || found.lost > 0 || found.of_kind == WRITERS * WRITES);
    EXPECT(!whole || look_for(JX_TRACE_CONTEXT_SWITCH).of_kind > 0);
    EXPECT_EQ(OK, ktrace_forget());
}

KTEST(ktrace, it_can_be_stopped_and_read_while_others_run) {
    bool began = crew_start(&crew, WRITERS, write_and_yield, NULL);

    for (unsigned round = 0; round < 5; round++) {
        if (!begin(KTRACE_GRP_ALL & ~KTRACE_GRP_SYSCALL, round & 1))
            continue;
        sched_yield();
        ktrace_stop();
        EXPECT(look_for(JX_TRACE_PROBE).in_order);
    }
    if (began)
        crew_wait(&crew);
    EXPECT_EQ(OK, ktrace_forget());
}

KTEST(ktrace, names_travel_in_pieces) {
    if (!begin(KTRACE_GRP_TASKS, false))
        return;
    irq_state_t state = irq_save();
    unsigned cpu = cpu_id();
    trace_name(77, "a name of twenty-two b");
    irq_restore(state);
    ktrace_stop();
    const jx_trace_record_t *last = trace_get(cpu, trace_count(cpu) - 1);
    EXPECT_EQ(77, last->thread);
    EXPECT_EQ(JX_TRACE_NAME, last->kind);
    EXPECT_EQ(16, last->more);
    EXPECT_EQ(0, memcmp(&last->a, "-two b", 7));
    EXPECT_EQ(OK, ktrace_forget());
}
