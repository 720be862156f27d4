/*
 * memory.c - stress-memory: memory runs out, in every way that a program can use it up.
 *
 * A child in a job of its own makes one kind of thing until the kernel refuses, which
 * must be for want of memory (or of a limit that belongs to the kind); it ends without
 * closing anything. Or it writes to ever more pages, until a fault cannot be met: that
 * ends the child alone. After each child the machine has as much memory in use as
 * before, to the page. It takes a small machine: `./jx exec --init --mem 64M`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <jacinth/launch.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

#include "stress/stress.h"

#define READ_WRITE (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE)
#define HUGE       ((uint64_t)1 << 40)

/* ---- What a child makes ---- */

typedef zx_status_t maker(uint64_t number);

static zx_handle_t basis, other; /* made by the kind's beginning */
static zx_vaddr_t address;

static zx_status_t make_event(uint64_t number) {
    zx_handle_t handle;
    return zx_event_create(0, &handle);
}
static zx_status_t make_channel(uint64_t number) {
    zx_handle_t a, b;
    return zx_channel_create(0, &a, &b);
}
static zx_status_t make_socket(uint64_t number) {
    zx_handle_t a, b;
    zx_status_t status = zx_socket_create(0, &a, &b);
    size_t written;
    return status == ZX_OK ? zx_socket_write(a, 0, "full", 4, &written) : status;
}
static zx_status_t make_port(uint64_t number) {
    zx_handle_t handle;
    return zx_port_create(0, &handle);
}
static zx_status_t make_timer(uint64_t number) {
    zx_handle_t handle;
    zx_status_t status = zx_timer_create(0, ZX_CLOCK_MONOTONIC, &handle);
    return status == ZX_OK ? zx_timer_set(handle, zx_deadline_after(ZX_SEC(1000)), 0) : status;
}
static zx_status_t make_vmo(uint64_t number) {
    zx_handle_t handle;
    zx_status_t status = zx_vmo_create(PAGE, 0, &handle);
    return status == ZX_OK ? zx_vmo_write(handle, &number, 0, sizeof number) : status;
}

static void begin_vmo(void) {
    uint64_t word = 1;
    MUST(zx_vmo_create(HUGE, ZX_VMO_RESIZABLE, &basis));
    for (uint64_t i = 0; i < 200; i++)
        MUST(zx_vmo_write(basis, &word, i * PAGE, sizeof word));
}

/* A clone, and a page of its own in the middle of the shared ones. */
static zx_status_t make_clone(uint64_t number) {
    zx_handle_t handle;
    zx_status_t status = zx_vmo_create_child(basis, ZX_VMO_CHILD_SNAPSHOT, 0, HUGE, &handle);
    return status == ZX_OK ? zx_vmo_write(handle, &number, number % 200 * PAGE, 8) : status;
}

/* A clone of the clone, and the one before is let go. */
static zx_status_t make_generation(uint64_t number) {
    zx_handle_t handle;
    zx_status_t status = zx_vmo_create_child(basis, ZX_VMO_CHILD_SNAPSHOT, 0, HUGE, &handle);
    if (status != ZX_OK)
        return status;
    MUST(zx_handle_close(basis));
    basis = handle;
    return zx_vmo_write(basis, &number, (200 + number) * PAGE, sizeof number);
}
static zx_status_t commit_more(uint64_t number) {
    return zx_vmo_op_range(basis, ZX_VMO_OP_COMMIT, number * 16 * PAGE, 16 * PAGE, NULL, 0);
}

/* One page in 512 leaves of a page map, far apart: more nodes than pages. */
static zx_status_t make_sparse_page(uint64_t number) {
    return zx_vmo_write(basis, &number, number * 4096 % (HUGE / PAGE) * PAGE, sizeof number);
}

static zx_status_t make_region(uint64_t number) {
    zx_handle_t handle;
    zx_vaddr_t at;
    return zx_vmar_allocate(zx_vmar_root_self(), ZX_VM_CAN_MAP_READ, 0, PAGE, &handle, &at);
}
static zx_status_t make_mapping(uint64_t number) {
    zx_vaddr_t at;
    return zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ, 0, basis, 0, PAGE, &at);
}

