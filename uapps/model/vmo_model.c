/*
 * vmo_model.c - see vmo_model.h. Nothing here is meant to be fast or clever.
 */
#include "model/vmo_model.h"

#include <string.h>
#include <zircon/syscalls.h>

#include "stress/stress.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

void model_begin(struct model *model, uint64_t seed) {
    memset(model, 0, sizeof *model);
    /* One place in each eighth of the page; the first and the last byte are among them. */
    for (unsigned i = 0; i < MODEL_SAMPLES; i++)
        model->sample_at[i] = (uint16_t)(i * (PAGE / MODEL_SAMPLES) +
                                         draw_at(seed, ~(uint64_t)i) % (PAGE / MODEL_SAMPLES));
    model->sample_at[0] = 0;
    model->sample_at[MODEL_SAMPLES - 1] = PAGE - 1;
}

/* ---- Cells ---- */

void model_clear_cell(struct model *model, struct model_cell *cell) {
    if (cell->page)
        model->holders[cell->page]--;
    memset(cell, 0, sizeof *cell);
}

void model_own_cell(struct model *model, struct model_cell *cell) {
    if (cell->page && model->holders[cell->page] == 1)
        return;
    if (cell->page)
        model->holders[cell->page]--;
    do
        model->last_page = model->last_page % (MODEL_OBJECTS * MODEL_PAGES) + 1;
    while (model->holders[model->last_page]);
    cell->page = model->last_page;
    model->holders[cell->page] = 1;
}

static void cell_share(struct model *model, struct model_cell *cell,
                       const struct model_cell *from) {
    *cell = *from;
    if (cell->page)
        model->holders[cell->page]++;
}

/* The bytes [from, to) of the page. */
static void cell_fill(const struct model *model, struct model_cell *cell, uint64_t from,
                      uint64_t to, uint8_t byte) {
    for (unsigned i = 0; i < MODEL_SAMPLES; i++)
        if (model->sample_at[i] >= from && model->sample_at[i] < to)
            cell->bytes[i] = byte;
}

/* ---- Aliases ---- */

/* The object with the cells, and which of them is the first that `slot` shows. */
static struct model_vmo *cells_of(struct model *model, int slot, uint64_t *out_first) {
    struct model_vmo *vmo = &model->vmo[slot];
    *out_first = vmo->shown < 0 ? 0 : vmo->shown_first;
    return vmo->shown < 0 ? vmo : &model->vmo[vmo->shown];
}

/* The cell with page `index` of an object that is no alias. */
static struct model_cell *cell_of(struct model *model, struct model_vmo *vmo, uint64_t index) {
    return vmo->is_physical ? &model->device[vmo->device_first + index] : &vmo->cell[index];
}

/* The object with the size: a slice has its own. */
static struct model_vmo *sized(const struct model *model, int slot) {
    const struct model_vmo *vmo = &model->vmo[slot];
    return (struct model_vmo *)(vmo->shown < 0 || vmo->is_slice ? vmo : &model->vmo[vmo->shown]);
}

uint64_t model_size(const struct model *model, int slot) { return sized(model, slot)->pages * PAGE; }
uint64_t model_content_size(const struct model *model, int slot) {
    return sized(model, slot)->content;
}

const struct model_vmo *model_pages_of(const struct model *model, int slot) {
    uint64_t first;
    return cells_of((struct model *)model, slot, &first);
}

const struct model_cell *model_look(const struct model *model, int slot, uint64_t index) {
    uint64_t first;
    struct model_vmo *vmo = cells_of((struct model *)model, slot, &first);
    if (index >= sized(model, slot)->pages)
        return NULL;
    const struct model_cell *cell = cell_of((struct model *)model, vmo, first + index);
    if (cell->absent && vmo->lender >= 0)
        cell = &model->vmo[vmo->lender].cell[vmo->lender_first + first + index];
    return cell->absent ? NULL : cell;
}

