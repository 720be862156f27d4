/*
 * pager_crowd_test.c - threads that wait together for one pager, in lock step with a model.
 *
 * The test's thread is the pager. It has threads begin operations, answers a part of a
 * request or more than it, fails ranges, ends single waits, changes the size. After each step
 * it waits until every thread has ended or waits for a page; then what came of each, and what
 * the port tells, must be what some order of those who looked again makes of the model.
 */
#include "arch/clock.h"
#include "lib/ktest.h"
#include "lib/string.h"
#include "object/pager.h"
#include "tests/host/pager_crowd.h"
#include "vm/fault.h"
#include "vm/test_crew.h"
#include "vm/test_space.h"
#include "vm/vmo_internal.h"
#include "vm/vmo_pager.h"

#define STEPS   150
#define ROUNDS  40
#define BROUGHT 2000 /* where in a page the byte lies that the pager brings */
#define OWN(i)  (64 * ((i) + 1))

/* ---- The machine ---- */

enum phase { IDLE, GOES_ON, DONE };

struct worker {
    struct mutex lock;
    enum phase phase;      /* under lock */
    struct thread *thread; /* under lock: while it is in the operation */
    struct crew crew;
    struct crowd_op op;
    status_t status;
    uint8_t buffer[CROWD_LONGEST * PAGE_SIZE];
};

static struct scene {
    struct pager *pager;
    struct port *port;
    struct handle pager_handle, port_handle;
    struct vmo *vmo, *clone;
    struct aspace *space;
    vaddr_t base; /* all of it, mapped */
    uint64_t seed, draws;
    struct crowd model;
    struct worker worker[CROWD_THREADS];
    struct crowd_request told[CROWD_THREADS + 1]; /* what the port has told of this time */
    unsigned told_count, completes, steps;
    bool differs;
} scene;

/* How often several looked again at once, failed at once, or one left others behind. */
static struct {
    unsigned looked, failed, left;
} met;

static uint64_t draw(uint64_t below) {
    uint64_t x = scene.seed + ++scene.draws * 0x9e3779b97f4a7c15;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return ((x ^ x >> 31) >> 8) % below;
}

static void differs(const char *what, unsigned worker, int64_t got, int64_t want) {
    if (!scene.differs)
        ktest_fail(__FILE__, __LINE__, "seed %llu, step %u: %s of thread %u: %lld, not %lld",
                   (unsigned long long)scene.seed, scene.steps, what, worker, (long long)got,
                   (long long)want);
    scene.differs = true;
}

/* ---- Operations, on a thread of their own ---- */

static status_t perform(unsigned index, struct worker *worker) {
    const struct crowd_op *op = &worker->op;
    paddr_t addresses[CROWD_LONGEST];
    uint64_t offset = op->first << PAGE_SHIFT, length = op->count << PAGE_SHIFT;
    status_t status;
    switch (op->kind) {
    case CROWD_READ:
        return vmo_read_kernel(scene.vmo, offset, worker->buffer, length);
    case CROWD_READ_CLONE:
        return vmo_read_kernel(scene.clone, offset, worker->buffer, length);
    case CROWD_WRITE:
        return vmo_write_kernel(scene.vmo, offset + OWN(index), &op->byte, 1);
    case CROWD_COMMIT:
        return vmo_commit(scene.vmo, offset, length);
    case CROWD_PIN:
        status = vmo_pin(scene.vmo, offset, length, true, addresses);
        if (status == OK)
            vmo_unpin(scene.vmo, offset, length);
        return status;
    case CROWD_FAULT_READ:
        return aspace_fault(scene.space, scene.base + offset, FAULT_READ);
    default:
        return aspace_fault(scene.space, scene.base + offset, FAULT_WRITE);
    }
}

static void enter(struct worker *worker, struct thread *thread, enum phase phase) {
    MUTEX_GUARD(&worker->lock);
    worker->thread = thread;
    worker->phase = phase;
}

static void work(void *context, unsigned unused) {
    struct worker *worker = context;
    enter(worker, thread_current(), GOES_ON);
    worker->status = perform((unsigned)(worker - scene.worker), worker);
    enter(worker, NULL, DONE);
}

/* Nothing is to be expected of it before somebody acts. */
static bool rests(struct worker *worker) {
    uint64_t target, ticks;
    MUTEX_GUARD(&worker->lock);
    if (worker->phase != GOES_ON)
        return true;
    return worker->thread && thread_park_target(worker->thread, &target, &ticks) &&
           atomic_load(&worker->thread->block_reason) == BLOCK_PAGER;
}

