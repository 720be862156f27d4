/*
 * sys_info.c - zx_object_get_info: topics of one record.
 *
 * The table below has for each topic which types of handle and which rights it
 * wants, and who fills the record. Topics that are lists are in sys_info_list.c.
 */
#include "syscall/sys_info.h"

#include <jacinth/info.h>

#include "object/bti.h"
#include "object/msi.h"
#include "object/object.h"
#include "object/resource.h"
#include "object/socket.h"
#include "object/stream.h"
#include "object/task_info.h"
#include "object/timer_object.h"
#include "syscall/sys_util.h"
#include "vm/aspace.h"
#include "vm/kheap.h"
#include "vm/pmm.h"
#include "vm/reclaim.h"

/* Room for the largest record. */
union record {
    zx_info_handle_basic_t handle_basic;
    zx_info_handle_count_t handle_count;
    zx_info_process_t process;
    zx_info_process_v2_t process_v2;
    zx_info_process_handle_stats_t handle_stats;
    zx_info_task_stats_v2_t task_stats;
    zx_info_task_runtime_v2_t task_runtime;
    zx_info_thread_t thread;
    zx_info_thread_stats_t thread_stats;
    zx_exception_report_t exception;
    zx_exception_report_v2_t exception_v2;
    zx_info_job_t job;
    zx_info_vmar_t vmar;
    zx_info_vmo_v4_t vmo;
    zx_info_socket_t socket;
    zx_info_stream_t stream;
    zx_info_timer_t timer;
    zx_info_resource_t resource;
    zx_info_bti_t bti;
    zx_info_msi_t msi;
    zx_info_kmem_stats_t kmem;
    zx_info_kmem_stats_extended_t kmem_extended;
    jx_info_page_maps_t page_maps;
    jx_info_thread_wait_t thread_wait;
};

/* ---- any object ---- */

static status_t fill_handle_basic(struct waitable *object, rights_t rights, union record *out) {
    out->handle_basic = (zx_info_handle_basic_t){
        .koid = object->koid,
        .rights = rights,
        .type = object->ops->type,
        .related_koid = object_related_koid(object),
    };
    return OK;
}

static status_t fill_handle_count(struct waitable *object, rights_t rights, union record *out) {
    out->handle_count.handle_count =
        atomic_load_explicit(&object->handle_count, memory_order_relaxed);
    return OK;
}

/* ---- tasks ---- */

static status_t fill_process_v2(struct waitable *object, rights_t rights, union record *out) {
    process_get_info(process_from(object), &out->process_v2);
    return OK;
}

static status_t fill_process(struct waitable *object, rights_t rights, union record *out) {
    zx_info_process_v2_t info;

    process_get_info(process_from(object), &info);
    out->process = (zx_info_process_t){
        .return_code = info.return_code,
        .started = info.flags & ZX_INFO_PROCESS_FLAG_STARTED,
        .exited = info.flags & ZX_INFO_PROCESS_FLAG_EXITED,
        .debugger_attached = info.flags & ZX_INFO_PROCESS_FLAG_DEBUGGER_ATTACHED,
    };
    return OK;
}

static status_t fill_handle_stats(struct waitable *object, rights_t rights, union record *out) {
    process_get_handle_stats(process_from(object), &out->handle_stats);
    return OK;
}

static status_t fill_task_stats(struct waitable *object, rights_t rights, union record *out) {
    return process_get_stats(process_from(object), &out->task_stats);
}

static status_t fill_task_runtime(struct waitable *object, rights_t rights, union record *out) {
    task_get_runtime(object, &out->task_runtime);
    return OK;
}

static status_t fill_thread(struct waitable *object, rights_t rights, union record *out) {
    thread_get_info(user_thread_from(object), &out->thread);
    return OK;
}

static status_t fill_thread_wait(struct waitable *object, rights_t rights, union record *out) {
    thread_get_wait(user_thread_from(object), &out->thread_wait);
    return OK;
}