zx_status_t model_touches(const struct model *model, int slot, uint64_t index) {
    uint64_t first;
    struct model_vmo *vmo = cells_of((struct model *)model, slot, &first);
    if (index >= sized(model, slot)->pages)
        return ZX_ERR_OUT_OF_RANGE;
    return model_blocked(model, vmo, first + index, false);
}

/* ---- Life ---- */

bool model_round_up(uint64_t size, uint64_t *out_pages) {
    *out_pages = size / PAGE + (size % PAGE != 0);
    return *out_pages <= MODEL_SIZE_CAP / PAGE;
}

struct model_vmo *model_begin_vmo(struct model *model, int slot, uint64_t size) {
    struct model_vmo *vmo = &model->vmo[slot];
    memset(vmo, 0, sizeof *vmo);
    vmo->alive = true;
    vmo->keepers = 1;
    vmo->birth = vmo->family = ++model->births;
    vmo->parent = vmo->shown = vmo->lender = -1;
    (void)model_round_up(size, &vmo->pages);
    vmo->content = size;
    return vmo;
}

zx_status_t model_create(struct model *model, int slot, uint64_t size, uint32_t options) {
    uint64_t pages;
    if (options & ~(uint32_t)(ZX_VMO_RESIZABLE | ZX_VMO_DISCARDABLE))
        return ZX_ERR_INVALID_ARGS;
    if (!model_round_up(size, &pages))
        return ZX_ERR_OUT_OF_RANGE;
    struct model_vmo *vmo = model_begin_vmo(model, slot, size);
    vmo->resizable = options & ZX_VMO_RESIZABLE;
    vmo->is_discardable = options & ZX_VMO_DISCARDABLE;
    return ZX_OK;
}

#define SNAPSHOTS                                                                                  \
    (ZX_VMO_CHILD_SNAPSHOT | ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE |                             \
     ZX_VMO_CHILD_SNAPSHOT_MODIFIED)
#define TYPES (SNAPSHOTS | ZX_VMO_CHILD_SLICE | ZX_VMO_CHILD_REFERENCE)

static zx_status_t check_child_options(uint32_t options) {
    uint32_t type = options & TYPES;
    bool resizable = options & ZX_VMO_CHILD_RESIZABLE;
    if (options & ~(uint32_t)(TYPES | ZX_VMO_CHILD_RESIZABLE | ZX_VMO_CHILD_NO_WRITE))
        return ZX_ERR_INVALID_ARGS;
    if (type == 0 || (type & (type - 1)))
        return ZX_ERR_INVALID_ARGS;
    return type == ZX_VMO_CHILD_SLICE && resizable ? ZX_ERR_INVALID_ARGS : ZX_OK;
}

static zx_status_t check_slice(const struct model *model, int parent, uint64_t offset,
                               uint64_t pages) {
    uint64_t parent_pages = sized(model, parent)->pages;
    uint64_t first;
    if (offset / PAGE > parent_pages || pages > parent_pages - offset / PAGE)
        return ZX_ERR_INVALID_ARGS;
    const struct model_vmo *cells = cells_of((struct model *)model, parent, &first);
    if (cells->resizable)
        return ZX_ERR_NOT_SUPPORTED;
    bool may_be_uncached = cells->is_contiguous || cells->is_physical;
    return cells->policy && !may_be_uncached ? ZX_ERR_BAD_STATE : ZX_OK;
}

static zx_status_t check_snapshot(const struct model_vmo *from, const struct model_vmo *cells,
                                  uint32_t options, uint64_t offset, uint64_t size) {
    bool has_pager = cells->is_pager || cells->lender >= 0;
    if (cells->is_contiguous)
        return ZX_ERR_INVALID_ARGS;
    if (cells->is_physical)
        return ZX_ERR_NOT_SUPPORTED;
    if (cells->policy)
        return ZX_ERR_BAD_STATE;
    if (from->is_slice || (has_pager && (options & ZX_VMO_CHILD_SNAPSHOT)))
        return ZX_ERR_NOT_SUPPORTED;
    if (offset + size < offset)
        return ZX_ERR_INVALID_ARGS;
    if (offset > MODEL_SIZE_CAP || size > MODEL_SIZE_CAP - offset)
        return ZX_ERR_OUT_OF_RANGE;
    return cells->pins && !cells->is_pager ? ZX_ERR_BAD_STATE : ZX_OK;
}

