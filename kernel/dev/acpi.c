/*
 * acpi.c - bounded parsers of static ACPI tables.
 *
 * A table is read piece by piece through the source, never as a whole, so nothing
 * is as large as a hostile length says. A piece that can't be read ends its table.
 */
#include "dev/acpi.h"

#include "lib/string.h"

#define TABLE_MAX   65536 /* no table that we read is longer on a sane machine */
#define TABLES_MAX  128
#define HEADER_SIZE 36
#define RSDP_OLD    20
#define RSDP_NEW    36

/* SLP_TYP of S5 stands in byte code; these are the values that emulated machines use. */
#define SLEEP_TYPE_S5         0
#define SLEEP_TYPE_S5_REDUCED 5

#define FADT_FLAG_TIMER_32BIT ((uint32_t)1 << 8)
#define FADT_FLAG_RESET       ((uint32_t)1 << 10)
#define FADT_FLAG_REDUCED     ((uint32_t)1 << 20)

#define SPACE_NONE 0xff

enum madt_type {
    MADT_CPU = 0,
    MADT_IOAPIC = 1,
    MADT_OVERRIDE = 2,
    MADT_LOCAL_APIC = 5,
    MADT_CPU_X2 = 9,
};
#define MADT_CPU_ENABLED      1
#define MADT_FIRST_ENTRY      44
#define OVERRIDE_POLARITY_LOW 3
#define OVERRIDE_LEVEL        3

struct table {
    const struct acpi_source *source;
    uint64_t address;
    uint32_t length;
};

static uint32_t get32(const uint8_t *at) {
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}
static uint16_t get16(const uint8_t *at) {
    return (uint16_t)(at[0] | at[1] << 8);
}
static uint64_t get64(const uint8_t *at) {
    return get32(at) | (uint64_t)get32(at + 4) << 32;
}

static bool table_read(const struct table *table, uint32_t offset, void *buffer, size_t length) {
    return range_within(offset, length, table->length) &&
           table->source->read(table->address + offset, buffer, length);
}
/* Fields that an older and shorter table lacks read as 0. */
static uint64_t table_field(const struct table *table, uint32_t offset, size_t size) {
    uint8_t bytes[8] = {0};
    return table_read(table, offset, bytes, size) ? get64(bytes) : 0;
}

static uint8_t sum_bytes(const uint8_t *bytes, size_t length) {
    uint8_t sum = 0;
    for (size_t i = 0; i < length; i++)
        sum = (uint8_t)(sum + bytes[i]);
    return sum;
}

static bool table_sums_to_zero(const struct table *table) {
    uint8_t bytes[128], sum = 0;
    for (uint32_t at = 0; at < table->length; at += sizeof(bytes)) {
        size_t here = MIN(sizeof(bytes), (size_t)(table->length - at));
        if (!table_read(table, at, bytes, here))
            return false;
        sum = (uint8_t)(sum + sum_bytes(bytes, here));
    }
    return sum == 0;
}

/* A table at `address`, if it has this signature, a sane length and its checksum. */
static bool table_open(const struct acpi_source *source, uint64_t address, const char *signature,
                       struct table *out_table) {
    uint8_t header[HEADER_SIZE];
    if (address == 0 || address > UINT64_MAX - TABLE_MAX ||
        !source->read(address, header, sizeof(header)) || memcmp(header, signature, 4) != 0)
        return false;
    struct table table = {source, address, get32(header + 4)};
    if (table.length < HEADER_SIZE || table.length > TABLE_MAX || !table_sums_to_zero(&table))
        return false;
    *out_table = table;
    return true;
}

/* ---- The root ---- */

struct root {
    struct table table;
    unsigned entry_size, count;
};

static bool read_rsdp(const struct acpi_source *source, uint8_t rsdp[RSDP_NEW]) {
    memset(rsdp, 0, RSDP_NEW);
    if (source->rsdp_copy)
        memcpy(rsdp, source->rsdp_copy, RSDP_NEW);
    else if (source->rsdp == 0 || source->rsdp > UINT64_MAX - RSDP_NEW ||
             !source->read(source->rsdp, rsdp, RSDP_NEW))
        return false;
    return memcmp(rsdp, "RSD PTR ", 8) == 0 && sum_bytes(rsdp, RSDP_OLD) == 0;
}

static bool root_open(const struct acpi_source *source, struct root *out_root) {
    uint8_t rsdp[RSDP_NEW];
    if (!read_rsdp(source, rsdp))
        return false;
    bool is_new = rsdp[15] >= 2 && sum_bytes(rsdp, RSDP_NEW) == 0;
    out_root->entry_size = 8;
    if (!is_new || !table_open(source, get64(rsdp + 24), "XSDT", &out_root->table)) {
        out_root->entry_size = 4;
        if (!table_open(source, get32(rsdp + 16), "RSDT", &out_root->table))
            return false;
    }
    unsigned count = (out_root->table.length - HEADER_SIZE) / out_root->entry_size;
    out_root->count = MIN(count, (unsigned)TABLES_MAX);
    return true;
}

