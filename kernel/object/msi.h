/*
 * msi.h - interrupts that devices send as messages.
 *
 * An MSI object is a block of adjacent vectors. Its driver writes the block's address and data
 * into the device's MSI capability and makes an interrupt for each message; for that it shows
 * the kernel the capability, in the device's configuration space, so that the kernel can mask
 * the message there, if the device can do that. With MSI-X it shows the table, whose entry the
 * kernel writes itself.
 */
#pragma once

#include <zircon/syscalls/object.h>

#include "object/interrupt.h"
#include "vm/vmo.h"

struct msi {
    struct waitable base;
    uint32_t first, count; /* vectors; set once */
    struct spinlock lock;  /* RANK_LEAF: the word of masks that its interrupts share */
    uint32_t owned;        /* a bit for each that has an interrupt; under base.lock */
};
ALWAYS_INLINE struct msi *msi_from(struct waitable *object) {
    return container_of(object, struct msi, base);
}

/* ERR_INVALID_ARGS: count is not 1, 2, 4, 8, 16 or 32; ERR_NO_RESOURCES, ERR_NO_MEMORY. */
status_t msi_create(uint32_t count, struct msi **out_msi);
/*
 * The interrupt of message `id`, whose capability or table lies at `offset` of `vmo`.
 * ERR_INVALID_ARGS: options (of zx_msi_create), or that is no such place; ERR_BAD_STATE: no
 * such message; ERR_ALREADY_BOUND: it has an interrupt; ERR_NO_MEMORY.
 */
status_t msi_create_interrupt(struct msi *msi, uint32_t options, uint32_t id, struct vmo *vmo,
                              uint64_t offset, struct interrupt **out_interrupt);
void msi_get_info(struct msi *msi, zx_info_msi_t *out_info);
