/*
 * bti.h - memory that a device reaches by address.
 *
 * An IOMMU object stands for what translates devices' addresses; there is only the one
 * that translates nothing, so a device sees physical addresses and all of memory. A bus
 * transaction initiator (BTI) stands for one device. Pinning makes a pinned memory token
 * (PMT), which keeps pages where they are, whatever happens to their memory object.
 *
 * Only zx_pmt_unpin says that the device is done with them. A PMT that is dropped goes to
 * the BTI's quarantine, and its pages to nobody, until that is released (P56). What lies
 * in quarantine holds on to its BTI; so pages are lost for good if the last handle to the
 * BTI goes first, since nobody is left who could stop the device.
 */
#pragma once

#include "object/handle.h"
#include "vm/vmo.h"

#define BTI_MIN_CONTIGUITY PAGE_SIZE /* how much of an object has adjacent addresses at least */

struct bti {
    struct waitable base;
    struct waitable *iommu;  /* set once; referenced */
    uint64_t id;             /* set once */
    /* Under base.lock. */
    struct list quarantine;  /* struct pmt; the list has a reference to each */
    uint64_t pmt_count, quarantine_count; /* all; those on the list */
};
ALWAYS_INLINE struct bti *bti_from(struct waitable *object) {
    return container_of(object, struct bti, base);
}

struct pmt {
    struct waitable base;
    /* Set once. */
    struct bti *bti;         /* referenced */
    struct vmo *vmo;         /* referenced */
    uint64_t offset;
    /* Until it is finished, its owner's: who makes it, then its last handle. */
    uint64_t length;         /* pinned so far */
    bool unpinned;           /* by its user: no quarantine */
    struct list_node node;   /* in bti->quarantine; under bti->base.lock */
};
ALWAYS_INLINE struct pmt *pmt_from(struct waitable *object) {
    return container_of(object, struct pmt, base);
}

status_t iommu_create(struct waitable **out_iommu);
status_t bti_create(struct waitable *iommu, uint64_t id, struct bti **out_bti);
/* Unpin all that lies in quarantine. */
void bti_release_quarantine(struct bti *bti);
void bti_get_counts(struct bti *bti, uint64_t *out_pmts, uint64_t *out_quarantine);
/* One that has pinned nothing yet; released without a handle it unpins. ERR_NO_MEMORY. */
status_t pmt_create(struct bti *bti, struct vmo *vmo, uint64_t offset, struct pmt **out_pmt);
/* Pin what follows in the object: vmo_pin's errors, which leave what was pinned before. */
status_t pmt_pin_more(struct pmt *pmt, uint64_t length, bool write, paddr_t *out_addresses);
/* The device is done: when its last handle goes, the pages are free to go. */
void pmt_unpin(struct pmt *pmt);
