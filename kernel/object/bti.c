/*
 * bti.c - bus transaction initiators, pinned memory, quarantine; see bti.h.
 */
#include "object/bti.h"

#include "lib/log.h"
#include "vm/kheap.h"

/* ---- IOMMUs ---- */

static void iommu_destroy(struct waitable *object) { kheap_free_sized(object, sizeof(*object)); }

static const struct waitable_ops iommu_ops = {
    .name = "iommu",
    .type = ZX_OBJ_TYPE_IOMMU,
    .default_rights = ZX_DEFAULT_IOMMU_RIGHTS,
    .destroy = iommu_destroy,
};

status_t iommu_create(struct waitable **out_iommu) {
    struct waitable *iommu = kheap_zalloc(sizeof(*iommu));

    if (!iommu)
        return ERR_NO_MEMORY;
    waitable_init(iommu, &iommu_ops, 0);
    *out_iommu = iommu;
    return OK;
}

/* ---- Devices ---- */

struct initiator {
    uint64_t id;           /* set once */
    /* Under the lock below. */
    struct list_node node; /* in `initiators` */
    uint64_t users;        /* its BTIs and PMTs; without any it goes */
    struct list quarantine; /* struct pmt; the list has a reference to each */
    uint64_t pmt_count, quarantine_count;
};

static struct mutex lock = MUTEX_INIT(RANK_OBJECT, "initiators");
static struct list initiators = LIST_INIT(initiators); /* under lock */

static struct initiator *find_locked(uint64_t id) REQUIRES(lock) {
    list_for_each(node, &initiators) {
        struct initiator *initiator = list_entry(node, struct initiator, node);
        if (initiator->id == id)
            return initiator;
    }
    return NULL;
}

static struct initiator *make_locked(uint64_t id) REQUIRES(lock) {
    struct initiator *initiator = kheap_zalloc(sizeof(*initiator));
    if (!initiator)
        return NULL;
    initiator->id = id;
    list_init(&initiator->quarantine);
    list_add_tail(&initiators, &initiator->node);
    return initiator;
}

/* The device with this number, with one more user; NULL: no memory. */
static struct initiator *initiator_of(uint64_t id) {
    MUTEX_GUARD(&lock);
    struct initiator *initiator = find_locked(id);

    if (!initiator)
        initiator = make_locked(id);
    if (initiator)
        initiator->users++;
    return initiator;
}

static void leave(struct initiator *initiator, uint64_t pmts) {
    MUTEX_GUARD(&lock);

    initiator->pmt_count -= pmts;
    if (--initiator->users > 0)
        return;
    list_remove(&initiator->node);
    kheap_free_sized(initiator, sizeof(*initiator));
}

/* ---- BTIs ---- */

static void bti_destroy(struct waitable *object) {
    struct bti *bti = bti_from(object);

    waitable_unref(bti->iommu);
    leave(bti->initiator, 0);
    kheap_free_sized(bti, sizeof(*bti));
}

static const struct waitable_ops bti_ops = {
    .name = "bti",
    .type = ZX_OBJ_TYPE_BTI,
    .default_rights = ZX_DEFAULT_BTI_RIGHTS,
    .destroy = bti_destroy,
};

status_t bti_create(struct waitable *iommu, uint64_t id, struct bti **out_bti) {
    struct bti *bti = kheap_zalloc(sizeof(*bti));

    if (!bti)
        return ERR_NO_MEMORY;
    bti->initiator = initiator_of(id);
    if (!bti->initiator) {
        kheap_free_sized(bti, sizeof(*bti));
        return ERR_NO_MEMORY;
    }
    waitable_init(&bti->base, &bti_ops, 0);
    waitable_ref(iommu);
    bti->iommu = iommu;
    *out_bti = bti;
    return OK;
}

void bti_get_counts(struct bti *bti, uint64_t *out_pmts, uint64_t *out_quarantine) {
    MUTEX_GUARD(&lock);

    *out_pmts = bti->initiator->pmt_count;
    *out_quarantine = bti->initiator->quarantine_count;
}

static struct pmt *quarantine_take(struct initiator *initiator) {
    MUTEX_GUARD(&lock);
    struct pmt *pmt = list_pop_entry(&initiator->quarantine, struct pmt, node);

    if (pmt)
        initiator->quarantine_count--;
    return pmt;
}

void bti_release_quarantine(struct bti *bti) {
    struct pmt *pmt;

    while ((pmt = quarantine_take(bti->initiator)))
        waitable_unref(&pmt->base);
}

/* ---- Pinned memory ---- */

static void join(struct initiator *initiator) {
    MUTEX_GUARD(&lock);

    initiator->users++;
    initiator->pmt_count++;
}

status_t pmt_pin_more(struct pmt *pmt, uint64_t length, bool write, paddr_t *out_addresses) {
    status_t status =
        vmo_pin(pmt->vmo, pmt->offset + pmt->length, length, write, out_addresses);

    if (status == OK)
        pmt->length += length;
    return status;
}

void pmt_unpin(struct pmt *pmt) { pmt->unpinned = true; }

static void quarantine_add(struct initiator *initiator, struct pmt *pmt) {
    MUTEX_GUARD(&lock);

    waitable_ref(&pmt->base);
    list_add_tail(&initiator->quarantine, &pmt->node);
    initiator->quarantine_count++;
}

static void pmt_on_zero_handles(struct waitable *object) {
    struct pmt *pmt = pmt_from(object);

    if (pmt->unpinned)
        return;
    log_warning("bti: %lu pinned bytes for device %lu go to quarantine", pmt->length,
                pmt->initiator->id);
    quarantine_add(pmt->initiator, pmt);
}

static void pmt_destroy(struct waitable *object) {
    struct pmt *pmt = pmt_from(object);

    if (pmt->length)
        vmo_unpin(pmt->vmo, pmt->offset, pmt->length);
    vmo_unref(pmt->vmo);
    leave(pmt->initiator, 1);
    kheap_free_sized(pmt, sizeof(*pmt));
}

static const struct waitable_ops pmt_ops = {
    .name = "pmt",
    .type = ZX_OBJ_TYPE_PMT,
    .default_rights = ZX_DEFAULT_PMT_RIGHTS,
    .destroy = pmt_destroy,
    .on_zero_handles = pmt_on_zero_handles,
};

status_t pmt_create(struct bti *bti, struct vmo *vmo, uint64_t offset, struct pmt **out_pmt) {
    struct pmt *pmt = kheap_zalloc(sizeof(*pmt));

    if (!pmt)
        return ERR_NO_MEMORY;
    waitable_init(&pmt->base, &pmt_ops, 0);
    vmo_ref(vmo);
    pmt->initiator = bti->initiator;
    pmt->vmo = vmo;
    pmt->offset = offset;
    join(bti->initiator);
    *out_pmt = pmt;
    return OK;
}
