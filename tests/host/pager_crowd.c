/*
 * pager_crowd.c - see pager_crowd.h. Nothing here is meant to be fast or clever.
 */
#include "tests/host/pager_crowd.h"

#include "lib/string.h"

void crowd_begin(struct crowd *crowd, bool traps_dirty) {
    memset(crowd, 0, sizeof(*crowd));
    crowd->traps_dirty = traps_dirty;
    crowd->pages = crowd->clone_limit = CROWD_PAGES;
}

/* ---- Pages ---- */

static bool writes(const struct crowd_op *op) {
    return op->kind == CROWD_WRITE || op->kind == CROWD_PIN || op->kind == CROWD_FAULT_WRITE;
}

/* A pin holds what its thread has passed, until it ends. */
bool crowd_is_pinned(const struct crowd *crowd, uint64_t index) {
    for (unsigned i = 0; i < CROWD_THREADS; i++) {
        const struct crowd_op *op = &crowd->op[i];
        if (op->is_busy && op->kind == CROWD_PIN && index >= op->first && index < op->at)
            return true;
    }
    return false;
}

/* OK: it may be used; ERR_SHOULD_WAIT: `command` would help; ERR_BAD_STATE: nothing does. */
static status_t look(const struct crowd *crowd, const struct crowd_op *op, uint64_t index,
                     enum page_command *out_command) {
    const struct crowd_page *page = &crowd->page[index];
    if (op->kind == CROWD_READ_CLONE && index >= crowd->clone_limit)
        return OK;
    bool traps = crowd->traps_dirty && writes(op) && page->dirt != PAGE_DIRTY;
    if (page->is_present && !traps)
        return OK;
    *out_command = page->is_present ? PAGE_COMMAND_DIRTY : PAGE_COMMAND_READ;
    return crowd->is_detached ? ERR_BAD_STATE : ERR_SHOULD_WAIT;
}

static void use_page(struct crowd *crowd, unsigned index) {
    struct crowd_op *op = &crowd->op[index];
    struct crowd_page *page = &crowd->page[op->at];
    bool is_shown = op->kind != CROWD_READ_CLONE || op->at < crowd->clone_limit;
    op->seen[op->at - op->first] = is_shown ? page->brought : 0;
    if (writes(op))
        page->dirt = PAGE_DIRTY;
    if (op->kind == CROWD_WRITE)
        page->own[index] = op->byte;
    op->at++;
}

/* ---- Asking ---- */

static bool contains(const struct crowd_request *request, uint64_t index) {
    return index >= request->first && index - request->first < request->count;
}

/* As far as the same helps; a mapping asks for its one page, others for all that is left. */
static uint64_t stretch(const struct crowd *crowd, const struct crowd_op *op,
                        enum page_command command) {
    uint64_t end = MIN(op->first + op->count, crowd->pages), at = op->at + 1;
    enum page_command next = command;
    if (op->kind == CROWD_READ_CLONE)
        end = MIN(end, crowd->clone_limit);
    while (at < end && look(crowd, op, at, &next) == ERR_SHOULD_WAIT && next == command)
        at++;
    return at - op->at;
}

static void ask(struct crowd *crowd, struct crowd_op *op, enum page_command command) {
    uint64_t count = stretch(crowd, op, command);
    for (unsigned i = 0; i < crowd->request_count; i++) {
        const struct crowd_request *request = &crowd->request[i];
        if (request->command != command)
            continue;
        if (contains(request, op->at)) {
            op->request = request->id;
            return;
        }
        if (request->first > op->at)
            count = MIN(count, request->first - op->at);
    }
    op->request = ++crowd->ids;
    crowd->request[crowd->request_count++] =
        (struct crowd_request){op->request, command, op->at, count, count, false};
}

static void end_op(struct crowd_op *op, status_t status) {
    op->is_busy = false;
    op->request = 0;
    op->status = status;
}

