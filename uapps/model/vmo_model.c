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

static void cell_clear(struct model *model, struct model_cell *cell) {
    if (cell->page)
        model->holders[cell->page]--;
    memset(cell, 0, sizeof *cell);
}

/* The cell's page becomes one that no other cell has; its bytes stay. */
static void cell_own(struct model *model, struct model_cell *cell) {
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

/* The object with the size: a slice has its own. */
static struct model_vmo *sized(const struct model *model, int slot) {
    const struct model_vmo *vmo = &model->vmo[slot];
    return (struct model_vmo *)(vmo->shown < 0 || vmo->is_slice ? vmo : &model->vmo[vmo->shown]);
}

uint64_t model_size(const struct model *model, int slot) { return sized(model, slot)->pages * PAGE; }
uint64_t model_content_size(const struct model *model, int slot) {
    return sized(model, slot)->content;
}

const struct model_cell *model_look(const struct model *model, int slot, uint64_t index) {
    uint64_t first;
    struct model_vmo *vmo = cells_of((struct model *)model, slot, &first);
    return index < sized(model, slot)->pages ? &vmo->cell[first + index] : NULL;
}

/* ---- Life ---- */

static bool round_up(uint64_t size, uint64_t *out_pages) {
    *out_pages = size / PAGE + (size % PAGE != 0);
    return *out_pages <= MODEL_SIZE_CAP / PAGE;
}

static struct model_vmo *vmo_begin(struct model *model, int slot, uint64_t size) {
    struct model_vmo *vmo = &model->vmo[slot];
    memset(vmo, 0, sizeof *vmo);
    vmo->alive = true;
    vmo->keepers = 1;
    vmo->birth = vmo->family = ++model->births;
    vmo->parent = vmo->shown = -1;
    (void)round_up(size, &vmo->pages);
    vmo->content = size;
    return vmo;
}

zx_status_t model_create(struct model *model, int slot, uint64_t size, uint32_t options) {
    uint64_t pages;
    if (options & ~(uint32_t)(ZX_VMO_RESIZABLE | ZX_VMO_DISCARDABLE))
        return ZX_ERR_INVALID_ARGS;
    if (!round_up(size, &pages))
        return ZX_ERR_OUT_OF_RANGE;
    struct model_vmo *vmo = vmo_begin(model, slot, size);
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
    return cells_of((struct model *)model, parent, &first)->resizable ? ZX_ERR_NOT_SUPPORTED
                                                                      : ZX_OK;
}

static zx_status_t check_child(const struct model *model, int parent, uint32_t options,
                               uint64_t offset, uint64_t size) {
    const struct model_vmo *from = &model->vmo[parent];
    uint64_t pages;
    if ((options & ZX_VMO_CHILD_RESIZABLE) && (options & ZX_VMO_CHILD_NO_WRITE))
        return ZX_ERR_INVALID_ARGS;
    if (from->is_discardable)
        return ZX_ERR_NOT_SUPPORTED;
    if (check_child_options(options) != ZX_OK || offset % PAGE)
        return ZX_ERR_INVALID_ARGS;
    if (!round_up(size, &pages))
        return ZX_ERR_OUT_OF_RANGE;
    if (options & ZX_VMO_CHILD_SLICE)
        return check_slice(model, parent, offset, pages);
    if (options & ZX_VMO_CHILD_REFERENCE) {
        if (offset || size)
            return ZX_ERR_INVALID_ARGS;
        bool wants_more = (options & ZX_VMO_CHILD_RESIZABLE) && !from->resizable;
        return from->is_slice || wants_more ? ZX_ERR_NOT_SUPPORTED : ZX_OK;
    }
    if (from->is_slice)
        return ZX_ERR_NOT_SUPPORTED;
    if (offset + size < offset)
        return ZX_ERR_INVALID_ARGS;
    if (offset > MODEL_SIZE_CAP || pages * PAGE > MODEL_SIZE_CAP - offset)
        return ZX_ERR_OUT_OF_RANGE;
    return ZX_OK;
}

static void copy_window(struct model *model, struct model_vmo *child, int parent,
                        uint64_t offset) {
    uint64_t first;
    struct model_vmo *from = cells_of(model, parent, &first);
    uint64_t skip = offset / PAGE;
    for (uint64_t i = 0; i < child->pages && skip + i < from->pages; i++)
        cell_share(model, &child->cell[i], &from->cell[skip + i]);
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
    struct model_vmo *child = vmo_begin(model, slot, size);
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
        cell_clear(model, &vmo->cell[i]);
    if (vmo->shown >= 0)
        model_drop(model, vmo->shown);
}

/* ---- Contents ---- */

static bool is_inside(const struct model *model, int slot, uint64_t offset, uint64_t length) {
    uint64_t size = model_size(model, slot);
    return offset <= size && length <= size - offset;
}

zx_status_t model_write(struct model *model, int slot, uint64_t offset, uint64_t length,
                        uint8_t byte) {
    uint64_t first;
    struct model_vmo *vmo = cells_of(model, slot, &first);
    if (!is_inside(model, slot, offset, length))
        return ZX_ERR_OUT_OF_RANGE;
    for (uint64_t at = offset, next; at < offset + length; at = next) {
        next = MIN(offset + length, (at / PAGE + 1) * PAGE);
        struct model_cell *cell = &vmo->cell[first + at / PAGE];
        cell_own(model, cell);
        cell_fill(model, cell, at % PAGE, at % PAGE + (next - at), byte);
    }
    return ZX_OK;
}

void model_copy_page(struct model *model, int slot, uint64_t index,
                     const struct model_cell *from) {
    uint64_t first;
    struct model_vmo *vmo = cells_of(model, slot, &first);
    struct model_cell copy = *from;
    cell_own(model, &vmo->cell[first + index]);
    memcpy(vmo->cell[first + index].bytes, copy.bytes, sizeof copy.bytes);
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
    for (uint64_t i = offset / PAGE; i <= (offset + length - 1) / PAGE; i++)
        cell_own(model, &vmo->cell[first + i]);
    return ZX_OK;
}

static bool has_relatives(const struct model *model, const struct model_vmo *vmo) {
    unsigned members = 0;
    for (unsigned i = 0; i < MODEL_OBJECTS; i++)
        members += model->vmo[i].alive && model->vmo[i].shown < 0 &&
                   model->vmo[i].family == vmo->family;
    return members > 1;
}

zx_status_t model_decommit(struct model *model, int slot, uint64_t offset, uint64_t length) {
    uint64_t first;
    struct model_vmo *vmo = cells_of(model, slot, &first);
    zx_status_t status = trim(model, slot, offset, &length);
    if (status != ZX_OK || length == 0)
        return status;
    if (has_relatives(model, vmo))
        return ZX_ERR_NOT_SUPPORTED;
    if (offset % PAGE || length % PAGE)
        return ZX_ERR_INVALID_ARGS;
    for (uint64_t i = 0; i < length / PAGE; i++)
        cell_clear(model, &vmo->cell[first + offset / PAGE + i]);
    return ZX_OK;
}

zx_status_t model_zero(struct model *model, int slot, uint64_t offset, uint64_t length) {
    uint64_t first;
    struct model_vmo *vmo = cells_of(model, slot, &first);
    zx_status_t status = trim(model, slot, offset, &length);
    if (status != ZX_OK)
        return status;
    for (uint64_t at = offset, next; at < offset + length; at = next) {
        next = MIN(offset + length, (at / PAGE + 1) * PAGE);
        struct model_cell *cell = &vmo->cell[first + at / PAGE];
        if (next - at == PAGE) {
            cell_clear(model, cell);
        } else if (cell->page) {
            cell_own(model, cell);
            cell_fill(model, cell, at % PAGE, at % PAGE + (next - at), 0);
        }
    }
    return ZX_OK;
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
    vmo->locks += op == ZX_VMO_OP_UNLOCK ? -1u : 1u;
    return ZX_OK;
}

zx_status_t model_other_op(struct model *model, int slot, uint32_t op, uint64_t offset,
                           uint64_t length) {
    switch (op) {
    case ZX_VMO_OP_DONT_NEED:
    case ZX_VMO_OP_ALWAYS_NEED:
        return offset + length < offset ? ZX_ERR_OUT_OF_RANGE : ZX_OK;
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

zx_status_t model_set_size(struct model *model, int slot, uint64_t size) {
    uint64_t first, pages;
    struct model_vmo *vmo = cells_of(model, slot, &first);
    if (!model->vmo[slot].resizable)
        return ZX_ERR_UNAVAILABLE;
    if (!round_up(size, &pages))
        return ZX_ERR_OUT_OF_RANGE;
    for (uint64_t i = pages; i < vmo->pages; i++)
        cell_clear(model, &vmo->cell[i]);
    if (size % PAGE && vmo->cell[size / PAGE].page) {
        cell_own(model, &vmo->cell[size / PAGE]);
        cell_fill(model, &vmo->cell[size / PAGE], size % PAGE, PAGE, 0);
    }
    vmo->pages = pages;
    vmo->content = size;
    return ZX_OK;
}

zx_status_t model_set_content_size(struct model *model, int slot, uint64_t content) {
    uint64_t size = model_size(model, slot);
    if (content < size)
        (void)model_zero(model, slot, content, size - content);
    sized(model, slot)->content = content;
    return ZX_OK;
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
