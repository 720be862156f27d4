/*
 * types.h - the scalar types and small structures of the system-call interface.
 *
 * Kernel and user code share these headers: they need no C library and define no
 * functions except inline arithmetic on times.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <zircon/errors.h>
#include <zircon/limits.h>

/* Handles. */
typedef uint32_t zx_handle_t;
#define ZX_HANDLE_INVALID         ((zx_handle_t)0u)
#define ZX_HANDLE_FIXED_BITS_MASK ((zx_handle_t)0x3u) /* set in every valid handle */

typedef int32_t zx_status_t; /* ZX_OK or a negative ZX_ERR_ */

/* Time. Deadlines are absolute, in nanoseconds since boot. */
typedef int64_t zx_time_t;
typedef int64_t zx_duration_t;
typedef int64_t zx_ticks_t;
typedef uint32_t zx_clock_t;
#define ZX_TIME_INFINITE      INT64_MAX
#define ZX_TIME_INFINITE_PAST INT64_MIN

#define ZX_CLOCK_MONOTONIC ((zx_clock_t)0u)
#define ZX_CLOCK_UTC       ((zx_clock_t)1u)
#define ZX_CLOCK_THREAD    ((zx_clock_t)2u)

#define ZX_NSEC(n) ((zx_duration_t)(1LL * (n)))
#define ZX_USEC(n) ((zx_duration_t)(1000LL * (n)))
#define ZX_MSEC(n) ((zx_duration_t)(1000000LL * (n)))
#define ZX_SEC(n)  ((zx_duration_t)(1000000000LL * (n)))
#define ZX_MIN(n)  ((zx_duration_t)(ZX_SEC(n) * 60LL))
#define ZX_HOUR(n) ((zx_duration_t)(ZX_MIN(n) * 60LL))

/* Signals. */
typedef uint32_t zx_signals_t;
#define ZX_SIGNAL_NONE ((zx_signals_t)0u)

#define ZX_OBJECT_SIGNAL(n)     ((zx_signals_t)1u << (n))
#define ZX_OBJECT_READABLE      ZX_OBJECT_SIGNAL(0)
#define ZX_OBJECT_WRITABLE      ZX_OBJECT_SIGNAL(1)
#define ZX_OBJECT_PEER_CLOSED   ZX_OBJECT_SIGNAL(2)
#define ZX_OBJECT_SIGNALED      ZX_OBJECT_SIGNAL(3)
#define ZX_OBJECT_SIGNAL_3      ZX_OBJECT_SIGNAL(3)
#define ZX_OBJECT_SIGNAL_4      ZX_OBJECT_SIGNAL(4)
#define ZX_OBJECT_SIGNAL_5      ZX_OBJECT_SIGNAL(5)
#define ZX_OBJECT_SIGNAL_6      ZX_OBJECT_SIGNAL(6)
#define ZX_OBJECT_SIGNAL_7      ZX_OBJECT_SIGNAL(7)
#define ZX_OBJECT_SIGNAL_8      ZX_OBJECT_SIGNAL(8)
#define ZX_OBJECT_SIGNAL_9      ZX_OBJECT_SIGNAL(9)
#define ZX_OBJECT_SIGNAL_10     ZX_OBJECT_SIGNAL(10)
#define ZX_OBJECT_SIGNAL_11     ZX_OBJECT_SIGNAL(11)
#define ZX_OBJECT_SIGNAL_12     ZX_OBJECT_SIGNAL(12)
#define ZX_OBJECT_SIGNAL_22     ZX_OBJECT_SIGNAL(22)
#define ZX_OBJECT_HANDLE_CLOSED ZX_OBJECT_SIGNAL(23)
#define ZX_OBJECT_SIGNAL_23     ZX_OBJECT_SIGNAL(23)

/* The waited-for handle was closed or sent away; shown by every type. */
#define ZX_SIGNAL_HANDLE_CLOSED ZX_OBJECT_HANDLE_CLOSED

