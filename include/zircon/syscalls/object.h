/*
 * syscalls/object.h - topics and records of zx_object_get_info, and properties.
 *
 * Records have no implicit padding: the padding fields are 0 in what the kernel writes.
 */
#pragma once

#include <zircon/types.h>

/* Topics. A newer record of a topic has its version in bits 28 and up. */
#define ZX_INFO_TOPIC_(topic, version)                                                             \
    ((zx_object_info_topic_t)((uint32_t)(topic) | ((uint32_t)(version) << 28)))

#define ZX_INFO_NONE                    ((zx_object_info_topic_t)0u)
#define ZX_INFO_HANDLE_VALID            ((zx_object_info_topic_t)1u)
#define ZX_INFO_HANDLE_BASIC            ((zx_object_info_topic_t)2u)
#define ZX_INFO_PROCESS                 ((zx_object_info_topic_t)3u)
#define ZX_INFO_PROCESS_THREADS         ((zx_object_info_topic_t)4u)
#define ZX_INFO_VMAR                    ((zx_object_info_topic_t)7u)
#define ZX_INFO_JOB_CHILDREN            ((zx_object_info_topic_t)8u)
#define ZX_INFO_JOB_PROCESSES           ((zx_object_info_topic_t)9u)
#define ZX_INFO_THREAD                  ((zx_object_info_topic_t)10u)
#define ZX_INFO_THREAD_EXCEPTION_REPORT ((zx_object_info_topic_t)11u)
#define ZX_INFO_TASK_STATS              ((zx_object_info_topic_t)12u)
#define ZX_INFO_PROCESS_MAPS            ((zx_object_info_topic_t)13u)
#define ZX_INFO_PROCESS_VMOS            ((zx_object_info_topic_t)14u)
#define ZX_INFO_THREAD_STATS            ((zx_object_info_topic_t)15u)
#define ZX_INFO_CPU_STATS               ((zx_object_info_topic_t)16u)
#define ZX_INFO_KMEM_STATS              ((zx_object_info_topic_t)17u)
#define ZX_INFO_RESOURCE                ((zx_object_info_topic_t)18u)
#define ZX_INFO_HANDLE_COUNT            ((zx_object_info_topic_t)19u)
#define ZX_INFO_BTI                     ((zx_object_info_topic_t)20u)
#define ZX_INFO_PROCESS_HANDLE_STATS    ((zx_object_info_topic_t)21u)
#define ZX_INFO_SOCKET                  ((zx_object_info_topic_t)22u)
#define ZX_INFO_VMO                     ((zx_object_info_topic_t)23u)
#define ZX_INFO_JOB                     ((zx_object_info_topic_t)24u)
#define ZX_INFO_TIMER                   ((zx_object_info_topic_t)25u)
#define ZX_INFO_STREAM                  ((zx_object_info_topic_t)26u)
#define ZX_INFO_HANDLE_TABLE            ((zx_object_info_topic_t)27u)
#define ZX_INFO_MSI                     ((zx_object_info_topic_t)28u)
#define ZX_INFO_GUEST_STATS             ((zx_object_info_topic_t)29u)
#define ZX_INFO_TASK_RUNTIME            ((zx_object_info_topic_t)30u)
#define ZX_INFO_KMEM_STATS_EXTENDED     ((zx_object_info_topic_t)31u)