static zx_status_t check_child(const struct model *model, int parent, uint32_t options,
                               uint64_t offset, uint64_t size) {
    const struct model_vmo *from = &model->vmo[parent], *cells = model_pages_of(model, parent);
    uint64_t pages;
    if ((options & ZX_VMO_CHILD_RESIZABLE) && (options & ZX_VMO_CHILD_NO_WRITE))
        return ZX_ERR_INVALID_ARGS;
    if (from->is_discardable)
        return ZX_ERR_NOT_SUPPORTED;
    if (check_child_options(options) != ZX_OK || offset % PAGE)
        return ZX_ERR_INVALID_ARGS;
    if (!model_round_up(size, &pages))
        return ZX_ERR_OUT_OF_RANGE;
    if (options & ZX_VMO_CHILD_SLICE)
        return check_slice(model, parent, offset, pages);
    if (options & ZX_VMO_CHILD_REFERENCE) {
        if (offset || size)
            return ZX_ERR_INVALID_ARGS;
        bool wants_more = (options & ZX_VMO_CHILD_RESIZABLE) && !from->resizable;
        if (from->is_slice || cells->is_contiguous || cells->is_physical || wants_more)
            return ZX_ERR_NOT_SUPPORTED;
        return cells->policy ? ZX_ERR_BAD_STATE : ZX_OK;
    }
    return check_snapshot(from, cells, options, offset, size);
}

static void copy_window(struct model *model, struct model_vmo *child, int parent,
                        uint64_t offset) {
    uint64_t first;
    struct model_vmo *from = cells_of(model, parent, &first);
    uint64_t skip = offset / PAGE;
    if (from->is_pager || from->lender >= 0) {
        child->lender = from->is_pager ? (int)(from - model->vmo) : from->lender;
        child->lender_first = from->lender_first + skip;
        model->vmo[child->lender].keepers++;
    }
    for (uint64_t i = 0; i < child->pages && skip + i < from->pages; i++) {
        if (from->is_pager)
            child->cell[i].absent = true;
        else
            cell_share(model, &child->cell[i], &from->cell[skip + i]);
    }
}

static void show(struct model *model, struct model_vmo *child, int parent, uint64_t offset) {
    const struct model_vmo *from = &model->vmo[parent];
    child->shown = from->shown < 0 ? parent : from->shown;
    child->shown_first = from->shown_first + offset / PAGE;
    model->vmo[child->shown].keepers++;
}

zx_status_t model_create_child(struct model *model, int slot, int parent, uint32_t options,
                               uint64_t offset, uint64_t size) {
    zx_status_t status = check_child(model, parent, options, offset, size);
    if (status != ZX_OK)
        return status;
    struct model_vmo *child = model_begin_vmo(model, slot, size);
    child->resizable = options & ZX_VMO_CHILD_RESIZABLE;
    child->is_slice = options & ZX_VMO_CHILD_SLICE;
    child->is_snapshot = options & SNAPSHOTS;
    child->parent = parent;
    child->made_from = model->vmo[parent].birth;
    child->family = model->vmo[parent].family;
    if (child->is_snapshot)
        copy_window(model, child, parent, offset);
    else
        show(model, child, parent, offset);
    return ZX_OK;
}

void model_keep(struct model *model, int slot) { model->vmo[slot].keepers++; }

