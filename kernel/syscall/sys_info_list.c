/*
 * sys_info_list.c - zx_object_get_info: topics that are lists of records.
 *
 * A list is walked with a cursor, and each record is copied out while no lock is
 * held. What changes meanwhile is seen or not, but nothing is seen twice.
 */
#include "arch/cpu.h"
#include "arch/mmu.h"
#include "lib/string.h"
#include "object/object.h"
#include "object/port.h"
#include "object/task_info.h"
#include "syscall/sys_info.h"
#include "syscall/sys_resource.h"
#include "syscall/sys_util.h"
#include "vm/aspace.h"

/* Records on their way out. */
struct record_writer {
    const struct info_target *target;
    size_t record_size;
    uint64_t written, total;
};

static status_t writer_put(struct record_writer *writer, const void *record) {
    uint64_t offset = writer->written * writer->record_size;

    writer->total++;
    if (writer->target->size - offset < writer->record_size)
        return OK;
    writer->written++;
    return user_copy_out(user_out_at(writer->target->buffer, offset), record,
                         writer->record_size);
}

static status_t writer_finish(const struct record_writer *writer) {
    return sys_info_copy_counts(writer->target, writer->written, writer->total);
}

/* ---- koids of children ---- */

#define KOIDS_AT_ONCE 32

typedef size_t koid_lister(struct waitable *object, uint64_t after, uint64_t *koids, size_t max);

static size_t list_threads(struct waitable *object, uint64_t after, uint64_t *koids, size_t max) {
    return process_list_threads(process_from(object), after, koids, max);
}
static size_t list_jobs(struct waitable *object, uint64_t after, uint64_t *koids, size_t max) {
    return job_list_jobs(job_from(object), after, koids, max);
}
static size_t list_processes(struct waitable *object, uint64_t after, uint64_t *koids,
                             size_t max) {
    return job_list_processes(job_from(object), after, koids, max);
}

static status_t write_koids(struct record_writer *writer, struct waitable *object,
                            koid_lister *lister) {
    uint64_t koids[KOIDS_AT_ONCE], after = 0;
    size_t count;

    while ((count = lister(object, after, koids, KOIDS_AT_ONCE)) > 0) {
        for (size_t i = 0; i < count; i++) {
            status_t status = writer_put(writer, &koids[i]);
            if (status != OK)
                return status;
        }
        after = koids[count - 1];
    }
    return OK;
}

static status_t get_koids(uint32_t handle, uint32_t type, koid_lister *lister,
                          const struct info_target *target) {
    struct record_writer writer = {.target = target, .record_size = sizeof(uint64_t)};
    AUTO(waitable) object = NULL;

    status_t status = sys_lookup(handle, type, ZX_RIGHT_ENUMERATE, &object);
    if (status == OK)
        status = write_koids(&writer, object, lister);
    return status != OK ? status : writer_finish(&writer);
}

/* ---- handles ---- */

static status_t write_handles(struct record_writer *writer, struct handle_table *table) {
    uint32_t cursor = 0, value;
    struct handle handle;

    while (handle_table_next(table, &cursor, &value, &handle)) {
        zx_info_handle_extended_t record = {
            .type = handle.object->ops->type,
            .handle_value = value,
            .rights = handle.rights,
            .koid = handle.object->koid,
            .related_koid = object_related_koid(handle.object),
        };
        waitable_unref(handle.object);
        status_t status = writer_put(writer, &record);
        if (status != OK)
            return status;
    }
    return OK;
}

static status_t get_handle_table(uint32_t handle, const struct info_target *target) {
    struct record_writer writer = {.target = target,
                                   .record_size = sizeof(zx_info_handle_extended_t)};
    const rights_t needed =
        ZX_RIGHT_INSPECT | ZX_RIGHT_MANAGE_PROCESS | ZX_RIGHT_MANAGE_THREAD;
    AUTO(waitable) object = NULL;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_PROCESS, needed, &object);
    if (status == OK)
        status = write_handles(&writer, &process_from(object)->handles);
    return status != OK ? status : writer_finish(&writer);
}

static status_t write_ports(struct record_writer *writer, struct handle_table *table) {
    uint32_t cursor = 0, value;
    struct handle handle;
    status_t status = OK;

    while (status == OK && handle_table_next(table, &cursor, &value, &handle)) {
        if (handle.object->ops->type == ZX_OBJ_TYPE_PORT) {
            struct port_counts counts = port_counts(port_from(handle.object));
            jx_info_port_t record = {handle.object->koid, value, counts.packets, counts.waits,
                                     counts.threads};
            status = writer_put(writer, &record);
        }
        waitable_unref(handle.object);
    }
    return status;
}

static status_t get_ports(uint32_t handle, const struct info_target *target) {
    struct record_writer writer = {.target = target, .record_size = sizeof(jx_info_port_t)};
    AUTO(waitable) object = NULL;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_PROCESS, ZX_RIGHT_INSPECT, &object);
    if (status == OK)
        status = write_ports(&writer, &process_from(object)->handles);
    return status != OK ? status : writer_finish(&writer);
}

