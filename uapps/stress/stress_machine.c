/*
 * stress_machine.c - threads, and the machine's count of its memory.
 */
#include "stress/stress.h"

#include <threads.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

#include "common/authority.h"
#include "common/system.h"

static zx_handle_t root_resource, system_channel;

void stress_machine_begin(void) {
    root_resource = zx_take_startup_handle(PA_HND(PA_RESOURCE, 0));
    system_channel = zx_take_startup_handle(AUTHORITY_SYSTEM);
}

/* ---- Threads ---- */

static void (*work_of_all)(unsigned index);

static int run_one(void *argument) {
    work_of_all((unsigned)(uintptr_t)argument);
    return 0;
}

void stress_run(unsigned threads, void (*work)(unsigned index)) {
    thrd_t thread[STRESS_THREADS_MAX];
    work_of_all = work;
    for (unsigned i = 0; i < threads; i++)
        if (thrd_create(&thread[i], run_one, (void *)(uintptr_t)i) != thrd_success)
            stress_fail("no memory for thread %u", i);
    for (unsigned i = 0; i < threads; i++)
        thrd_join(thread[i], NULL);
}

static struct companion {
    void (*work)(unsigned index);
    unsigned index;
    thrd_t thread;
} companions[STRESS_THREADS_MAX];

static int run_companion(void *argument) {
    const struct companion *companion = argument;
    companion->work(companion->index);
    return 0;
}

void stress_start(unsigned index, void (*work)(unsigned index)) {
    companions[index].work = work;
    companions[index].index = index;
    if (thrd_create(&companions[index].thread, run_companion, &companions[index]) != thrd_success)
        stress_fail("no memory for thread %u", index);
}

void stress_join(unsigned index) { thrd_join(companions[index].thread, NULL); }

/* ---- The machine's memory ---- */

zx_handle_t stress_root_resource(void) { return root_resource; }

bool machine_memory(zx_info_kmem_stats_t *out_stats) {
    struct system_answer answer;
    zx_handle_t none;
    if (root_resource != ZX_HANDLE_INVALID)
        return zx_object_get_info(root_resource, ZX_INFO_KMEM_STATS, out_stats,
                                  sizeof *out_stats, NULL, NULL) == ZX_OK;
    if (system_channel == ZX_HANDLE_INVALID ||
        system_ask(system_channel, SYSTEM_MEMORY, 0, &answer, &none) != ZX_OK)
        return false;
    *out_stats = answer.memory;
    return true;
}

uint64_t machine_vmo_pages(void) {
    zx_info_kmem_stats_t stats;
    return machine_memory(&stats) ? stats.vmo_bytes / PAGE : 0;
}

bool machine_trim(void) {
    static const char command[] = "trim";
    return zx_debug_send_command(root_resource, command, sizeof command - 1) == ZX_OK;
}

void stress_audit(void) {
    static const char command[] = "frames";
    zx_status_t status = zx_debug_send_command(root_resource, command, sizeof command - 1);
    if (status == ZX_ERR_INTERNAL)
        stress_fail("the kernel's audit of memory found differences; its log names them");
}
