/*
 * world_companion.c - the thread that serves the pagers of a world.
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

zx_status_t world_fill_aux(struct world *world, zx_handle_t aux, int slot, uint64_t first,
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
    zx_status_t status =
        world_fill_aux(world, companion->aux, slot, first, count, companion->page);
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

void world_end_pager(struct world *world) {
    const zx_port_packet_t packet = {.key = NO_KEY, .type = ZX_PKT_TYPE_USER};
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
