/*
 * apic.c - interrupt controllers: each CPU's local APIC, and the I/O APICs.
 *
 * The old PICs are moved out of the exceptions' way and masked. All I/O APIC
 * inputs are masked until somebody routes one. The local APIC is used through its
 * memory window; a firmware that left it in x2APIC mode gets it switched back.
 */
#include "arch/amd64/amd64.h"
#include "arch/amd64/regs.h"
#include "arch/amd64/trap.h"
#include "arch/clock.h"
#include "arch/irq.h"
#include "arch/spinlock.h"
#include "lib/log.h"

#define DEFAULT_LOCAL_APIC 0xfee00000
#define DEFAULT_IOAPIC     0xfec00000

#define APIC_ENABLE  ((uint64_t)1 << 11)
#define APIC_X2      ((uint64_t)1 << 10)
#define BASE_ADDRESS ((uint64_t)0xffffff000)

enum local_register {
    REG_ID = 0x20,
    REG_TASK_PRIORITY = 0x80,
    REG_EOI = 0xb0,
    REG_SPURIOUS = 0xf0,
    REG_ERROR = 0x280,
    REG_COMMAND = 0x300,
    REG_COMMAND_HIGH = 0x310,
    REG_TIMER = 0x320,
    REG_LINT0 = 0x350,
    REG_LINT1 = 0x360,
    REG_ERROR_VECTOR = 0x370,
    REG_TIMER_INITIAL = 0x380,
    REG_TIMER_COUNT = 0x390,
    REG_TIMER_DIVIDE = 0x3e0,
};
#define SPURIOUS_ENABLE 0x100
#define ENTRY_MASKED    0x10000
#define ENTRY_NMI       0x400
#define DIVIDE_BY_1     0xb
#define COMMAND_PENDING 0x1000
#define COMMAND_ASSERT  0x4000
#define COMMAND_NMI     0x400
#define COMMAND_INIT    0x500
#define COMMAND_STARTUP 0x600

#define IOAPIC_VERSION     1
#define IOAPIC_REDIRECTION 0x10
#define REDIRECT_LOW       0x2000
#define REDIRECT_LEVEL     0x8000
#define REDIRECT_MASKED    0x10000
#define ISA_LINES          16

#define MESSAGE_ADDRESS 0xfee00000 /* where devices write messages: to one CPU, not redirected */

struct ioapic {
    volatile uint32_t *window; /* index at 0, data at word 4 */
    uint32_t gsi_base, inputs;
};

static volatile uint32_t *local;
static struct ioapic ioapics[PLATFORM_IOAPICS_MAX];
static unsigned ioapic_count;
static const struct platform_info *info;

static uint32_t local_read(enum local_register reg) {
    return local[reg / 4];
}
static void local_write(enum local_register reg, uint32_t value) {
    local[reg / 4] = value;
}

/* ---- Local ---- */

uint32_t apic_id_this(void) {
    return local_read(REG_ID) >> 24;
}
void apic_end_of_interrupt(void) {
    local_write(REG_EOI, 0);
}
void apic_timer_start(uint32_t ticks) {
    local_write(REG_TIMER_INITIAL, ticks);
}
uint32_t apic_timer_count(void) {
    return local_read(REG_TIMER_COUNT);
}

static void command(uint32_t apic_id, uint32_t word) {
    irq_state_t state = irq_save();
    for (unsigned i = 0; i < 100000 && (local_read(REG_COMMAND) & COMMAND_PENDING); i++)
        cpu_relax();
    local_write(REG_COMMAND_HIGH, apic_id << 24);
    local_write(REG_COMMAND, word);
    irq_restore(state);
}

void apic_send(uint32_t apic_id, uint8_t vector) {
    command(apic_id, COMMAND_ASSERT | vector);
}
void apic_send_nmi(uint32_t apic_id) {
    command(apic_id, COMMAND_ASSERT | COMMAND_NMI);
}

void apic_send_startup(uint32_t apic_id, paddr_t trampoline) {
    command(apic_id, COMMAND_ASSERT | COMMAND_INIT);
    clock_spin(10000000 / 10); /* hardware wants 10 ms at most; 1 ms has been enough since 1997 */
    for (unsigned i = 0; i < 2; i++) {
        command(apic_id, COMMAND_ASSERT | COMMAND_STARTUP | (uint32_t)(trampoline.value >> 12));
        clock_spin(200000);
    }
}

static void leave_x2apic(void) {
    uint64_t base = msr_read(MSR_APIC_BASE);
    if (base & APIC_X2) {
        msr_write(MSR_APIC_BASE, base & ~(APIC_ENABLE | APIC_X2));
        base &= ~APIC_X2;
    }
    msr_write(MSR_APIC_BASE, base | APIC_ENABLE);
}

void apic_init_cpu(void) {
    leave_x2apic();
    local_write(REG_TASK_PRIORITY, 0);
    local_write(REG_LINT0, ENTRY_MASKED);
    local_write(REG_LINT1, ENTRY_NMI);
    local_write(REG_ERROR_VECTOR, VECTOR_APIC_ERROR);
    local_write(REG_TIMER_DIVIDE, DIVIDE_BY_1);
    local_write(REG_TIMER, VECTOR_TIMER);
    local_write(REG_SPURIOUS, SPURIOUS_ENABLE | VECTOR_SPURIOUS);
    apic_end_of_interrupt();
}

static void apic_error(void) {
    local_write(REG_ERROR, 0);
    log_warning("CPU %u: local APIC error %#x", cpu_id(), local_read(REG_ERROR));
}

/* ---- I/O ---- */

