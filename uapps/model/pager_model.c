/*
 * pager_model.c - see vmo_model.h: what is asked of pagers, and what they do.
 */
#include <string.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/pager.h>

#include "model/vmo_model.h"
#include "stress/stress.h"

#define MIN(a, b) ((a) < (b) ? (a) : (b))

static int slot_of(const struct model *model, const struct model_vmo *vmo) {
    return (int)(vmo - model->vmo);
}

static bool is_inside(const struct model_vmo *vmo, uint64_t first, uint64_t count) {
    return first <= vmo->pages && count <= vmo->pages - first;
}

zx_status_t model_create_pager(struct model *model, int slot, uint64_t size, uint32_t options) {
    uint64_t pages;
    if (options & ~(uint32_t)(ZX_VMO_RESIZABLE | ZX_VMO_TRAP_DIRTY))
        return ZX_ERR_INVALID_ARGS;
    if (!model_round_up(size, &pages))
        return ZX_ERR_OUT_OF_RANGE;
    struct model_vmo *vmo = model_begin_vmo(model, slot, size);
    vmo->is_pager = true;
    vmo->resizable = options & ZX_VMO_RESIZABLE;
    vmo->traps_dirty = options & ZX_VMO_TRAP_DIRTY;
    for (uint64_t i = 0; i < pages; i++) {
        vmo->cell[i].absent = true;
        for (unsigned k = 0; k < MODEL_SAMPLES; k++) /* now and then all of a page is zero */
            vmo->source[i][k] = (uint8_t)(draw_at(vmo->birth, i) % 4 == 0
                                              ? 0
                                              : draw_at(vmo->birth, i * MODEL_SAMPLES + k) >> 8);
    }
    return ZX_OK;
}

zx_status_t model_create_contiguous(struct model *model, int slot, uint64_t size) {
    if (size == 0)
        return ZX_ERR_INVALID_ARGS;
    struct model_vmo *vmo = model_begin_vmo(model, slot, size);
    vmo->is_contiguous = true;
    for (uint64_t i = 0; i < vmo->pages; i++)
        model_own_cell(model, &vmo->cell[i]);
    return ZX_OK;
}

/* ---- What comes, and what goes ---- */

/* What is present already stays; what comes is what the pager will have from now on. */
static void supply_cell(struct model *model, struct model_vmo *vmo, uint64_t index,
                        const uint8_t bytes[MODEL_SAMPLES], bool is_zero) {
    struct model_cell *cell = &vmo->cell[index];
    if (!cell->absent)
        return;
    memmove(vmo->source[index], bytes, MODEL_SAMPLES);
    cell->absent = false;
    cell->dirt = MODEL_CLEAN;
    memcpy(cell->bytes, bytes, MODEL_SAMPLES);
    if (!is_zero)
        model_own_cell(model, cell);
}

static void supply_source(struct model *model, struct model_vmo *vmo, uint64_t first,
                          uint64_t count) {
    static const uint8_t zeros[MODEL_SAMPLES];
    for (uint64_t i = first; i < first + count; i++)
        supply_cell(model, vmo, i, vmo->source[i],
                    memcmp(vmo->source[i], zeros, sizeof zeros) == 0);
    vmo->may_be_reclaimed = true;
}

static zx_status_t check_give(const struct model_vmo *vmo, uint64_t first, uint64_t count) {
    if (vmo->is_detached)
        return ZX_ERR_BAD_STATE;
    return is_inside(vmo, first, count) ? ZX_OK : ZX_ERR_OUT_OF_RANGE;
}

zx_status_t model_supply_source(struct model *model, int slot, uint64_t first, uint64_t count) {
    struct model_vmo *vmo = &model->vmo[slot];
    if (count == 0)
        return ZX_OK;
    zx_status_t status = check_give(vmo, first, count);
    if (status == ZX_OK)
        supply_source(model, vmo, first, count);
    vmo->may_be_reclaimed = true;
    return status;
}