/* The plain names above mean the first versions. */
#define ZX_INFO_PROCESS_V1                 ZX_INFO_TOPIC_(3, 0)
#define ZX_INFO_PROCESS_V2                 ZX_INFO_TOPIC_(3, 1)
#define ZX_INFO_THREAD_EXCEPTION_REPORT_V1 ZX_INFO_TOPIC_(11, 0)
#define ZX_INFO_THREAD_EXCEPTION_REPORT_V2 ZX_INFO_TOPIC_(11, 1)
#define ZX_INFO_TASK_STATS_V1              ZX_INFO_TOPIC_(12, 0)
#define ZX_INFO_TASK_STATS_V2              ZX_INFO_TOPIC_(12, 1)
#define ZX_INFO_PROCESS_MAPS_V1            ZX_INFO_TOPIC_(13, 0)
#define ZX_INFO_PROCESS_MAPS_V2            ZX_INFO_TOPIC_(13, 1)
#define ZX_INFO_PROCESS_MAPS_V3            ZX_INFO_TOPIC_(13, 2)
#define ZX_INFO_PROCESS_VMOS_V1            ZX_INFO_TOPIC_(14, 0)
#define ZX_INFO_PROCESS_VMOS_V2            ZX_INFO_TOPIC_(14, 1)
#define ZX_INFO_PROCESS_VMOS_V3            ZX_INFO_TOPIC_(14, 2)
#define ZX_INFO_PROCESS_VMOS_V4            ZX_INFO_TOPIC_(14, 3)
#define ZX_INFO_VMO_V1                     ZX_INFO_TOPIC_(23, 0)
#define ZX_INFO_VMO_V2                     ZX_INFO_TOPIC_(23, 1)
#define ZX_INFO_VMO_V3                     ZX_INFO_TOPIC_(23, 2)
#define ZX_INFO_VMO_V4                     ZX_INFO_TOPIC_(23, 3)
#define ZX_INFO_TASK_RUNTIME_V1            ZX_INFO_TOPIC_(30, 0)
#define ZX_INFO_TASK_RUNTIME_V2            ZX_INFO_TOPIC_(30, 1)

/* ZX_INFO_HANDLE_BASIC */
typedef struct zx_info_handle_basic {
    zx_koid_t koid;
    zx_rights_t rights;
    zx_obj_type_t type;
    zx_koid_t related_koid; /* peer, parent job, job of a process, process of a thread; else 0 */
    uint32_t reserved;      /* 0 */
    uint8_t padding1[4];
} zx_info_handle_basic_t;
_Static_assert(sizeof(zx_info_handle_basic_t) == 32, "ABI");

/* ZX_INFO_HANDLE_TABLE: one for each handle of a process. */
typedef struct zx_info_handle_extended {
    zx_obj_type_t type;
    zx_handle_t handle_value;
    zx_rights_t rights;
    uint32_t reserved; /* 0 */
    zx_koid_t koid;
    zx_koid_t related_koid;
    zx_koid_t peer_owner_koid; /* 0 */
} zx_info_handle_extended_t;
_Static_assert(sizeof(zx_info_handle_extended_t) == 40, "ABI");
_Static_assert(offsetof(zx_info_handle_extended_t, koid) == 16, "ABI");

/* ZX_INFO_HANDLE_COUNT */
typedef struct zx_info_handle_count {
    uint32_t handle_count;
} zx_info_handle_count_t;
_Static_assert(sizeof(zx_info_handle_count_t) == 4, "ABI");

/* ZX_INFO_PROCESS_HANDLE_STATS: how many handles, by type. */
typedef struct zx_info_process_handle_stats {
    uint32_t handle_count[ZX_OBJ_TYPE_UPPER_BOUND];
} zx_info_process_handle_stats_t;
_Static_assert(sizeof(zx_info_process_handle_stats_t) == 256, "ABI");

/* ZX_INFO_PROCESS */
typedef struct zx_info_process {
    int64_t return_code; /* valid once exited */
    bool started;
    bool exited;
    bool debugger_attached;
    uint8_t padding1[5];
} zx_info_process_t;
_Static_assert(sizeof(zx_info_process_t) == 16, "ABI");
typedef zx_info_process_t zx_info_process_v1_t;

/* ZX_INFO_PROCESS_V2 */
#define ZX_INFO_PROCESS_FLAG_STARTED           (1u << 0)
#define ZX_INFO_PROCESS_FLAG_EXITED            (1u << 1)
#define ZX_INFO_PROCESS_FLAG_DEBUGGER_ATTACHED (1u << 2)
typedef uint32_t zx_info_process_flags_t;
typedef struct zx_info_process_v2 {
    int64_t return_code;
    zx_time_t start_time;
    zx_info_process_flags_t flags;
    uint8_t padding1[4];
} zx_info_process_v2_t;
_Static_assert(sizeof(zx_info_process_v2_t) == 24, "ABI");