void model_drop(struct model *model, int slot) {
    struct model_vmo *vmo = &model->vmo[slot];
    if (--vmo->keepers)
        return;
    vmo->alive = false;
    for (unsigned i = 0; i < MODEL_OBJECTS; i++)
        if (model->vmo[i].alive && model->vmo[i].parent == slot)
            model->vmo[i].parent = vmo->parent;
    for (unsigned i = 0; i < MODEL_PAGES; i++)
        model_clear_cell(model, &vmo->cell[i]);
    if (vmo->shown >= 0)
        model_drop(model, vmo->shown);
    if (vmo->lender >= 0)
        model_drop(model, vmo->lender);
}

/* ---- Contents ---- */

static bool is_inside(const struct model *model, int slot, uint64_t offset, uint64_t length) {
    uint64_t size = model_size(model, slot);
    return offset <= size && length <= size - offset;
}

#define ASK_PAGES 16 /* at most, by one read or write at a time */

/* The pages that a read or write of bytes [at, end) is about. */
static uint64_t pages_ahead(uint64_t at, uint64_t end) {
    return MIN((end - 1) / PAGE - at / PAGE + 1, (uint64_t)ASK_PAGES);
}

zx_status_t model_read(struct model *model, int slot, uint64_t offset, uint64_t length) {
    uint64_t first;
    struct model_vmo *vmo = cells_of(model, slot, &first);
    zx_status_t refused = model_refuses(model, slot);
    if (refused != ZX_OK)
        return refused;
    if (!is_inside(model, slot, offset, length))
        return ZX_ERR_OUT_OF_RANGE;
    for (uint64_t at = offset, end = offset + length; at < end; at = (at / PAGE + 1) * PAGE) {
        zx_status_t status =
            model_bring(model, vmo, first + at / PAGE, pages_ahead(at, end), false);
        if (status != ZX_OK)
            return status;
    }
    return ZX_OK;
}

zx_status_t model_write(struct model *model, int slot, uint64_t offset, uint64_t length,
                        uint8_t byte) {
    uint64_t first;
    struct model_vmo *vmo = cells_of(model, slot, &first);
    zx_status_t refused = model_refuses(model, slot);
    if (refused != ZX_OK)
        return refused;
    if (!is_inside(model, slot, offset, length))
        return ZX_ERR_OUT_OF_RANGE;
    for (uint64_t at = offset, next, end = offset + length; at < end; at = next) {
        next = MIN(end, (at / PAGE + 1) * PAGE);
        struct model_cell *cell = &vmo->cell[first + at / PAGE];
        zx_status_t status = model_bring(model, vmo, first + at / PAGE, pages_ahead(at, end), true);
        if (status != ZX_OK)
            return status;
        model_write_cell(model, vmo, cell);
        cell_fill(model, cell, at % PAGE, at % PAGE + (next - at), byte);
    }
    return ZX_OK;
}

zx_status_t model_touch(struct model *model, int slot, uint64_t index, bool write) {
    uint64_t first;
    struct model_vmo *vmo = cells_of(model, slot, &first);
    if (index >= sized(model, slot)->pages)
        return ZX_ERR_OUT_OF_RANGE;
    struct model_cell *cell = cell_of(model, vmo, first + index);
    bool was_modified = vmo->is_modified, may_be_mapped = cell->page && cell->dirt == MODEL_DIRTY;
    if (vmo->is_physical)
        return ZX_OK;
    zx_status_t status = model_bring(model, vmo, first + index, 1, write);
    if (status == ZX_OK && write)
        model_write_cell(model, vmo, cell);
    if (vmo->is_pager && may_be_mapped && !was_modified) { /* the kernel may not have seen it */
        vmo->is_modified = false;
        vmo->may_be_modified |= write;
    }
    return status;
}

void model_fill_page(struct model *model, int slot, uint64_t index,
                     const uint8_t bytes[MODEL_SAMPLES]) {
    uint64_t first;
    struct model_vmo *vmo = cells_of(model, slot, &first);
    memcpy(cell_of(model, vmo, first + index)->bytes, bytes, MODEL_SAMPLES);
}

