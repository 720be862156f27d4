/*
 * world_pager.c - the companion that serves pagers, and the steps on what only devices
 * and pagers make.
 *
 * Before a step the model is told what the pager will answer; the companion does that,
 * and both write down the requests, which must be the same. While the world's own thread
 * runs, the companion does nothing: whatever it does beyond what was asked it does first.
 */
#include <string.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/pager.h>
#include <zircon/syscalls/port.h>

#include "model/world.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define NO_KEY       UINT64_MAX

/* ---- The companion ---- */

/* Pages from the model's source into the empty object; zeros stay absent. */
static zx_status_t fill_aux(struct world *world, zx_handle_t aux, int slot, uint64_t first,
                            uint64_t count, uint8_t page[ZX_PAGE_SIZE]) {
    static const uint8_t zeros[MODEL_SAMPLES];
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *source = world->model.vmo[slot].source[first + i];
        if (memcmp(source, zeros, sizeof zeros) == 0)
            continue;
        for (unsigned k = 0; k < MODEL_SAMPLES; k++)
            page[world->model.sample_at[k]] = source[k];
        zx_status_t status = zx_vmo_write(aux, page, i * PAGE, PAGE);
        if (status != ZX_OK)
            return status;
    }
    return ZX_OK;
}

static zx_status_t supply_once(struct world *world, int slot, uint64_t first, uint64_t count) {
    struct world_companion *companion = &world->companion;
    zx_status_t status = fill_aux(world, companion->aux, slot, first, count, companion->page);
    if (status == ZX_OK)
        status = zx_pager_supply_pages(world->pager, world->keeper[slot], first * PAGE,
                                       count * PAGE, companion->aux, 0);
    return status;
}

/* Where allocations fail, one of the companion's may. */
static zx_status_t supply(struct world *world, int slot, uint64_t first, uint64_t count) {
    zx_status_t status = ZX_ERR_NO_MEMORY;
    while (count && status == ZX_ERR_NO_MEMORY)
        status = supply_once(world, slot, first, count);
    return count ? status : ZX_OK;
}

static zx_status_t pager_op(struct world *world, int slot, uint32_t op, uint64_t first,
                            uint64_t count, uint64_t data) {
    zx_status_t status;
    do
        status = zx_pager_op_range(world->pager, op, world->keeper[slot], first * PAGE,
                                   count * PAGE, data);
    while (status == ZX_ERR_NO_MEMORY);
    return status;
}

static zx_status_t answer_read(struct world *world, const struct model_request *r) {
    const struct model_answer *how = &world->model.answer;
    uint64_t size = 0, half = how->kind == ANSWER_IN_HALVES ? r->count / 2 : 0;
    zx_status_t status = ZX_OK;
    if (how->kind == ANSWER_MORE) {
        MUST(zx_vmo_get_size(world->keeper[r->slot], &size));
        uint64_t behind = size / PAGE - r->first - r->count;
        status = supply(world, r->slot, r->first + r->count,
                        how->more < behind ? how->more : behind);
    }
    if (status == ZX_OK)
        status = supply(world, r->slot, r->first + r->count - half, half);
    return status == ZX_OK ? supply(world, r->slot, r->first, r->count - half) : status;
}

static zx_status_t answer(struct world *world, const struct model_request *r, unsigned number) {
    const struct model_answer *how = &world->model.answer;
    if (number == how->at && how->kind == ANSWER_FAIL)
        return pager_op(world, r->slot, ZX_PAGER_OP_FAIL, r->first, r->count,
                        (uint64_t)(int64_t)how->status);
    if (number == how->at && how->kind == ANSWER_DETACH)
        return zx_pager_detach_vmo(world->pager, world->keeper[r->slot]);
    if (r->command == ZX_PAGER_VMO_DIRTY)
        return pager_op(world, r->slot, ZX_PAGER_OP_DIRTY, r->first, r->count, 0);
    return answer_read(world, r);
}

static void take_request(struct world *world, const zx_port_packet_t *packet) {
    struct world_companion *companion = &world->companion;
    unsigned number = companion->request_count;
    struct model_request request = {(int)packet->key, packet->page_request.command,
                                    packet->page_request.offset / PAGE,
                                    packet->page_request.length / PAGE};
    if (number < MODEL_REQUESTS)
        companion->request[number] = request;
    companion->request_count = number + 1;
    world->lockstep.is_disturbed = true;
    zx_status_t status = answer(world, &request, number);
    if (status == ZX_OK)
        return;
    lockstep_differs(&world->lockstep, "request %u cannot be answered: %d", number, status);
    (void)zx_pager_detach_vmo(world->pager, world->keeper[request.slot]);
}