/* ZX_INFO_JOB */
typedef struct zx_info_job {
    int64_t return_code;
    bool exited;
    bool kill_on_oom;
    bool debugger_attached;
    uint8_t padding1[5];
} zx_info_job_t;
_Static_assert(sizeof(zx_info_job_t) == 16, "ABI");

/* ZX_INFO_THREAD */
#define ZX_THREAD_STATE_NEW                ((zx_thread_state_t)0x0000u)
#define ZX_THREAD_STATE_RUNNING            ((zx_thread_state_t)0x0001u)
#define ZX_THREAD_STATE_SUSPENDED          ((zx_thread_state_t)0x0002u)
#define ZX_THREAD_STATE_BLOCKED            ((zx_thread_state_t)0x0003u) /* never alone */
#define ZX_THREAD_STATE_DYING              ((zx_thread_state_t)0x0004u)
#define ZX_THREAD_STATE_DEAD               ((zx_thread_state_t)0x0005u)
#define ZX_THREAD_STATE_BLOCKED_EXCEPTION  ((zx_thread_state_t)0x0103u)
#define ZX_THREAD_STATE_BLOCKED_SLEEPING   ((zx_thread_state_t)0x0203u)
#define ZX_THREAD_STATE_BLOCKED_FUTEX      ((zx_thread_state_t)0x0303u)
#define ZX_THREAD_STATE_BLOCKED_PORT       ((zx_thread_state_t)0x0403u)
#define ZX_THREAD_STATE_BLOCKED_CHANNEL    ((zx_thread_state_t)0x0503u)
#define ZX_THREAD_STATE_BLOCKED_WAIT_ONE   ((zx_thread_state_t)0x0603u)
#define ZX_THREAD_STATE_BLOCKED_WAIT_MANY  ((zx_thread_state_t)0x0703u)
#define ZX_THREAD_STATE_BLOCKED_INTERRUPT  ((zx_thread_state_t)0x0803u)
#define ZX_THREAD_STATE_BLOCKED_PAGER      ((zx_thread_state_t)0x0903u)
#define ZX_THREAD_STATE_BASIC(state)       ((zx_thread_state_t)(state) & 0xffu)

typedef struct zx_info_thread {
    zx_thread_state_t state;
    uint32_t wait_exception_channel_type; /* ZX_EXCEPTION_CHANNEL_TYPE_ */
    zx_cpu_set_t cpu_affinity_mask;
} zx_info_thread_t;
_Static_assert(sizeof(zx_info_thread_t) == 72, "ABI");

/* ZX_INFO_THREAD_STATS */
#define ZX_INFO_INVALID_CPU 0xffffffffu
typedef struct zx_info_thread_stats {
    zx_duration_t total_runtime;
    uint32_t last_scheduled_cpu; /* ZX_INFO_INVALID_CPU when it never ran */
    uint8_t padding1[4];
} zx_info_thread_stats_t;
_Static_assert(sizeof(zx_info_thread_stats_t) == 16, "ABI");

/* ZX_INFO_TASK_STATS */
typedef struct zx_info_task_stats {
    size_t mem_mapped_bytes;
    size_t mem_private_bytes;
    size_t mem_shared_bytes;
    size_t mem_scaled_shared_bytes;
} zx_info_task_stats_t;
_Static_assert(sizeof(zx_info_task_stats_t) == 32, "ABI");
typedef zx_info_task_stats_t zx_info_task_stats_v1_t;

/* A part of a byte, as a fraction with 63 bits behind the point; bit 63 is 0. */
typedef uint64_t zx_info_fraction_t;

