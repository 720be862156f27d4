/*
 * play.c - user code for the host's machine, driven by bytes.
 *
 * A played thread reads a number and argument bytes, makes of each byte what the
 * argument's kind in syscalls.def suggests (a handle it has seen, an address in or
 * outside its memory, a length, a time soon or never...), calls through the table
 * that entry.S uses, and learns the handles that come back. Before each return to
 * "user mode" it looks at `pending`, as entry.S does. Left out is only the call
 * that ends the machine; its number makes a coming allocation fail instead. Where a
 * process would end itself it mostly faults, if somebody listens to its exceptions.
 */
#include "tests/host/play.h"

#include <zircon/rights.h>
#include <zircon/syscalls/exception.h>
#include <zircon/syscalls/clock.h>
#include <zircon/syscalls/object.h>
#include <zircon/types.h>

#include "arch/clock.h"
#include "arch/host/host.h"
#include "arch/upcall.h"
#include "lib/log.h"
#include "lib/string.h"
#include "object/exception.h"
#include "object/job.h"
#include "object/object.h"
#include "object/process.h"
#include "object/ktrace.h"
#include "object/resource.h"
#include "object/user_thread.h"
#include "sched/park.h"
#include "syscall/expand.h"
#include "syscall/numbers.h"
#include "vm/aspace.h"
#include "vm/entropy.h"
#include "vm/kheap.h"
#include "vm/pmm.h"

#define MS       ((nstime_t)1000000)
#define MEMORY   (16 * PAGE_SIZE) /* of the played process, at PLACE */
#define PLACE    ((vaddr_t)0x10000000)
#define POOL     32
#define RUN_TIME (20 * MS)
#define END_TIME (5000 * MS)

/* ---- The grammar ---- */

enum kind {
    KIND_NONE,
#define KIND(name, passed, user) KIND_##name,
#include "syscall/kinds.def"
#undef KIND
};

struct need {
    uint8_t argument, type; /* argument: 1 is the first; 0: none */
};
struct row {
    const char *name;
    struct need needs[2];
    uint8_t kinds[8];
};

