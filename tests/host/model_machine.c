/*
 * model_machine.c - see model_machine.h: accesses through the page table, allocations
 * that fail, threads, time, and the machine's count of its memory.
 */
#include "tests/host/model_machine.h"

#include <string.h>
#include <time.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/iommu.h>

#include "arch/clock.h"
#include "arch/host/host.h"
#include "tests/host/user.h"
#include "vm/pmm.h"
#include "vm/reclaim.h"

const struct lockstep_kind *model_kind(const char *name) {
    static const struct lockstep_kind *const kinds[] = {&lockstep_objects, &lockstep_faults,
                                                        &lockstep_spaces};
    static const char *const names[] = {"objects", "faults", "spaces"};

    for (unsigned i = 0; i < ARRAY_SIZE(kinds); i++)
        if (strcmp(names[i], name) == 0)
            return kinds[i];
    return NULL;
}

/* ---- Accesses ---- */

struct access {
    uintptr_t address;
    void *to;
    const void *from;
    size_t length;
};

/* 0: done, as with calls. */
static uint64_t attempt(void *context) {
    const struct access *access = context;
    bool done = access->to ? host_user_read(access->address, access->to, access->length)
                           : host_user_write(access->address, access->from, access->length);

    return !done;
}

static bool access_memory(struct access access) {
    return user_attempt(attempt, &access, true) == 0;
}

bool lockstep_load(uintptr_t address, void *bytes, size_t length) {
    return access_memory((struct access){address, bytes, NULL, length});
}

bool lockstep_store(uintptr_t address, const void *bytes, size_t length) {
    return access_memory((struct access){address, NULL, bytes, length});
}

bool lockstep_fail_next_call(void (*judge)(bool partly)) {
    user_fail_next_call(judge);
    return true;
}

bool lockstep_has_failures(void) { return true; }

/* ---- Memory that comes back ---- */

bool lockstep_reclaim(void) {
    while (vmo_reclaim() > 0)
        ;
    return true;
}

zx_handle_t stress_root_resource(void) { return user_root_resource(); }

zx_handle_t lockstep_bti(void) {
    static const zx_iommu_desc_dummy_t dummy;
    zx_handle_t iommu, bti = ZX_HANDLE_INVALID;

    if (zx_iommu_create(stress_root_resource(), ZX_IOMMU_TYPE_DUMMY, &dummy, sizeof(dummy),
                        &iommu) == ZX_OK &&
        zx_bti_create(iommu, 0, 0, &bti) == ZX_OK && zx_handle_close(iommu) == ZX_OK)
        return bti;
    return ZX_HANDLE_INVALID;
}

bool lockstep_device_memory(uint64_t size, zx_paddr_t *out_base) {
    *out_base = HOST_DEVICE_BASE;
    return size <= HOST_DEVICE_SIZE;
}

/* ---- The rest ---- */

void stress_start(unsigned index, void (*work)(unsigned index)) {
    user_start_thread(LOCKSTEP_THREADS + 1 + index, index, work);
}
void stress_join(unsigned index) { user_join_thread(LOCKSTEP_THREADS + 1 + index); }

void stress_machine_begin(void) {}
void stress_run(unsigned threads, void (*work)(unsigned index)) { user_run_threads(threads, work); }
uint64_t machine_vmo_pages(void) { return pmm_stats().pages[PAGE_VMO]; }
void stress_audit(void) {}

zx_time_t zx_clock_get_monotonic(void) {
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000 + now.tv_nsec;
}
zx_time_t zx_deadline_after(zx_duration_t duration) { return clock_now() + duration; }
zx_ticks_t zx_ticks_get(void) { return zx_clock_get_monotonic(); }
uint32_t zx_system_get_num_cpus(void) { return 1; }