/* A page table for each mapping of one page. */
static zx_status_t make_table(uint64_t number) {
    zx_vaddr_t at;
    return zx_vmar_map(zx_vmar_root_self(),
                       ZX_VM_PERM_READ | ZX_VM_SPECIFIC | ZX_VM_MAP_RANGE, number * (2 << 20) + HUGE,
                       basis, 0, PAGE, &at);
}

static void begin_channel(void) { MUST(zx_channel_create(0, &basis, &other)); }
static zx_status_t make_message(uint64_t number) {
    static uint8_t bytes[32768];
    zx_status_t status = zx_channel_write(basis, 0, bytes, sizeof bytes, NULL, 0);
    if (status == ZX_ERR_SHOULD_WAIT)
        begin_channel();
    return status == ZX_ERR_SHOULD_WAIT ? ZX_OK : status;
}

/* Each channel travels in the one before: a chain as long as memory allows. */
static zx_status_t make_chain(uint64_t number) {
    zx_handle_t a, b;
    zx_status_t status = zx_channel_create(0, &a, &b);
    if (status != ZX_OK)
        return status;
    status = zx_channel_write(a, 0, NULL, 0, &basis, 1);
    if (status == ZX_OK) {
        MUST(zx_handle_close(a));
        basis = b;
    }
    return status;
}

static void begin_port(void) { MUST(zx_port_create(0, &basis)); }
static zx_status_t make_packet(uint64_t number) {
    zx_port_packet_t packet = {.key = number};
    zx_status_t status = zx_port_queue(basis, &packet);
    if (status == ZX_ERR_SHOULD_WAIT)
        begin_port();
    return status == ZX_ERR_SHOULD_WAIT ? ZX_OK : status;
}
static zx_status_t make_async_wait(uint64_t number) {
    return zx_object_wait_async(zx_process_self(), basis, number, ZX_PROCESS_TERMINATED, 0);
}
static zx_status_t make_job(uint64_t number) {
    zx_handle_t handle;
    return zx_job_create(zx_job_default(), 0, &handle);
}
static zx_status_t make_process(uint64_t number) {
    zx_handle_t process, vmar;
    return zx_process_create(zx_job_default(), "p", 1, 0, &process, &vmar);
}
static zx_status_t make_thread(uint64_t number) {
    zx_handle_t handle;
    return zx_thread_create(zx_process_self(), "t", 1, 0, &handle);
}
static zx_status_t make_copy(uint64_t number) {
    zx_handle_t handle;
    return zx_handle_duplicate(basis, ZX_RIGHT_SAME_RIGHTS, &handle);
}

static void begin_huge_mapping(void) {
    begin_vmo();
    MUST(zx_vmar_map(zx_vmar_root_self(), READ_WRITE, 0, basis, 0, HUGE, &address));
}
/* Never refused; a write that cannot be met ends the process. */
static zx_status_t touch_page(uint64_t number) {
    *(volatile uint64_t *)(address + number * PAGE) = number;
    return ZX_OK;
}
/* The same in kernel copies: an error instead of the end. */
static zx_status_t copy_to_page(uint64_t number) {
    zx_status_t status = zx_vmo_read(basis, (void *)(address + (HUGE >> 1) + number * PAGE), 0, 8);
    return status == ZX_ERR_INVALID_ARGS ? ZX_ERR_NO_MEMORY : status;
}

static const struct kind {
    const char *name;
    void (*begin)(void); /* NULL: nothing to prepare */
    maker *make;
    int64_t code; /* the child's */
} kinds[] = {
    {"committed-pages", begin_vmo, commit_more, 0},
    {"touched-pages", begin_huge_mapping, touch_page, ZX_TASK_RETCODE_EXCEPTION_KILL},
    {"copied-pages", begin_huge_mapping, copy_to_page, 0},
    {"sparse-pages", begin_vmo, make_sparse_page, 0},
    {"objects", NULL, make_vmo, 0},
    {"clones", begin_vmo, make_clone, 0},
    {"generations", begin_vmo, make_generation, 0},
    {"events", NULL, make_event, 0},
    {"channels", NULL, make_channel, 0},
    {"sockets", NULL, make_socket, 0},
    {"ports", NULL, make_port, 0},
    {"timers", NULL, make_timer, 0},
    {"regions", NULL, make_region, 0},
    {"mappings", begin_vmo, make_mapping, 0},
    {"page-tables", begin_vmo, make_table, 0},
    {"messages", begin_channel, make_message, 0},
    {"channel-chain", begin_channel, make_chain, 0},
    {"packets", begin_port, make_packet, 0},
    {"async-waits", begin_port, make_async_wait, 0},
    {"jobs", NULL, make_job, 0},
    {"processes", NULL, make_process, 0},
    {"threads", NULL, make_thread, 0},
    {"handles", begin_port, make_copy, 0},
};
#define KINDS (sizeof kinds / sizeof kinds[0])

