/*
 * syscalls/log.h - records of the kernel's log.
 */
#pragma once

#include <zircon/types.h>

/* zx_debuglog_create */
#define ZX_LOG_FLAG_READABLE 0x40000000u

/* Bytes of text in one record. */
#define ZX_LOG_RECORD_DATA_MAX 216u

/* What zx_debuglog_read delivers; only datalen bytes of data are written. */
typedef struct zx_log_record {
    uint64_t sequence; /* one more for every record ever written */
    uint8_t padding1[4];
    uint16_t datalen;
    uint8_t severity;
    uint8_t flags;
    zx_time_t timestamp;
    uint64_t pid; /* koids of the writer; 0 for the kernel */
    uint64_t tid;
    char data[ZX_LOG_RECORD_DATA_MAX];
} zx_log_record_t;
_Static_assert(sizeof(zx_log_record_t) == ZX_LOG_RECORD_MAX, "ABI");
_Static_assert(offsetof(zx_log_record_t, data) == 40, "ABI");