/* ZX_INFO_TASK_STATS_V2 */
typedef struct zx_info_task_stats_v2 {
    size_t mem_mapped_bytes;
    size_t mem_private_bytes;
    size_t mem_shared_bytes;
    size_t mem_scaled_shared_bytes;
    zx_info_fraction_t mem_fractional_scaled_shared_bytes;
} zx_info_task_stats_v2_t;
_Static_assert(sizeof(zx_info_task_stats_v2_t) == 40, "ABI");

/* ZX_INFO_TASK_RUNTIME */
typedef struct zx_info_task_runtime {
    zx_duration_t cpu_time;
    zx_duration_t queue_time;
} zx_info_task_runtime_t;
_Static_assert(sizeof(zx_info_task_runtime_t) == 16, "ABI");
typedef zx_info_task_runtime_t zx_info_task_runtime_v1_t;

/* ZX_INFO_TASK_RUNTIME_V2 */
typedef struct zx_info_task_runtime_v2 {
    zx_duration_t cpu_time;
    zx_duration_t queue_time;
    zx_duration_t page_fault_time;
    zx_duration_t lock_contention_time; /* waiting for locks of the kernel */
} zx_info_task_runtime_v2_t;
_Static_assert(sizeof(zx_info_task_runtime_v2_t) == 32, "ABI");

/* ZX_INFO_VMAR */
typedef struct zx_info_vmar {
    uintptr_t base;
    size_t len;
} zx_info_vmar_t;
_Static_assert(sizeof(zx_info_vmar_t) == 16, "ABI");

/* ZX_INFO_VMO */
#define ZX_INFO_VMO_TYPE_PAGED    (1u << 0)
#define ZX_INFO_VMO_TYPE_PHYSICAL (0u << 0)
#define ZX_INFO_VMO_RESIZABLE     (1u << 1)
#define ZX_INFO_VMO_IS_COW_CLONE  (1u << 2)
#define ZX_INFO_VMO_VIA_HANDLE    (1u << 3)
#define ZX_INFO_VMO_VIA_MAPPING   (1u << 4)
#define ZX_INFO_VMO_PAGER_BACKED  (1u << 5)
#define ZX_INFO_VMO_CONTIGUOUS    (1u << 6)
#define ZX_INFO_VMO_DISCARDABLE   (1u << 7)
#define ZX_INFO_VMO_IMMUTABLE     (1u << 8)

typedef struct zx_info_vmo {
    zx_koid_t koid;
    char name[ZX_MAX_NAME_LEN];
    uint64_t size_bytes;
    zx_koid_t parent_koid;
    size_t num_children;
    size_t num_mappings;
    size_t share_count; /* processes that map it, about */
    uint32_t flags;
    uint8_t padding1[4];
    uint64_t committed_bytes;
    zx_rights_t handle_rights; /* of the handle that was asked */
    uint32_t cache_policy;
} zx_info_vmo_t;
_Static_assert(sizeof(zx_info_vmo_t) == 104, "ABI");
_Static_assert(offsetof(zx_info_vmo_t, size_bytes) == 40, "ABI");
_Static_assert(offsetof(zx_info_vmo_t, flags) == 80, "ABI");
_Static_assert(offsetof(zx_info_vmo_t, committed_bytes) == 88, "ABI");
typedef zx_info_vmo_t zx_info_vmo_v1_t;

/* ZX_INFO_VMO_V2 */
typedef struct zx_info_vmo_v2 {
    zx_koid_t koid;
    char name[ZX_MAX_NAME_LEN];
    uint64_t size_bytes;
    zx_koid_t parent_koid;
    size_t num_children;
    size_t num_mappings;
    size_t share_count;
    uint32_t flags;
    uint8_t padding1[4];
    uint64_t committed_bytes;
    zx_rights_t handle_rights;
    uint32_t cache_policy;
    uint64_t metadata_bytes;
    uint64_t committed_change_events;
} zx_info_vmo_v2_t;
_Static_assert(sizeof(zx_info_vmo_v2_t) == 120, "ABI");

