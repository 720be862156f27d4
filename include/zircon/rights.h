/*
 * rights.h - what a handle allows. Rights only shrink: a new handle to an object
 * has a subset of the rights of the handle it was made from.
 */
#pragma once

#include <zircon/types.h>

#define ZX_RIGHT_NONE           ((zx_rights_t)0u)
#define ZX_RIGHT_DUPLICATE      ((zx_rights_t)1u << 0)
#define ZX_RIGHT_TRANSFER       ((zx_rights_t)1u << 1)
#define ZX_RIGHT_READ           ((zx_rights_t)1u << 2)
#define ZX_RIGHT_WRITE          ((zx_rights_t)1u << 3)
#define ZX_RIGHT_EXECUTE        ((zx_rights_t)1u << 4)
#define ZX_RIGHT_MAP            ((zx_rights_t)1u << 5)
#define ZX_RIGHT_GET_PROPERTY   ((zx_rights_t)1u << 6)
#define ZX_RIGHT_SET_PROPERTY   ((zx_rights_t)1u << 7)
#define ZX_RIGHT_ENUMERATE      ((zx_rights_t)1u << 8)
#define ZX_RIGHT_DESTROY        ((zx_rights_t)1u << 9)
#define ZX_RIGHT_SET_POLICY     ((zx_rights_t)1u << 10)
#define ZX_RIGHT_GET_POLICY     ((zx_rights_t)1u << 11)
#define ZX_RIGHT_SIGNAL         ((zx_rights_t)1u << 12)
#define ZX_RIGHT_SIGNAL_PEER    ((zx_rights_t)1u << 13)
#define ZX_RIGHT_WAIT           ((zx_rights_t)1u << 14)
#define ZX_RIGHT_INSPECT        ((zx_rights_t)1u << 15)
#define ZX_RIGHT_MANAGE_JOB     ((zx_rights_t)1u << 16)
#define ZX_RIGHT_MANAGE_PROCESS ((zx_rights_t)1u << 17)
#define ZX_RIGHT_MANAGE_THREAD  ((zx_rights_t)1u << 18)
#define ZX_RIGHT_APPLY_PROFILE  ((zx_rights_t)1u << 19)
#define ZX_RIGHT_MANAGE_SOCKET  ((zx_rights_t)1u << 20)
/* Asks for the same rights as the source handle; never stored on a handle. */
#define ZX_RIGHT_SAME_RIGHTS    ((zx_rights_t)1u << 31)

/* Groups that the defaults below are built from. */
#define ZX_RIGHTS_BASIC (ZX_RIGHT_DUPLICATE | ZX_RIGHT_TRANSFER | ZX_RIGHT_WAIT | ZX_RIGHT_INSPECT)
#define ZX_RIGHTS_IO       (ZX_RIGHT_READ | ZX_RIGHT_WRITE)
#define ZX_RIGHTS_PROPERTY (ZX_RIGHT_GET_PROPERTY | ZX_RIGHT_SET_PROPERTY)
#define ZX_RIGHTS_POLICY   (ZX_RIGHT_GET_POLICY | ZX_RIGHT_SET_POLICY)

/* The rights of the first handle to an object, by type. */
#define ZX_DEFAULT_CHANNEL_RIGHTS                                                                  \
    ((ZX_RIGHTS_BASIC & ~ZX_RIGHT_DUPLICATE) | ZX_RIGHTS_IO | ZX_RIGHT_SIGNAL |                    \
     ZX_RIGHT_SIGNAL_PEER)
#define ZX_DEFAULT_EVENT_RIGHTS     (ZX_RIGHTS_BASIC | ZX_RIGHT_SIGNAL)
#define ZX_DEFAULT_EVENTPAIR_RIGHTS (ZX_RIGHTS_BASIC | ZX_RIGHT_SIGNAL | ZX_RIGHT_SIGNAL_PEER)
#define ZX_DEFAULT_FIFO_RIGHTS                                                                     \
    (ZX_RIGHTS_BASIC | ZX_RIGHTS_IO | ZX_RIGHT_SIGNAL | ZX_RIGHT_SIGNAL_PEER)