static zx_status_t check_aux(const struct model *model, int aux, uint64_t first, uint64_t count) {
    const struct model_vmo *vmo = &model->vmo[aux];
    if (vmo->is_contiguous || vmo->is_physical)
        return ZX_ERR_NOT_SUPPORTED;
    if (model_children(model, aux))
        return ZX_ERR_BAD_STATE;
    uint64_t pages = model_size(model, aux) / PAGE;
    if (first > pages || count > pages - first)
        return ZX_ERR_OUT_OF_RANGE;
    return vmo->made_from || vmo->is_pager || vmo->is_discardable || vmo->policy
               ? ZX_ERR_BAD_STATE
               : ZX_OK;
}

zx_status_t model_supply(struct model *model, int slot, uint64_t first, uint64_t count, int aux,
                         uint64_t aux_first) {
    struct model_vmo *vmo = &model->vmo[slot], *from = &model->vmo[aux];
    zx_status_t status = check_aux(model, aux, aux_first, count);
    if (status != ZX_OK || count == 0)
        return status;
    vmo->may_be_reclaimed = true;
    status = check_give(vmo, first, count);
    for (uint64_t i = 0; i < count && status == ZX_OK; i++) {
        struct model_cell *cell = &from->cell[aux_first + i];
        supply_cell(model, vmo, first + i, cell->bytes, cell->page == 0);
        model_clear_cell(model, cell);
    }
    return status;
}

/* Clean pages go, and so does whatever was to come. */
void model_detach(struct model *model, int slot) {
    struct model_vmo *vmo = &model->vmo[slot];
    if (vmo->is_detached)
        return;
    vmo->is_detached = true;
    for (uint64_t i = 0; i < vmo->pages; i++) {
        struct model_cell *cell = &vmo->cell[i];
        if (cell->dirt != MODEL_CLEAN || cell->pins)
            continue;
        model_clear_cell(model, cell);
        cell->absent = true;
    }
}

void model_lower_limits(struct model *model, const struct model_vmo *lender, uint64_t pages) {
    for (unsigned slot = 0; slot < MODEL_OBJECTS; slot++) {
        struct model_vmo *vmo = &model->vmo[slot];
        if (!vmo->alive || vmo->lender != slot_of(model, lender))
            continue;
        for (uint64_t i = 0; i < vmo->pages; i++)
            if (vmo->lender_first + i >= pages)
                vmo->cell[i].absent = false;
    }
}

/* ---- Asking ---- */

/* The command that would help; ZX_OK otherwise, or why nothing does. */
static zx_status_t pager_blocked(const struct model_vmo *vmo, uint64_t index, bool write,
                                 uint16_t *out_command) {
    const struct model_cell *cell = &vmo->cell[index];
    bool traps = write && vmo->traps_dirty && cell->dirt != MODEL_DIRTY;
    if (!cell->absent && !traps)
        return ZX_OK;
    *out_command = cell->absent ? ZX_PAGER_VMO_READ : ZX_PAGER_VMO_DIRTY;
    return vmo->is_detached ? ZX_ERR_BAD_STATE : ZX_ERR_SHOULD_WAIT;
}

zx_status_t model_blocked(const struct model *model, const struct model_vmo *vmo, uint64_t index,
                          bool write) {
    uint16_t command;
    if (vmo->is_discarded)
        return ZX_ERR_NOT_FOUND;
    if (vmo->is_pager)
        return pager_blocked(vmo, index, write, &command);
    if (vmo->lender >= 0 && vmo->cell[index].absent)
        return pager_blocked(&model->vmo[vmo->lender], vmo->lender_first + index, false, &command);
    return ZX_OK;
}

static void make_dirty(struct model *model, struct model_vmo *vmo, uint64_t first,
                       uint64_t count) {
    for (uint64_t i = first; i < first + count; i++) {
        model_own_cell(model, &vmo->cell[i]);
        vmo->cell[i].dirt = MODEL_DIRTY;
    }
}