/* ---- maps ---- */

static status_t put_aspace(struct record_writer *writer) {
    zx_info_maps_v3_t record = {
        .name = "aspace",
        .base = USER_BASE,
        .size = USER_TOP - USER_BASE,
        .type = ZX_INFO_MAPS_TYPE_ASPACE,
    };

    return writer_put(writer, &record);
}

static void map_record(struct aspace *aspace, const struct aspace_entry *entry,
                       size_t record_size, zx_info_maps_v3_t *out_record) {
    struct map_share share = {};
    struct aspace_place place;

    *out_record = (zx_info_maps_v3_t){
        .base = entry->start,
        .size = entry->size,
        .depth = entry->depth,
        .type = entry->kind == REGION_VMAR ? ZX_INFO_MAPS_TYPE_VMAR : ZX_INFO_MAPS_TYPE_MAPPING,
    };
    memcpy(out_record->name, entry->name, sizeof(out_record->name));
    if (entry->kind != REGION_MAPPING)
        return;
    /* Older records are the first part of this one, but count pages. */
    bool in_bytes = record_size == sizeof(*out_record);
    uint64_t amount = in_bytes ? entry->committed_pages * PAGE_SIZE : entry->committed_pages;
    if (in_bytes && aspace_resolve(aspace, entry->start, &place) == OK) {
        share = vmo_share(place.vmo, entry->vmo_offset, entry->size);
        vmo_unref(place.vmo);
    }
    uint64_t fraction, scaled = map_share_bytes(&share, &fraction);
    out_record->u.mapping = (zx_info_maps_mapping_v3_t){
        .mmu_flags = entry->perm,
        .vmo_koid = entry->vmo_koid,
        .vmo_offset = entry->vmo_offset,
        .committed_bytes = amount,
        .populated_bytes = amount,
        .committed_private_bytes = share.private_pages * PAGE_SIZE,
        .populated_private_bytes = share.private_pages * PAGE_SIZE,
        .committed_scaled_bytes = scaled,
        .populated_scaled_bytes = scaled,
        .committed_fractional_scaled_bytes = fraction,
        .populated_fractional_scaled_bytes = fraction,
    };
}

static status_t write_maps(struct record_writer *writer, struct aspace *aspace) {
    struct aspace_entry entry;
    zx_info_maps_v3_t record;

    status_t status = put_aspace(writer);
    for (bool more = aspace_next_entry(aspace, NULL, &entry); more && status == OK;
         more = aspace_next_entry(aspace, &entry, &entry)) {
        map_record(aspace, &entry, writer->record_size, &record);
        status = writer_put(writer, &record);
    }
    return status;
}

/* Another process than the caller, not beyond `last` in its life. */
static status_t look_up_other(uint32_t handle, enum process_state last,
                              struct process **out_process) {
    AUTO(waitable) object = NULL;

    status_t status = sys_lookup(handle, ZX_OBJ_TYPE_PROCESS, ZX_RIGHT_INSPECT, &object);
    if (status != OK)
        return status;
    if (process_from(object) == process_current())
        return ERR_ACCESS_DENIED;
    if (process_state(process_from(object)) > last)
        return ERR_BAD_STATE;
    *out_process = process_from(TAKE(object));
    return OK;
}

static status_t get_maps(uint32_t handle, size_t record_size, const struct info_target *target) {
    struct record_writer writer = {.target = target, .record_size = record_size};
    AUTO(process) process = NULL;

    status_t status = look_up_other(handle, PROCESS_DYING, &process);
    if (status == OK)
        status = write_maps(&writer, process->aspace);
    return status != OK ? status : writer_finish(&writer);
}

/* ---- memory objects ---- */

/* First one record for each handle, then one for each mapping; nothing is merged. */
static status_t write_vmo_handles(struct record_writer *writer, struct handle_table *table) {
    uint32_t cursor = 0, value;
    struct handle handle;
    zx_info_vmo_v4_t record;
    status_t status = OK;

    while (status == OK && handle_table_next(table, &cursor, &value, &handle)) {
        if (handle.object->ops->type == ZX_OBJ_TYPE_VMO) {
            sys_info_fill_vmo(handle.object, handle.rights, ZX_INFO_VMO_VIA_HANDLE,
                              writer->record_size, &record);
            status = writer_put(writer, &record);
        }
        waitable_unref(handle.object);
    }
    return status;
}

static status_t write_vmo_mapping(struct record_writer *writer, struct aspace *aspace,
                                  const struct aspace_entry *entry) {
    struct aspace_place place;
    zx_info_vmo_v4_t record;

    if (entry->kind != REGION_MAPPING || aspace_resolve(aspace, entry->start, &place) != OK)
        return OK; /* unmapped meanwhile */
    sys_info_fill_vmo(&place.vmo->base, 0, ZX_INFO_VMO_VIA_MAPPING, writer->record_size, &record);
    vmo_unref(place.vmo);
    return writer_put(writer, &record);
}