/* ---- The child ---- */

static const struct kind *kind_named(const char *name) {
    const struct kind *kind = kinds;
    while (strcmp(kind->name, name) != 0)
        kind++;
    return kind;
}

static void tell_end(const char *name, uint64_t number, zx_status_t status) {
    printf("stress-memory: %s: %llu, then %d\n", name, (unsigned long long)number, status);
}

static _Noreturn void play_child(const char *name) {
    const struct kind *kind = kind_named(name);
    /* Twice the same words: when memory is out, all that the second needs is there. */
    tell_end(name, 0, ZX_OK);
    if (kind->begin)
        kind->begin();
    zx_status_t status = ZX_OK;
    uint64_t number = 0;
    while (status == ZX_OK)
        status = kind->make(number++);
    tell_end(name, number - 1, status);
    /* Not by exit(), which touches memory of its own. */
    zx_process_exit(status == ZX_ERR_NO_MEMORY || status == ZX_ERR_NO_RESOURCES ? 0 : 1);
}

/* ---- The parent ---- */

static struct options options = {.seconds = 8};

/*
 * What is in use, when the kernel has given back what it keeps for later. One thing it
 * never gives back: the tables of the range in which its stacks lie, one for each 64
 * stacks that ever lived at once. They are among `tables`.
 */
struct use {
    uint64_t pages, tables, heap; /* pages, with the tables; bytes */
};

static struct use use_now(void) {
    zx_info_kmem_stats_t stats;
    if (!machine_trim() || !machine_memory(&stats))
        stress_fail("this program may not ask for the machine's memory");
    return (struct use){
        .pages = (stats.total_bytes - stats.free_bytes - stats.total_heap_bytes) / PAGE,
        .tables = stats.mmu_overhead_bytes / PAGE,
        .heap = stats.total_heap_bytes - stats.free_heap_bytes,
    };
}

static bool is_same_use(const struct use *a, const struct use *b) {
    return a->pages == b->pages && a->tables == b->tables && a->heap <= b->heap;
}

/* When what ended before has gone: for a while nothing changes. */
#define STILL 10 /* ms */
static struct use use_at_rest(void) {
    struct use last = use_now();
    for (unsigned still = 0; still < STILL; still++) {
        MUST(zx_nanosleep(zx_deadline_after(ZX_MSEC(1))));
        struct use now = use_now();
        if (!is_same_use(&now, &last) || now.heap != last.heap)
            still = 0;
        last = now;
    }
    return last;
}

/* More tables than before, and of nothing else more: stacks that never were so many. */
static bool has_only_more_tables(const struct use *before, const struct use *now) {
    uint64_t more = now->tables - before->tables;
    return now->tables > before->tables && now->pages == before->pages + more &&
           now->heap <= before->heap;
}

/* The machine was not at rest yet when it began. */
static bool has_less(const struct use *before, const struct use *now) {
    return now->pages < before->pages && now->tables <= before->tables &&
           now->heap <= before->heap;
}

/* Not the same as before, but nothing that doing it again could not tell of. */
static bool is_to_be_done_again(const struct use *before, const struct use *now) {
    return has_only_more_tables(before, now) || has_less(before, now);
}

/* What a dead process had comes back a little later. */
static bool comes_back(const struct use *before, struct use *out_now) {
    for (unsigned i = 0; i < 500; i++) {
        *out_now = use_now();
        if (is_same_use(out_now, before))
            return true;
        if (i > 100 && is_to_be_done_again(before, out_now))
            return false;
        MUST(zx_nanosleep(zx_deadline_after(ZX_MSEC(i < 50 ? 1 : 10))));
    }
    return false;
}

/*
 * `run` leaves nothing behind: not a page, and not a byte of heap. If there are more
 * tables after it, then not when it is done again: a machine has only so many stacks.
 */
