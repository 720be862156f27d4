/*
 * info.h - topics of zx_object_get_info that are this kernel's own.
 */
#pragma once

#include <zircon/syscalls/object.h>
#include <zircon/types.h>

/* Of the root resource: what the maps from offsets to pages cost, a part of the kernel's heap. */
#define JX_INFO_PAGE_MAPS ((zx_object_info_topic_t)0x4a58u)
typedef struct jx_info_page_maps {
    uint64_t nodes;
    uint64_t node_bytes;
} jx_info_page_maps_t;

/* Of a process (INSPECT): a record for each handle to a port. */
#define JX_INFO_PROCESS_PORTS ((zx_object_info_topic_t)0x4a59u)
typedef struct jx_info_port {
    zx_koid_t koid;
    zx_handle_t handle_value;
    uint32_t packets; /* queued */
    uint32_t waits;   /* asynchronous waits that have not come true */
    uint32_t threads; /* blocked in zx_port_wait */
} jx_info_port_t;
_Static_assert(sizeof(jx_info_port_t) == 24, "ABI");

/* Of a thread (INSPECT): what it waits for. */
#define JX_INFO_THREAD_WAIT ((zx_object_info_topic_t)0x4a5au)
typedef struct jx_info_thread_wait {
    zx_thread_state_t state; /* as in ZX_INFO_THREAD */
    uint8_t padding1[4];
    /*
     * For ZX_THREAD_STATE_BLOCKED_*: the koid of the port, of the channel's end, of the object
     * (of wait_many: the first), of the interrupt; of a futex the address. 0: it waits for
     * nothing that has a name, or not at all.
     */
    uint64_t target;
    zx_duration_t waited; /* how long already; 0 if it does not wait */
} jx_info_thread_wait_t;
_Static_assert(sizeof(jx_info_thread_wait_t) == 24, "ABI");
