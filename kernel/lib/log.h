/*
 * log.h - the kernel log: a lock-free ring of records, and the console line.
 *
 * log_printf formats on the stack (one record of at most LOG_DATA_MAX bytes),
 * appends to the ring, and hands the line to the console writer that arch
 * installed. It allocates nothing, takes no lock that a fault path can hold,
 * and may be called from any context, interrupts and panic included.
 * The debuglog object reads the ring with a cursor.
 */
#pragma once

#include <stdarg.h>

#include "lib/types.h"

#define LOG_DATA_MAX 216

enum log_severity { LOG_DEBUG = 0x20, LOG_INFO = 0x30, LOG_WARNING = 0x40, LOG_ERROR = 0x50 };

struct log_record {
    uint64_t sequence;
    nstime_t timestamp;
    uint64_t pid, tid; /* koids; 0 for the kernel */
    uint16_t length;
    uint8_t severity, flags;
    char data[LOG_DATA_MAX];
};

void log_printf(enum log_severity severity, const char *format, ...) PRINTF_LIKE(2, 3);
void log_vprintf(enum log_severity severity, const char *format, va_list args);
/* Append bytes of a user's record as they are. */
void log_append(enum log_severity severity, uint64_t pid, uint64_t tid, const char *data,
                size_t length);
/*
 * Copy the oldest record with sequence >= *cursor that still exists and advance
 * the cursor past it; false if there is none yet.
 */
bool log_read(uint64_t *cursor, struct log_record *out_record);
uint64_t log_next_sequence(void);

/* Called for each record after it is in the ring; must not wait or take locks. */
typedef void log_notify(void);
void log_set_notify(log_notify *notify);
/* Where lines go besides the ring (the arch's polled or buffered console); NULL: nowhere. */
typedef void log_console(const char *bytes, size_t length);
void log_set_console(log_console *console);
/* Where timestamps come from; until it is set they are 0. */
typedef nstime_t log_clock(void);
void log_set_clock(log_clock *clock);
/* Lines below this severity stay out of the console, though in the ring. */
void log_set_console_severity(enum log_severity least);

#define log_info(...)    log_printf(LOG_INFO, __VA_ARGS__)
#define log_warning(...) log_printf(LOG_WARNING, __VA_ARGS__)
#define log_error(...)   log_printf(LOG_ERROR, __VA_ARGS__)
#define log_debug(...)   log_printf(LOG_DEBUG, __VA_ARGS__)
