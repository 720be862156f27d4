/*
 * crash.c - `crash=WAY` on the command line: break the kernel on purpose.
 *
 * The test bench boots with each way and expects the named report and the exit
 * code of a panic, never a reset.
 */
#include "arch/amd64/amd64.h"
#include "arch/amd64/trap.h"
#include "arch/spinlock.h"
#include "lib/assert.h"
#include "lib/panic.h"
#include "lib/string.h"

/* Ends when the first byte is 0, which it never is. */
static NOINLINE unsigned deep(volatile char *above) {
    volatile char room[512];
    room[0] = above[0];
    if (room[0] == 0)
        return 0;
    return deep(room) + (unsigned char)room[0];
}

static void crash_stack(void) {
    volatile char start = 1;
    panic("the stack holds a recursion of depth %u", deep(&start));
}
/* A frame that is larger than any guard: the first push lies far below the stack. */
static void crash_skip(void) {
    __asm__ volatile("subq $65536, %rsp; pushq %rax");
    __builtin_unreachable();
}
static void crash_null(void) {
    *(volatile int *)(uintptr_t)8 = 1;
}
static void crash_assert(void) {
    ASSERT(boot_info.range_count == 0);
}
static void crash_ud(void) {
    __asm__ volatile("ud2");
}
static void crash_text(void) {
    *(volatile char *)(uintptr_t)kernel_main = 0;
}
/* No stack at all: the exception's own push faults. */
static void crash_df(void) {
    __asm__ volatile("movq $0x1000, %rsp; pushq %rax");
    __builtin_unreachable();
}
/* The handler of a fault faults itself. */
static bool faulting_hook(struct user_frame *frame, uint64_t address) {
    trap_set_test_hook(NULL);
    crash_null();
    return true;
}
static void crash_handler(void) {
    trap_set_test_hook(faulting_hook);
    crash_ud();
}
static void crash_execute(void) {
    ((void (*)(void))(uintptr_t)&boot_info)();
}
/* A smashed stack protector's word is found at the function's end. */
static NOINLINE void smash(volatile char *at) {
    for (unsigned i = 0; i < 64; i++)
        at[i] = 0x55;
}
static NOINLINE void crash_smash(void) {
    volatile char small[16];
    smash(small);
}

/* All other CPUs panic at the same time: one of them reports, and is not cut short. */
static atomic_uint arrived;
static void panic_together(void *unused) {
    atomic_fetch_add(&arrived, 1);
    while (atomic_load(&arrived) < cpu_count() - 1)
        cpu_relax();
    panic("all at once");
}
static void crash_together(void) {
    cpu_call(~cpu_bit(cpu_id()), panic_together, NULL);
    panic("all at once");
}

/* No lock stops the report (P08): a fault under spinlocks of all ranks. */
static NO_LOCK_ANALYSIS void crash_locks(void) {
    static struct spinlock held[RANK_LEAF + 1];
    for (unsigned rank = RANK_IRQ; rank <= RANK_LEAF; rank++) {
        held[rank] = (struct spinlock)SPINLOCK_INIT((enum lock_rank)rank, "crash=locks");
        (void)spin_lock(&held[rank]);
    }
    crash_null();
}

/*
 * The same with each of the kernel's own locks (P08): crash=held-fault:NAME or
 * held-panic:NAME, with a dash for each space of the name, and the first holder of a lock
 * of that name comes to harm just before it lets go. In debug kernels, which know who holds
 * what; there is no way back from here, so the boot goes on.
 */
static char harmful_lock[32];
static bool is_harmful(const char *name) {
    size_t i = 0;
    for (; name[i] && harmful_lock[i]; i++)
        if (name[i] != harmful_lock[i] && !(name[i] == ' ' && harmful_lock[i] == '-'))
            return false;
    return name[i] == harmful_lock[i];
}
static void fault_if_harmful(const struct held_lock *lock) {
    if (!panic_is_running() && is_harmful(lock->name))
        crash_null();
}
static void panic_if_harmful(const struct held_lock *lock) {
    if (!panic_is_running() && is_harmful(lock->name))
        panic("holding the lock %s (rank %d)", lock->name, lock->rank);
}
static bool arm_lock(const char *way) {
    bool fault = strncmp(way, "held-fault:", 11) == 0;
    if (!fault && strncmp(way, "held-panic:", 11) != 0)
        return false;
    string_copy(harmful_lock, sizeof(harmful_lock), way + 11);
    lock_rank_set_release_hook(fault ? fault_if_harmful : panic_if_harmful);
    return true;
}

static const struct {
    const char *name;
    void (*run)(void);
} ways[] = {
    {"stack", crash_stack},   {"skip", crash_skip},       {"null", crash_null},
    {"assert", crash_assert}, {"ud", crash_ud},           {"text", crash_text},
    {"df", crash_df},         {"handler", crash_handler}, {"execute", crash_execute},
    {"smash", crash_smash},   {"locks", crash_locks},
    {"together", crash_together},
};

void crash_if_asked(void) {
    char way[48];
    if (!boot_option("crash", way, sizeof(way)))
        return;
    if (arm_lock(way))
        return;
    for (unsigned i = 0; i < ARRAY_SIZE(ways); i++)
        if (strcmp(way, ways[i].name) == 0)
            ways[i].run();
    panic("crash=%s: there is no such way, or it did no harm", way);
}
