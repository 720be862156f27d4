/*
 * turns.c - all CPUs on one pthread: exactly one runs, until another one is chosen.
 *
 * Ordinarily each CPU is a pthread and the host decides who is fast. Here a CPU is a
 * coroutine: it keeps its turn until it can't go on (it idles, or spins on a word that
 * nobody has changed since it looked), or until a hook, asked before each operation on
 * an atomic word (points/stdatomic.h), names another one. So the same answers give the
 * same run, and one who enumerates the answers enumerates the orders in which CPUs can
 * see each other's steps. A switch of CPUs is a switch of stacks, as between threads;
 * each CPU goes on with whatever thread it runs.
 *
 * Several CPUs, and not several threads on one: a thread that is preempted on one CPU
 * never stops inside a spinlock or with interrupts off, and never has another one look
 * at what it is about to change there. Those are the orders that machines with more
 * CPUs have besides.
 *
 * Time passes only by what CPUs do, until none can go on; then it jumps, as it does when
 * all of them idle. With no deadline either, it is a deadlock.
 */
#include <sys/mman.h>

#include "arch/host/host_internal.h"
#include "arch/upcall.h"
#include "lib/assert.h"
#include "lib/panic.h"

#define STACK_SIZE  ((size_t)256 * 1024)
#define VAIN_LOOKS  1000 /* of CPUs that spin, without any change; then nobody will make one */

static bool on;
static const struct host_turn_hooks *hooks;
static unsigned vain_looks;

bool host_takes_turns(void) { return on; }
void host_turns_set_hooks(const struct host_turn_hooks *new_hooks) { hooks = new_hooks; }

/* ---- Who can go on ---- */

static bool is_able(struct host_cpu *cpu) {
    unsigned pending = atomic_load(&cpu->pending);

    switch (cpu->turn.state) {
    case TURN_GOES_ON: return true;
    case TURN_SPINS: return cpu->turn.has_news || atomic_load(&cpu->flushes) ||
                            (cpu->irqs_on && pending);
    case TURN_IDLES: return pending != 0;
    default: return false;
    }
}

uint64_t host_turns_able(void) {
    uint64_t able = 0;

    for (unsigned id = 0; id < cpu_count(); id++)
        if (is_able(host_cpu_get(id)))
            able |= cpu_bit(id);
    return able;
}

/* Only CPUs that spin are left: what they wait for may have changed by other means than points. */
static bool look_again(void) {
    bool any = false;

    if (vain_looks++ == VAIN_LOOKS)
        panic("livelock: CPUs spin, and nobody changes anything");
    for (unsigned id = 0; id < cpu_count(); id++) {
        struct host_cpu *cpu = host_cpu_get(id);
        if (cpu->turn.state == TURN_SPINS)
            any = cpu->turn.has_news = true;
    }
    return any;
}

/* It becomes as late as the next deadline of a CPU that idles; false: there is none. */
static bool let_time_pass(void) {
    struct host_cpu *first = NULL;

    for (unsigned id = 0; id < cpu_count(); id++) {
        struct host_cpu *cpu = host_cpu_get(id);
        if (cpu->turn.state == TURN_IDLES &&
            (!first || atomic_load(&cpu->deadline) < atomic_load(&first->deadline)))
            first = cpu;
    }
    if (!first || atomic_load(&first->deadline) == TIME_INFINITE)
        return false;
    host_time_jump(atomic_load(&first->deadline));
    host_check_deadline(first);
    return true;
}

/* ---- Handing the turn over ---- */

static void turn_to(struct host_cpu *next) {
    struct host_cpu *me = host_cpu();

    if (next == me)
        return;
    ASSERT(is_able(next));
    host_cpu_become(next);
    host_turn_switch(&me->turn, &next->turn, me);
}

unsigned host_turns_after(unsigned cpu, uint64_t cpus) {
    uint64_t later = cpus >> cpu >> 1;

    return later ? cpu + 1 + (unsigned)__builtin_ctzll(later) : (unsigned)__builtin_ctzll(cpus);
}

/* The running CPU is in a state that it may not leave now. Returns when it has the turn again. */
static void pass_on(struct host_cpu *me, enum host_turn_state state) {
    uint64_t able;

    me->turn.state = state;
    while ((able = host_turns_able()) == 0)
        if (!look_again() && !(hooks && hooks->nobody && hooks->nobody()) && !let_time_pass())
            panic("deadlock: no CPU can go on, and nothing is due");
    turn_to(host_cpu_get(hooks && hooks->choose ? hooks->choose(able)
                                                : host_turns_after(me->cpu.id, able)));
    me->turn.state = TURN_GOES_ON;
}

void host_turn_spin(void) {
    struct host_cpu *me = host_cpu();

    if (!me->turn.has_news)
        pass_on(me, TURN_SPINS);
}

void host_turn_idle(void) {
    struct host_cpu *me = host_cpu();

    host_check_deadline(me);
    me->idle = true;
    while (!atomic_load(&me->pending))
        pass_on(me, TURN_IDLES);
    me->idle = false;
}

void host_turn_wait(void) { pass_on(host_cpu(), TURN_WAITS); }

void host_turns_release(uint64_t cpus) {
    for (unsigned id = 0; id < cpu_count(); id++)
        if ((cpus & cpu_bit(id)) && host_cpu_get(id)->turn.state == TURN_WAITS)
            host_cpu_get(id)->turn.state = TURN_GOES_ON;
}

/* ---- Points ---- */

/* Who looked at `where` last, and spins, shall look again. */
static void tell_others(const struct host_cpu *me, const volatile void *where) {
    vain_looks = 0;
    for (unsigned id = 0; id < cpu_count(); id++) {
        struct host_cpu *cpu = host_cpu_get(id);
        if (cpu != me && cpu->turn.looked_at == where)
            cpu->turn.has_news = true;
    }
}

NOINLINE void host_point(const volatile void *where, bool changes, const char *file) {
    if (!on || panic_is_running())
        return;
    if (hooks && hooks->at_point) {
        const struct host_point point = {where, __builtin_return_address(0), file, changes};
        turn_to(host_cpu_get(hooks->at_point(&point)));
    }
    struct host_cpu *me = host_cpu();
    if (changes) {
        tell_others(me, where);
    } else {
        me->turn.looked_at = where;
        me->turn.has_news = false;
    }
}

/* ---- The beginning ---- */

void host_turns_begin(void) { on = true; }

/* The first code of a CPU. */
void host_turn_main(void) { upcall_cpu_started(); }

void host_turns_start_cpu(struct host_cpu *cpu) {
    const int kind = MAP_PRIVATE | MAP_ANONYMOUS;
    char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, kind, -1, 0);

    if (stack == MAP_FAILED)
        panic("host: no memory for a CPU");
    cpu->stack_bottom = stack;
    cpu->stack_size = STACK_SIZE;
    host_turn_prepare(&cpu->turn, cpu);
    while (!atomic_load(&cpu->scheduled))
        turn_to(cpu);
}