static uint32_t io_read(const struct ioapic *io, uint32_t reg) {
    io->window[0] = reg;
    return io->window[4];
}
static void io_write(const struct ioapic *io, uint32_t reg, uint32_t value) {
    io->window[0] = reg;
    io->window[4] = value;
}

static void ioapic_add(uint64_t address, uint32_t gsi_base) {
    struct ioapic *io = &ioapics[ioapic_count];
    io->window = fixed_map_device(address);
    io->gsi_base = gsi_base;
    uint32_t version = io_read(io, IOAPIC_VERSION);
    if (version == UINT32_MAX)
        return; /* there is nothing */
    io->inputs = (version >> 16 & 0xff) + 1;
    for (uint32_t i = 0; i < io->inputs; i++)
        io_write(io, IOAPIC_REDIRECTION + 2 * i, REDIRECT_MASKED);
    ioapic_count++;
}

/* The I/O APIC of a line, and where there its entry lies; NULL: there is no such line. */
static const struct ioapic *ioapic_of(uint32_t gsi, uint32_t *out_reg) {
    for (unsigned i = 0; i < ioapic_count; i++) {
        const struct ioapic *io = &ioapics[i];
        if (gsi < io->gsi_base || gsi - io->gsi_base >= io->inputs)
            continue;
        *out_reg = IOAPIC_REDIRECTION + 2 * (gsi - io->gsi_base);
        return io;
    }
    return NULL;
}

/* As the firmware says; else ISA's lines are edges that rise, and PCI's levels that are low. */
static uint32_t default_flags(uint32_t gsi) {
    for (unsigned i = 0; i < info->override_count; i++)
        if (info->overrides[i].gsi == gsi)
            return (info->overrides[i].active_low ? REDIRECT_LOW : 0) |
                   (info->overrides[i].level ? REDIRECT_LEVEL : 0);
    return gsi < ISA_LINES ? 0 : REDIRECT_LOW | REDIRECT_LEVEL;
}

uint32_t irq_line_of_isa(uint32_t isa_irq) {
    for (unsigned i = 0; i < info->override_count; i++)
        if (info->overrides[i].irq == isa_irq)
            return info->overrides[i].gsi;
    return isa_irq;
}

void apic_route(unsigned isa_irq, uint8_t vector, uint32_t apic_id) {
    uint32_t gsi = irq_line_of_isa(isa_irq), reg;
    const struct ioapic *io = ioapic_of(gsi, &reg);
    if (!io) {
        log_warning("interrupt %u (input %u) has no I/O APIC", isa_irq, gsi);
        return;
    }
    irq_reserve_line(gsi);
    io_write(io, reg + 1, apic_id << 24);
    io_write(io, reg, vector | default_flags(gsi));
}

/* ---- For irq.c ---- */

/* Index and data are two accesses. Not needed at boot. */
static struct spinlock ioapic_lock = SPINLOCK_INIT(RANK_LEAF, "I/O APIC");

bool irq_target_has_line(uint32_t line) {
    uint32_t reg;
    return ioapic_of(line, &reg);
}

bool irq_target_route(uint32_t line, uint32_t vector, enum irq_trigger trigger) {
    static const uint32_t flags_of[] = {
        [IRQ_EDGE_LOW] = REDIRECT_LOW,
        [IRQ_LEVEL_LOW] = REDIRECT_LOW | REDIRECT_LEVEL,
        [IRQ_LEVEL_HIGH] = REDIRECT_LEVEL,
    };
    uint32_t reg, flags = trigger == IRQ_DEFAULT ? default_flags(line) : flags_of[trigger];
    const struct ioapic *io = ioapic_of(line, &reg);
    SPIN_GUARD(&ioapic_lock);
    io_write(io, reg + 1, boot_cpu.apic_id << 24);
    io_write(io, reg, (VECTOR_IRQ + vector) | flags);
    return flags & REDIRECT_LEVEL;
}

void irq_target_mask(uint32_t line, bool masked) {
    uint32_t reg;
    const struct ioapic *io = ioapic_of(line, &reg);
    SPIN_GUARD(&ioapic_lock);
    uint32_t entry = io_read(io, reg) & ~(uint32_t)REDIRECT_MASKED;
    io_write(io, reg, entry | (masked ? REDIRECT_MASKED : 0));
}

struct irq_message irq_target_message(uint32_t vector) {
    return (struct irq_message){MESSAGE_ADDRESS | (uint64_t)boot_cpu.apic_id << 12,
                                VECTOR_IRQ + vector};
}

/* ---- PIC ---- */

static void pic_disable(void) {
    static const struct {
        uint16_t port;
        uint8_t value;
    } steps[] = {
        {0x20, 0x11}, {0xa0, 0x11}, {0x21, VECTOR_PIC}, {0xa1, VECTOR_PIC + 8}, {0x21, 4},
        {0xa1, 2},    {0x21, 1},    {0xa1, 1},          {0x21, 0xff},           {0xa1, 0xff},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(steps); i++)
        port_out8(steps[i].port, steps[i].value);
}

void apic_init(const struct platform_info *platform) {
    info = platform;
    pic_disable();
    uint64_t address = platform->local_apic ? platform->local_apic : DEFAULT_LOCAL_APIC;
    leave_x2apic();
    local = fixed_map_device(address);
    apic_init_cpu();
    boot_cpu.apic_id = apic_id_this();
    interrupt_set_handler(VECTOR_APIC_ERROR, apic_error);
    for (unsigned i = 0; i < platform->ioapic_count; i++)
        ioapic_add(platform->ioapics[i].address, platform->ioapics[i].gsi_base);
    if (platform->ioapic_count == 0)
        ioapic_add(DEFAULT_IOAPIC, 0);
}