/* Signals that programs give a meaning. All others belong to the kernel. */
#define ZX_USER_SIGNAL_0   ((zx_signals_t)1u << 24)
#define ZX_USER_SIGNAL_1   ((zx_signals_t)1u << 25)
#define ZX_USER_SIGNAL_2   ((zx_signals_t)1u << 26)
#define ZX_USER_SIGNAL_3   ((zx_signals_t)1u << 27)
#define ZX_USER_SIGNAL_4   ((zx_signals_t)1u << 28)
#define ZX_USER_SIGNAL_5   ((zx_signals_t)1u << 29)
#define ZX_USER_SIGNAL_6   ((zx_signals_t)1u << 30)
#define ZX_USER_SIGNAL_7   ((zx_signals_t)1u << 31)
#define ZX_USER_SIGNAL_ALL ((zx_signals_t)0xff000000u)

#define ZX_EVENT_SIGNALED          ZX_OBJECT_SIGNALED
#define ZX_EVENT_SIGNAL_MASK       (ZX_USER_SIGNAL_ALL | ZX_OBJECT_SIGNALED)
#define ZX_EVENTPAIR_SIGNALED      ZX_OBJECT_SIGNALED
#define ZX_EVENTPAIR_PEER_CLOSED   ZX_OBJECT_PEER_CLOSED
#define ZX_EVENTPAIR_SIGNAL_MASK                                                                   \
    (ZX_USER_SIGNAL_ALL | ZX_OBJECT_SIGNALED | ZX_OBJECT_PEER_CLOSED)

#define ZX_CHANNEL_READABLE    ZX_OBJECT_READABLE
#define ZX_CHANNEL_WRITABLE    ZX_OBJECT_WRITABLE
#define ZX_CHANNEL_PEER_CLOSED ZX_OBJECT_PEER_CLOSED

#define ZX_SOCKET_READABLE            ZX_OBJECT_READABLE
#define ZX_SOCKET_WRITABLE            ZX_OBJECT_WRITABLE
#define ZX_SOCKET_PEER_CLOSED         ZX_OBJECT_PEER_CLOSED
#define ZX_SOCKET_PEER_WRITE_DISABLED ZX_OBJECT_SIGNAL_4
#define ZX_SOCKET_WRITE_DISABLED      ZX_OBJECT_SIGNAL_5
#define ZX_SOCKET_READ_THRESHOLD      ZX_OBJECT_SIGNAL_10
#define ZX_SOCKET_WRITE_THRESHOLD     ZX_OBJECT_SIGNAL_11

#define ZX_FIFO_READABLE    ZX_OBJECT_READABLE
#define ZX_FIFO_WRITABLE    ZX_OBJECT_WRITABLE
#define ZX_FIFO_PEER_CLOSED ZX_OBJECT_PEER_CLOSED

#define ZX_TASK_TERMINATED    ZX_OBJECT_SIGNALED
#define ZX_JOB_TERMINATED     ZX_OBJECT_SIGNALED
#define ZX_JOB_NO_JOBS        ZX_OBJECT_SIGNAL_4
#define ZX_JOB_NO_PROCESSES   ZX_OBJECT_SIGNAL_5
#define ZX_PROCESS_TERMINATED ZX_OBJECT_SIGNALED
#define ZX_THREAD_TERMINATED  ZX_OBJECT_SIGNALED
#define ZX_THREAD_RUNNING     ZX_OBJECT_SIGNAL_4
#define ZX_THREAD_SUSPENDED   ZX_OBJECT_SIGNAL_5

#define ZX_LOG_READABLE      ZX_OBJECT_READABLE
#define ZX_LOG_WRITABLE      ZX_OBJECT_WRITABLE
#define ZX_TIMER_SIGNALED    ZX_OBJECT_SIGNALED
#define ZX_VMO_ZERO_CHILDREN ZX_OBJECT_SIGNALED
#define ZX_CLOCK_STARTED     ZX_OBJECT_SIGNAL_4
#define ZX_CLOCK_UPDATED     ZX_OBJECT_SIGNAL_5