/* Until it is told to end, and has seen the end of all objects; or nothing more comes. */
static void accompany(unsigned index) {
    struct world *world = world_number(index);
    zx_time_t deadline = ZX_TIME_INFINITE;
    zx_port_packet_t packet;
    for (bool told = false; !told || world->companion.completes < world->pager_objects;) {
        zx_status_t status = zx_port_wait(world->port, deadline, &packet);
        if (status == ZX_ERR_TIMED_OUT)
            break;
        if (status != ZX_OK)
            continue;
        if (packet.type != ZX_PKT_TYPE_PAGE_REQUEST) {
            told = true;
            deadline = zx_deadline_after(ZX_SEC(10));
        } else if (packet.page_request.command == ZX_PAGER_VMO_COMPLETE) {
            world->companion.completes++;
        } else {
            take_request(world, &packet);
        }
    }
}

/* All of the companion's memory is there before anything is counted. */
static void try_companion(struct world *world) {
    uint64_t byte = 1;
    world->model.answer.kind = ANSWER_ALL;
    world->model.vmo[0].source[0][0] = 1;
    MUST(zx_pager_create_vmo(world->pager, ZX_VMO_TRAP_DIRTY, world->port, 0, 2 * PAGE,
                             &world->keeper[0]));
    world->pager_objects = 1;
    MUST(zx_vmo_write(world->keeper[0], &byte, PAGE - 1, 2));
    MUST(zx_handle_close(world->keeper[0]));
    world->keeper[0] = ZX_HANDLE_INVALID;
    world->model.vmo[0].source[0][0] = 0;
}

void world_begin_pager(struct world *world) {
    MUST(zx_pager_create(0, &world->pager));
    MUST(zx_port_create(0, &world->port));
    MUST(zx_vmo_create(MODEL_PAGES * PAGE, 0, &world->aux));
    MUST(zx_vmo_create(MODEL_PAGES * PAGE, 0, &world->companion.aux));
    for (unsigned i = 0; i < WORLD_PINS; i++)
        world->pin[i].slot = -1;
    world->bti = lockstep_bti();
    stress_start(lockstep_number(&world->lockstep), accompany);
    try_companion(world);
}

/* Each object that a pager ever had told it of its end, once. */
static void check_completes(struct world *world) {
    uint64_t completes = world->companion.completes;
    bool more = completes > world->pager_objects;
    /* One that was made and found no handle tells of its end as well. */
    if (completes < world->pager_objects || (more && !lockstep_has_failures()))
        stress_fail("%llu objects had a pager, %llu told of their end",
                    (unsigned long long)world->pager_objects, (unsigned long long)completes);
}

static void unpin(struct world_pin *pin) {
    MUST(zx_pmt_unpin(pin->pmt));
    pin->slot = -1;
}

void world_end_pager(struct world *world) {
    const zx_port_packet_t packet = {.key = NO_KEY, .type = ZX_PKT_TYPE_USER};
    for (unsigned i = 0; i < WORLD_PINS; i++)
        if (world->pin[i].slot >= 0)
            unpin(&world->pin[i]);
    for (unsigned i = 0; i < MODEL_OBJECTS; i++)
        if (world->keeper[i])
            MUST(zx_handle_close(world->keeper[i]));
    MUST(zx_port_queue(world->port, &packet));
    stress_join(lockstep_number(&world->lockstep));
    check_completes(world);
    MUST(zx_handle_close(world->pager));
    MUST(zx_handle_close(world->port));
    MUST(zx_handle_close(world->aux));
    MUST(zx_handle_close(world->companion.aux));
    if (world->bti)
        MUST(zx_handle_close(world->bti));
}

/* ---- What is asked in a step ---- */