#define ZX_DEFAULT_SOCKET_RIGHTS                                                                   \
    (ZX_RIGHTS_BASIC | ZX_RIGHTS_IO | ZX_RIGHTS_PROPERTY | ZX_RIGHT_SIGNAL |                       \
     ZX_RIGHT_SIGNAL_PEER | ZX_RIGHT_MANAGE_SOCKET)
#define ZX_DEFAULT_PORT_RIGHTS  ((ZX_RIGHTS_BASIC & ~ZX_RIGHT_WAIT) | ZX_RIGHTS_IO)
#define ZX_DEFAULT_TIMER_RIGHTS (ZX_RIGHTS_BASIC | ZX_RIGHT_WRITE | ZX_RIGHT_SIGNAL)
#define ZX_DEFAULT_VMO_RIGHTS                                                                      \
    (ZX_RIGHTS_BASIC | ZX_RIGHTS_IO | ZX_RIGHTS_PROPERTY | ZX_RIGHT_MAP | ZX_RIGHT_SIGNAL)
/* READ, WRITE and EXECUTE are added for each CAN_MAP_ option of the region. */
#define ZX_DEFAULT_VMAR_RIGHTS (ZX_RIGHTS_BASIC & ~ZX_RIGHT_WAIT)
#define ZX_DEFAULT_PROCESS_RIGHTS                                                                  \
    (ZX_RIGHTS_BASIC | ZX_RIGHTS_IO | ZX_RIGHTS_PROPERTY | ZX_RIGHT_ENUMERATE |                    \
     ZX_RIGHT_DESTROY | ZX_RIGHT_SIGNAL | ZX_RIGHT_MANAGE_PROCESS | ZX_RIGHT_MANAGE_THREAD)
#define ZX_DEFAULT_THREAD_RIGHTS                                                                   \
    (ZX_RIGHTS_BASIC | ZX_RIGHTS_IO | ZX_RIGHTS_PROPERTY | ZX_RIGHT_DESTROY | ZX_RIGHT_SIGNAL |    \
     ZX_RIGHT_MANAGE_THREAD)
#define ZX_DEFAULT_JOB_RIGHTS                                                                      \
    (ZX_RIGHTS_BASIC | ZX_RIGHTS_IO | ZX_RIGHTS_PROPERTY | ZX_RIGHTS_POLICY |                      \
     ZX_RIGHT_ENUMERATE | ZX_RIGHT_DESTROY | ZX_RIGHT_SIGNAL | ZX_RIGHT_MANAGE_JOB |               \
     ZX_RIGHT_MANAGE_PROCESS | ZX_RIGHT_MANAGE_THREAD)
/* READ is added when the log is opened readable. */
#define ZX_DEFAULT_LOG_RIGHTS (ZX_RIGHTS_BASIC | ZX_RIGHT_WRITE | ZX_RIGHT_SIGNAL)
#define ZX_DEFAULT_DEBUGLOG_RIGHTS ZX_DEFAULT_LOG_RIGHTS
#define ZX_DEFAULT_RESOURCE_RIGHTS                                                                 \
    (ZX_RIGHT_TRANSFER | ZX_RIGHT_DUPLICATE | ZX_RIGHT_WRITE | ZX_RIGHT_INSPECT)