static void settle(void) {
    for (unsigned i = 0; i < CROWD_THREADS;)
        if (rests(&scene.worker[i]))
            i++;
        else
            (void)thread_sleep_until(clock_now() + 10000);
}

/* ---- What is seen ---- */

static void take_packets(void) {
    zx_port_packet_t packet;
    while (port_wait(scene.port, 0, &packet) == OK) {
        bool is_complete = packet.page_request.command == ZX_PAGER_VMO_COMPLETE;
        scene.completes += is_complete;
        if (!is_complete && scene.told_count < ARRAY_SIZE(scene.told))
            scene.told[scene.told_count++] = (struct crowd_request){
                .command = (enum page_command)packet.page_request.command,
                .first = packet.page_request.offset >> PAGE_SHIFT,
                .count = packet.page_request.length >> PAGE_SHIFT};
    }
}

/* Is what the port told just what the model would have it tell? */
static bool explains(const struct crowd *model) {
    unsigned n = 0;
    for (unsigned i = 0; i < model->request_count; i++) {
        const struct crowd_request *want = &model->request[i], *got = &scene.told[n];
        if (want->is_taken)
            continue;
        if (n++ == scene.told_count || want->command != got->command ||
            want->first != got->first || want->count != got->count)
            return false;
    }
    return n == scene.told_count;
}

/* Those of `woken` look again, one after another, in each order; true: one of them explains it. */
static bool try_orders(struct crowd *model, crowd_set woken, unsigned depth) {
    static struct crowd before[CROWD_THREADS];
    if (woken == 0)
        return explains(model);
    before[depth] = *model;
    for (unsigned i = 0; i < CROWD_THREADS; i++) {
        if (!(woken & 1u << i))
            continue;
        crowd_advance(model, i);
        if (try_orders(model, woken & ~(1u << i), depth + 1))
            return true;
        *model = before[depth];
    }
    return false;
}

static void compare_seen(unsigned index) {
    const struct crowd_op *op = &scene.model.op[index];
    bool is_read = op->kind == CROWD_READ || op->kind == CROWD_READ_CLONE;
    for (uint64_t i = 0; is_read && i < op->count; i++)
        if (scene.worker[index].buffer[i * PAGE_SIZE + BROUGHT] != op->seen[i])
            differs("a byte", index, scene.worker[index].buffer[i * PAGE_SIZE + BROUGHT],
                    op->seen[i]);
}

static void compare_ends(void) {
    for (unsigned i = 0; i < CROWD_THREADS && !scene.differs; i++) {
        struct worker *worker = &scene.worker[i];
        if (worker->phase == IDLE)
            continue;
        bool is_done = worker->phase == DONE;
        if (is_done == scene.model.op[i].is_busy)
            differs("the end", i, is_done, !is_done);
        if (!is_done || scene.differs)
            continue;
        if (worker->status != scene.model.op[i].status)
            differs("the status", i, worker->status, scene.model.op[i].status);
        else if (worker->status == OK)
            compare_seen(i);
        crew_wait(&worker->crew);
        worker->phase = IDLE;
    }
}

/* A page that is there shows what was brought, and what each thread has written. */
static void compare_page(uint64_t index) {
    const struct crowd_page *page = &scene.model.page[index];
    uint8_t byte = 0;
    if (index >= scene.model.pages || !page->is_present)
        return;
    for (unsigned i = 0; i <= CROWD_THREADS && !scene.differs; i++) {
        uint64_t at = i < CROWD_THREADS ? OWN(i) : BROUGHT;
        uint8_t want = i < CROWD_THREADS ? page->own[i] : page->brought;
        status_t status =
            vmo_read_kernel(scene.vmo, (index << PAGE_SHIFT) + at, &byte, 1);
        if (status != OK || byte != want)
            differs("what a page shows", i, status == OK ? byte : status, want);
    }
}

/*
 * After each step. If only one looks again, and nobody must be asked for an order, the port
 * may keep its packet: then it can be replaced or withdrawn.
 */
static void compare(crowd_set woken) {
    bool is_race = (woken & (woken - 1)) != 0, looks = is_race || draw(3);
    settle();
    met.looked += is_race;
    scene.told_count = 0;
    if (looks)
        take_packets();
    for (unsigned i = 0; !looks && i < CROWD_THREADS; i++)
        if (woken & 1u << i)
            crowd_advance(&scene.model, i);
    if (looks && !try_orders(&scene.model, woken, 0))
        differs("no order explains the requests", 0, scene.told_count, scene.model.request_count);
    for (unsigned i = 0; looks && i < scene.model.request_count; i++)
        scene.model.request[i].is_taken = true;
    compare_ends();
    compare_page(draw(CROWD_PAGES));
}