/* Where calls are made to fail the pager does exactly what it is asked for. */
void world_begin_answers(struct world *world) {
    static const zx_status_t errors[] = {ZX_ERR_IO, ZX_ERR_IO_DATA_INTEGRITY, ZX_ERR_BAD_STATE,
                                         ZX_ERR_NO_SPACE, ZX_ERR_BUFFER_TOO_SMALL};
    struct model_answer *answer = &world->model.answer;
    uint64_t draw = world_draw(world, 14, 1 << 16), kind = draw % 64;
    memset(answer, 0, sizeof *answer);
    world->model.request_count = 0;
    world->companion.request_count = 0;
    if (world->lockstep.is_failing)
        return;
    answer->at = (unsigned)(draw >> 8) % 4;
    answer->status = errors[(draw >> 10) % COUNT(errors)];
    answer->more = 1 + (draw >> 8) % 40;
    answer->kind = kind < 6    ? ANSWER_FAIL
                   : kind < 7  ? ANSWER_DETACH
                   : kind < 20 ? ANSWER_MORE
                   : kind < 30 ? ANSWER_IN_HALVES
                               : ANSWER_ALL;
}

static bool is_same(const struct model_request *a, const struct model_request *b) {
    return a->slot == b->slot && a->command == b->command && a->first == b->first &&
           a->count == b->count;
}

void world_check_requests(struct world *world) {
    unsigned asked = world->companion.request_count, want = world->model.request_count;
    if (world->lockstep.is_failing)
        return; /* a call that failed has asked, too */
    for (unsigned i = 0; i < asked && i < want && i < MODEL_REQUESTS; i++) {
        const struct model_request *a = &world->companion.request[i];
        const struct model_request *w = &world->model.request[i];
        world_is_about(world, w->slot);
        world_agrees(world, w->command == ZX_PAGER_VMO_READ ? "READ request" : "DIRTY request",
                     ZX_OK, ZX_OK);
        if (!is_same(a, w))
            world_differs(world, "request %u is %u of %d, pages %llu + %llu, not %u, %llu + %llu",
                          i, a->command, a->slot, (unsigned long long)a->first,
                          (unsigned long long)a->count, w->command, (unsigned long long)w->first,
                          (unsigned long long)w->count);
    }
    if (asked != want)
        world_differs(world, "%u requests, not %u", asked, want);
}

/* ---- Objects ---- */

/* A slot whose object the pager still has a handle to; -1: none. */
static int with_keeper(struct world *world, unsigned index) {
    int first = (int)world_draw(world, index, MODEL_OBJECTS);
    for (int i = 0; i < MODEL_OBJECTS; i++) {
        int slot = (first + i) % MODEL_OBJECTS;
        if (!world->keeper[slot])
            continue;
        world_is_about(world, slot);
        return slot;
    }
    return -1;
}

void world_step_create_pager(struct world *world) {
    int slot = world_free_slot(world);
    uint64_t size = world_draw_size(world, 1);
    uint32_t options = (world_draw(world, 3, 2) ? ZX_VMO_RESIZABLE : 0) |
                       (world_draw(world, 4, 2) ? ZX_VMO_TRAP_DIRTY : 0);
    zx_handle_t handle;
    if (slot < 0)
        return;
    if (world_draw(world, 5, 64) == 0)
        options |= world_draw(world, 6, 2) ? ZX_VMO_DISCARDABLE : 1u << 30;
    world_tell(world, "create %d with a pager: size %#llx, options %#x", slot,
               (unsigned long long)size, options);
    zx_status_t want = model_create_pager(&world->model, slot, size, options);
    if (!world_agrees(world, "pager_create_vmo", want,
                      zx_pager_create_vmo(world->pager, options, world->port, (uint64_t)slot, size,
                                          &handle)))
        return;
    world->pager_objects++;
    world_note_object(world, slot, handle, true);
    MUST(zx_handle_duplicate(handle, ZX_RIGHT_SAME_RIGHTS, &world->keeper[slot]));
    model_keep(&world->model, slot);
}

void world_step_create_contiguous(struct world *world) {
    int slot = world_free_slot(world);
    uint64_t size = world_draw(world, 1, 12 * PAGE);
    zx_handle_t handle;
    if (slot < 0 || !world->bti)
        return;
    world_tell(world, "create %d contiguous: size %#llx", slot, (unsigned long long)size);
    zx_status_t want = model_create_contiguous(&world->model, slot, size);
    if (world_agrees(world, "vmo_create_contiguous", want,
                     zx_vmo_create_contiguous(world->bti, size, 0, &handle)))
        world_note_object(world, slot, handle, true);
}

