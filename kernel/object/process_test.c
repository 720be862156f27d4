/*
 * process_test.c - building a process from outside.
 */
#include "lib/ktest.h"
#include "object/process.h"
#include "sched/park.h"
#include "vm/aspace.h"

static uint64_t table_loads(void) {
    uint64_t sum = 0;
    for (unsigned cpu = 0; cpu < cpu_count(); cpu++)
        sum += cpu_get(cpu)->counters.aspace_loads;
    return sum;
}

/* No user thread runs while the kernel tests itself, so nobody else loads a table. */
KTEST(process, P17_making_and_filling_a_process_loads_no_page_table) {
    struct process *process;
    struct vmo *vmo;
    vaddr_t address;
    uint64_t before = table_loads();
    const uint32_t perm = ZX_VM_PERM_READ | ZX_VM_PERM_WRITE;
    REQUIRE(process_create(job_root(), "built", &process) == OK);
    REQUIRE(vmo_create(4 * PAGE_SIZE, false, &vmo) == OK);
    EXPECT_EQ(OK, vmo_write_kernel(vmo, 0, "code", 4));
    AUTO(region) root = aspace_root(process->aspace);
    EXPECT_EQ(OK, vmar_map(root, perm | ZX_VM_MAP_RANGE, 0, vmo, 0, 4 * PAGE_SIZE, perm, &address));
    EXPECT_EQ(before, table_loads());
    vmo_unref(vmo);
    process_kill(process, 0);
    process_unref(process);
}