/* The size, at each look; ERR_SHOULD_WAIT: no objection. */
static status_t look_at_size(const struct crowd *crowd, const struct crowd_op *op) {
    uint64_t end = op->first + op->count;
    switch (op->kind) {
    case CROWD_READ_CLONE:
        return ERR_SHOULD_WAIT;
    case CROWD_COMMIT: /* what is gone needs nothing */
        return op->at < crowd->pages ? ERR_SHOULD_WAIT : OK;
    case CROWD_READ:
        return end <= crowd->pages ? ERR_SHOULD_WAIT : ERR_OUT_OF_RANGE;
    default:
        return op->at < crowd->pages ? ERR_SHOULD_WAIT : ERR_OUT_OF_RANGE;
    }
}

void crowd_advance(struct crowd *crowd, unsigned index) {
    struct crowd_op *op = &crowd->op[index];
    while (op->at < op->first + op->count) {
        enum page_command command = PAGE_COMMAND_READ;
        status_t status = look_at_size(crowd, op);
        if (status != ERR_SHOULD_WAIT) {
            end_op(op, status);
            return;
        }
        status = look(crowd, op, op->at, &command);
        if (status == OK) {
            use_page(crowd, index);
        } else if (status == ERR_SHOULD_WAIT) {
            ask(crowd, op, command);
            return;
        } else {
            end_op(op, status);
            return;
        }
    }
    end_op(op, OK);
}

void crowd_start(struct crowd *crowd, unsigned index, const struct crowd_op *op) {
    crowd->op[index] = *op;
    crowd->op[index].is_busy = true;
    crowd->op[index].at = op->first;
    bool is_behind = op->first + op->count > crowd->pages;
    if (op->kind == CROWD_COMMIT && is_behind) /* trimmed, once */
        crowd->op[index].count = crowd->pages > op->first ? crowd->pages - op->first : 0;
    if (op->kind == CROWD_COMMIT && op->first > crowd->pages)
        end_op(&crowd->op[index], ERR_OUT_OF_RANGE);
    else if (op->kind == CROWD_PIN && is_behind)
        end_op(&crowd->op[index], ERR_OUT_OF_RANGE);
    else
        crowd_advance(crowd, index);
}

/* ---- Answers ---- */

static void drop_request(struct crowd *crowd, unsigned at) {
    crowd->request_count--;
    memmove(&crowd->request[at], &crowd->request[at + 1],
            (crowd->request_count - at) * sizeof(crowd->request[0]));
}

/* Request number `at` is over for all who wait for it; OK: they look again. */
static crowd_set end_request(struct crowd *crowd, unsigned at, status_t status) {
    unsigned id = crowd->request[at].id;
    crowd_set woken = 0;
    drop_request(crowd, at);
    for (unsigned i = 0; i < CROWD_THREADS; i++) {
        struct crowd_op *op = &crowd->op[i];
        if (!op->is_busy || op->request != id)
            continue;
        op->request = 0;
        if (status == OK)
            woken |= 1u << i;
        else
            end_op(op, status);
    }
    return woken;
}

static uint64_t overlap(const struct crowd_request *request, uint64_t first, uint64_t count) {
    uint64_t pages = 0;
    for (uint64_t i = first; i < first + count; i++)
        pages += contains(request, i);
    return pages;
}

/* What is answered twice counts twice: who waits looks again, and finds what is missing. */
static crowd_set answer(struct crowd *crowd, enum page_command command, uint64_t first,
                        uint64_t count) {
    crowd_set woken = 0;
    for (unsigned i = 0; i < crowd->request_count;) {
        struct crowd_request *request = &crowd->request[i];
        uint64_t done = request->command == command ? overlap(request, first, count) : 0;
        request->missing -= MIN(done, request->missing);
        if (request->missing == 0)
            woken |= end_request(crowd, i, OK);
        else
            i++;
    }
    return woken;
}

static crowd_set end_requests(struct crowd *crowd, uint64_t first, uint64_t count,
                              status_t status) {
    crowd_set woken = 0;
    for (unsigned i = 0; i < crowd->request_count;)
        if (overlap(&crowd->request[i], first, count))
            woken |= end_request(crowd, i, status);
        else
            i++;
    return woken;
}

