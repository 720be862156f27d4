/*
 * io_map.c - which ports the processor lets user code use.
 *
 * The processor looks the port up in a bit map behind the task state segment. The segment is
 * small and lies in the CPU's own structure; only when somebody first asks for ports does each
 * CPU get three pages for a map. Its segment then begins at an alias of its page, which the
 * map's pages follow:
 *
 *   io_area_base(cpu): [page with the CPU's segment][map][map][a byte of ones]
 *
 * A switch to a space without ports moves the map's offset behind the segment's end: nothing
 * is allowed. A switch to a space with ports copies its map, unless the pages hold it still.
 */
#include "arch/amd64/amd64.h"
#include "arch/amd64/paging.h"
#include "arch/amd64/regs.h"
#include "arch/upcall.h"
#include "lib/assert.h"
#include "lib/string.h"

#define MAP_BYTES (IO_PORTS / 8)

static uint8_t *map_of(const struct amd64_cpu *cpu) {
    return (uint8_t *)(io_area_base(cpu->cpu.id) + PAGE_SIZE);
}
static vaddr_t alias_of_tss(const struct amd64_cpu *cpu) {
    return io_area_base(cpu->cpu.id) + ((uintptr_t)&cpu->tss & PAGE_MASK);
}
static uint16_t map_offset(const struct amd64_cpu *cpu) {
    return (uint16_t)((vaddr_t)map_of(cpu) - alias_of_tss(cpu));
}

/* ---- Switching ---- */

void io_map_load(struct amd64_cpu *cpu, const struct mmu *mmu, uint64_t version) {
    if (version && version != cpu->io_copied) {
        for (unsigned i = 0; i < IO_MAP_PAGES; i++) {
            if (mmu->io.denied[i].value)
                memcpy(map_of(cpu) + i * PAGE_SIZE, phys_to_virt(mmu->io.denied[i]), PAGE_SIZE);
            else
                memset(map_of(cpu) + i * PAGE_SIZE, 0xff, PAGE_SIZE);
        }
        cpu->io_copied = version;
    }
    cpu->tss.io_map_offset = version ? map_offset(cpu) : NO_IO_MAP;
    cpu->io_version = version;
}

static void refresh(void *context) {
    struct amd64_cpu *cpu = amd64_this();
    const struct mmu *mmu = context;

    if (cpu->loaded == mmu)
        io_map_load(cpu, mmu, atomic_load(&mmu->io.version));
}

/* Who loads it after this look at `loaded` sees the new version by itself. */
void io_ports_publish(struct mmu *mmu) {
    cpu_call(atomic_load(&mmu->loaded), refresh, mmu);
}

/* ---- Room ---- */

/* Resumes where an earlier attempt ran out of memory. */
static status_t make_room(struct amd64_cpu *cpu) {
    vaddr_t base = io_area_base(cpu->cpu.id);

    for (; cpu->io_pages <= IO_MAP_PAGES + 1; cpu->io_pages++) {
        paddr_t page = virt_to_phys((void *)round_down((uintptr_t)&cpu->tss, PAGE_SIZE));
        status_t status = cpu->io_pages == 0 ? OK : upcall_stack_page_alloc(&page);
        if (status == OK)
            status = kernel_map_page(base + cpu->io_pages * PAGE_SIZE, page,
                                     cpu->io_pages == 0 ? MMU_READ : MMU_READ | MMU_WRITE);
        if (status != OK)
            return status;
    }
    *(map_of(cpu) + MAP_BYTES) = 0xff; /* the processor reads two bytes for each port */
    return OK;
}

static void move_tss(void *unused) {
    struct amd64_cpu *cpu = amd64_this();

    tables_set_tss(cpu, alias_of_tss(cpu), map_offset(cpu) + MAP_BYTES + 1);
}

status_t io_ports_prepare(void) {
    for (unsigned id = 0; id < cpu_count(); id++) {
        status_t status = make_room(amd64_cpu_of(cpu_get(id)));
        if (status != OK)
            return status;
    }
    cpu_call(UINT64_MAX, move_tss, NULL);
    return OK;
}