static void expect_status(const char *what, status_t want, status_t got) {
    if (want != got)
        differs(what, 0, got, want);
}

/* ---- Steps ---- */

/* Mostly near what is being waited for. */
static uint64_t draw_first(void) {
    uint64_t first = draw(MIN(scene.model.pages + 1, (uint64_t)CROWD_PAGES));
    if (scene.model.request_count == 0 || draw(3) == 0)
        return first;
    const struct crowd_request *request = &scene.model.request[draw(scene.model.request_count)];
    first = request->first + draw(request->count + 1);
    return first - MIN(first, draw(3));
}

static void step_begin(void) {
    unsigned index = 0;
    while (index < CROWD_THREADS && scene.worker[index].phase != IDLE)
        index++;
    if (index == CROWD_THREADS)
        return;
    struct worker *worker = &scene.worker[index];
    struct crowd_op op = {.kind = (enum crowd_kind)draw(CROWD_KINDS), .byte = (uint8_t)draw(256)};
    bool is_one = op.kind == CROWD_WRITE || op.kind == CROWD_FAULT_READ ||
                  op.kind == CROWD_FAULT_WRITE;
    op.first = MIN(draw_first(), (uint64_t)CROWD_PAGES - 1);
    op.count = is_one ? 1 : 1 + draw(MIN(CROWD_PAGES - op.first, (uint64_t)CROWD_LONGEST));
    worker->op = op;
    worker->phase = GOES_ON;
    if (!crew_start(&worker->crew, 1, work, worker)) {
        crew_wait(&worker->crew);
        worker->phase = IDLE;
        differs("no thread", index, 0, 0);
        return;
    }
    crowd_start(&scene.model, index, &op);
    compare(0);
}

/* A part of a request, all of it and some more, or any pages. */
static void draw_range(uint64_t *out_first, uint64_t *out_count) {
    uint64_t first = draw(scene.model.pages), end = first + 1 + draw(scene.model.pages - first);
    if (scene.model.request_count && draw(5)) {
        const struct crowd_request *request =
            &scene.model.request[draw(scene.model.request_count)];
        first = request->first + (draw(3) ? 0 : draw(request->count));
        end = request->first + request->count;
        end = draw(3) ? end : first + 1 + draw(end - first);
        end = draw(6) ? end : end + draw(4);
    }
    *out_first = first;
    *out_count = MIN(end, scene.model.pages) - first;
}

static void step_supply(void) {
    AUTO(vmo) aux = NULL;
    uint8_t bytes[CROWD_PAGES];
    uint64_t first, count;
    draw_range(&first, &count);
    count = MIN(count, MAP_FANOUT - first % MAP_FANOUT); /* leaves are supplied one by one */
    status_t status = vmo_create(count << PAGE_SHIFT, false, &aux);
    for (uint64_t i = 0; i < count; i++) {
        bytes[i] = draw(4) ? (uint8_t)(1 + draw(255)) : 0;
        if (status == OK && bytes[i])
            status = vmo_write_kernel(aux, (i << PAGE_SHIFT) + BROUGHT, &bytes[i], 1);
    }
    if (status == OK)
        status = vmo_supply(scene.vmo, first << PAGE_SHIFT, count << PAGE_SHIFT, aux, 0);
    expect_status("supply", OK, status);
    if (status == OK)
        compare(crowd_supply(&scene.model, first, count, bytes));
}

static void step_fail(void) {
    uint64_t first, count;
    draw_range(&first, &count);
    expect_status("fail", OK,
                  vmo_fail_requests(scene.vmo, first << PAGE_SHIFT, count << PAGE_SHIFT, ERR_IO));
    met.failed += crowd_fail(&scene.model, first, count, ERR_IO) > 1;
    compare(0);
}

static void step_dirty(void) {
    uint64_t first, count;
    crowd_set woken;
    draw_range(&first, &count);
    status_t want = crowd_mark_dirty(&scene.model, first, count, &woken);
    expect_status("dirty", want,
                  vmo_mark_dirty(scene.vmo, first << PAGE_SHIFT, count << PAGE_SHIFT));
    compare(woken);
}

static void step_write_back(void) {
    uint64_t first = draw(scene.model.pages), count = 1 + draw(scene.model.pages - first);
    bool is_end = draw(2);
    crowd_write_back(&scene.model, first, count, is_end);
    expect_status("write back", OK,
                  is_end ? vmo_writeback_end(scene.vmo, first << PAGE_SHIFT, count << PAGE_SHIFT)
                         : vmo_writeback_begin(scene.vmo, first << PAGE_SHIFT,
                                               count << PAGE_SHIFT, false));
    compare(0);
}

