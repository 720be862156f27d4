/*
 * irq.h - interrupts of devices that belong to somebody above arch.
 *
 * An interrupt comes by a vector of the processor: from a line, which is an input of an I/O
 * APIC (named by its GSI), or as a message, which is a word that the device itself writes to
 * an address. Vectors are a pool of IRQ_VECTORS, numbered from 0 here.
 *
 * kernel/arch/irq.c has the pool and knows who owns which vector; the functions at the end are
 * each target's own.
 */
#pragma once

#include "lib/types.h"

#define IRQ_VECTORS 160u
#define IRQ_LINES   256u

/* How a line says that there is something. DEFAULT: as the firmware and the bus have it. */
enum irq_trigger { IRQ_DEFAULT, IRQ_EDGE_LOW, IRQ_EDGE_HIGH, IRQ_LEVEL_LOW, IRQ_LEVEL_HIGH };

/* Lies in its owner's structure. */
struct irq {
    /*
     * Set before it is opened: called for each interrupt, in interrupt context and under a
     * spinlock of RANK_VECTOR. It must mask a line that is level-triggered.
     */
    void (*fire)(struct irq *irq);
    /* Set by opening. */
    uint32_t vector, line;
    bool is_line, is_level;
};

/*
 * Own a line and let it interrupt, perhaps before this returns. ERR_INVALID_ARGS: there is no
 * such line; ERR_ALREADY_BOUND: it is owned; ERR_NO_RESOURCES: no vector is free.
 */
status_t irq_open_line(struct irq *irq, uint32_t line, enum irq_trigger trigger);
void irq_mask_line(const struct irq *irq, bool masked);
/* Own vector `vector` of a block from irq_messages_allocate. */
void irq_open_message(struct irq *irq, uint32_t vector);
/* Its function does not run, and will not again. A line is masked, its vector free. */
void irq_close(struct irq *irq);

/* `count` adjacent vectors, a power of 2, the first divisible by it. ERR_NO_RESOURCES. */
status_t irq_messages_allocate(uint32_t count, uint32_t *out_first);
/* None of them is open. */
void irq_messages_free(uint32_t first, uint32_t count);

/* The kernel itself has this line, for good. */
void irq_reserve_line(uint32_t line);
/* For target code: vector `vector` has come; false: nobody owns it. Interrupt context. */
bool irq_fire(uint32_t vector);

/* ---- Of each target ---- */

/* The line that carries an interrupt of the old PC's numbering. */
uint32_t irq_line_of_isa(uint32_t isa_irq);
bool irq_target_has_line(uint32_t line);
/* Send it to a vector, unmasked; returns whether it is level-triggered. */
bool irq_target_route(uint32_t line, uint32_t vector, enum irq_trigger trigger);
void irq_target_mask(uint32_t line, bool masked);
/* What a device writes where to cause a vector; the data of adjacent vectors is adjacent. */
struct irq_message {
    uint64_t address;
    uint32_t data;
};
struct irq_message irq_target_message(uint32_t vector);