#define KIND_OF(i, kind, name) KIND_##kind
static const struct row rows[SYS_COUNT] = {
#define SYSCALL(name, text, needs, ...)                                                            \
    [SYS_##name] = {#name, {needs}, {EACH_PAIR(KIND_OF, __VA_ARGS__)}},
#define SYSCALL_VOID  SYSCALL
#define SYSCALL_INNER SYSCALL
#define VDSO_CALL(type, name, ...)
#define NEEDS(i, type, ...) {i + 1, ZX_OBJ_TYPE_##type}
#define NEEDS2(a, b)        NEEDS a, NEEDS b
#define NEEDS_NOTHING       {0, 0}
#include "syscall/syscalls.def"
#undef SYSCALL
#undef SYSCALL_VOID
#undef SYSCALL_INNER
#undef VDSO_CALL
#undef NEEDS
#undef NEEDS_NOTHING
#undef NEEDS2
};

/* ---- The program and what its threads know ---- */

static const uint8_t *program;
static size_t program_size;
static struct {
    _Atomic uint32_t value, type;
} pool[POOL]; /* handles seen, by any thread */
static _Atomic unsigned pool_next;

struct player {
    size_t at; /* in the program */
};

static uint8_t next_byte(struct player *player) {
    return player->at < program_size ? program[player->at++] : 0;
}

/* A handle that was seen; of the wanted type (0: any), mostly. */
static uint32_t known_handle(uint8_t byte, uint32_t type) {
    if (byte == 0xff)
        return 0x12345677;
    if (byte == 0xfe)
        return 0;
    for (unsigned i = 0; byte < 0xf0 && i < POOL; i++) {
        unsigned slot = (byte + i) % POOL;
        if (pool[slot].value && (type == 0 || pool[slot].type == type))
            return pool[slot].value;
    }
    return pool[byte % POOL].value;
}

/* The type is looked up behind the scenes. */
static void learn_handle(struct process *process, uint32_t value) {
    AUTO(waitable) object = NULL;
    unsigned slot = pool_next++ % POOL;

    if (handle_table_get(&process->handles, value, 0, 0, &object, NULL) != OK)
        return;
    pool[slot].value = value;
    pool[slot].type = object->ops->type;
}

/* ---- Arguments ---- */

static vaddr_t draw_address(uint8_t byte) {
    switch (byte) {
    case 0: return 0;
    case 1: return 0x1000;
    case 2: return USER_TOP - 8;
    case 3: return 0xffff800000000000;
    case 4: return PLACE + MEMORY - 4;
    case 5: return PLACE + PAGE_SIZE - 4; /* straddles two pages */
    case 6: return PLACE + MEMORY;
    case 7: return PLACE + 3;
    default: return PLACE + (vaddr_t)byte * 256;
    }
}

static uint64_t draw_size(uint8_t byte) {
    if (byte < 128)
        return byte % 32 * 8;
    static const uint64_t sizes[] = {0,    1,     2,         4,     8,          16,         24,
                                     32,   48,    64,        65,    128,        256,        4095,
                                     4096, 4097,  8192,      65536, 65537,      1ull << 31, 1ull << 32,
                                     1ull << 47, 1ull << 63, ~0ull, ~0ull - 4095};

    return byte < 200 ? sizes[byte % ARRAY_SIZE(sizes)] : (uint64_t)(byte - 199) * PAGE_SIZE;
}

static uint64_t draw_time(uint8_t byte) {
    if (byte < 8)
        return 0;
    if (byte == 255)
        return (uint64_t)INT64_MAX;
    if (byte == 254)
        return (uint64_t)INT64_MIN;
    return (uint64_t)(clock_now() + (nstime_t)byte * MS / 16);
}

static uint64_t draw_options(uint8_t byte, uint8_t more) {
    if (byte < 128 && more < 128)
        return 0;
    if (more < 128)
        return byte % 8;
    return (uint64_t)byte << (more % 8) | (more & 0x40 ? 3u : 0);
}

static uint64_t draw_argument(struct player *player, enum kind kind, uint32_t type) {
    uint8_t byte = next_byte(player);

    switch (kind) {
    case KIND_HANDLE: return known_handle(byte, type);
    case KIND_OPTIONS: return draw_options(byte, next_byte(player) & 0x7f);
    case KIND_VM_OPTIONS: return byte < 128 ? 3 : draw_options(byte, next_byte(player));
    case KIND_U32: return byte < 224 ? byte % 32u : (uint64_t)(byte - 220) << 12;
    case KIND_RIGHTS: return byte < 128 ? ZX_RIGHT_SAME_RIGHTS : (uint64_t)byte << (byte % 8);
    case KIND_SIGNALS: return byte < 64 ? 1ull << byte % 32 : (uint64_t)byte << (byte % 24);
    case KIND_SIGNAL_MASK: return byte < 128 ? (uint64_t)byte << 24 : 1ull << byte % 32;
    case KIND_CLOCK: return byte % 4;
    case KIND_I32:
    case KIND_FUTEX_VALUE: return byte < 128 ? 0 : (uint64_t)(int64_t)(int8_t)byte;
    case KIND_U64:
    case KIND_SIZE: return draw_size(byte);
    case KIND_CLOCK_DETAILS: return byte < 224 ? ZX_CLOCK_ARGS_VERSION(1) : byte;
    case KIND_CLOCK_UPDATE: return ZX_CLOCK_ARGS_VERSION(byte >> 5) | (byte & 0x1fu);
    case KIND_ENTRY_COUNT: return byte % 4;
    case KIND_KOID: return 1024 + byte;
    case KIND_VADDR: return byte < 16 ? draw_address(byte) : PLACE + (uint64_t)(byte - 16) * 4096;
    case KIND_UINTPTR: return byte * 16u;
    case KIND_I64: return (uint64_t)(int64_t)(int8_t)byte;
    case KIND_TIME: return draw_time(byte);
    case KIND_DURATION: return (uint64_t)byte * 1000;
    default: return draw_address(byte);
    }
}

/* ---- Memory of the played process ---- */

static void store_words(vaddr_t address, const void *words, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (!host_user_store_byte(address + i, ((const uint8_t *)words)[i]))
            return;
}

static bool load_u32(vaddr_t address, uint32_t *out_value) {
    for (unsigned i = 0; i < 4; i++)
        if (!host_user_load_byte(address + i, (uint8_t *)out_value + i))
            return false;
    return true;
}

static void prepare_items(struct player *player, vaddr_t at) {
    zx_wait_item_t items[4] = {{0}};

    for (unsigned i = 0; i < ARRAY_SIZE(items); i++) {
        items[i].handle = known_handle(next_byte(player), 0);
        items[i].waitfor = 1u << next_byte(player) % 32;
    }
    store_words(at, items, sizeof(items));
}

/* Handles to be sent in some way or other. */
static void prepare_dispositions(struct player *player, vaddr_t at) {
    zx_handle_disposition_t dispositions[2];

    for (unsigned i = 0; i < ARRAY_SIZE(dispositions); i++) {
        uint8_t byte = next_byte(player);
        dispositions[i] = (zx_handle_disposition_t){
            .operation = byte % 3,
            .handle = known_handle(next_byte(player), 0),
            .type = byte & 4 ? byte >> 3 : ZX_OBJ_TYPE_NONE,
            .rights = byte & 128 ? byte : ZX_RIGHT_SAME_RIGHTS,
        };
    }
    store_words(at, dispositions, sizeof(dispositions));
}

/* Two pieces of memory, to be read or written. */
static void prepare_iovecs(struct player *player, vaddr_t at) {
    zx_iovec_t vector[2];

    for (unsigned i = 0; i < ARRAY_SIZE(vector); i++) {
        vector[i].buffer = (void *)draw_address(next_byte(player));
        vector[i].capacity = draw_size(next_byte(player));
    }
    store_words(at, vector, sizeof(vector));
}

static void prepare_call(struct player *player, vaddr_t at) {
    zx_channel_call_args_t args = {
        .wr_bytes = (void *)draw_address(next_byte(player)),
        .wr_handles = (void *)draw_address(next_byte(player)),
        .rd_bytes = (void *)draw_address(next_byte(player)),
        .rd_handles = (void *)draw_address(next_byte(player)),
        .wr_num_bytes = (uint32_t)draw_size(next_byte(player)),
        .wr_num_handles = next_byte(player) % 3,
        .rd_num_bytes = (uint32_t)draw_size(next_byte(player)),
        .rd_num_handles = next_byte(player) % 3,
    };

    store_words(at, &args, sizeof(args));
}

/* What the kernel will read through this pointer. */
static void prepare_memory(struct player *player, enum kind kind, vaddr_t at) {
    uint32_t handles[3];

    switch (kind) {
    case KIND_IN_HANDLES:
        for (unsigned i = 0; i < ARRAY_SIZE(handles); i++)
            handles[i] = known_handle(next_byte(player), 0);
        store_words(at, handles, sizeof(handles));
        break;
    case KIND_INOUT_ITEMS: prepare_items(player, at); break;
    case KIND_INOUT_DISPOSITIONS: prepare_dispositions(player, at); break;
    case KIND_IN_IOVECS:
    case KIND_IN_READ_IOVECS: prepare_iovecs(player, at); break;
    case KIND_IN_CALL_ETC_ARGS:
    case KIND_IN_CALL_ARGS: prepare_call(player, at); break;
    default: break;
    }
}

static void learn_from(enum kind kind, vaddr_t at) {
    uint32_t value;

    if ((kind == KIND_OUT_HANDLE || kind == KIND_OUT_HANDLES) && load_u32(at, &value))
        learn_handle(process_current(), value);
}

/* ---- Calls ---- */

static bool tracing;
void play_trace(bool on) { tracing = on; }

/* Somebody could handle it, or at least has been able to. */
static bool somebody_listens(const struct user_thread *self) {
    bool listens = exception_slot_is_used(&self->handler) ||
                   exception_slot_is_used(&self->process->handler) ||
                   exception_slot_is_used(&self->process->debugger);

    for (const struct job *job = self->process->job; job && !listens; job = job->parent)
        listens = exception_slot_is_used(&job->handler);
    return listens;
}

/* User code does what it may not. */
static void fault(struct player *player) {
    const struct exception exception = {
        .type = ZX_EXCP_GENERAL, .vector = next_byte(player), .name = "played exception"};

    if (!somebody_listens(user_thread_current()))
        return;
    if (exception.vector % 2)
        upcall_exception(&exception);
    else
        (void)exception_policy(next_byte(player) % 20, 1);
}

/* Calls that end much are played seldom. */
static bool is_left_out(struct player *player, uint64_t number) {
    if (number == SYS_system_powerctl) { /* in its place: an allocation will fail */
        uint64_t n = 1 + next_byte(player) % 32;
        alloc_fail_set(n);
        if (tracing)
            log_error("allocation %lu from now fails", n);
        return true;
    }
    if (number == SYS_process_exit && next_byte(player) % 32 != 0) {
        fault(player);
        return true;
    }
    if (number == SYS_process_exit || number == SYS_thread_exit || number == SYS_task_kill ||
        number == SYS_vmar_destroy)
        return next_byte(player) % 32 != 0;
    if (number == SYS_handle_close || number == SYS_handle_close_many ||
        number == SYS_handle_replace)
        return next_byte(player) % 4 != 0;
    return false;
}

static uint32_t type_needed(struct player *player, const struct row *row, unsigned argument) {
    static const uint32_t tasks[] = {ZX_OBJ_TYPE_JOB, ZX_OBJ_TYPE_PROCESS, ZX_OBJ_TYPE_THREAD};
    uint32_t type = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(row->needs); i++)
        if (row->needs[i].argument == argument + 1)
            type = row->needs[i].type;
    return type == ZX_OBJ_TYPE_TASK ? tasks[next_byte(player) % ARRAY_SIZE(tasks)] : type;
}