static status_t fill_thread_stats(struct waitable *object, rights_t rights, union record *out) {
    return thread_get_stats(user_thread_from(object), &out->thread_stats);
}

static status_t fill_exception_v2(struct waitable *object, rights_t rights, union record *out) {
    return thread_get_exception(user_thread_from(object), &out->exception_v2);
}

/* The older record is the newer one without its end. */
static status_t fill_exception(struct waitable *object, rights_t rights, union record *out) {
    status_t status = fill_exception_v2(object, rights, out);

    out->exception.header.size = sizeof(out->exception);
    return status;
}

static status_t fill_job(struct waitable *object, rights_t rights, union record *out) {
    job_get_info(job_from(object), &out->job);
    return OK;
}

/* ---- memory ---- */

static status_t fill_vmar(struct waitable *object, rights_t rights, union record *out) {
    struct region *region = region_from(object);
    MUTEX_GUARD(&region->aspace->lock);

    out->vmar = (zx_info_vmar_t){.base = region->start, .len = region->size};
    return OK;
}

static uint32_t vmo_flags(const struct vmo_info *info) {
    static const uint32_t flags_of_kind[] = {
        [VMO_ANONYMOUS] = ZX_INFO_VMO_TYPE_PAGED,
        [VMO_DISCARDABLE] = ZX_INFO_VMO_TYPE_PAGED | ZX_INFO_VMO_DISCARDABLE,
        [VMO_CONTIGUOUS] = ZX_INFO_VMO_TYPE_PAGED | ZX_INFO_VMO_CONTIGUOUS,
        [VMO_PHYSICAL] = ZX_INFO_VMO_TYPE_PHYSICAL,
        [VMO_PAGER] = ZX_INFO_VMO_TYPE_PAGED | ZX_INFO_VMO_PAGER_BACKED,
        [VMO_LAZY] = ZX_INFO_VMO_TYPE_PAGED | ZX_INFO_VMO_PAGER_BACKED,
    };
    return flags_of_kind[info->kind] | (info->resizable ? ZX_INFO_VMO_RESIZABLE : 0) |
           (info->is_cow_clone ? ZX_INFO_VMO_IS_COW_CLONE : 0) |
           (info->immutable ? ZX_INFO_VMO_IMMUTABLE : 0);
}

static void fill_vmo_share(struct vmo *vmo, zx_info_vmo_v4_t *record) {
    struct map_share share = vmo_share(vmo, 0, vmo->shown ? 0 : record->size_bytes);

    record->committed_private_bytes = share.private_pages * PAGE_SIZE;
    record->committed_scaled_bytes =
        map_share_bytes(&share, &record->committed_fractional_scaled_bytes);
    record->populated_private_bytes = record->committed_private_bytes;
    record->populated_scaled_bytes = record->committed_scaled_bytes;
    record->populated_fractional_scaled_bytes = record->committed_fractional_scaled_bytes;
}

/* The newest record; an older topic gets the first part of it. */
void sys_info_fill_vmo(struct waitable *object, rights_t rights, uint32_t via, size_t record_size,
                       zx_info_vmo_v4_t *out_record) {
    struct vmo_info info = vmo_info(vmo_from(object));

    *out_record = (zx_info_vmo_v4_t){
        .koid = object->koid,
        .size_bytes = info.size,
        .parent_koid = info.parent_koid,
        .num_children = info.child_count,
        .num_mappings = info.mapping_count,
        .share_count = info.share_count,
        .flags = vmo_flags(&info) | via,
        .committed_bytes = info.committed_bytes,
        .handle_rights = rights,
        .cache_policy = info.cache_policy,
        .metadata_bytes = info.metadata_bytes,
        .committed_change_events = info.losses,
        .populated_bytes = info.populated_bytes,
    };
    object_get_name(object, out_record->name);
    if (record_size == sizeof(*out_record))
        fill_vmo_share(vmo_from(object), out_record);
}

static status_t fill_vmo(struct waitable *object, rights_t rights, union record *out) {
    sys_info_fill_vmo(object, rights, ZX_INFO_VMO_VIA_HANDLE, 0, &out->vmo);
    return OK;
}