/* ZX_INFO_VMO_V3 */
typedef struct zx_info_vmo_v3 {
    zx_koid_t koid;
    char name[ZX_MAX_NAME_LEN];
    uint64_t size_bytes;
    zx_koid_t parent_koid;
    size_t num_children;
    size_t num_mappings;
    size_t share_count;
    uint32_t flags;
    uint8_t padding1[4];
    uint64_t committed_bytes;
    zx_rights_t handle_rights;
    uint32_t cache_policy;
    uint64_t metadata_bytes;
    uint64_t committed_change_events;
    uint64_t populated_bytes;
} zx_info_vmo_v3_t;
_Static_assert(sizeof(zx_info_vmo_v3_t) == 128, "ABI");
_Static_assert(offsetof(zx_info_vmo_v3_t, populated_bytes) == 120, "ABI");

/*
 * ZX_INFO_VMO_V4. Private bytes are in pages that no other VMO shows; each page that
 * several show counts in parts, which add up to one page over all of them (scaled).
 */
typedef struct zx_info_vmo_v4 {
    zx_koid_t koid;
    char name[ZX_MAX_NAME_LEN];
    uint64_t size_bytes;
    zx_koid_t parent_koid;
    size_t num_children;
    size_t num_mappings;
    size_t share_count;
    uint32_t flags;
    uint8_t padding1[4];
    uint64_t committed_bytes;
    zx_rights_t handle_rights;
    uint32_t cache_policy;
    uint64_t metadata_bytes;
    uint64_t committed_change_events; /* how often the kernel took pages of its own accord */
    uint64_t populated_bytes;
    uint64_t committed_private_bytes;
    uint64_t populated_private_bytes;
    uint64_t committed_scaled_bytes;
    uint64_t populated_scaled_bytes;
    zx_info_fraction_t committed_fractional_scaled_bytes;
    zx_info_fraction_t populated_fractional_scaled_bytes;
} zx_info_vmo_v4_t;
_Static_assert(sizeof(zx_info_vmo_v4_t) == 176, "ABI");
_Static_assert(offsetof(zx_info_vmo_v4_t, committed_private_bytes) == 128, "ABI");
_Static_assert(offsetof(zx_info_vmo_v4_t, populated_fractional_scaled_bytes) == 168, "ABI");

/* ZX_INFO_PROCESS_MAPS: the address space, depth first, addresses ascending. */
#define ZX_INFO_MAPS_TYPE_NONE    ((zx_info_maps_type_t)0u)
#define ZX_INFO_MAPS_TYPE_ASPACE  ((zx_info_maps_type_t)1u)
#define ZX_INFO_MAPS_TYPE_VMAR    ((zx_info_maps_type_t)2u)
#define ZX_INFO_MAPS_TYPE_MAPPING ((zx_info_maps_type_t)3u)

typedef struct zx_info_maps_mapping {
    zx_vm_option_t mmu_flags; /* ZX_VM_PERM_ */
    uint8_t padding1[4];
    zx_koid_t vmo_koid;
    uint64_t vmo_offset;
    size_t committed_pages;
} zx_info_maps_mapping_t;
_Static_assert(sizeof(zx_info_maps_mapping_t) == 32, "ABI");

typedef struct zx_info_maps {
    char name[ZX_MAX_NAME_LEN];
    zx_vaddr_t base;
    size_t size;
    size_t depth;
    zx_info_maps_type_t type;
    uint8_t padding1[4];
    union {
        zx_info_maps_mapping_t mapping; /* for ZX_INFO_MAPS_TYPE_MAPPING */
    } u;
} zx_info_maps_t;
_Static_assert(sizeof(zx_info_maps_t) == 96, "ABI");
_Static_assert(offsetof(zx_info_maps_t, u) == 64, "ABI");
typedef zx_info_maps_t zx_info_maps_v1_t;

/* ZX_INFO_PROCESS_MAPS_V2 */
typedef struct zx_info_maps_mapping_v2 {
    zx_vm_option_t mmu_flags;
    uint8_t padding1[4];
    zx_koid_t vmo_koid;
    uint64_t vmo_offset;
    size_t committed_pages;
    size_t populated_pages;
} zx_info_maps_mapping_v2_t;