void model_fill_byte(struct model *model, int slot, uint64_t index, uint64_t at, uint8_t byte) {
    uint64_t first;
    struct model_vmo *vmo = cells_of(model, slot, &first);
    cell_fill(model, cell_of(model, vmo, first + index), at, at + 1, byte);
}

zx_status_t model_own_page(struct model *model, int slot, uint64_t index) {
    uint64_t first;
    struct model_vmo *vmo = cells_of(model, slot, &first);
    zx_status_t status = model_refuses(model, slot);
    if (status == ZX_OK)
        status = model_bring(model, vmo, first + index, 1, true);
    if (status == ZX_OK)
        model_write_cell(model, vmo, &vmo->cell[first + index]);
    return status;
}

/* What ABI-MORE.md S8 says of a range: an offset past the end is wrong, the rest is trimmed. */
static zx_status_t trim(const struct model *model, int slot, uint64_t offset, uint64_t *length) {
    uint64_t size = model_size(model, slot);
    if (offset > size || offset + *length < offset)
        return ZX_ERR_OUT_OF_RANGE;
    *length = MIN(*length, size - offset);
    return ZX_OK;
}

zx_status_t model_commit(struct model *model, int slot, uint64_t offset, uint64_t length) {
    uint64_t first;
    struct model_vmo *vmo = cells_of(model, slot, &first);
    zx_status_t status = trim(model, slot, offset, &length);
    if (status != ZX_OK || length == 0)
        return status;
    if (vmo->is_physical)
        return ZX_ERR_NOT_SUPPORTED;
    uint64_t last = (offset + length - 1) / PAGE;
    for (uint64_t i = offset / PAGE; i <= last; i++) {
        status = model_bring(model, vmo, first + i, last - i + 1, false);
        if (status != ZX_OK)
            return status;
        if (!vmo->is_pager) /* there a page must only be present */
            model_write_cell(model, vmo, &vmo->cell[first + i]);
    }
    return ZX_OK;
}

static bool has_relatives(const struct model *model, const struct model_vmo *vmo) {
    unsigned members = 0;
    for (unsigned i = 0; i < MODEL_OBJECTS; i++)
        members += model->vmo[i].alive && model->vmo[i].shown < 0 &&
                   model->vmo[i].family == vmo->family;
    return members > 1;
}

static bool has_pins(const struct model_vmo *vmo, uint64_t from, uint64_t count) {
    for (uint64_t i = from; i < from + count; i++)
        if (vmo->cell[i].pins)
            return true;
    return false;
}

zx_status_t model_decommit(struct model *model, int slot, uint64_t offset, uint64_t length) {
    uint64_t first;
    struct model_vmo *vmo = cells_of(model, slot, &first);
    zx_status_t status = trim(model, slot, offset, &length);
    if (status != ZX_OK || length == 0)
        return status;
    if (has_relatives(model, vmo) || vmo->is_pager || vmo->lender >= 0 ||
        vmo->is_contiguous || vmo->is_physical)
        return ZX_ERR_NOT_SUPPORTED;
    if (offset % PAGE || length % PAGE)
        return ZX_ERR_INVALID_ARGS;
    if (has_pins(vmo, first + offset / PAGE, length / PAGE))
        return ZX_ERR_BAD_STATE;
    for (uint64_t i = 0; i < length / PAGE; i++)
        model_clear_cell(model, &vmo->cell[first + offset / PAGE + i]);
    return ZX_OK;
}

/* Might it show anything but zeros? */
static bool has_content(const struct model_cell *cell) { return cell->page || cell->absent; }