/* A request, and what the pager does about it. */
static zx_status_t answer(struct model *model, struct model_vmo *vmo, uint16_t command,
                          uint64_t first, uint64_t count) {
    unsigned number = model->request_count++;
    const struct model_answer *how = &model->answer;
    if (number < MODEL_REQUESTS)
        model->request[number] =
            (struct model_request){slot_of(model, vmo), command, first, count};
    if (number == how->at && how->kind == ANSWER_FAIL)
        return how->status;
    if (number == how->at && how->kind == ANSWER_DETACH) {
        model_detach(model, slot_of(model, vmo));
        return ZX_ERR_BAD_STATE;
    }
    if (command == ZX_PAGER_VMO_DIRTY) {
        make_dirty(model, vmo, first, count);
        return ZX_OK;
    }
    if (how->kind == ANSWER_MORE)
        count = MIN(count + how->more, vmo->pages - first);
    supply_source(model, vmo, first, count);
    return ZX_OK;
}

/* `first` is blocked; so far as the same helps, the pages behind it are asked for with it. */
static zx_status_t ask(struct model *model, struct model_vmo *vmo, uint64_t first, uint64_t count,
                       bool write) {
    uint16_t command = 0, next = 0;
    uint64_t end = MIN(first + count, vmo->pages), i = first + 1;
    zx_status_t status = pager_blocked(vmo, first, write, &command);
    if (status != ZX_ERR_SHOULD_WAIT)
        return status;
    while (i < end && pager_blocked(vmo, i, write, &next) == status && next == command)
        i++;
    return answer(model, vmo, command, first, i - first);
}

/* A lazy clone asks for what it borrows in one stretch. */
static zx_status_t ask_lender(struct model *model, const struct model_vmo *vmo, uint64_t index,
                              uint64_t count) {
    uint64_t end = MIN(index + count, vmo->pages), i = index;
    while (i < end && vmo->cell[i].absent)
        i++;
    return ask(model, &model->vmo[vmo->lender], vmo->lender_first + index, i - index, false);
}

zx_status_t model_bring(struct model *model, struct model_vmo *vmo, uint64_t index,
                        uint64_t count, bool write) {
    zx_status_t status;
    while ((status = model_blocked(model, vmo, index, write)) == ZX_ERR_SHOULD_WAIT) {
        status = vmo->is_pager ? ask(model, vmo, index, count, write)
                               : ask_lender(model, vmo, index, count);
        if (status != ZX_OK)
            return status;
    }
    return status;
}

zx_status_t model_bring_all(struct model *model, struct model_vmo *vmo, uint64_t first,
                            uint64_t count, bool write) {
    zx_status_t status = ZX_OK;
    for (uint64_t i = first; i < first + count; i++)
        if (model_blocked(model, vmo, i, write) != ZX_OK) {
            status = model_bring(model, vmo, i, first + count - i, write);
            if (status != ZX_OK)
                return status;
            i = first - 1; /* what was passed by is asked for again, should it have gone */
        }
    return status;
}

void model_write_cell(struct model *model, struct model_vmo *vmo, struct model_cell *cell) {
    if (cell->absent) { /* the lender's page of the moment becomes this one's own */
        uint64_t index = (uint64_t)(cell - vmo->cell);
        memcpy(cell->bytes, model->vmo[vmo->lender].cell[vmo->lender_first + index].bytes,
               MODEL_SAMPLES);
        cell->absent = false;
    }
    model_own_cell(model, cell);
    if (vmo->is_pager) {
        cell->dirt = MODEL_DIRTY;
        vmo->is_modified = true;
    }
}

/* ---- What the pager says of its own accord ---- */