unsigned crowd_give_up(struct crowd *crowd, unsigned index, status_t status) {
    unsigned id = crowd->op[index].request, others = 0;
    end_op(&crowd->op[index], status);
    for (unsigned i = 0; i < CROWD_THREADS; i++)
        others += crowd->op[i].is_busy && crowd->op[i].request == id;
    for (unsigned i = 0; i < crowd->request_count && others == 0; i++)
        if (crowd->request[i].id == id)
            drop_request(crowd, i);
    return others;
}

/* ---- What the pager does ---- */

crowd_set crowd_supply(struct crowd *crowd, uint64_t first, uint64_t count,
                       const uint8_t *bytes) {
    for (uint64_t i = 0; i < count; i++) {
        struct crowd_page *page = &crowd->page[first + i];
        if (!page->is_present)
            *page = (struct crowd_page){true, PAGE_CLEAN, bytes[i], {0}};
    }
    return answer(crowd, PAGE_COMMAND_READ, first, count);
}

static unsigned busy(const struct crowd *crowd) {
    unsigned count = 0;
    for (unsigned i = 0; i < CROWD_THREADS; i++)
        count += crowd->op[i].is_busy;
    return count;
}

unsigned crowd_fail(struct crowd *crowd, uint64_t first, uint64_t count, status_t status) {
    unsigned before = busy(crowd);
    (void)end_requests(crowd, first, count, status);
    return before - busy(crowd);
}

status_t crowd_mark_dirty(struct crowd *crowd, uint64_t first, uint64_t count,
                          crowd_set *out_woken) {
    *out_woken = 0;
    if (!crowd->traps_dirty)
        return ERR_NOT_SUPPORTED;
    for (uint64_t i = first; i < first + count; i++)
        if (!crowd->page[i].is_present) {
            *out_woken = end_requests(crowd, first, count, OK);
            return ERR_NOT_FOUND;
        }
    for (uint64_t i = first; i < first + count; i++)
        crowd->page[i].dirt = PAGE_DIRTY;
    *out_woken = answer(crowd, PAGE_COMMAND_DIRTY, first, count);
    return OK;
}

status_t crowd_resize(struct crowd *crowd, uint64_t pages, crowd_set *out_woken) {
    *out_woken = 0;
    for (uint64_t i = pages; i < crowd->pages; i++)
        if (crowd_is_pinned(crowd, i))
            return ERR_BAD_STATE;
    for (uint64_t i = MIN(pages, crowd->pages); i < MAX(pages, crowd->pages); i++)
        crowd->page[i] = (struct crowd_page){i < pages, PAGE_DIRTY, 0, {0}};
    if (pages < crowd->pages)
        *out_woken = end_requests(crowd, pages, crowd->pages - pages, OK);
    crowd->clone_limit = MIN(crowd->clone_limit, pages);
    crowd->pages = pages;
    return OK;
}

void crowd_evict(struct crowd *crowd) {
    for (uint64_t i = 0; i < crowd->pages; i++)
        if (crowd->page[i].dirt == PAGE_CLEAN && !crowd_is_pinned(crowd, i))
            crowd->page[i].is_present = false;
}

crowd_set crowd_detach(struct crowd *crowd) {
    crowd->is_detached = true;
    crowd_evict(crowd);
    return end_requests(crowd, 0, CROWD_PAGES, OK);
}

void crowd_write_back(struct crowd *crowd, uint64_t first, uint64_t count, bool is_end) {
    for (uint64_t i = first; i < first + count; i++) {
        struct crowd_page *page = &crowd->page[i];
        if (page->is_present && !crowd_is_pinned(crowd, i) &&
            page->dirt == (is_end ? PAGE_AWAITING : PAGE_DIRTY))
            page->dirt = is_end ? PAGE_CLEAN : PAGE_AWAITING;
    }
}