/* Objects. */
typedef uint64_t zx_koid_t; /* an object's number: never reused, grants nothing */
#define ZX_KOID_INVALID ((zx_koid_t)0)
#define ZX_KOID_KERNEL  ((zx_koid_t)1)
#define ZX_KOID_FIRST   ((zx_koid_t)1024)

typedef uint32_t zx_rights_t;
typedef uint32_t zx_obj_type_t;
typedef uint32_t zx_obj_props_t;
typedef uint32_t zx_object_info_topic_t;
typedef uint32_t zx_handle_op_t;
typedef uint32_t zx_rsrc_kind_t;
typedef uint32_t zx_rsrc_flags_t;
typedef uint32_t zx_excp_type_t;
typedef uint32_t zx_thread_state_t;
typedef uint32_t zx_thread_state_topic_t;
typedef uint32_t zx_info_maps_type_t;

#define ZX_OBJ_TYPE_NONE          ((zx_obj_type_t)0u)
#define ZX_OBJ_TYPE_PROCESS       ((zx_obj_type_t)1u)
#define ZX_OBJ_TYPE_THREAD        ((zx_obj_type_t)2u)
#define ZX_OBJ_TYPE_VMO           ((zx_obj_type_t)3u)
#define ZX_OBJ_TYPE_CHANNEL       ((zx_obj_type_t)4u)
#define ZX_OBJ_TYPE_EVENT         ((zx_obj_type_t)5u)
#define ZX_OBJ_TYPE_PORT          ((zx_obj_type_t)6u)
#define ZX_OBJ_TYPE_INTERRUPT     ((zx_obj_type_t)9u)
#define ZX_OBJ_TYPE_PCI_DEVICE    ((zx_obj_type_t)11u)
#define ZX_OBJ_TYPE_LOG           ((zx_obj_type_t)12u)
#define ZX_OBJ_TYPE_DEBUGLOG      ZX_OBJ_TYPE_LOG
#define ZX_OBJ_TYPE_SOCKET        ((zx_obj_type_t)14u)
#define ZX_OBJ_TYPE_RESOURCE      ((zx_obj_type_t)15u)
#define ZX_OBJ_TYPE_EVENTPAIR     ((zx_obj_type_t)16u)
#define ZX_OBJ_TYPE_JOB           ((zx_obj_type_t)17u)
#define ZX_OBJ_TYPE_VMAR          ((zx_obj_type_t)18u)
#define ZX_OBJ_TYPE_FIFO          ((zx_obj_type_t)19u)
#define ZX_OBJ_TYPE_GUEST         ((zx_obj_type_t)20u)
#define ZX_OBJ_TYPE_VCPU          ((zx_obj_type_t)21u)
#define ZX_OBJ_TYPE_TIMER         ((zx_obj_type_t)22u)
#define ZX_OBJ_TYPE_IOMMU         ((zx_obj_type_t)23u)
#define ZX_OBJ_TYPE_BTI           ((zx_obj_type_t)24u)
#define ZX_OBJ_TYPE_PROFILE       ((zx_obj_type_t)25u)
#define ZX_OBJ_TYPE_PMT           ((zx_obj_type_t)26u)
#define ZX_OBJ_TYPE_SUSPEND_TOKEN ((zx_obj_type_t)27u)
#define ZX_OBJ_TYPE_PAGER         ((zx_obj_type_t)28u)
#define ZX_OBJ_TYPE_EXCEPTION     ((zx_obj_type_t)29u)
#define ZX_OBJ_TYPE_CLOCK         ((zx_obj_type_t)30u)
#define ZX_OBJ_TYPE_STREAM        ((zx_obj_type_t)31u)
#define ZX_OBJ_TYPE_MSI           ((zx_obj_type_t)32u)
#define ZX_OBJ_TYPE_UPPER_BOUND   ((zx_obj_type_t)64u)