/* Bytes [from, to) of page `index`, in place. */
static zx_status_t zero_part(struct model *model, struct model_vmo *vmo, uint64_t index,
                             uint64_t from, uint64_t to) {
    struct model_cell *cell = &vmo->cell[index];
    zx_status_t status = ZX_OK;
    if (from < to && vmo->is_pager && cell->absent)
        status = model_bring(model, vmo, index, 1, false);
    if (status != ZX_OK || from == to || !has_content(cell))
        return status; /* what the pager brought may be zeros */
    status = model_bring(model, vmo, index, 1, true);
    if (status != ZX_OK)
        return status;
    model_write_cell(model, vmo, cell);
    cell_fill(model, cell, from, to, 0);
    return ZX_OK;
}

/* Page by page: what is pinned stays where it is. */
static zx_status_t zero_in_place(struct model *model, struct model_vmo *vmo, uint64_t from,
                                 uint64_t to) {
    zx_status_t status = ZX_OK;
    for (uint64_t at = from, next; at < to && status == ZX_OK; at = next) {
        next = MIN(to, (at / PAGE + 1) * PAGE);
        status = zero_part(model, vmo, at / PAGE, at % PAGE, at % PAGE + (next - at));
    }
    return status;
}

/* Whole pages: nobody need be asked what was there, but a pager that traps may refuse. */
static zx_status_t zero_pages(struct model *model, struct model_vmo *vmo, uint64_t first,
                              uint64_t count) {
    zx_status_t status = ZX_OK;
    if (vmo->is_pager && vmo->traps_dirty)
        status = model_bring_all(model, vmo, first, count, true);
    if (status != ZX_OK)
        return status;
    for (uint64_t i = first; i < first + count; i++) {
        model_clear_cell(model, &vmo->cell[i]);
        vmo->cell[i].dirt = vmo->is_pager ? MODEL_DIRTY : MODEL_CLEAN;
    }
    vmo->is_modified |= vmo->is_pager;
    return ZX_OK;
}

zx_status_t model_zero(struct model *model, int slot, uint64_t offset, uint64_t length) {
    uint64_t first;
    struct model_vmo *vmo = cells_of(model, slot, &first);
    zx_status_t status = model_refuses(model, slot);
    if (status == ZX_OK)
        status = trim(model, slot, offset, &length);
    if (status != ZX_OK || length == 0)
        return status;
    offset += first * PAGE;
    uint64_t end = offset + length, from = (offset + PAGE - 1) / PAGE, to = end / PAGE;
    if (vmo->pins || vmo->is_contiguous || from > to)
        return zero_in_place(model, vmo, offset, end);
    status = zero_part(model, vmo, offset / PAGE, offset % PAGE, offset % PAGE ? PAGE : 0);
    if (status == ZX_OK)
        status = zero_part(model, vmo, to, 0, end % PAGE);
    if (status == ZX_OK && from < to)
        status = zero_pages(model, vmo, from, to - from);
    return status;
}

/* Only the whole of it can be locked; the lock of several, until the last is gone. */
static zx_status_t lock_op(struct model *model, int slot, uint32_t op, uint64_t offset,
                           uint64_t length) {
    struct model_vmo *vmo = &model->vmo[slot];
    if (!vmo->is_discardable)
        return ZX_ERR_NOT_SUPPORTED;
    if (offset != 0 || length != model_size(model, slot))
        return ZX_ERR_OUT_OF_RANGE;
    if (op == ZX_VMO_OP_UNLOCK && vmo->locks == 0)
        return ZX_ERR_BAD_STATE;
    if (op == ZX_VMO_OP_TRY_LOCK && vmo->is_discarded)
        return ZX_ERR_UNAVAILABLE;
    vmo->locks += op == ZX_VMO_OP_UNLOCK ? -1u : 1u;
    vmo->may_be_reclaimed = vmo->locks == 0;
    if (op != ZX_VMO_OP_UNLOCK)
        vmo->is_discarded = false;
    return ZX_OK;
}

