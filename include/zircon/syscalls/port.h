/*
 * syscalls/port.h - the packets that ports deliver.
 */
#pragma once

#include <zircon/syscalls/types.h>
#include <zircon/types.h>

/* zx_port_create */
#define ZX_PORT_BIND_TO_INTERRUPT (1u << 0)

/* zx_object_wait_async */
#define ZX_WAIT_ASYNC_ONCE      (0u)
#define ZX_WAIT_ASYNC_TIMESTAMP (1u << 0)
#define ZX_WAIT_ASYNC_EDGE      (1u << 1)

/* Types of packets. */
#define ZX_PKT_TYPE_USER         0x00u
#define ZX_PKT_TYPE_SIGNAL_ONE   0x01u
#define ZX_PKT_TYPE_GUEST_BELL   0x03u
#define ZX_PKT_TYPE_GUEST_MEM    0x04u
#define ZX_PKT_TYPE_GUEST_IO     0x05u
#define ZX_PKT_TYPE_GUEST_VCPU   0x06u
#define ZX_PKT_TYPE_INTERRUPT    0x07u
#define ZX_PKT_TYPE_PAGE_REQUEST 0x09u
#define ZX_PKT_TYPE_MASK         0xffu

#define ZX_PKT_IS_USER(type)         ((type) == ZX_PKT_TYPE_USER)
#define ZX_PKT_IS_SIGNAL_ONE(type)   ((type) == ZX_PKT_TYPE_SIGNAL_ONE)
#define ZX_PKT_IS_INTERRUPT(type)    ((type) == ZX_PKT_TYPE_INTERRUPT)
#define ZX_PKT_IS_PAGE_REQUEST(type) ((type) == ZX_PKT_TYPE_PAGE_REQUEST)

/* ZX_PKT_TYPE_USER: what zx_port_queue was given. */
typedef union zx_packet_user {
    uint64_t u64[4];
    uint32_t u32[8];
    uint16_t u16[16];
    uint8_t c8[32];
} zx_packet_user_t;
_Static_assert(sizeof(zx_packet_user_t) == 32, "ABI");

/* ZX_PKT_TYPE_SIGNAL_ONE: a wait came true. */
typedef struct zx_packet_signal {
    zx_signals_t trigger;  /* waited for */
    zx_signals_t observed; /* active when the packet was queued */
    uint64_t count;
    uint64_t timestamp; /* with ZX_WAIT_ASYNC_TIMESTAMP, else 0 */
    uint64_t reserved1;
} zx_packet_signal_t;
_Static_assert(sizeof(zx_packet_signal_t) == 32, "ABI");

/* ZX_PKT_TYPE_INTERRUPT */
typedef struct zx_packet_interrupt {
    zx_time_t timestamp;
    uint64_t reserved0;
    uint64_t reserved1;
    uint64_t reserved2;
} zx_packet_interrupt_t;
_Static_assert(sizeof(zx_packet_interrupt_t) == 32, "ABI");

/* ZX_PKT_TYPE_PAGE_REQUEST */
#define ZX_PAGER_VMO_READ     ((uint16_t)0)
#define ZX_PAGER_VMO_COMPLETE ((uint16_t)1)
#define ZX_PAGER_VMO_DIRTY    ((uint16_t)2)
typedef struct zx_packet_page_request {
    uint16_t command;
    uint16_t flags;
    uint32_t reserved0;
    uint64_t offset;
    uint64_t length;
    uint64_t reserved1;
} zx_packet_page_request_t;
_Static_assert(sizeof(zx_packet_page_request_t) == 32, "ABI");

struct zx_port_packet {
    uint64_t key;
    uint32_t type;
    zx_status_t status;
    union {
        zx_packet_user_t user;
        zx_packet_signal_t signal;
        zx_packet_interrupt_t interrupt;
        zx_packet_page_request_t page_request;
    };
};
_Static_assert(sizeof(zx_port_packet_t) == 48, "ABI");
_Static_assert(offsetof(zx_port_packet_t, user) == 16, "ABI");