#define ZX_OBJ_PROP_NONE     ((zx_obj_props_t)0u)
#define ZX_OBJ_PROP_WAITABLE ((zx_obj_props_t)1u)

/* Memory. */
typedef uint32_t zx_vm_option_t;
typedef uintptr_t zx_vaddr_t;
typedef uintptr_t zx_paddr_t;
typedef uintptr_t zx_gpaddr_t;
typedef uint32_t zx_paddr32_t;
typedef uint64_t zx_off_t;

#define ZX_VM_PERM_READ             ((zx_vm_option_t)1u << 0)
#define ZX_VM_PERM_WRITE            ((zx_vm_option_t)1u << 1)
#define ZX_VM_PERM_EXECUTE          ((zx_vm_option_t)1u << 2)
#define ZX_VM_COMPACT               ((zx_vm_option_t)1u << 3)
#define ZX_VM_SPECIFIC              ((zx_vm_option_t)1u << 4)
#define ZX_VM_SPECIFIC_OVERWRITE    ((zx_vm_option_t)1u << 5)
#define ZX_VM_CAN_MAP_SPECIFIC      ((zx_vm_option_t)1u << 6)
#define ZX_VM_CAN_MAP_READ          ((zx_vm_option_t)1u << 7)
#define ZX_VM_CAN_MAP_WRITE         ((zx_vm_option_t)1u << 8)
#define ZX_VM_CAN_MAP_EXECUTE       ((zx_vm_option_t)1u << 9)
#define ZX_VM_MAP_RANGE             ((zx_vm_option_t)1u << 10)
#define ZX_VM_REQUIRE_NON_RESIZABLE ((zx_vm_option_t)1u << 11)
#define ZX_VM_ALLOW_FAULTS          ((zx_vm_option_t)1u << 12)
#define ZX_VM_OFFSET_IS_UPPER_LIMIT ((zx_vm_option_t)1u << 13)
#define ZX_VM_PERM_READ_IF_XOM_UNSUPPORTED ((zx_vm_option_t)1u << 14)

/* Alignment of a mapping or region: the power of two in the top byte, 10 to 32; 0 for none. */
#define ZX_VM_ALIGN_BASE  24
#define ZX_VM_ALIGN_1KB   ((zx_vm_option_t)10u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_2KB   ((zx_vm_option_t)11u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_4KB   ((zx_vm_option_t)12u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_8KB   ((zx_vm_option_t)13u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_16KB  ((zx_vm_option_t)14u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_32KB  ((zx_vm_option_t)15u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_64KB  ((zx_vm_option_t)16u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_128KB ((zx_vm_option_t)17u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_256KB ((zx_vm_option_t)18u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_512KB ((zx_vm_option_t)19u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_1MB   ((zx_vm_option_t)20u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_2MB   ((zx_vm_option_t)21u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_4MB   ((zx_vm_option_t)22u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_8MB   ((zx_vm_option_t)23u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_16MB  ((zx_vm_option_t)24u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_32MB  ((zx_vm_option_t)25u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_64MB  ((zx_vm_option_t)26u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_128MB ((zx_vm_option_t)27u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_256MB ((zx_vm_option_t)28u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_512MB ((zx_vm_option_t)29u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_1GB   ((zx_vm_option_t)30u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_2GB   ((zx_vm_option_t)31u << ZX_VM_ALIGN_BASE)
#define ZX_VM_ALIGN_4GB   ((zx_vm_option_t)32u << ZX_VM_ALIGN_BASE)

/* zx_vmo_create */
#define ZX_VMO_RESIZABLE   (1u << 1)
#define ZX_VMO_DISCARDABLE (1u << 2)
#define ZX_VMO_TRAP_DIRTY  (1u << 3)