/* Who depends on it must not wait for a pager that has no handle to it. */
void world_step_pager_close(struct world *world) {
    int slot = with_keeper(world, 0);
    if (slot < 0 || (world->handle[slot] && world_draw(world, 1, 8)))
        return;
    world_tell(world, "the pager lets go of %d", slot);
    lockstep_spare(&world->lockstep);
    if (world->model.vmo[slot].keepers > 1) {
        model_detach(&world->model, slot);
        world_agrees(world, "pager_detach_vmo", ZX_OK,
                     zx_pager_detach_vmo(world->pager, world->keeper[slot]));
    }
    MUST(zx_handle_close(world->keeper[slot]));
    world->keeper[slot] = ZX_HANDLE_INVALID;
    model_drop(&world->model, slot);
}

void world_step_detach(struct world *world) {
    int slot = with_keeper(world, 0);
    if (slot < 0 || world_draw(world, 1, 10))
        return;
    world_tell(world, "detach %d", slot);
    model_detach(&world->model, slot);
    world_agrees(world, "pager_detach_vmo", ZX_OK,
                 zx_pager_detach_vmo(world->pager, world->keeper[slot]));
}

/* ---- Pages come ---- */

/* Pages of an object, mostly inside; sometimes all of it, or past its end. */
static void draw_pages(const struct world *world, unsigned index, uint64_t pages,
                       uint64_t *out_first, uint64_t *out_count) {
    *out_first = world_draw(world, index, pages + 1);
    *out_count = world_draw(world, index + 1, pages - *out_first + 1);
    if (world_draw(world, index + 2, 4) == 0) {
        *out_first = 0;
        *out_count = pages;
    }
    if (world_draw(world, index + 2, 32) == 31)
        *out_first += pages + 1 - *out_first + world_draw(world, index, 3);
}

/*
 * What was not asked for may come as well. In a call that is refused the first pages of
 * the supplying object may be gone, how many is nobody's business.
 */
void world_step_supply(struct world *world) {
    int slot = with_keeper(world, 0);
    uint64_t first, count;
    if (slot < 0)
        return;
    const struct model_vmo *vmo = &world->model.vmo[slot];
    draw_pages(world, 1, vmo->pages, &first, &count);
    world_tell(world, "supply %d: pages %llu + %llu", slot, (unsigned long long)first,
               (unsigned long long)count);
    if (first + count <= MODEL_PAGES)
        while (fill_aux(world, world->aux, slot, first, count, world->page) != ZX_OK)
            continue;
    zx_status_t want = model_supply_source(&world->model, slot, first, count);
    world_agrees(world, "pager_supply_pages", want,
                 zx_pager_supply_pages(world->pager, world->keeper[slot], first * PAGE,
                                       count * PAGE, world->aux, 0));
    if (want != ZX_OK)
        MUST(zx_vmo_op_range(world->aux, ZX_VMO_OP_DECOMMIT, 0, MODEL_PAGES * PAGE, NULL, 0));
}

/* From any object, if it can be told what happens to it. */
void world_step_supply_object(struct world *world) {
    int slot = with_keeper(world, 0), aux = world_with_handle(world, 1);
    uint64_t first, count;
    if (slot < 0 || aux < 0 || !world->may_write[aux])
        return;
    const struct model_vmo *vmo = &world->model.vmo[slot], *from = &world->model.vmo[aux];
    draw_pages(world, 2, vmo->pages, &first, &count);
    uint64_t aux_first = world_draw(world, 5, from->pages + 1);
    if (vmo->is_detached || from->pins || first + count > vmo->pages)
        return;
    if (from->shown < 0 && aux_first + count > from->pages && world_draw(world, 6, 4))
        count = from->pages - aux_first;
    world_tell(world, "supply %d: pages %llu + %llu from %d, %llu", slot, (unsigned long long)first,
               (unsigned long long)count, aux, (unsigned long long)aux_first);
    zx_status_t want = model_supply(&world->model, slot, first, count, aux, aux_first);
    world_agrees(world, "pager_supply_pages from", want,
                 zx_pager_supply_pages(world->pager, world->keeper[slot], first * PAGE,
                                       count * PAGE, world->handle[aux], aux_first * PAGE));
}

/* ---- What the pager says of pages ---- */

