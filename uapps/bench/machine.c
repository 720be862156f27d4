/*
 * machine.c - what the kernel says of the machine: memory in use, locks waited for.
 * Only the first process of a machine has the root resource, which both need.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/log.h>
#include <zircon/syscalls/object.h>

#include "bench/curves.h"

static zx_handle_t root_resource(void) {
    static zx_handle_t resource;
    if (resource == ZX_HANDLE_INVALID)
        resource = zx_take_startup_handle(PA_HND(PA_RESOURCE, 0));
    return resource;
}

static zx_info_kmem_stats_t memory(void) {
    zx_info_kmem_stats_t stats;
    CHECK(zx_object_get_info(root_resource(), ZX_INFO_KMEM_STATS, &stats, sizeof stats, NULL,
                             NULL));
    return stats;
}

int64_t heap_in_use(void) {
    zx_info_kmem_stats_t stats = memory();
    return (int64_t)(stats.total_heap_bytes - stats.free_heap_bytes);
}

int64_t tables_in_use(void) { return (int64_t)memory().mmu_overhead_bytes; }
int64_t memory_free(void) { return (int64_t)memory().free_bytes; }

#define CPUS_MAX 64

int64_t reschedule_ipis(void) {
    static zx_info_cpu_stats_t stats[CPUS_MAX];
    size_t count;
    int64_t sum = 0;
    CHECK(zx_object_get_info(root_resource(), ZX_INFO_CPU_STATS, stats, sizeof stats, &count,
                             NULL));
    for (size_t i = 0; i < count; i++)
        sum += (int64_t)stats[i].reschedule_ipis;
    return sum;
}

/* ---- Locks ---- */

/* The number in `locks: RANK contended N`, from the records that wait in `log`; 0 if in none. */
static int64_t contended_in(zx_handle_t log, const char *rank) {
    zx_log_record_t record;
    char label[64];
    int64_t number = 0;
    snprintf(label, sizeof label, "locks: %s contended ", rank);
    while (zx_debuglog_read(log, 0, &record, sizeof record) > 0) {
        char text[ZX_LOG_RECORD_DATA_MAX + 1];
        memcpy(text, record.data, record.datalen);
        text[record.datalen] = '\0';
        if (strncmp(text, label, strlen(label)) == 0)
            number = strtol(text + strlen(label), NULL, 10);
    }
    return number;
}

int64_t locks_contended(const char *rank) {
    static const char command[] = "locks";
    zx_handle_t log;
    CHECK(zx_debuglog_create(root_resource(), ZX_LOG_FLAG_READABLE, &log));
    (void)contended_in(log, rank);
    zx_status_t status = zx_debug_send_command(root_resource(), command, sizeof command - 1);
    int64_t number = status == ZX_OK ? contended_in(log, rank) : -1;
    CHECK(zx_handle_close(log));
    return number;
}