static status_t write_vmo_mappings(struct record_writer *writer, struct aspace *aspace) {
    struct aspace_entry entry;
    status_t status = OK;

    for (bool more = aspace_next_entry(aspace, NULL, &entry); more && status == OK;
         more = aspace_next_entry(aspace, &entry, &entry))
        status = write_vmo_mapping(writer, aspace, &entry);
    return status;
}

/* The record of an older version is the first part of the newest. */
static status_t get_vmos(uint32_t handle, size_t record_size, const struct info_target *target) {
    struct record_writer writer = {.target = target, .record_size = record_size};
    AUTO(process) process = NULL;

    status_t status = look_up_other(handle, PROCESS_RUNNING, &process);
    if (status == OK && process_state(process) == PROCESS_INITIAL)
        status = ERR_BAD_STATE;
    if (status == OK)
        status = write_vmo_handles(&writer, &process->handles);
    if (status == OK)
        status = write_vmo_mappings(&writer, process->aspace);
    return status != OK ? status : writer_finish(&writer);
}

/* ---- CPUs ---- */

static void cpu_record(unsigned id, zx_info_cpu_stats_t *out_record) {
    const struct cpu_counters *counters = &cpu_get(id)->counters;

    *out_record = (zx_info_cpu_stats_t){
        .cpu_number = id,
        .flags = ZX_INFO_CPU_STATS_FLAG_ONLINE,
        .idle_time = (nstime_t)counter_read(&counters->idle_time),
        .reschedules = counter_read(&counters->reschedules),
        .context_switches = counter_read(&counters->context_switches),
        .irq_preempts = counter_read(&counters->irq_preempts),
        .preempts = counter_read(&counters->preempts),
        .yields = counter_read(&counters->yields),
        .ints = counter_read(&counters->ints),
        .timer_ints = counter_read(&counters->timer_ints),
        .timers = counter_read(&counters->timers),
        .page_faults = counter_read(&counters->page_faults),
        .exceptions = counter_read(&counters->exceptions),
        .syscalls = counter_read(&counters->syscalls),
        .reschedule_ipis = counter_read(&counters->reschedule_ipis),
        .generic_ipis = counter_read(&counters->generic_ipis),
    };
}

static status_t get_cpu_stats(uint32_t handle, const struct info_target *target) {
    struct record_writer writer = {.target = target, .record_size = sizeof(zx_info_cpu_stats_t)};
    zx_info_cpu_stats_t record;

    status_t status = sys_check_resource(handle, ZX_RSRC_KIND_ROOT);
    for (unsigned id = 0; id < cpu_count() && status == OK; id++) {
        cpu_record(id, &record);
        status = writer_put(&writer, &record);
    }
    return status != OK ? status : writer_finish(&writer);
}

status_t sys_info_list(uint32_t handle, uint32_t topic, const struct info_target *target) {
    switch (topic) {
    case ZX_INFO_PROCESS_THREADS:
        return get_koids(handle, ZX_OBJ_TYPE_PROCESS, list_threads, target);
    case ZX_INFO_JOB_CHILDREN:
        return get_koids(handle, ZX_OBJ_TYPE_JOB, list_jobs, target);
    case ZX_INFO_JOB_PROCESSES:
        return get_koids(handle, ZX_OBJ_TYPE_JOB, list_processes, target);
    case ZX_INFO_HANDLE_TABLE:
        return get_handle_table(handle, target);
    case ZX_INFO_PROCESS_MAPS:
        return get_maps(handle, sizeof(zx_info_maps_t), target);
    case ZX_INFO_PROCESS_MAPS_V2:
        return get_maps(handle, sizeof(zx_info_maps_v2_t), target);
    case ZX_INFO_PROCESS_MAPS_V3:
        return get_maps(handle, sizeof(zx_info_maps_v3_t), target);
    case ZX_INFO_PROCESS_VMOS:
        return get_vmos(handle, sizeof(zx_info_vmo_v1_t), target);
    case ZX_INFO_PROCESS_VMOS_V2:
        return get_vmos(handle, sizeof(zx_info_vmo_v2_t), target);
    case ZX_INFO_PROCESS_VMOS_V3:
        return get_vmos(handle, sizeof(zx_info_vmo_v3_t), target);
    case ZX_INFO_PROCESS_VMOS_V4:
        return get_vmos(handle, sizeof(zx_info_vmo_v4_t), target);
    case JX_INFO_PROCESS_PORTS:
        return get_ports(handle, target);
    case ZX_INFO_CPU_STATS:
        return get_cpu_stats(handle, target);
    default:
        return ERR_NOT_SUPPORTED;
    }
}