static uint64_t draw_data(const struct world *world, uint32_t op) {
    if (world_draw(world, 5, 24) == 0)
        return world_draw(world, 6, 2) ? 2 : 1;
    if (op == ZX_PAGER_OP_FAIL)
        return (uint64_t)(int64_t)ZX_ERR_IO;
    return op == ZX_PAGER_OP_WRITEBACK_BEGIN && world_draw(world, 5, 4) == 0;
}

void world_step_pager_op(struct world *world) {
    static const uint32_t ops[] = {ZX_PAGER_OP_DIRTY,           ZX_PAGER_OP_DIRTY,
                                   ZX_PAGER_OP_WRITEBACK_BEGIN, ZX_PAGER_OP_WRITEBACK_BEGIN,
                                   ZX_PAGER_OP_WRITEBACK_BEGIN, ZX_PAGER_OP_WRITEBACK_END,
                                   ZX_PAGER_OP_WRITEBACK_END,   ZX_PAGER_OP_WRITEBACK_END,
                                   ZX_PAGER_OP_FAIL,            7};
    static const char *const names[] = {"unknown op", "fail", "dirty", "writeback_begin",
                                        "writeback_end"};
    int slot = with_keeper(world, 0);
    uint32_t op = ops[world_draw(world, 1, COUNT(ops))];
    uint64_t first, count, data = draw_data(world, op);
    if (slot < 0)
        return;
    draw_pages(world, 2, world->model.vmo[slot].pages, &first, &count);
    uint64_t offset = first * PAGE + (world_draw(world, 7, 64) == 0);
    world_tell(world, "pager op %u on %d: pages %llu + %llu, data %#llx", op, slot,
               (unsigned long long)first, (unsigned long long)count, (unsigned long long)data);
    zx_status_t want = model_pager_op(&world->model, slot, op, offset, count * PAGE, data);
    world_agrees(world, op < COUNT(names) ? names[op] : names[0], want,
                 zx_pager_op_range(world->pager, op, world->keeper[slot], offset, count * PAGE,
                                   data));
}

/* Others have nothing to say of them. */
void world_step_foreign(struct world *world) {
    int slot = world_with_handle(world, 0);
    if (slot < 0 || world->model.vmo[slot].is_pager)
        return;
    zx_handle_t handle = world->handle[slot];
    zx_status_t got = world_draw(world, 1, 3) == 0 ? zx_pager_detach_vmo(world->pager, handle)
                      : world_draw(world, 1, 3) == 1
                          ? zx_pager_op_range(world->pager, ZX_PAGER_OP_DIRTY, handle, 0, 0, 0)
                          : zx_pager_supply_pages(world->pager, handle, 0, 0, world->aux, 0);
    world_agrees(world, "a pager's call on another's object", ZX_ERR_INVALID_ARGS, got);
}

/* ---- Asking what is dirty ---- */

/* Pages [first, end) as the call tells of them; `cut` bytes are missing at either end. */
static void compare_dirty(struct world *world, int slot, uint64_t first, uint64_t end,
                          uint64_t cut) {
    zx_vmo_dirty_range_t *ranges = (zx_vmo_dirty_range_t *)world->buffer;
    uint64_t actual = 0, avail = 0, at, count, want = 0;
    bool is_zero;
    MUST(zx_pager_query_dirty_ranges(world->pager, world->keeper[slot], first * PAGE + cut,
                                     (end - first) * PAGE - 2 * cut, ranges,
                                     (MODEL_PAGES + 1) * sizeof *ranges, &actual, &avail));
    for (uint64_t i = first; i < end && model_next_dirty(&world->model, slot, i, end, &at, &count,
                                                         &is_zero);
         i = at + count, want++)
        if (want >= actual || ranges[want].offset != at * PAGE ||
            ranges[want].length != count * PAGE ||
            ranges[want].options != (is_zero ? ZX_VMO_DIRTY_RANGE_IS_ZERO : 0))
            world_differs(world, "dirty range %llu of %d is not pages %llu + %llu, %s",
                          (unsigned long long)want, slot, (unsigned long long)at,
                          (unsigned long long)count, is_zero ? "zero" : "not zero");
    if (want != actual || want != avail)
        world_differs(world, "%d has %llu dirty ranges, not %llu", slot,
                      (unsigned long long)actual, (unsigned long long)want);
}