static status_t fill_vmo_v4(struct waitable *object, rights_t rights, union record *out) {
    sys_info_fill_vmo(object, rights, ZX_INFO_VMO_VIA_HANDLE, sizeof(out->vmo), &out->vmo);
    return OK;
}

static status_t fill_kmem(struct waitable *object, rights_t rights, union record *out) {
    struct kheap_stats heap = kheap_stats();
    struct pmm_stats pages = pmm_stats();

    status_t status = resource_check(resource_from(object), ZX_RSRC_KIND_ROOT);
    if (status != OK)
        return status;
    out->kmem = (zx_info_kmem_stats_t){
        .total_bytes = pages.total_pages * PAGE_SIZE,
        .free_bytes = pages.pages[PAGE_FREE] * PAGE_SIZE,
        .wired_bytes = (pages.pages[PAGE_WIRED] + pages.pages[PAGE_LOADER]) * PAGE_SIZE,
        .total_heap_bytes = heap.bytes_total,
        .free_heap_bytes = heap.bytes_total - heap.bytes_used,
        .vmo_bytes = pages.pages[PAGE_VMO] * PAGE_SIZE,
        .mmu_overhead_bytes = pages.pages[PAGE_TABLE] * PAGE_SIZE,
        .other_bytes = pages.pages[PAGE_STACK] * PAGE_SIZE,
    };
    return OK;
}

static status_t fill_kmem_extended(struct waitable *object, rights_t rights, union record *out) {
    status_t status = fill_kmem(object, rights, out);
    const zx_info_kmem_stats_t plain = out->kmem;
    if (status != OK)
        return status;
    struct reclaim_stats pages = vmo_reclaim_stats();
    out->kmem_extended = (zx_info_kmem_stats_extended_t){
        .total_bytes = plain.total_bytes,
        .free_bytes = plain.free_bytes,
        .wired_bytes = plain.wired_bytes,
        .total_heap_bytes = plain.total_heap_bytes,
        .free_heap_bytes = plain.free_heap_bytes,
        .vmo_bytes = plain.vmo_bytes,
        .vmo_pager_total_bytes = pages.pager * PAGE_SIZE,
        .vmo_pager_newest_bytes = pages.pager_last * PAGE_SIZE,
        .vmo_pager_oldest_bytes = pages.pager_first * PAGE_SIZE,
        .vmo_discardable_locked_bytes = pages.discardable_locked * PAGE_SIZE,
        .vmo_discardable_unlocked_bytes = pages.discardable_unlocked * PAGE_SIZE,
        .mmu_overhead_bytes = plain.mmu_overhead_bytes,
        .ipc_bytes = plain.ipc_bytes,
        .other_bytes = plain.other_bytes,
    };
    return OK;
}

static status_t fill_page_maps(struct waitable *object, rights_t rights, union record *out) {
    uint64_t nodes = map_nodes_alive();

    status_t status = resource_check(resource_from(object), ZX_RSRC_KIND_ROOT);
    if (status == OK)
        out->page_maps =
            (jx_info_page_maps_t){nodes, nodes * kheap_cost(sizeof(struct map_node))};
    return status;
}

/* ---- other objects ---- */

static status_t fill_socket(struct waitable *object, rights_t rights, union record *out) {
    socket_get_info(socket_from(object), &out->socket);
    return OK;
}

static status_t fill_stream(struct waitable *object, rights_t rights, union record *out) {
    stream_get_info(stream_from(object), &out->stream);
    return OK;
}

static status_t fill_timer(struct waitable *object, rights_t rights, union record *out) {
    timer_object_get_info(timer_object_from(object), &out->timer);
    return OK;
}

static status_t fill_resource(struct waitable *object, rights_t rights, union record *out) {
    resource_get_info(resource_from(object), &out->resource);
    return OK;
}