static zx_status_t fail_op(const struct model_vmo *vmo, uint64_t first, uint64_t count,
                           uint64_t data) {
    static const zx_status_t allowed[] = {ZX_ERR_IO, ZX_ERR_IO_DATA_INTEGRITY, ZX_ERR_BAD_STATE,
                                          ZX_ERR_NO_SPACE, ZX_ERR_BUFFER_TOO_SMALL};
    for (unsigned i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        if (data == (uint64_t)(int64_t)allowed[i])
            return check_give(vmo, first, count); /* nobody waits: nothing to fail */
    return ZX_ERR_INVALID_ARGS;
}

static zx_status_t dirty_op(struct model *model, struct model_vmo *vmo, uint64_t first,
                            uint64_t count) {
    if (!vmo->traps_dirty)
        return ZX_ERR_NOT_SUPPORTED;
    zx_status_t status = check_give(vmo, first, count);
    for (uint64_t i = first; status == ZX_OK && i < first + count; i++)
        if (vmo->cell[i].absent)
            status = ZX_ERR_NOT_FOUND;
    if (status == ZX_OK)
        make_dirty(model, vmo, first, count);
    return status;
}

/* From dirty to being written, from that to clean; what is pinned stays as it is. */
static zx_status_t change_op(struct model_vmo *vmo, uint64_t first, uint64_t count,
                             enum model_dirt from, enum model_dirt to, bool only_zeros) {
    if (!is_inside(vmo, first, count))
        return ZX_ERR_OUT_OF_RANGE;
    for (uint64_t i = first; i < first + count; i++) {
        struct model_cell *cell = &vmo->cell[i];
        if (cell->absent || cell->dirt != from || (only_zeros && cell->page) || cell->pins)
            continue;
        cell->dirt = (uint8_t)to;
        if (to == MODEL_CLEAN) /* the pager has it now */
            memcpy(vmo->source[i], cell->bytes, MODEL_SAMPLES);
    }
    return ZX_OK;
}

zx_status_t model_pager_op(struct model *model, int slot, uint32_t op, uint64_t offset,
                           uint64_t length, uint64_t data) {
    struct model_vmo *vmo = &model->vmo[slot];
    uint64_t first = offset / PAGE, count = length / PAGE;
    if (offset % PAGE || length % PAGE)
        return ZX_ERR_INVALID_ARGS;
    switch (op) {
    case ZX_PAGER_OP_FAIL:
        return fail_op(vmo, first, count, data);
    case ZX_PAGER_OP_DIRTY:
        return data ? ZX_ERR_INVALID_ARGS : dirty_op(model, vmo, first, count);
    case ZX_PAGER_OP_WRITEBACK_BEGIN:
        if (data & ~(uint64_t)ZX_VMO_DIRTY_RANGE_IS_ZERO)
            return ZX_ERR_INVALID_ARGS;
        return change_op(vmo, first, count, MODEL_DIRTY, MODEL_AWAITING, data != 0);
    case ZX_PAGER_OP_WRITEBACK_END:
        if (data)
            return ZX_ERR_INVALID_ARGS;
        vmo->may_be_reclaimed = true;
        return change_op(vmo, first, count, MODEL_AWAITING, MODEL_CLEAN, false);
    default:
        return ZX_ERR_NOT_SUPPORTED;
    }
}

static bool is_dirty(const struct model_cell *cell) {
    return !cell->absent && cell->dirt != MODEL_CLEAN;
}

bool model_next_dirty(const struct model *model, int slot, uint64_t first, uint64_t end,
                      uint64_t *out_first, uint64_t *out_count, bool *out_zero) {
    const struct model_vmo *vmo = &model->vmo[slot];
    uint64_t i = first;
    while (i < end && !is_dirty(&vmo->cell[i]))
        i++;
    if (i == end)
        return false;
    *out_first = i;
    *out_zero = vmo->cell[i].page == 0;
    while (i < end && is_dirty(&vmo->cell[i]) && (vmo->cell[i].page == 0) == *out_zero)
        i++;
    *out_count = i - *out_first;
    return true;
}