#define ZX_DEFAULT_INTERRUPT_RIGHTS     (ZX_RIGHTS_BASIC | ZX_RIGHTS_IO | ZX_RIGHT_SIGNAL)
#define ZX_DEFAULT_PCI_INTERRUPT_RIGHTS ZX_DEFAULT_INTERRUPT_RIGHTS
#define ZX_DEFAULT_PCI_DEVICE_RIGHTS    (ZX_RIGHTS_BASIC | ZX_RIGHTS_IO)
#define ZX_DEFAULT_CLOCK_RIGHTS         (ZX_RIGHTS_BASIC | ZX_RIGHTS_IO)
#define ZX_DEFAULT_MSI_RIGHTS           ZX_RIGHTS_BASIC
#define ZX_DEFAULT_IOMMU_RIGHTS         (ZX_RIGHTS_BASIC & ~ZX_RIGHT_WAIT)
#define ZX_DEFAULT_BTI_RIGHTS ((ZX_RIGHTS_BASIC & ~ZX_RIGHT_WAIT) | ZX_RIGHTS_IO | ZX_RIGHT_MAP)
#define ZX_DEFAULT_PMT_RIGHTS ZX_RIGHT_INSPECT
#define ZX_DEFAULT_PROFILE_RIGHTS ((ZX_RIGHTS_BASIC & ~ZX_RIGHT_WAIT) | ZX_RIGHT_APPLY_PROFILE)
#define ZX_DEFAULT_SUSPEND_TOKEN_RIGHTS (ZX_RIGHT_TRANSFER | ZX_RIGHT_INSPECT)
#define ZX_DEFAULT_EXCEPTION_RIGHTS (ZX_RIGHT_TRANSFER | ZX_RIGHTS_PROPERTY | ZX_RIGHT_INSPECT)
#define ZX_DEFAULT_PAGER_RIGHTS     (ZX_RIGHT_INSPECT | ZX_RIGHTS_PROPERTY | ZX_RIGHT_TRANSFER)
#define ZX_DEFAULT_STREAM_RIGHTS    (ZX_RIGHTS_BASIC | ZX_RIGHTS_PROPERTY | ZX_RIGHT_SIGNAL)
/* The user's end of an exception channel. */
#define ZX_DEFAULT_EXCEPTION_CHANNEL_RIGHTS (ZX_RIGHT_TRANSFER | ZX_RIGHT_WAIT | ZX_RIGHT_READ)

_Static_assert(ZX_RIGHTS_BASIC == 0xc003, "ABI");
_Static_assert(ZX_DEFAULT_CHANNEL_RIGHTS == 0xf00e, "ABI");
_Static_assert(ZX_DEFAULT_EVENT_RIGHTS == 0xd003, "ABI");
_Static_assert(ZX_DEFAULT_EVENTPAIR_RIGHTS == 0xf003, "ABI");
_Static_assert(ZX_DEFAULT_FIFO_RIGHTS == 0xf00f, "ABI");
_Static_assert(ZX_DEFAULT_SOCKET_RIGHTS == 0x10f0cf, "ABI");
_Static_assert(ZX_DEFAULT_PORT_RIGHTS == 0x800f, "ABI");
_Static_assert(ZX_DEFAULT_TIMER_RIGHTS == 0xd00b, "ABI");
_Static_assert(ZX_DEFAULT_VMO_RIGHTS == 0xd0ef, "ABI");
_Static_assert(ZX_DEFAULT_VMAR_RIGHTS == 0x8003, "ABI");
_Static_assert(ZX_DEFAULT_PROCESS_RIGHTS == 0x6d3cf, "ABI");
_Static_assert(ZX_DEFAULT_THREAD_RIGHTS == 0x4d2cf, "ABI");
_Static_assert(ZX_DEFAULT_JOB_RIGHTS == 0x7dfcf, "ABI");
_Static_assert(ZX_DEFAULT_LOG_RIGHTS == 0xd00b, "ABI");
_Static_assert(ZX_DEFAULT_RESOURCE_RIGHTS == 0x800b, "ABI");
_Static_assert(ZX_DEFAULT_INTERRUPT_RIGHTS == 0xd00f, "ABI");
_Static_assert(ZX_DEFAULT_BTI_RIGHTS == 0x802f, "ABI");
_Static_assert(ZX_DEFAULT_PROFILE_RIGHTS == 0x88003, "ABI");
_Static_assert(ZX_DEFAULT_EXCEPTION_RIGHTS == 0x80c2, "ABI");
_Static_assert(ZX_DEFAULT_PAGER_RIGHTS == 0x80c2, "ABI");
_Static_assert(ZX_DEFAULT_STREAM_RIGHTS == 0xd0c3, "ABI");
_Static_assert(ZX_DEFAULT_EXCEPTION_CHANNEL_RIGHTS == 0x4006, "ABI");
