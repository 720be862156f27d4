/*
 * irq.c - lines and messages of devices that tests play; see host.h.
 *
 * All interrupt CPU 0. A level-triggered line that is active comes again as long as it is not
 * masked; an edge that comes while its line is masked is lost, as on the machine.
 */
#include "arch/irq.h"

#include "arch/host/host_internal.h"
#include "arch/spinlock.h"

#define LINES       24u
#define NOT_ROUTED  UINT32_MAX
#define WORDS       ((IRQ_VECTORS + 63) / 64)

struct line {
    uint32_t vector;
    bool level, masked, active;
};

static struct spinlock lines_lock = SPINLOCK_INIT(RANK_LEAF, "lines");
static struct line lines[LINES] = {[0 ... LINES - 1] = {.vector = NOT_ROUTED, .masked = true}};
static _Atomic uint64_t come[WORDS]; /* vectors, to be taken */

static void send(uint32_t vector) {
    atomic_fetch_or(&come[vector / 64], (uint64_t)1 << vector % 64);
    host_interrupt(0, HOST_IRQ_DEVICE);
}

/* Is it to interrupt now because of its level? */
static bool level_calls_locked(const struct line *line) REQUIRES(lines_lock) {
    return line->level && line->active && !line->masked && line->vector != NOT_ROUTED;
}

uint32_t irq_line_of_isa(uint32_t isa_irq) { return isa_irq == 0 ? 2 : isa_irq; }
bool irq_target_has_line(uint32_t line) { return line < LINES; }

bool irq_target_route(uint32_t number, uint32_t vector, enum irq_trigger trigger) {
    struct line *line = &lines[number];
    SPIN_GUARD(&lines_lock);

    line->vector = vector;
    line->masked = false;
    line->level = trigger >= IRQ_LEVEL_LOW || (trigger == IRQ_DEFAULT && number >= 16);
    if (level_calls_locked(line))
        send(vector);
    return line->level;
}

void irq_target_mask(uint32_t number, bool masked) {
    SPIN_GUARD(&lines_lock);

    lines[number].masked = masked;
    if (level_calls_locked(&lines[number]))
        send(lines[number].vector);
}

struct irq_message irq_target_message(uint32_t vector) {
    return (struct irq_message){0xfee00000, 64 + vector};
}

/* ---- The devices' side ---- */

static void change_line(uint32_t number, bool active) {
    struct line *line = &lines[number];
    SPIN_GUARD(&lines_lock);
    bool rises = active && !line->active;

    line->active = active;
    if (level_calls_locked(line) || (rises && !line->level && !line->masked))
        send(line->vector);
}

void host_set_line(uint32_t number, bool active) {
    change_line(number, active);
    host_poll();
}

bool host_line_is_masked(uint32_t number) {
    SPIN_GUARD(&lines_lock);

    return lines[number].masked;
}

void host_write_message(uint64_t address, uint32_t data) {
    if (address == 0xfee00000 && data - 64 < IRQ_VECTORS)
        send(data - 64);
    host_poll();
}

/* A level that its owner has neither masked nor ended comes again. */
static void end_of_interrupt(uint32_t vector) {
    SPIN_GUARD(&lines_lock);

    for (unsigned i = 0; i < LINES; i++)
        if (lines[i].vector == vector && level_calls_locked(&lines[i]))
            send(vector);
}

void host_take_interrupts(void) {
    for (unsigned word = 0; word < WORDS; word++) {
        for (uint64_t bits = atomic_exchange(&come[word], 0); bits; bits &= bits - 1) {
            uint32_t vector = word * 64 + (uint32_t)__builtin_ctzll(bits);
            (void)irq_fire(vector);
            end_of_interrupt(vector);
        }
    }
}