/* zx_vmo_create_child: exactly one kind, and what may go with it */
#define ZX_VMO_CHILD_SNAPSHOT                   (1u << 0)
#define ZX_VMO_CHILD_RESIZABLE                  (1u << 2)
#define ZX_VMO_CHILD_SLICE                      (1u << 3)
#define ZX_VMO_CHILD_SNAPSHOT_AT_LEAST_ON_WRITE (1u << 4)
#define ZX_VMO_CHILD_NO_WRITE                   (1u << 5)
#define ZX_VMO_CHILD_REFERENCE                  (1u << 6)
#define ZX_VMO_CHILD_SNAPSHOT_MODIFIED          (1u << 7)

/* zx_vmo_op_range */
#define ZX_VMO_OP_COMMIT                 1u
#define ZX_VMO_OP_DECOMMIT               2u
#define ZX_VMO_OP_LOCK                   3u
#define ZX_VMO_OP_UNLOCK                 4u
#define ZX_VMO_OP_CACHE_SYNC             6u
#define ZX_VMO_OP_CACHE_INVALIDATE       7u
#define ZX_VMO_OP_CACHE_CLEAN            8u
#define ZX_VMO_OP_CACHE_CLEAN_INVALIDATE 9u
#define ZX_VMO_OP_ZERO                   10u
#define ZX_VMO_OP_TRY_LOCK               11u
#define ZX_VMO_OP_DONT_NEED              12u
#define ZX_VMO_OP_ALWAYS_NEED            13u

/* zx_vmar_op_range */
#define ZX_VMAR_OP_COMMIT      1u
#define ZX_VMAR_OP_DECOMMIT    2u
#define ZX_VMAR_OP_MAP_RANGE   3u
#define ZX_VMAR_OP_DONT_NEED   12u
#define ZX_VMAR_OP_ALWAYS_NEED 13u

/* What ZX_VMO_OP_LOCK tells about a discardable object. */
typedef struct zx_vmo_lock_state {
    uint64_t offset;
    uint64_t size;
    uint64_t discarded_offset;
    uint64_t discarded_size;
} zx_vmo_lock_state_t;
_Static_assert(sizeof(zx_vmo_lock_state_t) == 32, "ABI");

/* zx_vmo_set_cache_policy */
#define ZX_CACHE_POLICY_CACHED          0u
#define ZX_CACHE_POLICY_UNCACHED        1u
#define ZX_CACHE_POLICY_UNCACHED_DEVICE 2u
#define ZX_CACHE_POLICY_WRITE_COMBINING 3u
#define ZX_CACHE_POLICY_MASK            3u

#define ZX_CACHE_FLUSH_INSN       (1u << 0)
#define ZX_CACHE_FLUSH_DATA       (1u << 1)
#define ZX_CACHE_FLUSH_INVALIDATE (1u << 2)

/* zx_bti_pin */
#define ZX_BTI_PERM_READ    (1u << 0)
#define ZX_BTI_PERM_WRITE   (1u << 1)
#define ZX_BTI_PERM_EXECUTE (1u << 2)
#define ZX_BTI_COMPRESS     (1u << 3)
#define ZX_BTI_CONTIGUOUS   (1u << 4)

/* Futexes: a word of memory at a multiple of 4. */
#ifdef __cplusplus
typedef int zx_futex_t;
#else
typedef _Atomic(int) zx_futex_t;
#endif
typedef int zx_futex_storage_t;

/* zx_object_wait_many */
typedef struct zx_wait_item {
    zx_handle_t handle;
    zx_signals_t waitfor;
    zx_signals_t pending; /* written by the call */
} zx_wait_item_t;
_Static_assert(sizeof(zx_wait_item_t) == 12, "ABI");