/* The first table with this signature. */
static bool root_find(const struct root *root, const char *signature, struct table *out_table) {
    for (unsigned i = 0; i < root->count; i++) {
        uint64_t address =
            table_field(&root->table, HEADER_SIZE + i * root->entry_size, root->entry_size);
        if (table_open(root->table.source, address, signature, out_table))
            return true;
    }
    return false;
}

/* ---- MADT ---- */

static void add_cpu(struct platform_info *out, uint32_t apic_id, uint32_t flags) {
    if (!(flags & MADT_CPU_ENABLED) || out->cpu_count == PLATFORM_CPUS_MAX || apic_id > 0xfe)
        return;
    for (unsigned i = 0; i < out->cpu_count; i++)
        if (out->cpu_apic_ids[i] == apic_id)
            return;
    out->cpu_apic_ids[out->cpu_count++] = apic_id;
}

static void add_ioapic(struct platform_info *out, const uint8_t *body) {
    uint32_t address = get32(body + 2);
    if (out->ioapic_count == PLATFORM_IOAPICS_MAX || address == 0)
        return;
    out->ioapics[out->ioapic_count].id = body[0];
    out->ioapics[out->ioapic_count].address = address;
    out->ioapics[out->ioapic_count].gsi_base = get32(body + 6);
    out->ioapic_count++;
}

static void add_override(struct platform_info *out, const uint8_t *body) {
    uint16_t flags = get16(body + 6);
    if (out->override_count == PLATFORM_OVERRIDES_MAX || body[1] > 15)
        return;
    out->overrides[out->override_count].irq = body[1];
    out->overrides[out->override_count].gsi = get32(body + 2);
    out->overrides[out->override_count].active_low = (flags & 3) == OVERRIDE_POLARITY_LOW;
    out->overrides[out->override_count].level = (flags >> 2 & 3) == OVERRIDE_LEVEL;
    out->override_count++;
}

/* `body` is what follows type and length, with zeros behind a short entry's end. */
static void read_madt_entry(uint8_t type, size_t size, const uint8_t *body,
                            struct platform_info *out) {
    if (type == MADT_CPU && size >= 6)
        add_cpu(out, body[1], get32(body + 2));
    else if (type == MADT_CPU_X2 && size >= 14)
        add_cpu(out, get32(body + 2), get32(body + 6));
    else if (type == MADT_IOAPIC && size >= 10)
        add_ioapic(out, body);
    else if (type == MADT_OVERRIDE && size >= 8)
        add_override(out, body);
    else if (type == MADT_LOCAL_APIC && size >= 10)
        out->local_apic = get64(body + 2);
}

static void read_madt(const struct table *madt, struct platform_info *out) {
    out->local_apic = table_field(madt, 36, 4);
    for (uint32_t at = MADT_FIRST_ENTRY; at < madt->length;) {
        uint8_t head[2], body[16] = {0};
        if (!table_read(madt, at, head, sizeof(head)) || head[1] < sizeof(head))
            return;
        size_t size = head[1] - sizeof(head);
        if (!table_read(madt, at + 2, body, MIN(size, sizeof(body))))
            return;
        read_madt_entry(head[0], size, body, out);
        at += head[1];
    }
}

/* ---- FADT, HPET ---- */

static void read_fadt(const struct table *fadt, struct platform_info *out) {
    uint32_t flags = (uint32_t)table_field(fadt, 112, 4);
    out->hardware_reduced = flags & FADT_FLAG_REDUCED;
    out->sleep_type_s5 = out->hardware_reduced ? SLEEP_TYPE_S5_REDUCED : SLEEP_TYPE_S5;
    if (!out->hardware_reduced) {
        out->pm1a_control_port = (uint32_t)table_field(fadt, 64, 4) & 0xffff;
        out->pm1b_control_port = (uint32_t)table_field(fadt, 68, 4) & 0xffff;
        if (table_field(fadt, 91, 1) == 4)
            out->pm_timer_port = (uint32_t)table_field(fadt, 76, 4) & 0xffff;
        out->pm_timer_32bit = flags & FADT_FLAG_TIMER_32BIT;
    }
    if (flags & FADT_FLAG_RESET) {
        out->reset.space = (uint8_t)table_field(fadt, 116, 1);
        out->reset.address = table_field(fadt, 120, 8);
        out->reset.value = (uint8_t)table_field(fadt, 128, 1);
    }
    if (out->hardware_reduced && table_field(fadt, 248, 8)) {
        out->sleep_control.space = (uint8_t)table_field(fadt, 244, 1);
        out->sleep_control.address = table_field(fadt, 248, 8);
    }
}

static void read_hpet(const struct table *hpet, struct platform_info *out) {
    if (table_field(hpet, 40, 1) == 0) /* in memory */
        out->hpet = table_field(hpet, 44, 8);
}

void acpi_read(const struct acpi_source *source, struct platform_info *out) {
    struct root root;
    struct table table;
    memset(out, 0, sizeof(*out));
    out->reset.space = out->sleep_control.space = SPACE_NONE;
    if (!root_open(source, &root))
        return;
    out->has_acpi = true;
    if (root_find(&root, "APIC", &table))
        read_madt(&table, out);
    if (root_find(&root, "FACP", &table))
        read_fadt(&table, out);
    if (root_find(&root, "HPET", &table))
        read_hpet(&table, out);
}
