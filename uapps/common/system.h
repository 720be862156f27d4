/*
 * system.h - what a program may ask of init by a channel.
 *
 * A connection has a set of requests that it may make (SYSTEM_MAY bits); a new one
 * made from it may make the same or fewer.
 */
#pragma once

#include <jacinth/info.h>
#include <stdint.h>
#include <zircon/syscalls/object.h>
#include <zircon/types.h>

enum system_request_kind : uint32_t {
    SYSTEM_CONNECT,  /* argument: SYSTEM_MAY bits; the answer carries a channel */
    SYSTEM_POWEROFF, /* no answer when it goes well */
    SYSTEM_REBOOT,   /* the same */
    SYSTEM_MEMORY,   /* the answer has the machine's memory by owner */
    SYSTEM_LOG,      /* the answer carries a readable handle to the kernel's log */
    SYSTEM_DEBUG,    /* text: a debug command for the kernel; its status */
    /*
     * argument: KTRACE_GRP_ bits, to record events from now on, SYSTEM_TRACE_LAST besides to
     * keep the last ones rather than the first; or 0, to stop: the answer carries a memory
     * object with the records, and behind them one of JX_TRACE_NONE.
     */
    SYSTEM_TRACE,
    SYSTEM_REQUESTS,
};
#define SYSTEM_MAY(kind) (1u << (kind))
#define SYSTEM_MAY_ALL   (SYSTEM_MAY(SYSTEM_REQUESTS) - 1)

#define SYSTEM_TEXT_MAX   128
#define SYSTEM_TRACE_LAST (1u << 31)

struct system_request {
    zx_txid_t txid;
    uint32_t kind;
    uint32_t argument;
    char text[SYSTEM_TEXT_MAX]; /* of SYSTEM_DEBUG, ends with NUL, else "" */
};

struct system_answer {
    zx_txid_t txid;
    zx_status_t status;
    zx_info_kmem_stats_t memory; /* of SYSTEM_MEMORY, else 0 */
    jx_info_page_maps_t page_maps; /* the same */
};

/*
 * Ask. *out_handle is the handle of an answer that carries one, else ZX_HANDLE_INVALID.
 * ZX_ERR_ACCESS_DENIED when this connection may not ask that; ZX_ERR_BAD_HANDLE when
 * there is no connection.
 */
zx_status_t system_ask(zx_handle_t system, enum system_request_kind kind, uint32_t argument,
                       struct system_answer *out_answer, zx_handle_t *out_handle);
/* Ask SYSTEM_DEBUG. ZX_ERR_OUT_OF_RANGE when the command is too long. */
zx_status_t system_debug(zx_handle_t system, const char *command);
zx_status_t system_connect(zx_handle_t system, uint32_t may, zx_handle_t *out_system);