typedef struct zx_info_maps_v2 {
    char name[ZX_MAX_NAME_LEN];
    zx_vaddr_t base;
    size_t size;
    size_t depth;
    zx_info_maps_type_t type;
    uint8_t padding1[4];
    union {
        zx_info_maps_mapping_v2_t mapping;
    } u;
} zx_info_maps_v2_t;
_Static_assert(sizeof(zx_info_maps_v2_t) == 104, "ABI");

/* ZX_INFO_PROCESS_MAPS_V3: bytes for pages; private and scaled as in zx_info_vmo_v4_t. */
typedef struct zx_info_maps_mapping_v3 {
    zx_vm_option_t mmu_flags;
    uint8_t padding1[4];
    zx_koid_t vmo_koid;
    uint64_t vmo_offset;
    size_t committed_bytes;
    size_t populated_bytes;
    size_t committed_private_bytes;
    size_t populated_private_bytes;
    size_t committed_scaled_bytes;
    size_t populated_scaled_bytes;
    zx_info_fraction_t committed_fractional_scaled_bytes;
    zx_info_fraction_t populated_fractional_scaled_bytes;
} zx_info_maps_mapping_v3_t;
_Static_assert(offsetof(zx_info_maps_mapping_v3_t, committed_fractional_scaled_bytes) == 72, "ABI");

typedef struct zx_info_maps_v3 {
    char name[ZX_MAX_NAME_LEN];
    zx_vaddr_t base;
    size_t size;
    size_t depth;
    zx_info_maps_type_t type;
    uint8_t padding1[4];
    union {
        zx_info_maps_mapping_v3_t mapping;
    } u;
} zx_info_maps_v3_t;
_Static_assert(sizeof(zx_info_maps_v3_t) == 152, "ABI");

/* ZX_INFO_SOCKET */
typedef struct zx_info_socket {
    uint32_t options;
    uint8_t padding1[4];
    size_t rx_buf_max;
    size_t rx_buf_size;
    size_t rx_buf_available;
    size_t tx_buf_max;
    size_t tx_buf_size;
} zx_info_socket_t;
_Static_assert(sizeof(zx_info_socket_t) == 48, "ABI");

/* ZX_INFO_TIMER */
typedef struct zx_info_timer {
    uint32_t options;
    uint8_t padding1[4];
    zx_time_t deadline; /* 0 when not armed */
    zx_duration_t slack;
} zx_info_timer_t;
_Static_assert(sizeof(zx_info_timer_t) == 24, "ABI");

/* ZX_INFO_BTI */
typedef struct zx_info_bti {
    uint64_t minimum_contiguity;
    uint64_t aspace_size;
    uint64_t pmo_count;
    uint64_t quarantine_count;
} zx_info_bti_t;
_Static_assert(sizeof(zx_info_bti_t) == 32, "ABI");

/* ZX_INFO_RESOURCE */
typedef struct zx_info_resource {
    zx_rsrc_kind_t kind;
    uint32_t flags;
    uint64_t base;
    size_t size;
    char name[ZX_MAX_NAME_LEN];
} zx_info_resource_t;
_Static_assert(sizeof(zx_info_resource_t) == 56, "ABI");

/* ZX_INFO_MSI */
typedef struct zx_info_msi {
    uint64_t target_addr;
    uint32_t target_data;
    uint32_t base_irq_id;
    uint32_t num_irq;
    uint32_t interrupt_count;
} zx_info_msi_t;
_Static_assert(sizeof(zx_info_msi_t) == 24, "ABI");

/* ZX_INFO_CPU_STATS: one for each CPU. */
#define ZX_INFO_CPU_STATS_FLAG_ONLINE (1u << 0)
typedef struct zx_info_cpu_stats {
    uint32_t cpu_number;
    uint32_t flags;
    zx_duration_t idle_time;
    uint64_t reschedules;
    uint64_t context_switches;
    uint64_t irq_preempts;
    uint64_t preempts;
    uint64_t yields;
    uint64_t ints;
    uint64_t timer_ints;
    uint64_t timers;
    uint64_t page_faults;
    uint64_t exceptions;
    uint64_t syscalls;
    uint64_t reschedule_ipis;
    uint64_t generic_ipis;
} zx_info_cpu_stats_t;
_Static_assert(sizeof(zx_info_cpu_stats_t) == 120, "ABI");