static status_t fill_bti(struct waitable *object, rights_t rights, union record *out) {
    out->bti = (zx_info_bti_t){.minimum_contiguity = BTI_MIN_CONTIGUITY, .aspace_size = UINT64_MAX};
    bti_get_counts(bti_from(object), &out->bti.pmo_count, &out->bti.quarantine_count);
    return OK;
}

static status_t fill_msi(struct waitable *object, rights_t rights, union record *out) {
    msi_get_info(msi_from(object), &out->msi);
    return OK;
}

/* ---- the table ---- */

#define TYPE(name) ((uint64_t)1 << ZX_OBJ_TYPE_##name)
#define ANY_TYPE   UINT64_MAX
#define TASKS      (TYPE(JOB) | TYPE(PROCESS) | TYPE(THREAD))

struct topic {
    uint32_t number;
    rights_t needed;
    uint64_t types;
    size_t size;
    status_t (*fill)(struct waitable *object, rights_t rights, union record *out);
};
#define RECORD(type) sizeof(zx_info_##type##_t)

static const struct topic topics[] = {
    {ZX_INFO_HANDLE_BASIC, 0, ANY_TYPE, RECORD(handle_basic), fill_handle_basic},
    {ZX_INFO_HANDLE_COUNT, ZX_RIGHT_INSPECT, ANY_TYPE, RECORD(handle_count), fill_handle_count},
    {ZX_INFO_PROCESS, ZX_RIGHT_INSPECT, TYPE(PROCESS), RECORD(process), fill_process},
    {ZX_INFO_PROCESS_V2, ZX_RIGHT_INSPECT, TYPE(PROCESS), RECORD(process_v2), fill_process_v2},
    {ZX_INFO_PROCESS_HANDLE_STATS, ZX_RIGHT_INSPECT, TYPE(PROCESS), RECORD(process_handle_stats),
     fill_handle_stats},
    {ZX_INFO_TASK_STATS, ZX_RIGHT_INSPECT, TYPE(PROCESS), RECORD(task_stats), fill_task_stats},
    {ZX_INFO_TASK_STATS_V2, ZX_RIGHT_INSPECT, TYPE(PROCESS), RECORD(task_stats_v2),
     fill_task_stats},
    {ZX_INFO_TASK_RUNTIME, ZX_RIGHT_INSPECT, TASKS, RECORD(task_runtime), fill_task_runtime},
    {ZX_INFO_TASK_RUNTIME_V2, ZX_RIGHT_INSPECT, TASKS, RECORD(task_runtime_v2),
     fill_task_runtime},
    {ZX_INFO_THREAD, ZX_RIGHT_INSPECT, TYPE(THREAD), RECORD(thread), fill_thread},
    {ZX_INFO_THREAD_STATS, ZX_RIGHT_INSPECT, TYPE(THREAD), RECORD(thread_stats),
     fill_thread_stats},
    {ZX_INFO_THREAD_EXCEPTION_REPORT_V1, ZX_RIGHT_INSPECT, TYPE(THREAD),
     sizeof(zx_exception_report_t), fill_exception},
    {ZX_INFO_THREAD_EXCEPTION_REPORT_V2, ZX_RIGHT_INSPECT, TYPE(THREAD),
     sizeof(zx_exception_report_v2_t), fill_exception_v2},
    {ZX_INFO_JOB, ZX_RIGHT_INSPECT, TYPE(JOB), RECORD(job), fill_job},
    {ZX_INFO_VMAR, ZX_RIGHT_INSPECT, TYPE(VMAR), RECORD(vmar), fill_vmar},
    {ZX_INFO_VMO, 0, TYPE(VMO), RECORD(vmo), fill_vmo},
    {ZX_INFO_VMO_V2, 0, TYPE(VMO), RECORD(vmo_v2), fill_vmo},
    {ZX_INFO_VMO_V3, 0, TYPE(VMO), RECORD(vmo_v3), fill_vmo},
    {ZX_INFO_VMO_V4, 0, TYPE(VMO), RECORD(vmo_v4), fill_vmo_v4},
    {ZX_INFO_SOCKET, ZX_RIGHT_INSPECT, TYPE(SOCKET), RECORD(socket), fill_socket},
    {ZX_INFO_STREAM, ZX_RIGHT_INSPECT, TYPE(STREAM), RECORD(stream), fill_stream},
    {ZX_INFO_TIMER, ZX_RIGHT_INSPECT, TYPE(TIMER), RECORD(timer), fill_timer},
    {ZX_INFO_RESOURCE, ZX_RIGHT_INSPECT, TYPE(RESOURCE), RECORD(resource), fill_resource},
    {ZX_INFO_BTI, ZX_RIGHT_INSPECT, TYPE(BTI), RECORD(bti), fill_bti},
    {ZX_INFO_MSI, ZX_RIGHT_INSPECT, TYPE(MSI), RECORD(msi), fill_msi},
    {ZX_INFO_KMEM_STATS, 0, TYPE(RESOURCE), RECORD(kmem_stats), fill_kmem},
    {ZX_INFO_KMEM_STATS_EXTENDED, 0, TYPE(RESOURCE), RECORD(kmem_stats_extended),
     fill_kmem_extended},
    {JX_INFO_THREAD_WAIT, ZX_RIGHT_INSPECT, TYPE(THREAD), sizeof(jx_info_thread_wait_t),
     fill_thread_wait},
    {JX_INFO_PAGE_MAPS, 0, TYPE(RESOURCE), sizeof(jx_info_page_maps_t), fill_page_maps},
};

