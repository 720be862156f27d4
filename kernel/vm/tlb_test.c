/*
 * tlb_test.c - no CPU uses a translation after tlb_flush has returned.
 *
 * Readers on all CPUs have one table loaded and read a word through it without
 * end, while the test moves the page from frame to frame. A frame that has been
 * taken away is poisoned right after the flush: a stale translation would read the
 * poison. The readers run with the no-fault flag, so an absent page reads as nothing.
 */
#include "arch/clock.h"
#include "arch/mmu.h"
#include "arch/upcall.h"
#include "lib/ktest.h"
#include "lib/string.h"
#include "sched/sched.h"
#include "vm/test_crew.h"

#define PLACE   ((vaddr_t)0x40000000)
#define READERS 6
#define MOVES   300
#define GOOD    0x600d600d
#define POISON  0xbadbad00

static struct mmu mmu;
static _Atomic bool stop;
static _Atomic uint32_t good, poisoned;

static void read_on(void *context, unsigned index) {
    struct arch_thread *me = &thread_current()->arch;
    bool before = arch_set_no_fault(true);
    me->mmu = &mmu;
    sched_yield();
    while (!atomic_load_explicit(&stop, memory_order_relaxed)) {
        uint32_t word;
        irq_state_t state = irq_save(); /* not to be moved between load and read */
        mmu_activate(&mmu);
        irq_restore(state);
        for (unsigned i = 0; i < 200; i++) {
            if (!arch_load_user_u32(PLACE, &word))
                continue;
            atomic_fetch_add_explicit(word == POISON ? &poisoned : &good, 1, memory_order_relaxed);
        }
        sched_yield();
    }
    irq_state_t state = irq_save();
    me->mmu = NULL;
    mmu_activate(NULL);
    irq_restore(state);
    arch_set_no_fault(before);
}

static void fill(paddr_t page, uint32_t word) {
    volatile uint32_t *words = phys_to_virt(page);
    words[0] = word;
}

static void move_pages(const paddr_t pages[2]) {
    for (unsigned i = 0; i < MOVES; i++) {
        struct tlb_batch batch;
        struct mmu_entry entry = {pages[i & 1], MMU_READ | MMU_WRITE | MMU_USER};
        fill(pages[i & 1], GOOD);
        EXPECT_EQ(OK, mmu_install(&mmu, PLACE, &entry, 1));
        if (i % 16 == 0)
            sched_yield();
        tlb_batch_init(&batch);
        mmu_clear(&mmu, PLACE, 1, &batch);
        tlb_flush(&batch);
        fill(pages[i & 1], POISON);
    }
}

KTEST(tlb, P54_no_cpu_uses_a_translation_that_was_flushed) {
    static struct crew crew;
    paddr_t pages[2];
    atomic_store(&stop, false);
    atomic_store(&good, 0);
    atomic_store(&poisoned, 0);
    REQUIRE(mmu_create(&mmu) == OK);
    REQUIRE(upcall_table_page_alloc(&pages[0]) == OK);
    REQUIRE(upcall_table_page_alloc(&pages[1]) == OK);
    REQUIRE(crew_start(&crew, READERS, read_on, NULL));
    move_pages(pages);
    atomic_store(&stop, true);
    crew_wait(&crew);
    EXPECT_EQ(0, atomic_load(&poisoned));
    EXPECT(atomic_load(&good) > 0 || cpu_count() == 1);
    EXPECT_EQ(1, mmu.table_pages);
    mmu_destroy(&mmu);
    upcall_table_page_free(pages[0]);
    upcall_table_page_free(pages[1]);
}