/* ZX_INFO_KMEM_STATS: the machine's memory, by owner. */
typedef struct zx_info_kmem_stats {
    uint64_t total_bytes;
    uint64_t free_bytes;
    uint64_t wired_bytes;
    uint64_t total_heap_bytes;
    uint64_t free_heap_bytes;
    uint64_t vmo_bytes;
    uint64_t mmu_overhead_bytes;
    uint64_t ipc_bytes;
    uint64_t other_bytes;
} zx_info_kmem_stats_t;
_Static_assert(sizeof(zx_info_kmem_stats_t) == 72, "ABI");

/*
 * ZX_INFO_KMEM_STATS_EXTENDED. Pages with a pager have no ages here, but an order in which
 * they would go: the oldest are those of the VMO that goes first, the newest of the last.
 */
typedef struct zx_info_kmem_stats_extended {
    uint64_t total_bytes;
    uint64_t free_bytes;
    uint64_t wired_bytes;
    uint64_t total_heap_bytes;
    uint64_t free_heap_bytes;
    uint64_t vmo_bytes;
    uint64_t vmo_pager_total_bytes;
    uint64_t vmo_pager_newest_bytes;
    uint64_t vmo_pager_oldest_bytes;
    uint64_t vmo_discardable_locked_bytes;
    uint64_t vmo_discardable_unlocked_bytes;
    uint64_t mmu_overhead_bytes;
    uint64_t ipc_bytes;
    uint64_t other_bytes;
} zx_info_kmem_stats_extended_t;
_Static_assert(sizeof(zx_info_kmem_stats_extended_t) == 112, "ABI");

/* ZX_INFO_STREAM */
typedef struct zx_info_stream {
    uint32_t options; /* ZX_STREAM_MODE_ bits */
    uint8_t padding1[4];
    uint64_t seek;
    uint64_t content_size;
} zx_info_stream_t;
_Static_assert(sizeof(zx_info_stream_t) == 24, "ABI");

/* Properties of zx_object_get_property and zx_object_set_property. */
#define ZX_PROP_REGISTER_GS                 2u  /* uintptr_t, set, the calling thread */
#define ZX_PROP_NAME                        3u  /* char[ZX_MAX_NAME_LEN] */
#define ZX_PROP_REGISTER_FS                 4u  /* uintptr_t, set, the calling thread */
#define ZX_PROP_PROCESS_DEBUG_ADDR          5u  /* uintptr_t, process */
#define ZX_PROP_PROCESS_VDSO_BASE_ADDRESS   6u  /* uintptr_t, get, process */
#define ZX_PROP_PROCESS_BREAK_ON_LOAD       7u  /* uintptr_t, process */
#define ZX_PROP_PROCESS_HW_TRACE_CONTEXT_ID 8u  /* uintptr_t, get, process */
#define ZX_PROP_SOCKET_RX_THRESHOLD         12u /* size_t, socket */
#define ZX_PROP_SOCKET_TX_THRESHOLD         13u /* size_t, socket */
#define ZX_PROP_JOB_KILL_ON_OOM             15u /* size_t, set, job */
#define ZX_PROP_EXCEPTION_STATE             16u /* uint32_t, exception */
#define ZX_PROP_VMO_CONTENT_SIZE            17u /* uint64_t, VMO */
#define ZX_PROP_EXCEPTION_STRATEGY          18u /* uint32_t, exception */
#define ZX_PROP_STREAM_MODE_APPEND          19u /* uint8_t, stream */

#define ZX_PROCESS_DEBUG_ADDR_BREAK_ON_SET ((uintptr_t)1)