static const struct topic *topic_find(uint32_t number) {
    for (size_t i = 0; i < ARRAY_SIZE(topics); i++)
        if (topics[i].number == number)
            return &topics[i];
    return NULL;
}

status_t sys_info_lookup(uint32_t handle, uint64_t types, rights_t needed,
                         struct waitable **out_object, rights_t *out_rights) {
    AUTO(waitable) object = NULL;

    status_t status = sys_lookup_rights(handle, 0, 0, &object, out_rights);
    if (status != OK)
        return status;
    if (!(types >> object->ops->type & 1))
        return policy_lookup_failed(ERR_WRONG_TYPE);
    if (!rights_are_subset(needed, *out_rights))
        return ERR_ACCESS_DENIED;
    *out_object = TAKE(object);
    return OK;
}

status_t sys_info_copy_counts(const struct info_target *target, uint64_t actual, uint64_t avail) {
    status_t status = user_copy_out_u64_optional(target->actual, actual);

    return status != OK ? status : user_copy_out_u64_optional(target->avail, avail);
}

static status_t get_record(uint32_t handle, const struct topic *topic,
                           const struct info_target *target) {
    AUTO(waitable) object = NULL;
    union record record;
    rights_t rights;

    status_t status = sys_info_lookup(handle, topic->types, topic->needed, &object, &rights);
    if (status == OK)
        status = topic->fill(object, rights, &record);
    if (status != OK)
        return status;
    if (target->size < topic->size) {
        status = sys_info_copy_counts(target, 0, 1);
        return status != OK ? status : ERR_BUFFER_TOO_SMALL;
    }
    status = user_copy_out(target->buffer, &record, topic->size);
    return status != OK ? status : sys_info_copy_counts(target, 1, 1);
}

/* A question, not a use: the policy for bad handles is not asked. */
static status_t handle_is_valid(uint32_t handle) {
    struct found found = handle_table_look_up(sys_table(), handle, 0, 0);

    if (found.status == OK)
        waitable_unref(found.object);
    return found.status;
}

status_t sys_object_get_info(uint32_t handle, uint32_t topic, struct user_out buffer,
                             uint64_t buffer_size, struct user_out actual,
                             struct user_out avail) {
    const struct info_target target = {buffer, buffer_size, actual, avail};
    const struct topic *record_topic = topic_find(topic);

    if (topic == ZX_INFO_HANDLE_VALID)
        return handle_is_valid(handle);
    if (record_topic)
        return get_record(handle, record_topic, &target);
    return sys_info_list(handle, topic, &target);
}
