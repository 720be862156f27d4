/*
 * kernel_thread.c - stacks with guard pages, and threads of the kernel itself.
 *
 * The stacks' range is cut into slots of 32 KiB: a stack of 16 KiB in the middle,
 * the rest stays unmapped for ever. Freed stacks are kept mapped, up to
 * STACKS_CACHED; a cached stack's first word links it.
 */
#include "vm/kernel_thread.h"

#include "arch/boot.h"
#include "arch/mmu.h"
#include "sched/sched.h"
#include "vm/kheap.h"
#include "vm/pmm.h"

#define SLOT_SIZE     ((size_t)32768)
#define SLOT_GUARD    ((SLOT_SIZE - KERNEL_STACK_SIZE) / 2)
#define SLOTS_MAX     ((size_t)1 << 17)
#define STACK_PAGES   (KERNEL_STACK_SIZE / PAGE_SIZE)
#define STACKS_CACHED 64

struct cached_stack {
    struct cached_stack *next;
};
static struct {
    struct spinlock lock; /* RANK_HEAP */
    struct cached_stack *cached;
    unsigned cached_count;
    size_t first_word;              /* all words before this one are full */
} stacks = {.lock = SPINLOCK_INIT(RANK_HEAP - 1, "stacks")};

static uint64_t slots_taken[SLOTS_MAX / 64]; /* a bit for each; under stacks.lock */

static vaddr_t slot_stack(size_t slot) { return KVA_BASE + slot * SLOT_SIZE + SLOT_GUARD; }

bool kernel_stack_is_guard(vaddr_t address) {
    if (address < KVA_BASE || address >= KVA_BASE + SLOTS_MAX * SLOT_SIZE)
        return false;
    uint64_t offset = (address - KVA_BASE) % SLOT_SIZE;
    return offset < SLOT_GUARD || offset >= SLOT_GUARD + KERNEL_STACK_SIZE;
}

static void *stack_from_cache(void) {
    SPIN_GUARD(&stacks.lock);
    struct cached_stack *stack = stacks.cached;
    if (stack) {
        stacks.cached = stack->next;
        stacks.cached_count--;
    }
    return stack;
}

static bool stack_to_cache(void *memory) {
    SPIN_GUARD(&stacks.lock);
    if (stacks.cached_count == STACKS_CACHED)
        return false;
    struct cached_stack *stack = memory;
    stack->next = stacks.cached;
    stacks.cached = stack;
    stacks.cached_count++;
    return true;
}

static bool slot_take(size_t *out_slot) {
    SPIN_GUARD(&stacks.lock);
    for (size_t word = stacks.first_word; word < ARRAY_SIZE(slots_taken); word++) {
        if (slots_taken[word] == UINT64_MAX)
            continue;
        unsigned bit = (unsigned)__builtin_ctzll(~slots_taken[word]);
        slots_taken[word] |= (uint64_t)1 << bit;
        stacks.first_word = word;
        *out_slot = word * 64 + bit;
        return true;
    }
    return false;
}

static void slot_give(size_t slot) {
    SPIN_GUARD(&stacks.lock);
    slots_taken[slot / 64] &= ~((uint64_t)1 << slot % 64);
    stacks.first_word = MIN(stacks.first_word, slot / 64);
}

static void stack_unmap(vaddr_t base, size_t pages) {
    paddr_t frames[STACK_PAGES];
    for (size_t i = 0; i < pages; i++)
        frames[i] = virt_to_phys((void *)(base + i * PAGE_SIZE));
    mmu_kernel_unmap(base, pages);
    for (size_t i = 0; i < pages; i++)
        pmm_free(page_of(frames[i]), PAGE_STACK);
}

static bool stack_map(vaddr_t base) {
    for (size_t i = 0; i < STACK_PAGES; i++) {
        struct page *page = pmm_alloc(PAGE_STACK);
        if (page && mmu_kernel_map(base + i * PAGE_SIZE, page_address(page), 1,
                                   MMU_READ | MMU_WRITE) == OK)
            continue;
        if (page)
            pmm_free(page, PAGE_STACK);
        if (i > 0)
            stack_unmap(base, i);
        return false;
    }
    return true;
}

void *kernel_stack_alloc(void) {
    if (alloc_fail_now())
        return NULL;
    void *cached = stack_from_cache();
    if (cached)
        return cached;
    size_t slot;
    if (!slot_take(&slot))
        return NULL;
    if (!stack_map(slot_stack(slot))) {
        slot_give(slot);
        return NULL;
    }
    return (void *)slot_stack(slot);
}

static void stack_give_back(void *stack) {
    vaddr_t base = (vaddr_t)stack;
    stack_unmap(base, STACK_PAGES);
    slot_give((base - KVA_BASE) / SLOT_SIZE);
}

void kernel_stack_free(void *stack) {
    if (stack && !stack_to_cache(stack))
        stack_give_back(stack);
}

void kernel_stacks_trim(void) {
    void *stack;
    while ((stack = stack_from_cache()))
        stack_give_back(stack);
}

/* ---- Threads of the kernel ---- */

struct kernel_thread {
    struct thread thread;
    void (*entry)(void *);
    void *argument;
};

static void kernel_thread_in_user_mode(struct thread *thread) {
    UNREACHABLE("kernel thread in user mode");
}

static void kernel_thread_reaped(struct thread *thread) {
    kernel_stack_free(thread->stack_base);
    kheap_free(container_of(thread, struct kernel_thread, thread));
}

static const struct thread_ops kernel_thread_ops = {kernel_thread_in_user_mode,
                                                    kernel_thread_reaped};

static void kernel_thread_main(void *argument) {
    struct kernel_thread *self = argument;
    sched_first_run();
    self->entry(self->argument);
    thread_exit();
}

struct thread *kernel_thread_create(const char *name, void (*entry)(void *), void *argument,
                                    unsigned priority) {
    struct kernel_thread *self = kheap_zalloc(sizeof(*self));
    void *stack = self ? kernel_stack_alloc() : NULL;
    if (!stack) {
        kheap_free(self);
        return NULL;
    }
    self->thread.uses_reserve = true;
    self->entry = entry;
    self->argument = argument;
    thread_init(&self->thread, name, &kernel_thread_ops, stack, KERNEL_STACK_SIZE,
                kernel_thread_main, self, priority);
    return &self->thread;
}

struct thread *kernel_thread_alloc(void) {
    struct kernel_thread *self = kheap_zalloc(sizeof(*self));
    return self ? &self->thread : NULL;
}
