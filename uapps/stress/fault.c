/*
 * fault.c - stress-fault: threads of two processes fault on the same object (P53).
 *
 * Both map one object, each thread by a mapping of its own, and write sequence numbers
 * into words of their own in every page. What has been written is announced in a
 * second object; whoever reads the announcement must see at least that number in the
 * page, through any mapping and through vmo_read, at once. Meanwhile mappings are made
 * anew and protected, clones are taken and looked at, and pages are taken away:
 * zeroed, or cut off and grown again, so that absent pages become present under all.
 *
 * Each page has a gate: who takes pages away waits until nobody is in the page.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <jacinth/launch.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

#include "stress/stress.h"

#define PAGES      40
#define LANES      16
#define READ_WRITE (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE | ZX_VM_ALLOW_FAULTS)

/* What both processes see; mapped for good in each. */
struct board {
    _Atomic uint64_t latest[PAGES][LANES]; /* announced */
    _Atomic uint32_t inside[PAGES];        /* threads in the page, or CLOSED and more */
    _Atomic uint64_t stores, loads, clones, remaps, removals;
    _Atomic uint32_t failed;
    uint64_t seed;
    uint32_t threads; /* of each process */
    zx_time_t end;
};
#define CLOSED 0x10000u

static struct options options = {.seconds = 10};
static zx_handle_t data, board_vmo;
static struct board *board;
static unsigned process_index;

struct worker {
    struct draws draws;
    unsigned lane;
    zx_vaddr_t view;
    bool writable;
    uint64_t sequence;
};

/* ---- The gates ---- */

static bool enter(uint64_t page) {
    if (atomic_fetch_add(&board->inside[page], 1) < CLOSED)
        return true;
    atomic_fetch_sub(&board->inside[page], 1);
    return false;
}
static void leave(uint64_t page) { atomic_fetch_sub(&board->inside[page], 1); }

/* Close one gate and wait until the page is empty; false if it was closed already. */
static bool gate_close(uint64_t page) {
    if (atomic_fetch_add(&board->inside[page], CLOSED) >= CLOSED) {
        atomic_fetch_sub(&board->inside[page], CLOSED);
        return false;
    }
    while (board->inside[page] % CLOSED)
        thrd_yield();
    return true;
}
static void gate_open(uint64_t page) { atomic_fetch_sub(&board->inside[page], CLOSED); }

/* ---- Deeds ---- */

static void fail_here(const char *what, uint64_t page, unsigned lane, uint64_t want, uint64_t got) {
    board->failed = 1;
    stress_fail("process %u: page %llu, lane %u: %s shows %llu, and %llu was announced",
                process_index, (unsigned long long)page, lane, what, (unsigned long long)got,
                (unsigned long long)want);
}

static volatile uint64_t *word_in(const struct worker *worker, uint64_t page, unsigned lane) {
    return (volatile uint64_t *)(worker->view + page * PAGE) + lane;
}

static void store(struct worker *worker, uint64_t page) {
    uint64_t value = ++worker->sequence;
    if (!enter(page))
        return;
    if (worker->writable && draw(&worker->draws, 4))
        *word_in(worker, page, worker->lane) = value;
    else
        MUST(zx_vmo_write(data, &value, page * PAGE + worker->lane * 8, sizeof value));
    board->latest[page][worker->lane] = value;
    board->stores++;
    leave(page);
}

static void load(struct worker *worker, uint64_t page) {
    unsigned lane = (unsigned)draw(&worker->draws, 2 * board->threads);
    bool by_call = draw(&worker->draws, 4) == 0;
    uint64_t got = 0;
    if (!enter(page))
        return;
    uint64_t want = board->latest[page][lane];
    if (by_call)
        MUST(zx_vmo_read(data, &got, page * PAGE + lane * 8, sizeof got));
    else
        got = *word_in(worker, page, lane);
    if (got < want)
        fail_here(by_call ? "vmo_read" : "a mapping", page, lane, want, got);
    board->loads++;
    leave(page);
}

static void look_at_clone(struct worker *worker, zx_handle_t clone, uint64_t page,
                          const uint64_t *want) {
    uint64_t first[LANES], second[LANES];
    MUST(zx_vmo_read(clone, first, page * PAGE, sizeof first));
    for (unsigned lane = 0; lane < 2 * board->threads; lane++)
        if (first[lane] < want[lane])
            fail_here("a clone", page, lane, want[lane], first[lane]);
    thrd_yield();
    MUST(zx_vmo_read(clone, second, page * PAGE, sizeof second));
    if (memcmp(first, second, sizeof first) != 0)
        stress_fail("process %u: page %llu of a clone has changed", process_index,
                    (unsigned long long)page);
}

/* What was announced before the clone is in it. */
static void take_clone(struct worker *worker, uint64_t page) {
    uint64_t want[LANES];
    zx_handle_t clone;
    if (!enter(page))
        return;
    for (unsigned lane = 0; lane < LANES; lane++)
        want[lane] = board->latest[page][lane];
    MUST(zx_vmo_create_child(data, ZX_VMO_CHILD_SNAPSHOT, 0, PAGES * PAGE, &clone));
    look_at_clone(worker, clone, page, want);
    MUST(zx_handle_close(clone));
    board->clones++;
    leave(page);
}

static void map_anew(struct worker *worker) {
    if (worker->view)
        MUST(zx_vmar_unmap(zx_vmar_root_self(), worker->view, PAGES * PAGE));
    MUST(zx_vmar_map(zx_vmar_root_self(), READ_WRITE, 0, data, 0, PAGES * PAGE, &worker->view));
    worker->writable = true;
    board->remaps++;
}