/* To a pager it says something; others have no use for it. */
static zx_status_t hint(struct model *model, int slot, bool needed, uint64_t offset,
                        uint64_t length) {
    uint64_t first;
    struct model_vmo *vmo = cells_of(model, slot, &first);
    struct model_vmo *lender = vmo->is_pager ? vmo : &model->vmo[MAX(vmo->lender, 0)];
    if (offset + length < offset)
        return ZX_ERR_OUT_OF_RANGE;
    if (!vmo->is_pager && vmo->lender < 0)
        return ZX_OK;
    if (!is_inside(model, slot, offset, length))
        return ZX_ERR_OUT_OF_RANGE;
    if (length == 0)
        return ZX_OK;
    lender->is_needed = needed;
    lender->may_be_reclaimed = !needed;
    if (needed) /* that the pager fails is nobody's failure */
        (void)model_bring_all(model, vmo, first + offset / PAGE,
                              (offset + length - 1) / PAGE - offset / PAGE + 1, false);
    return ZX_OK;
}

zx_status_t model_other_op(struct model *model, int slot, uint32_t op, uint64_t offset,
                           uint64_t length) {
    switch (op) {
    case ZX_VMO_OP_DONT_NEED:
    case ZX_VMO_OP_ALWAYS_NEED:
        return hint(model, slot, op == ZX_VMO_OP_ALWAYS_NEED, offset, length);
    case ZX_VMO_OP_CACHE_SYNC:
    case ZX_VMO_OP_CACHE_CLEAN:
    case ZX_VMO_OP_CACHE_CLEAN_INVALIDATE:
        if (length == 0)
            return ZX_ERR_INVALID_ARGS;
        return is_inside(model, slot, offset, length) ? ZX_OK : ZX_ERR_OUT_OF_RANGE;
    case ZX_VMO_OP_LOCK:
    case ZX_VMO_OP_TRY_LOCK:
    case ZX_VMO_OP_UNLOCK:
        return lock_op(model, slot, op, offset, length);
    default:
        return ZX_ERR_INVALID_ARGS;
    }
}

/* With a pager what grows is zero, and the pager does not know it yet. */
static void resize(struct model *model, struct model_vmo *vmo, uint64_t pages) {
    for (uint64_t i = pages; i < vmo->pages; i++)
        model_clear_cell(model, &vmo->cell[i]);
    for (uint64_t i = vmo->pages; i < pages && vmo->is_pager; i++)
        vmo->cell[i].dirt = MODEL_DIRTY;
    if (vmo->is_pager && pages < vmo->pages)
        model_lower_limits(model, vmo, pages);
    vmo->is_modified |= vmo->is_pager;
    vmo->pages = pages;
}

zx_status_t model_set_size(struct model *model, int slot, uint64_t size) {
    uint64_t first, pages;
    struct model_vmo *vmo = cells_of(model, slot, &first);
    if (!model->vmo[slot].resizable)
        return ZX_ERR_UNAVAILABLE;
    if (!model_round_up(size, &pages))
        return ZX_ERR_OUT_OF_RANGE;
    if (pages < vmo->pages && has_pins(vmo, pages, vmo->pages - pages))
        return ZX_ERR_BAD_STATE;
    if (size / PAGE < vmo->pages && size % PAGE) {
        zx_status_t status = zero_part(model, vmo, size / PAGE, size % PAGE, PAGE);
        if (status != ZX_OK)
            return status;
    }
    resize(model, vmo, pages);
    vmo->content = size;
    return ZX_OK;
}

zx_status_t model_set_content_size(struct model *model, int slot, uint64_t content) {
    uint64_t size = model_size(model, slot);
    zx_status_t status = ZX_OK;
    if (content < size)
        status = model_zero(model, slot, content, size - content);
    if (status != ZX_OK)
        return status;
    sized(model, slot)->content = content;
    return ZX_OK;
}

/* ---- Pinned, and reclaimed ---- */

static void unpin_cells(struct model_vmo *vmo, uint64_t first, uint64_t count) {
    for (uint64_t i = first; i < first + count; i++)
        vmo->cell[i].pins--;
    vmo->pins -= (unsigned)count;
}

