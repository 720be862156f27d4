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

/* ---- BTIs ---- */

static void bti_on_zero_handles(struct waitable *object) {
    uint64_t pmts, lost;

    bti_get_counts(bti_from(object), &pmts, &lost);
    if (lost)
        log_warning("bti: %lu pinned ranges in quarantine are lost", lost);
}

static void bti_destroy(struct waitable *object) {
    struct bti *bti = bti_from(object);

    waitable_unref(bti->iommu);
    kheap_free_sized(bti, sizeof(*bti));
}

static const struct waitable_ops bti_ops = {
    .name = "bti",
    .type = ZX_OBJ_TYPE_BTI,
    .default_rights = ZX_DEFAULT_BTI_RIGHTS,
    .destroy = bti_destroy,
    .on_zero_handles = bti_on_zero_handles,
};

status_t bti_create(struct waitable *iommu, uint64_t id, struct bti **out_bti) {
    struct bti *bti = kheap_zalloc(sizeof(*bti));

    if (!bti)
        return ERR_NO_MEMORY;
    waitable_init(&bti->base, &bti_ops, 0);
    waitable_ref(iommu);
    bti->iommu = iommu;
    bti->id = id;
    list_init(&bti->quarantine);
    *out_bti = bti;
    return OK;
}

void bti_get_counts(struct bti *bti, uint64_t *out_pmts, uint64_t *out_quarantine) {
    MUTEX_GUARD(bti->base.lock);

    *out_pmts = bti->pmt_count;
    *out_quarantine = bti->quarantine_count;
}

static struct pmt *quarantine_take(struct bti *bti) {
    MUTEX_GUARD(bti->base.lock);
    struct pmt *pmt = list_pop_entry(&bti->quarantine, struct pmt, node);

    if (pmt)
        bti->quarantine_count--;
    return pmt;
}

void bti_release_quarantine(struct bti *bti) {
    struct pmt *pmt;

    while ((pmt = quarantine_take(bti)))
        waitable_unref(&pmt->base);
}

/* ---- Pinned memory ---- */

static void count_pmt(struct bti *bti, uint64_t more) {
    MUTEX_GUARD(bti->base.lock);

    bti->pmt_count += more;
}

status_t pmt_pin_more(struct pmt *pmt, uint64_t length, bool write, paddr_t *out_addresses) {
    status_t status =
        vmo_pin(pmt->vmo, pmt->offset + pmt->length, length, write, out_addresses);

    if (status == OK)
        pmt->length += length;
    return status;
}

void pmt_unpin(struct pmt *pmt) { pmt->unpinned = true; }

static void quarantine_add(struct bti *bti, struct pmt *pmt) {
    MUTEX_GUARD(bti->base.lock);

    waitable_ref(&pmt->base);
    list_add_tail(&bti->quarantine, &pmt->node);
    bti->quarantine_count++;
}

static void pmt_on_zero_handles(struct waitable *object) {
    struct pmt *pmt = pmt_from(object);

    if (!pmt->unpinned)
        quarantine_add(pmt->bti, pmt);
}

static void pmt_destroy(struct waitable *object) {
    struct pmt *pmt = pmt_from(object);

    if (pmt->length)
        vmo_unpin(pmt->vmo, pmt->offset, pmt->length);
    vmo_unref(pmt->vmo);
    count_pmt(pmt->bti, (uint64_t)-1);
    waitable_unref(&pmt->bti->base);
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
    waitable_ref(&bti->base);
    vmo_ref(vmo);
    pmt->bti = bti;
    pmt->vmo = vmo;
    pmt->offset = offset;
    count_pmt(bti, 1);
    *out_pmt = pmt;
    return OK;
}