/* One is killed, or suspended: then its call would be made again. */
static void step_give_up(void) {
    unsigned index = (unsigned)draw(CROWD_THREADS);
    struct worker *worker = &scene.worker[index];
    bool kill = draw(2);
    if (!scene.model.op[index].is_busy)
        return;
    mutex_lock(&worker->lock);
    if (worker->thread)
        thread_set_pending(worker->thread, kill ? THREAD_PENDING_KILL : THREAD_PENDING_SUSPEND);
    mutex_unlock(&worker->lock);
    met.left +=
        crowd_give_up(&scene.model, index, kill ? ERR_INTERNAL_KILLED : ERR_INTERNAL_RETRY) > 0;
    compare(0);
}

/* Or else all would be there after some steps. */
static void step_evict(void) {
    crowd_evict(&scene.model);
    (void)vmo_evict_clean(scene.vmo);
    compare(0);
}

static void step_resize(void) {
    uint64_t pages = draw(3) ? CROWD_PAGES : 1 + draw(CROWD_PAGES);
    crowd_set woken;
    if (draw(4))
        return;
    status_t want = crowd_resize(&scene.model, pages, &woken);
    expect_status("set_size", want, vmo_set_size(scene.vmo, pages << PAGE_SHIFT));
    compare(woken);
}

static void step_any(void) {
    static void (*const steps[])(void) = {
        step_begin,  step_begin,  step_begin,   step_begin, step_begin,      step_begin,
        step_supply, step_supply, step_fail,    step_dirty, step_write_back, step_write_back,
        step_evict,  step_evict,  step_give_up, step_resize,
    };
    scene.steps++;
    steps[draw(ARRAY_SIZE(steps))]();
}

/* ---- A round ---- */

static bool make(bool traps_dirty) {
    if (pager_create(&scene.pager) != OK)
        return false;
    scene.pager_handle = handle_adopt(&scene.pager->base, 0);
    if (port_create(0, &scene.port) != OK)
        return false;
    scene.port_handle = handle_adopt(&scene.port->base, 0);
    return pager_create_vmo(scene.pager, CROWD_PAGES * PAGE_SIZE, true, traps_dirty, scene.port, 1,
                            &scene.vmo) == OK &&
           vmo_create_snapshot(scene.vmo, SNAPSHOT_ON_WRITE, 0, CROWD_PAGES * PAGE_SIZE, false,
                               &scene.clone) == OK &&
           aspace_create(&scene.space) == OK &&
           test_space_map(scene.space, scene.vmo, 0, CROWD_PAGES * PAGE_SIZE,
                          ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, &scene.base) == OK;
}

/* Everybody is told that nothing more will come. */
static void detach(void) {
    crowd_set woken = crowd_detach(&scene.model);
    pager_detach(scene.pager, scene.vmo);
    settle();
    scene.told_count = 0;
    take_packets();
    for (unsigned i = 0; i < CROWD_THREADS; i++)
        if (woken & 1u << i)
            crowd_advance(&scene.model, i);
    if (scene.told_count || scene.completes != 1)
        differs("packets after the end", 0, scene.told_count + scene.completes, 1);
    compare_ends();
    for (uint64_t i = 0; i < CROWD_PAGES; i++)
        compare_page(i);
}

static void let_go(void) {
    if (scene.vmo)
        vmo_detach(scene.vmo);
    settle();
    for (unsigned i = 0; i < CROWD_THREADS; i++)
        if (scene.worker[i].phase == DONE)
            crew_wait(&scene.worker[i].crew);
    test_space_end(scene.space);
    if (scene.clone)
        vmo_unref(scene.clone);
    if (scene.vmo)
        vmo_unref(scene.vmo);
    if (scene.port)
        handle_release(&scene.port_handle);
    if (scene.pager)
        handle_release(&scene.pager_handle);
}

static void play(uint64_t seed, bool traps_dirty) {
    memset(&scene, 0, sizeof(scene));
    scene.seed = seed;
    crowd_begin(&scene.model, traps_dirty);
    for (unsigned i = 0; i < CROWD_THREADS; i++)
        mutex_init(&scene.worker[i].lock, RANK_TASKS, "worker");
    if (!make(traps_dirty))
        differs("no memory", 0, 0, 0);
    while (scene.steps < STEPS && !scene.differs)
        step_any();
    if (!scene.differs)
        detach();
    let_go();
}

KTEST(pager_crowd, threads_that_wait_together_agree_with_the_model) {
    memset(&met, 0, sizeof(met));
    for (uint64_t seed = 1; seed <= ROUNDS; seed++)
        play(seed, seed % 2);
    EXPECT(met.looked > ROUNDS && met.failed > ROUNDS && met.left > ROUNDS);
}