zx_status_t model_pin(struct model *model, int slot, uint64_t offset, uint64_t length, bool write) {
    uint64_t first;
    struct model_vmo *vmo = cells_of(model, slot, &first);
    if (length == 0)
        return ZX_ERR_INVALID_ARGS;
    if (!is_inside(model, slot, offset, length))
        return ZX_ERR_OUT_OF_RANGE;
    first += offset / PAGE;
    uint64_t count = length / PAGE, done = 0;
    zx_status_t status = ZX_OK;
    if (vmo->is_physical) /* there is nothing to keep but the object */
        done = count;
    for (; done < count && status == ZX_OK; done += status == ZX_OK) {
        struct model_cell *cell = &vmo->cell[first + done];
        status = model_bring(model, vmo, first + done, count - done, write);
        if (status != ZX_OK)
            continue;
        if (write || !vmo->is_pager)
            model_write_cell(model, vmo, cell);
        else
            model_own_cell(model, cell);
        vmo->pins++;
        cell->pins++; /* at once: it stays, whatever the pager does about the next */
    }
    if (status == ZX_OK)
        model_keep(model, slot);
    else
        unpin_cells(vmo, first, done);
    return status;
}

void model_unpin(struct model *model, int slot, uint64_t offset, uint64_t length) {
    uint64_t first;
    struct model_vmo *vmo = cells_of(model, slot, &first);
    if (!vmo->is_physical)
        unpin_cells(vmo, first + offset / PAGE, length / PAGE);
    model_drop(model, slot);
}

/* Discardable objects lose all that they have; of those with a pager what is clean goes. */
void model_reclaim(struct model *model) {
    for (unsigned slot = 0; slot < MODEL_OBJECTS; slot++) {
        struct model_vmo *vmo = &model->vmo[slot];
        bool goes = vmo->alive && vmo->may_be_reclaimed;
        vmo->may_be_reclaimed = false;
        if (!goes || vmo->is_needed || (vmo->is_discardable && vmo->pins))
            continue;
        vmo->is_discarded = vmo->is_discardable;
        for (uint64_t i = 0; i < vmo->pages; i++) {
            struct model_cell *cell = &vmo->cell[i];
            if (vmo->is_pager && (cell->dirt != MODEL_CLEAN || cell->pins))
                continue;
            model_clear_cell(model, cell);
            cell->absent = vmo->is_pager;
        }
    }
}

/* ---- Who is whose, and who pays ---- */

unsigned model_children(const struct model *model, int slot) {
    unsigned children = 0;
    for (unsigned i = 0; i < MODEL_OBJECTS; i++)
        children += model->vmo[i].alive && model->vmo[i].parent == slot;
    return children;
}

/* The oldest object born after `birth`; -1: none. */
static int next_born(const struct model *model, uint64_t birth) {
    int found = -1;
    for (int i = 0; i < MODEL_OBJECTS; i++)
        if (model->vmo[i].alive && model->vmo[i].birth > birth &&
            (found < 0 || model->vmo[i].birth < model->vmo[found].birth))
            found = i;
    return found;
}

/* The oldest living object that sees a page pays for it. */
uint64_t model_charges(const struct model *model, uint64_t out_pages[MODEL_OBJECTS]) {
    bool paid[MODEL_OBJECTS * MODEL_PAGES + 1] = {true}; /* page 0 is none */
    uint64_t total = 0;
    memset(out_pages, 0, MODEL_OBJECTS * sizeof out_pages[0]);
    for (int slot = next_born(model, 0); slot >= 0; slot = next_born(model, model->vmo[slot].birth))
        for (unsigned i = 0; i < MODEL_PAGES; i++) {
            uint32_t page = model->vmo[slot].cell[i].page;
            out_pages[slot] += !paid[page];
            total += !paid[page];
            paid[page] = true;
        }
    return total;
}