static void protect(struct worker *worker) {
    worker->writable = !worker->writable;
    MUST(zx_vmar_protect(zx_vmar_root_self(),
                         ZX_VM_PERM_READ | (worker->writable ? ZX_VM_PERM_WRITE : 0), worker->view,
                         PAGES * PAGE));
}

static void forget(uint64_t page) {
    for (unsigned lane = 0; lane < LANES; lane++)
        board->latest[page][lane] = 0;
}

/* Nobody is in the page; it is absent afterwards. */
static void take_away(uint64_t page) {
    if (!gate_close(page))
        return;
    MUST(zx_vmo_op_range(data, ZX_VMO_OP_ZERO, page * PAGE, PAGE, NULL, 0));
    forget(page);
    board->removals++;
    gate_open(page);
}

/* The pages from here on: cut off, and grown again. */
static void cut_off(uint64_t first) {
    uint64_t closed = first;
    while (closed < PAGES && gate_close(closed))
        closed++;
    if (closed == PAGES) {
        MUST(zx_vmo_set_size(data, first * PAGE));
        MUST(zx_vmo_set_size(data, PAGES * PAGE));
        for (uint64_t page = first; page < PAGES; page++)
            forget(page);
        board->removals += PAGES - first;
    }
    while (closed > first)
        gate_open(--closed);
}

static void deed(struct worker *worker) {
    uint64_t page = draw(&worker->draws, PAGES);
    switch (draw(&worker->draws, 100)) {
    case 0 ... 2:
        return map_anew(worker);
    case 3:
        return protect(worker);
    case 4 ... 5:
        return take_clone(worker, page);
    case 6 ... 8:
        return take_away(page);
    case 9:
        return cut_off(PAGES - 1 - draw(&worker->draws, 4));
    case 10 ... 50:
        return store(worker, page);
    default:
        return load(worker, page);
    }
}

static void work(unsigned index) {
    struct worker worker = {.lane = process_index * board->threads + index};
    worker.draws.seed = board->seed * 29 + worker.lane;
    map_anew(&worker);
    while (zx_clock_get_monotonic() < board->end && !board->failed)
        deed(&worker);
    MUST(zx_vmar_unmap(zx_vmar_root_self(), worker.view, PAGES * PAGE));
}

/* ---- Two processes ---- */

#define DATA  PA_HND(PA_USER1, 0)
#define BOARD PA_HND(PA_USER1, 1)

static void map_board(void) {
    zx_vaddr_t address;
    MUST(zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, board_vmo, 0,
                     sizeof(struct board), &address));
    board = (struct board *)address;
}

/* The second process: everything comes from the board. */
static int play_second(void) {
    data = zx_take_startup_handle(DATA);
    board_vmo = zx_take_startup_handle(BOARD);
    process_index = 1;
    map_board();
    stress_run(board->threads, work);
    return 0;
}

static zx_handle_t start_second(void) {
    const char *const argv[] = {program_path, "--second", NULL};
    struct jx_launch_handle handles[2] = {{.info = DATA}, {.info = BOARD}};
    const struct jx_launch launch = {.argv = argv, .handles = handles, .handle_count = 2};
    zx_handle_t process;
    char error[100] = "";
    MUST(zx_handle_duplicate(data, ZX_RIGHT_SAME_RIGHTS, &handles[0].handle));
    MUST(zx_handle_duplicate(board_vmo, ZX_RIGHT_SAME_RIGHTS, &handles[1].handle));
    if (jx_launch(&launch, &process, error, sizeof error) != ZX_OK)
        stress_fail("no second process: %s", error);
    return process;
}

static void run(uint64_t milliseconds) {
    int64_t code = -1;
    MUST(zx_vmo_create(PAGES * PAGE, ZX_VMO_RESIZABLE, &data));
    MUST(zx_vmo_create(sizeof(struct board), 0, &board_vmo));
    map_board();
    board->seed = options.seed;
    board->threads = (options_threads(&options) + 1) / 2;
    if (board->threads > LANES / 2)
        board->threads = LANES / 2;
    board->end = zx_deadline_after(ZX_MSEC(milliseconds));
    zx_handle_t second = start_second();
    stress_run(board->threads, work);
    MUST(jx_wait(second, &code));
    if (code != 0)
        stress_fail("the second process ended with %lld", (long long)code);
    printf("stress-fault: %llu stores, %llu loads, %llu clones, %llu new mappings, "
           "%llu pages taken away\n",
           (unsigned long long)board->stores, (unsigned long long)board->loads,
           (unsigned long long)board->clones, (unsigned long long)board->remaps,
           (unsigned long long)board->removals);
    uint64_t size = (sizeof(struct board) + PAGE - 1) / PAGE * PAGE;
    MUST(zx_vmar_unmap(zx_vmar_root_self(), (zx_vaddr_t)board, size));
    MUST(zx_handle_close(board_vmo));
    MUST(zx_handle_close(data));
}

/* A short run comes first, so that all memory of this program itself is there. */
int main(int argc, char **argv) {
    if (argc > 1 && strcmp(argv[1], "--second") == 0)
        return play_second();
    options_read(&options, "stress-fault", argc, argv);
    run(400);
    uint64_t pages_before = machine_vmo_pages();
    run(options.seconds * 1000);
    uint64_t pages = machine_vmo_pages();
    if (pages != pages_before)
        stress_fail("%lld pages are still there", (long long)(pages - pages_before));
    stress_audit();
    printf("stress-fault: done in %llu ms\n", (unsigned long long)stress_elapsed_ms());
    return 0;
}
