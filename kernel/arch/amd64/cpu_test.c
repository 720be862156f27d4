/*
 * cpu_test.c - processor settings, stacks, vectors, clocks and the boot tables.
 */
#include "arch/cpu.h"

#include "arch/amd64/amd64.h"
#include "arch/amd64/paging.h"
#include "arch/amd64/regs.h"
#include "arch/clock.h"
#include "lib/ktest.h"
#include "lib/string.h"

static void check_bits(void *context) {
    uint64_t *wrong = context, cr0 = cr0_read(), cr4 = cr4_read();
    bool ok = (cr0 & CR0_WP) && (cr0 & CR0_AM) && (cr4 & CR4_FSGSBASE) && (cr4 & CR4_PGE);
    ok = ok && !!(cr4 & CR4_SMEP) == cpu_features.smep && !!(cr4 & CR4_SMAP) == cpu_features.smap;
    ok = ok && !!(cr4 & CR4_UMIP) == cpu_features.umip && (msr_read(MSR_EFER) & 0x800);
    ok = ok && msr_read(MSR_LSTAR) == (uint64_t)(uintptr_t)syscall_entry;
    ok = ok && (~msr_read(MSR_SFMASK) &
                (RFLAGS_IF | RFLAGS_DF | RFLAGS_TF | RFLAGS_NT | RFLAGS_AC | RFLAGS_IOPL)) == 0;
    if (!ok)
        *wrong |= cpu_bit(cpu_id());
}

KTEST_QUICK(cpu, protections_are_on_on_every_cpu) {
    uint64_t wrong = 0;
    cpu_call(UINT64_MAX, check_bits, &wrong);
    EXPECT_EQ(0, wrong);
}

/* The frames of one CPU's stacks and own data. */
#define FRAMES_MAX 24
static unsigned collect_frames(unsigned cpu, uint64_t *out_frames) {
    unsigned count = 0;
    for (unsigned ist = 1; ist <= IST_COUNT; ist++)
        for (vaddr_t at = 0; at < IST_STACK_SIZE; at += PAGE_SIZE)
            out_frames[count++] = virt_to_phys((void *)(ist_stack_base(cpu, ist) + at)).value;
    const struct amd64_cpu *area = amd64_cpu_of(cpu_get(cpu));
    for (vaddr_t at = area->idle_stack_base; at < area->idle_stack_top; at += PAGE_SIZE)
        out_frames[count++] = virt_to_phys((void *)at).value;
    out_frames[count++] = round_down(virt_to_phys(area).value, PAGE_SIZE);
    return count;
}

KTEST(cpu, P14_stacks_and_own_data_of_all_cpus_are_disjoint) {
    static uint64_t frames[MAX_CPUS * FRAMES_MAX];
    unsigned count = 0;
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        count += collect_frames(cpu, frames + count);
    for (unsigned i = 0; i < count; i++)
        for (unsigned j = i + 1; j < count; j++)
            EXPECT(frames[i] != frames[j]);
}

KTEST(cpu, P46_an_unexpected_vector_is_counted) {
    irq_state_t state = irq_save(); /* stay on this CPU */
    struct cpu *cpu = cpu_this();
    uint64_t unexpected = cpu->counters.unexpected_ints, spurious = cpu->counters.spurious_ints;
    __asm__ volatile("int $0x55; int $0x27; int $0xff" ::: "memory");
    EXPECT_EQ(unexpected + 1, cpu->counters.unexpected_ints);
    EXPECT_EQ(spurious + 2, cpu->counters.spurious_ints);
    irq_restore(state);
}

KTEST_QUICK(cpu, P05_the_stack_is_ones_own_and_the_guard_is_not) {
    char here = 0;
    EXPECT(cpu_on_own_stack((uintptr_t)&here));
    const struct arch_thread *thread = (const struct arch_thread *)thread_current();
    EXPECT(!cpu_on_own_stack(thread->stack_base - 1));
    EXPECT(!cpu_on_own_stack(thread->stack_top));
}

KTEST(clock, time_never_goes_back) {
    nstime_t last = clock_now();
    for (unsigned i = 0; i < 10000; i++) {
        nstime_t now = clock_now();
        EXPECT(now >= last);
        last = now;
    }
}

KTEST_QUICK(clock, the_scale_gives_the_rate) {
    struct clock_scale scale = clock_scale();
    uint64_t rate = clock_ticks_per_second();
    uint64_t second = (uint64_t)((unsigned __int128)rate * scale.mult >> scale.shift);
    EXPECT(second > 999999000 && second <= 1000000000);
}

KTEST_QUICK(boot, P24_ranges_are_sorted_disjoint_and_hold_what_was_loaded) {
    uint64_t end = PAGE_SIZE; /* the first page is nobody's */
    bool kernel = false, initrd = boot_info.initrd_length == 0;
    for (unsigned i = 0; i < boot_info.range_count; i++) {
        const struct boot_range *range = &boot_info.ranges[i];
        EXPECT(range->base >= end && range->length > 0);
        end = range->base + range->length;
        kernel |= range->kind == BOOT_RANGE_KERNEL && range->base <= KERNEL_PHYSICAL &&
                  end >= virt_to_phys(kernel_image_end).value;
        initrd |= range->kind == BOOT_RANGE_INITRD && range->base <= boot_info.initrd.value &&
                  end >= boot_info.initrd.value + boot_info.initrd_length;
    }
    EXPECT(kernel);
    EXPECT(initrd);
}

KTEST_QUICK(boot, options_are_words_and_the_last_one_counts) {
    static char saved[BOOT_CMDLINE_MAX];
    char text[8];
    memcpy(saved, boot_info.cmdline, sizeof(saved));
    string_copy(boot_info.cmdline, sizeof(boot_info.cmdline),
                "a=1 aa=2  b c=0x1f a=3 d=off e=12x f=18446744073709551616 long=0123456789");
    EXPECT_EQ(3, boot_option_u64("a", 0));
    EXPECT_EQ(2, boot_option_u64("aa", 0));
    EXPECT_EQ(0x1f, boot_option_u64("c", 0));
    EXPECT_EQ(5, boot_option_u64("e", 5));
    EXPECT_EQ(6, boot_option_u64("f", 6));
    EXPECT(boot_option_bool("b", false));
    EXPECT(!boot_option_bool("d", true));
    EXPECT(boot_option_bool("missing", true));
    EXPECT(boot_option("long", text, sizeof(text)) && strcmp(text, "0123456") == 0);
    EXPECT(!boot_option("lon", text, sizeof(text)));
    memcpy(boot_info.cmdline, saved, sizeof(saved));
}
