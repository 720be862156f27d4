/*
 * msi.c - blocks of messages, and their masks in the devices; see msi.h.
 */
#include "object/msi.h"

#include <zircon/types.h>

#include "vm/device_map.h"
#include "vm/kheap.h"

#define MESSAGES_MAX 32u

/* A capability: identifier, link and control in the first word; the rest by what control says. */
#define CAPABILITY_MSI      0x05u
#define CAPABILITY_BYTES    24u
#define CONTROL_64_BIT      ((uint32_t)1 << 23)
#define CONTROL_CAN_MASK    ((uint32_t)1 << 24)
#define MASKS_WORD_32       3
#define MASKS_WORD_64       4
/* An entry of an MSI-X table. */
#define ENTRY_BYTES 16u
enum entry_word { ENTRY_ADDRESS, ENTRY_ADDRESS_HIGH, ENTRY_DATA, ENTRY_CONTROL };

/* Where a message is masked. */
struct msi_place {
    struct msi *msi;         /* referenced */
    uint32_t id;
    struct vmo *vmo;         /* referenced; one page of it is pinned */
    uint64_t page;           /* its offset; bytes */
    char *window;            /* the kernel's view of that page */
    volatile uint32_t *mask; /* the word with the message's bit; NULL: it can't be masked */
    uint32_t bit;
};

/* ---- Blocks ---- */

static void msi_destroy(struct waitable *object) {
    struct msi *msi = msi_from(object);

    irq_messages_free(msi->first, msi->count);
    kheap_free_sized(msi, sizeof(*msi));
}

static const struct waitable_ops msi_ops = {
    .name = "msi",
    .type = ZX_OBJ_TYPE_MSI,
    .default_rights = ZX_DEFAULT_MSI_RIGHTS,
    .destroy = msi_destroy,
};

status_t msi_create(uint32_t count, struct msi **out_msi) {
    if (count == 0 || count > MESSAGES_MAX || (count & (count - 1)))
        return ERR_INVALID_ARGS;
    struct msi *msi = kheap_zalloc(sizeof(*msi));
    if (!msi)
        return ERR_NO_MEMORY;
    status_t status = irq_messages_allocate(count, &msi->first);
    if (status != OK) {
        kheap_free_sized(msi, sizeof(*msi));
        return status;
    }
    waitable_init(&msi->base, &msi_ops, 0);
    spinlock_init(&msi->lock, RANK_LEAF, "msi");
    msi->count = count;
    *out_msi = msi;
    return OK;
}

void msi_get_info(struct msi *msi, zx_info_msi_t *out_info) {
    MUTEX_GUARD(msi->base.lock);
    struct irq_message message = irq_target_message(msi->first);

    *out_info = (zx_info_msi_t){
        .target_addr = message.address,
        .target_data = message.data,
        .base_irq_id = msi->first,
        .num_irq = msi->count,
        .interrupt_count = (uint32_t)__builtin_popcount(msi->owned),
    };
}

static status_t message_take(struct msi *msi, uint32_t id) {
    MUTEX_GUARD(msi->base.lock);

    if (id >= msi->count)
        return ERR_BAD_STATE;
    if (msi->owned >> id & 1)
        return ERR_ALREADY_BOUND;
    msi->owned |= (uint32_t)1 << id;
    return OK;
}

static void message_give(struct msi *msi, uint32_t id) {
    MUTEX_GUARD(msi->base.lock);

    msi->owned &= ~((uint32_t)1 << id);
}

/* ---- Places ---- */

static void set_mask(struct msi_place *place, bool masked) {
    SPIN_GUARD(&place->msi->lock);
    uint32_t others = *place->mask & ~place->bit;

    *place->mask = others | (masked ? place->bit : 0);
}

/* Undo as much as was done. */
static void place_release(struct msi_place *place) {
    if (place->window)
        device_unmap(place->window);
    if (place->vmo) {
        vmo_unpin(place->vmo, place->page, PAGE_SIZE);
        vmo_unref(place->vmo);
    }
    if (place->msi) {
        message_give(place->msi, place->id);
        waitable_unref(&place->msi->base);
    }
    kheap_free_sized(place, sizeof(*place));
}

static bool is_uncached_device(struct vmo *vmo) {
    MUTEX_GUARD(&vmo->lock);

    return (vmo->kind == VMO_PHYSICAL || vmo->kind == VMO_CONTIGUOUS) &&
           vmo->cache_policy == ZX_CACHE_POLICY_UNCACHED_DEVICE;
}