static void play_call(struct player *player) {
    uint64_t a[8] = {0}, number = next_byte(player) % SYS_COUNT;
    const struct row *row = &rows[number];

    if (is_left_out(player, number))
        return;
    for (unsigned i = 0; i < 8 && row->kinds[i] != KIND_NONE; i++) {
        a[i] = draw_argument(player, row->kinds[i], type_needed(player, row, i));
        prepare_memory(player, row->kinds[i], a[i]);
    }
    int32_t status;
    do { /* after a suspension the call is made again */
        status = (int32_t)upcall_syscall_table[number](a[0], a[1], a[2], a[3], a[4], a[5], a[6],
                                                       a[7]);
        if (status == ERR_INTERNAL_RETRY)
            upcall_return_to_user();
    } while (status == ERR_INTERNAL_RETRY);
    if (tracing)
        log_error("%lu %s(%#lx, %#lx, %#lx, %#lx, %#lx, %#lx) = %d", thread_current()->tid,
                  row->name, a[0], a[1], a[2], a[3], a[4], a[5], status);
    if (thread_current()->pending)
        upcall_return_to_user();
    for (unsigned i = 0; status == ZX_OK && i < 8; i++)
        learn_from(row->kinds[i], a[i]);
}

/* The first thread plays the whole program, others start where their ip says. */
static void play_thread(const struct user_start *start) {
    struct player player = {.at = program_size ? start->ip % program_size : 0};
    unsigned calls = start->ip ? 30 : 400;

    while (player.at < program_size && calls-- > 0)
        play_call(&player);
    upcall_syscall_table[SYS_thread_exit](0, 0, 0, 0, 0, 0, 0, 0);
}