/* Channels. */
typedef uint32_t zx_txid_t; /* the first four bytes of a message that zx_channel_call matches */
#define ZX_CHANNEL_READ_MAY_DISCARD 1u
#define ZX_CHANNEL_WRITE_USE_IOVEC  2u
#define ZX_HANDLE_OP_MOVE           ((zx_handle_op_t)0u)
#define ZX_HANDLE_OP_DUPLICATE      ((zx_handle_op_t)1u)

/* A handle as zx_channel_read_etc delivers it. */
typedef struct zx_handle_info {
    zx_handle_t handle;
    zx_obj_type_t type;
    zx_rights_t rights;
    uint32_t unused;
} zx_handle_info_t;
_Static_assert(sizeof(zx_handle_info_t) == 16, "ABI");

/* A handle as zx_channel_write_etc takes it. */
typedef struct zx_handle_disposition {
    zx_handle_op_t operation;
    zx_handle_t handle;
    zx_obj_type_t type;
    zx_rights_t rights;
    zx_status_t result; /* written by the call when it fails */
} zx_handle_disposition_t;
_Static_assert(sizeof(zx_handle_disposition_t) == 20, "ABI");

typedef struct zx_channel_call_args {
    const void *wr_bytes;
    const zx_handle_t *wr_handles;
    void *rd_bytes;
    zx_handle_t *rd_handles;
    uint32_t wr_num_bytes;
    uint32_t wr_num_handles;
    uint32_t rd_num_bytes;
    uint32_t rd_num_handles;
} zx_channel_call_args_t;
_Static_assert(sizeof(zx_channel_call_args_t) == 48, "ABI");
_Static_assert(offsetof(zx_channel_call_args_t, wr_num_bytes) == 32, "ABI");

typedef struct zx_channel_call_etc_args {
    const void *wr_bytes;
    zx_handle_disposition_t *wr_handles;
    void *rd_bytes;
    zx_handle_info_t *rd_handles;
    uint32_t wr_num_bytes;
    uint32_t wr_num_handles;
    uint32_t rd_num_bytes;
    uint32_t rd_num_handles;
} zx_channel_call_etc_args_t;
_Static_assert(sizeof(zx_channel_call_etc_args_t) == 48, "ABI");

typedef struct zx_channel_iovec {
    const void *buffer;
    uint32_t capacity;
    uint32_t reserved; /* 0 */
} zx_channel_iovec_t;
_Static_assert(sizeof(zx_channel_iovec_t) == 16, "ABI");

typedef struct zx_iovec {
    void *buffer;
    size_t capacity;
} zx_iovec_t;
_Static_assert(sizeof(zx_iovec_t) == 16, "ABI");

/* Sockets. */
#define ZX_SOCKET_STREAM                    (0u << 0)
#define ZX_SOCKET_DATAGRAM                  (1u << 0)
#define ZX_SOCKET_CREATE_MASK               (ZX_SOCKET_DATAGRAM | ZX_SOCKET_STREAM)
#define ZX_SOCKET_PEEK                      (1u << 3)
#define ZX_SOCKET_DISPOSITION_WRITE_DISABLED (1u << 0)
#define ZX_SOCKET_DISPOSITION_WRITE_ENABLED  (1u << 1)

/* Streams. */
typedef uint32_t zx_stream_seek_origin_t;
#define ZX_STREAM_MODE_READ           (1u << 0)
#define ZX_STREAM_MODE_WRITE          (1u << 1)
#define ZX_STREAM_MODE_APPEND         (1u << 2)
#define ZX_STREAM_CREATE_MASK                                                                      \
    (ZX_STREAM_MODE_READ | ZX_STREAM_MODE_WRITE | ZX_STREAM_MODE_APPEND)
#define ZX_STREAM_APPEND              (1u << 0) /* zx_stream_writev */
#define ZX_STREAM_SEEK_ORIGIN_START   ((zx_stream_seek_origin_t)0u)
#define ZX_STREAM_SEEK_ORIGIN_CURRENT ((zx_stream_seek_origin_t)1u)
#define ZX_STREAM_SEEK_ORIGIN_END     ((zx_stream_seek_origin_t)2u)