/* See the page with [offset, offset + length). A pinned one keeps its policy and its frame. */
static status_t place_map(struct msi_place *place, struct vmo *vmo, uint64_t offset,
                          uint64_t length) {
    paddr_t address;

    place->page = round_down(offset, PAGE_SIZE);
    if (offset % sizeof(uint32_t) || !range_within(offset, length, vmo_size(vmo)) ||
        offset - place->page + length > PAGE_SIZE)
        return ERR_INVALID_ARGS;
    status_t status = vmo_pin(vmo, place->page, PAGE_SIZE, true, &address);
    if (status != OK)
        return status;
    vmo_ref(vmo);
    place->vmo = vmo;
    if (!is_uncached_device(vmo_pages_of(vmo)))
        return ERR_INVALID_ARGS;
    place->window = device_map(address);
    return place->window ? OK : ERR_NO_MEMORY;
}

static status_t find_capability(struct msi_place *place, struct vmo *vmo, uint64_t offset) {
    status_t status = place_map(place, vmo, offset, CAPABILITY_BYTES);
    if (status != OK)
        return status;
    volatile uint32_t *words = (volatile uint32_t *)(place->window + (offset - place->page));
    uint32_t control = words[0];
    if ((control & 0xff) != CAPABILITY_MSI)
        return ERR_INVALID_ARGS;
    if (control & CONTROL_CAN_MASK) {
        place->mask = &words[control & CONTROL_64_BIT ? MASKS_WORD_64 : MASKS_WORD_32];
        place->bit = (uint32_t)1 << place->id;
    }
    return OK;
}

static status_t find_entry(struct msi_place *place, struct vmo *vmo, uint64_t offset) {
    uint64_t at;

    if (__builtin_add_overflow(offset, place->id * ENTRY_BYTES, &at))
        return ERR_INVALID_ARGS;
    status_t status = place_map(place, vmo, at, ENTRY_BYTES);
    if (status != OK)
        return status;
    volatile uint32_t *words = (volatile uint32_t *)(place->window + (at - place->page));
    struct irq_message message = irq_target_message(place->msi->first + place->id);
    place->mask = &words[ENTRY_CONTROL];
    place->bit = 1;
    set_mask(place, true);
    words[ENTRY_ADDRESS] = (uint32_t)message.address;
    words[ENTRY_ADDRESS_HIGH] = (uint32_t)(message.address >> 32);
    words[ENTRY_DATA] = message.data;
    return OK;
}

/* ---- Interrupts ---- */

static void mask_message(struct interrupt *interrupt, bool masked) {
    struct msi_place *place = interrupt->source_data;

    if (place->mask)
        set_mask(place, masked);
}

static void release_message(struct interrupt *interrupt) { place_release(interrupt->source_data); }

static const struct interrupt_source message_source = {
    .mask = mask_message,
    .release = release_message,
};

static status_t place_furnish(struct msi_place *place, struct msi *msi, uint32_t options,
                              uint32_t id, struct vmo *vmo, uint64_t offset) {
    status_t status = message_take(msi, id);
    if (status != OK)
        return status;
    waitable_ref(&msi->base);
    place->msi = msi;
    place->id = id;
    return options & ZX_MSI_MODE_MSI_X ? find_entry(place, vmo, offset)
                                       : find_capability(place, vmo, offset);
}

status_t msi_create_interrupt(struct msi *msi, uint32_t options, uint32_t id, struct vmo *vmo,
                              uint64_t offset, struct interrupt **out_interrupt) {
    struct interrupt *interrupt;

    if ((options & ~ZX_MSI_MODE_MSI_X) || !is_uncached_device(vmo_pages_of(vmo)))
        return ERR_INVALID_ARGS;
    struct msi_place *place = kheap_zalloc(sizeof(*place));
    if (!place)
        return ERR_NO_MEMORY;
    status_t status = place_furnish(place, msi, options, id, vmo, offset);
    if (status == OK)
        status = interrupt_create_real(&message_source, place, &interrupt);
    if (status != OK) {
        place_release(place);
        return status;
    }
    irq_open_message(&interrupt->irq, msi->first + id);
    if (place->mask)
        set_mask(place, false);
    *out_interrupt = interrupt;
    return OK;
}