/* ---- A run ---- */

struct world {
    struct job *job;
    struct process *process;
    struct user_thread *thread;
};

static status_t give(struct process *process, struct waitable *object, rights_t rights) {
    struct handle handle = handle_make(object, rights);
    uint32_t value;
    status_t status = handle_table_add(&process->handles, handle, &value);

    if (status == OK)
        learn_handle(process, value);
    else
        handle_release(&handle);
    return status;
}

static status_t give_memory(struct process *process) {
    AUTO(vmo) vmo = NULL;
    AUTO(region) root = aspace_root(process->aspace);
    vaddr_t address;
    status_t status = vmo_create(MEMORY, true, &vmo);

    if (status == OK)
        status = vmar_map(root, ZX_VM_SPECIFIC | ZX_VM_PERM_READ | ZX_VM_PERM_WRITE,
                          PLACE - root->start, vmo, 0, MEMORY, PERM_MASK, &address);
    if (status == OK)
        status = give(process, &vmo->base, ZX_DEFAULT_VMO_RIGHTS);
    if (status == OK)
        status = give(process, &root->base, region_ops.default_rights | PERM_MASK << 2);
    return status;
}

static status_t give_resource(struct process *process) {
    struct resource *root = NULL;
    status_t status = resource_create_root(&root);

    if (status != OK)
        return status;
    status = give(process, &root->base, ZX_DEFAULT_RESOURCE_RIGHTS);
    waitable_unref(&root->base);
    return status;
}

