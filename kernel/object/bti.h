/*
 * bti.h - memory that a device reaches by address.
 *
 * An IOMMU object stands for what translates devices' addresses; there is only the one
 * that translates nothing, so a device sees physical addresses and all of memory. A bus
 * transaction initiator (BTI) stands for one device. Pinning makes a pinned memory token
 * (PMT), which keeps pages where they are, whatever happens to their memory object.
 *
 * Only zx_pmt_unpin says that the device is done with them. A PMT that is dropped goes to
 * its device's quarantine, and its pages to nobody, until that is released (P56). Quarantine
 * is the device's and outlives its BTIs: who starts the driver of a dead process again, makes
 * a BTI with the same number, stops the device, and releases what the dead one left behind.
 */
#pragma once

#include "object/handle.h"
#include "vm/vmo.h"

#define BTI_MIN_CONTIGUITY PAGE_SIZE /* how much of an object has adjacent addresses at least */

struct initiator; /* a device, by its number: what all BTIs and PMTs with that have together */

struct bti {
    struct waitable base;
    struct waitable *iommu;      /* set once; referenced */
    struct initiator *initiator; /* set once; referenced */
};
ALWAYS_INLINE struct bti *bti_from(struct waitable *object) {
    return container_of(object, struct bti, base);
}

struct pmt {
    struct waitable base;
    /* Set once. */
    struct initiator *initiator; /* referenced */
    struct vmo *vmo;             /* referenced */
    uint64_t offset;
    /* Until it is finished, its owner's: who makes it, then its last handle. */
    uint64_t length;             /* pinned so far */
    bool unpinned;               /* by its user: no quarantine */
    struct list_node node;       /* in the quarantine; under the lock of bti.c */
};
ALWAYS_INLINE struct pmt *pmt_from(struct waitable *object) {
    return container_of(object, struct pmt, base);
}

status_t iommu_create(struct waitable **out_iommu);
/* One more for the device with this number. ERR_NO_MEMORY. */
status_t bti_create(struct waitable *iommu, uint64_t id, struct bti **out_bti);
/* Unpin all that lies in the device's quarantine. */
void bti_release_quarantine(struct bti *bti);
/* Of the device: all PMTs; those in quarantine. */
void bti_get_counts(struct bti *bti, uint64_t *out_pmts, uint64_t *out_quarantine);
/* One that has pinned nothing yet; released without a handle it unpins. ERR_NO_MEMORY. */
status_t pmt_create(struct bti *bti, struct vmo *vmo, uint64_t offset, struct pmt **out_pmt);
/* Pin what follows in the object: vmo_pin's errors, which leave what was pinned before. */
status_t pmt_pin_more(struct pmt *pmt, uint64_t length, bool write, paddr_t *out_addresses);
/* The device is done: when its last handle goes, the pages are free to go. */
void pmt_unpin(struct pmt *pmt);