#define TRIES 4
static void expect_nothing_left(const char *name, void (*run)(void *context), void *context) {
    struct use before, now;
    for (unsigned i = 0; i < TRIES; i++) {
        before = use_at_rest();
        run(context);
        if (comes_back(&before, &now))
            return;
        if (!is_to_be_done_again(&before, &now))
            break;
    }
    stress_fail("%s left %lld pages (%lld of them tables), %lld heap bytes", name,
                (long long)(now.pages - before.pages), (long long)(now.tables - before.tables),
                (long long)(now.heap - before.heap));
}

/* ZX_HANDLE_INVALID: there was no memory for it. */
static zx_handle_t start_child(const struct kind *kind, bool may_be_killed, zx_handle_t *out_job) {
    const char *const argv[] = {program_path, "--child", kind->name, NULL};
    size_t yes = 1;
    zx_handle_t process;
    char error[100] = "";
    MUST(zx_job_create(zx_job_default(), 0, out_job));
    if (may_be_killed)
        MUST(zx_object_set_property(*out_job, ZX_PROP_JOB_KILL_ON_OOM, &yes, sizeof yes));
    const struct jx_launch launch = {.argv = argv, .job = *out_job};
    zx_status_t status = jx_launch(&launch, &process, error, sizeof error);
    if (status != ZX_OK && status != ZX_ERR_NO_MEMORY)
        stress_fail("%s does not start: %s", kind->name, error);
    return status == ZX_OK ? process : ZX_HANDLE_INVALID;
}

static int64_t run_child(const struct kind *kind, bool may_be_killed) {
    zx_handle_t job, process = start_child(kind, may_be_killed, &job);
    int64_t code;
    if (process == ZX_HANDLE_INVALID)
        stress_fail("no memory to start %s", kind->name);
    MUST(jx_wait(process, &code));
    MUST(zx_handle_close(job));
    return code;
}

struct run {
    const struct kind *kind;
    bool may_be_killed;
};

static void run_once(void *context) {
    const struct run *run = context;
    int64_t want = run->may_be_killed ? ZX_TASK_RETCODE_OOM_KILL : run->kind->code;
    int64_t code = run_child(run->kind, run->may_be_killed);
    if (code != want)
        stress_fail("%s ended with %lld, not %lld", run->kind->name, (long long)code,
                    (long long)want);
}

static void run_kind(const struct kind *kind, bool may_be_killed) {
    expect_nothing_left(kind->name, run_once, &(struct run){kind, may_be_killed});
}

/*
 * Several at once: each may be refused, end by a fault that cannot be met, or be ended,
 * but nothing else; and this program, in the root job, goes on.
 */
#define CROWD 4
static void run_crowd(void *context) {
    struct draws *draws = context;
    zx_handle_t job[CROWD], process[CROWD];
    for (unsigned i = 0; i < CROWD; i++)
        process[i] = start_child(&kinds[draw(draws, KINDS)], draw(draws, 2), &job[i]);
    for (unsigned i = 0; i < CROWD; i++) {
        int64_t code = 0;
        if (process[i])
            MUST(jx_wait(process[i], &code));
        if (code != 0 && code != ZX_TASK_RETCODE_EXCEPTION_KILL && code != ZX_TASK_RETCODE_OOM_KILL)
            stress_fail("one of a crowd ended with %lld", (long long)code);
        MUST(zx_handle_close(job[i]));
    }
}

/*
 * The first children fill what stays filled: the tables of the range where the kernel's
 * stacks lie, and what this program has of its own.
 */
int main(int argc, char **argv) {
    if (argc > 2 && strcmp(argv[1], "--child") == 0)
        play_child(argv[2]);
    options_read(&options, "stress-memory", argc, argv);
    (void)run_child(kind_named("threads"), false);
    (void)run_child(kind_named("touched-pages"), false);
    for (unsigned i = 0; i < KINDS; i++)
        run_kind(&kinds[i], false);
    run_kind(kind_named("touched-pages"), true);
    struct draws draws = {.seed = options.seed};
    unsigned crowds = 0;
    for (uint64_t end = stress_elapsed_ms() + options.seconds * 1000; stress_elapsed_ms() < end;
         crowds++)
        expect_nothing_left("a crowd", run_crowd, &draws);
    printf("stress-memory: %u ways, %u crowds, everything came back, %llu ms\n", (unsigned)KINDS + 1,
           crowds,
           (unsigned long long)stress_elapsed_ms());
    return 0;
}