static status_t give_tasks(const struct world *world) {
    status_t status = give(world->process, &world->job->base, ZX_DEFAULT_JOB_RIGHTS);

    if (status == OK)
        status = give(world->process, &world->process->base, ZX_DEFAULT_PROCESS_RIGHTS);
    if (status == OK)
        status = give(world->process, &world->thread->base, ZX_DEFAULT_THREAD_RIGHTS);
    return status;
}

static status_t world_make(struct world *world) {
    status_t status = job_create(job_root(), &world->job);

    if (status == OK)
        status = process_create(world->job, "played", &world->process);
    if (status == OK)
        status = user_thread_create(world->process, "first", &world->thread);
    if (status == OK)
        status = give_memory(world->process);
    if (status == OK)
        status = give_tasks(world);
    if (status == OK)
        status = give_resource(world->process);
    return status;
}

static bool is_dead(struct process *process) {
    enum process_state state = process_state(process);

    return state == PROCESS_DEAD || state == PROCESS_INITIAL;
}

static bool wait_until_dead(struct process *process, nstime_t longest) {
    nstime_t end = clock_now() + longest;

    while (!is_dead(process) && clock_now() < end)
        (void)thread_sleep_until(clock_now() + MS);
    return is_dead(process);
}

static bool world_end(struct world *world) {
    bool dead = true;

    if (world->job)
        job_kill(world->job, ZX_TASK_RETCODE_SYSCALL_KILL);
    if (world->process)
        dead = wait_until_dead(world->process, END_TIME);
    if (world->thread)
        user_thread_unref(world->thread);
    if (world->process)
        process_unref(world->process);
    if (world->job)
        job_unref(world->job);
    if (!dead)
        log_error("play: a killed process does not die");
    return dead;
}

struct balance {
    uint64_t blocks, pages, tables, objects;
};

static struct balance balance_now(void) {
    struct pmm_stats stats = pmm_stats();

    return (struct balance){kheap_stats().blocks_used, stats.pages[PAGE_VMO],
                            stats.pages[PAGE_TABLE], waitable_live_total()};
}

static bool balance_returns(const struct balance *before) {
    struct balance now = balance_now();

    for (unsigned i = 0; i < 1500 && memcmp(&now, before, sizeof(now)) != 0; i++) {
        (void)thread_sleep_until(clock_now() + MS);
        now = balance_now();
    }
    if (memcmp(&now, before, sizeof(now)) == 0)
        return true;
    log_error("play: left behind: %lld blocks, %lld pages, %lld tables, %lld objects",
              (long long)(now.blocks - before->blocks), (long long)(now.pages - before->pages),
              (long long)(now.tables - before->tables),
              (long long)(now.objects - before->objects));
    return false;
}

bool play_program(const uint8_t *bytes, size_t size) {
    struct balance before = balance_now();
    struct world world = {0};

    program = bytes;
    program_size = size;
    pool_next = 0;
    for (unsigned i = 0; i < POOL; i++)
        pool[i].value = pool[i].type = 0;
    if (world_make(&world) == OK &&
        process_start(world.process, world.thread, 0, 0, 0, 0) == OK)
        (void)wait_until_dead(world.process, RUN_TIME);
    alloc_fail_set(0);
    bool died = world_end(&world);
    /* A trace that it began is the machine's, not its own. */
    ktrace_stop();
    (void)ktrace_forget();
    return balance_returns(&before) && died;
}

void play_init(void) {
    host_set_user_main(play_thread);
    host_console_mute(true);
}