/* Timers: when a timer may fire around its deadline. */
#define ZX_TIMER_SLACK_CENTER 0u
#define ZX_TIMER_SLACK_EARLY  1u
#define ZX_TIMER_SLACK_LATE   2u

/* Interrupts. */
#define ZX_INTERRUPT_REMAP_IRQ       0x1u
#define ZX_INTERRUPT_MODE_DEFAULT    (0u << 1)
#define ZX_INTERRUPT_MODE_EDGE_LOW   (1u << 1)
#define ZX_INTERRUPT_MODE_EDGE_HIGH  (2u << 1)
#define ZX_INTERRUPT_MODE_LEVEL_LOW  (3u << 1)
#define ZX_INTERRUPT_MODE_LEVEL_HIGH (4u << 1)
#define ZX_INTERRUPT_MODE_EDGE_BOTH  (5u << 1)
#define ZX_INTERRUPT_MODE_MASK       0xeu
#define ZX_INTERRUPT_VIRTUAL         0x10u
#define ZX_INTERRUPT_BIND            0u
#define ZX_INTERRUPT_UNBIND          1u
#define ZX_INTERRUPT_SLOT_USER       62u
#define ZX_INTERRUPT_MAX_SLOTS       62u
#define ZX_PCI_INTERRUPT_SLOT        0u
#define ZX_MSI_MODE_MSI_X            1u

/* Resources: permission for hardware. Options of zx_resource_create: kind, and flags above bit 15. */
#define ZX_RSRC_KIND_MMIO       ((zx_rsrc_kind_t)0u)
#define ZX_RSRC_KIND_IRQ        ((zx_rsrc_kind_t)1u)
#define ZX_RSRC_KIND_IOPORT     ((zx_rsrc_kind_t)2u)
#define ZX_RSRC_KIND_HYPERVISOR ((zx_rsrc_kind_t)3u)
#define ZX_RSRC_KIND_ROOT       ((zx_rsrc_kind_t)4u)
#define ZX_RSRC_KIND_VMEX       ((zx_rsrc_kind_t)5u)
#define ZX_RSRC_KIND_SMC        ((zx_rsrc_kind_t)6u)
#define ZX_RSRC_KIND_COUNT      ((zx_rsrc_kind_t)7u)
#define ZX_RSRC_FLAG_EXCLUSIVE  ((zx_rsrc_flags_t)0x00010000u)
#define ZX_RSRC_FLAGS_MASK      ((zx_rsrc_flags_t)ZX_RSRC_FLAG_EXCLUSIVE)

/* A set of CPUs. */
typedef struct zx_cpu_set {
    uint64_t mask[ZX_CPU_SET_MAX_CPUS / ZX_CPU_SET_BITS_PER_WORD];
} zx_cpu_set_t;
_Static_assert(sizeof(zx_cpu_set_t) == 64, "ABI");

/* zx_system_get_features */
#define ZX_FEATURE_KIND_CPU  0u
#define ZX_HAS_CPU_FEATURES  (1u << 0)

/* What a killed process or job leaves as its return code. */
#define ZX_TASK_RETCODE_SYSCALL_KILL          ((int64_t)-1024)
#define ZX_TASK_RETCODE_OOM_KILL              ((int64_t)-1025)
#define ZX_TASK_RETCODE_POLICY_KILL           ((int64_t)-1026)
#define ZX_TASK_RETCODE_VDSO_KILL             ((int64_t)-1027)
#define ZX_TASK_RETCODE_EXCEPTION_KILL        ((int64_t)-1028)
#define ZX_TASK_RETCODE_CRITICAL_PROCESS_KILL ((int64_t)-1029)

/* Option of zx_job_set_critical: only if the return code is not 0. */
#define ZX_JOB_CRITICAL_PROCESS_RETCODE_NONZERO 1u

#include <zircon/rights.h>
#include <zircon/time.h>
