/*
 * irq.c - who owns which vector and which line; see irq.h.
 *
 * One lock for all, held while an owner's function runs, so that closing waits for it.
 */
#include "arch/irq.h"

#include <stdatomic.h>

#include "arch/spinlock.h"
#include "lib/assert.h"

static struct spinlock lock = SPINLOCK_INIT(RANK_VECTOR, "vectors");
/* Under lock. */
static struct irq *owners[IRQ_VECTORS];
static bool taken[IRQ_VECTORS];

static _Atomic uint64_t lines[IRQ_LINES / 64]; /* a bit for each that has an owner */

static bool take_line(uint32_t line) {
    uint64_t bit = (uint64_t)1 << line % 64;

    return !(atomic_fetch_or(&lines[line / 64], bit) & bit);
}
static void give_line(uint32_t line) {
    atomic_fetch_and(&lines[line / 64], ~((uint64_t)1 << line % 64));
}

void irq_reserve_line(uint32_t line) { (void)take_line(line); }

/* ---- Vectors ---- */

static bool is_free_locked(uint32_t first, uint32_t count) REQUIRES(lock) {
    for (uint32_t i = first; i < first + count; i++)
        if (taken[i])
            return false;
    return true;
}

static void set_taken_locked(uint32_t first, uint32_t count, bool is_taken) REQUIRES(lock) {
    for (uint32_t i = first; i < first + count; i++)
        taken[i] = is_taken;
}

static status_t take_vectors_locked(uint32_t count, uint32_t *out_first) REQUIRES(lock) {
    for (uint32_t first = 0; first + count <= IRQ_VECTORS; first += count) {
        if (!is_free_locked(first, count))
            continue;
        set_taken_locked(first, count, true);
        *out_first = first;
        return OK;
    }
    return ERR_NO_RESOURCES;
}

status_t irq_messages_allocate(uint32_t count, uint32_t *out_first) {
    SPIN_GUARD(&lock);

    return take_vectors_locked(count, out_first);
}

void irq_messages_free(uint32_t first, uint32_t count) {
    SPIN_GUARD(&lock);

    for (uint32_t i = first; i < first + count; i++)
        ASSERT(!owners[i]);
    set_taken_locked(first, count, false);
}

/* ---- Owners ---- */

static status_t open_line(struct irq *irq, uint32_t line, enum irq_trigger trigger) {
    SPIN_GUARD(&lock);

    status_t status = take_vectors_locked(1, &irq->vector);
    if (status != OK)
        return status;
    irq->line = line;
    irq->is_line = true;
    owners[irq->vector] = irq;
    irq->is_level = irq_target_route(line, irq->vector, trigger); /* fires after the lock */
    return OK;
}

status_t irq_open_line(struct irq *irq, uint32_t line, enum irq_trigger trigger) {
    if (line >= IRQ_LINES || !irq_target_has_line(line))
        return ERR_INVALID_ARGS;
    if (!take_line(line))
        return ERR_ALREADY_BOUND;
    status_t status = open_line(irq, line, trigger);
    if (status != OK)
        give_line(line);
    return status;
}

void irq_mask_line(const struct irq *irq, bool masked) { irq_target_mask(irq->line, masked); }

void irq_open_message(struct irq *irq, uint32_t vector) {
    SPIN_GUARD(&lock);

    ASSERT(taken[vector] && !owners[vector]);
    irq->vector = vector;
    irq->is_line = irq->is_level = false;
    owners[vector] = irq;
}

static void close(struct irq *irq) {
    SPIN_GUARD(&lock);

    ASSERT(owners[irq->vector] == irq);
    owners[irq->vector] = NULL;
    if (!irq->is_line)
        return;
    irq_target_mask(irq->line, true);
    set_taken_locked(irq->vector, 1, false);
}

void irq_close(struct irq *irq) {
    close(irq);
    if (irq->is_line)
        give_line(irq->line);
}

bool irq_fire(uint32_t vector) {
    SPIN_GUARD(&lock);
    struct irq *irq = vector < IRQ_VECTORS ? owners[vector] : NULL;

    if (irq)
        irq->fire(irq);
    return irq;
}