static void compare_modified(struct world *world, int slot, uint32_t options) {
    struct model_vmo *vmo = &world->model.vmo[slot];
    zx_pager_vmo_stats_t stats;
    MUST(zx_pager_query_vmo_stats(world->pager, world->keeper[slot], options, &stats,
                                  sizeof stats));
    bool is_known = vmo->is_modified || !vmo->may_be_modified;
    if (is_known && (stats.modified == ZX_PAGER_VMO_STATS_MODIFIED) != vmo->is_modified)
        world_differs(world, "%d is told to be modified: %u", slot, stats.modified);
    if (options)
        vmo->is_modified = vmo->may_be_modified = false;
}

void world_check_pager(struct world *world, int slot) {
    compare_dirty(world, slot, 0, world->model.vmo[slot].pages, 0);
    compare_modified(world, slot, 0);
}

void world_step_query(struct world *world) {
    int slot = with_keeper(world, 0);
    uint64_t first, count, pages;
    if (slot < 0)
        return;
    pages = world->model.vmo[slot].pages;
    draw_pages(world, 1, pages, &first, &count);
    lockstep_spare(&world->lockstep);
    if (first + count > pages) {
        world_agrees(world, "query_dirty_ranges", ZX_ERR_OUT_OF_RANGE,
                     zx_pager_query_dirty_ranges(world->pager, world->keeper[slot], first * PAGE,
                                                 count * PAGE, NULL, 0, NULL, NULL));
        return;
    }
    world_tell(world, "what is dirty in %d, pages %llu + %llu", slot, (unsigned long long)first,
               (unsigned long long)count);
    compare_dirty(world, slot, first, first + count, count ? world_draw(world, 4, PAGE / 2) : 0);
    compare_modified(world, slot, world_draw(world, 5, 2) ? ZX_PAGER_RESET_VMO_STATS : 0);
    world_agrees(world, "query_dirty_ranges", ZX_OK, ZX_OK);
}

/* ---- Pins ---- */

static struct world_pin *free_pin(struct world *world) {
    for (unsigned i = 0; i < WORLD_PINS; i++)
        if (world->pin[i].slot < 0)
            return &world->pin[i];
    return NULL;
}

/* No two pages have one address; of a contiguous object they follow each other. */
static void check_addresses(struct world *world, int slot, const zx_paddr_t *addresses,
                            uint64_t count) {
    bool is_run = model_pages_of(&world->model, slot)->is_contiguous;
    for (uint64_t i = 1; i < count; i++)
        if (addresses[i] == addresses[i - 1] ||
            (is_run && addresses[i] != addresses[i - 1] + PAGE))
            world_differs(world, "page %llu of %d is pinned at a wrong address",
                          (unsigned long long)i, slot);
}

void world_step_pin(struct world *world) {
    int slot = world_with_handle(world, 0);
    struct world_pin *pin = free_pin(world);
    zx_paddr_t addresses[MODEL_PAGES + 2];
    uint64_t first, count;
    if (slot < 0 || !pin || !world->bti)
        return;
    draw_pages(world, 1, model_size(&world->model, slot) / PAGE, &first, &count);
    if (world_draw(world, 4, 2) && count > 3)
        count = 3;
    bool write = world_draw(world, 5, 2);
    world_tell(world, "pin %d%s: pages %llu + %llu", slot, write ? " for writing" : "",
               (unsigned long long)first, (unsigned long long)count);
    zx_status_t want = write && world_is_denied(world, slot)
                           ? ZX_ERR_ACCESS_DENIED
                           : model_pin(&world->model, slot, first * PAGE, count * PAGE, write);
    zx_handle_t pmt;
    if (!world_agrees(world, "bti_pin", want,
                      zx_bti_pin(world->bti, write ? ZX_BTI_PERM_WRITE : ZX_BTI_PERM_READ,
                                 world->handle[slot], first * PAGE, count * PAGE, addresses, count,
                                 &pmt)))
        return;
    check_addresses(world, slot, addresses, count);
    *pin = (struct world_pin){slot, pmt, first * PAGE, count * PAGE};
}

void world_step_unpin(struct world *world) {
    struct world_pin *pin = &world->pin[world_draw(world, 0, WORLD_PINS)];
    if (pin->slot < 0)
        return;
    world_is_about(world, pin->slot);
    world_tell(world, "unpin %d", pin->slot);
    lockstep_spare(&world->lockstep);
    model_unpin(&world->model, pin->slot, pin->offset, pin->length);
    unpin(pin);
    world_agrees(world, "pmt_unpin", ZX_OK, ZX_OK);
}
