/*
 * panic.c - the last words, once.
 *
 * The first CPU to panic reports: message, stack, what the reporters of the
 * table add (held locks, states of CPUs and threads), and the last lines of the
 * log. Another CPU that panics meanwhile stands still, so the report is whole; a
 * panic of the reporting CPU ends the machine at once, so a broken reporter
 * costs its own part of the report and what follows, never the exit code. No
 * lock is taken and nothing is allocated.
 */
#include "lib/panic.h"

#include <stdarg.h>
#include <stdatomic.h>

#include "lib/assert.h"
#include "lib/fmt.h"
#include "lib/log.h"

#define LAST_LINES 24
#define MAX_FRAMES 32

static atomic_uint reporting; /* the CPU that reports, and one; 0: none */

bool panic_is_running(void) {
    return atomic_load_explicit(&reporting, memory_order_relaxed) != 0;
}

static void emit_sink(void *context, const char *bytes, size_t length) {
    (void)context;
    panic_doors.emit(bytes, length);
}

static void emit(const char *format, ...) PRINTF_LIKE(1, 2);
static void emit(const char *format, ...) {
    va_list args;

    va_start(args, format);
    fmt_to_sink(emit_sink, NULL, format, args);
    va_end(args);
}

static void emit_backtrace(uintptr_t frame) {
    uintptr_t pcs[MAX_FRAMES];
    unsigned count = panic_doors.backtrace(frame, pcs, MAX_FRAMES);

    for (unsigned i = 0; i < count; i++)
        emit("  #%u %#018lx\n", i, (unsigned long)pcs[i]);
}

/* The log as it was before the panic; the reporters' own lines come after `end`. */
static void emit_last_lines(uint64_t end) {
    struct log_record record;
    uint64_t cursor = end > LAST_LINES ? end - LAST_LINES : 0;

    emit("last lines of the log:\n");
    while (cursor < end && log_read(&cursor, &record) && record.sequence < end)
        emit("  [%5lld.%06lld] %.*s\n", (long long)(record.timestamp / 1000000000),
             (long long)(record.timestamp / 1000 % 1000000), (int)record.length, record.data);
}

/* From here on nothing may wait; log lines go straight to the polled console. */
static void NORETURN report(const char *format, va_list args, uintptr_t frame) {
    uint64_t log_end = log_next_sequence();

    panic_doors.stop_others();
    log_set_notify(NULL);
    log_set_console(panic_doors.emit);
    log_set_console_severity(LOG_DEBUG);

    emit("\nKERNEL PANIC: ");
    fmt_to_sink(emit_sink, NULL, format, args);
    emit("\nstack:\n");
    emit_backtrace(frame);
    for (const struct panic_reporter *r = panic_doors.reporters; r->name; r++) {
        emit("%s:\n", r->name);
        r->report();
    }
    emit_last_lines(log_end);
    emit("end of panic\n");
    panic_doors.end();
}

void panic(const char *format, ...) {
    va_list args;
    unsigned me = panic_doors.cpu() + 1, first = 0;

    if (!atomic_compare_exchange_strong(&reporting, &first, me)) {
        if (first != me)
            panic_doors.stand_still();
        emit("\n(a panic inside the panic: %s)\n", format);
        panic_doors.end();
    }
    va_start(args, format);
    report(format, args, (uintptr_t)__builtin_frame_address(0));
}

void assert_failed(const char *file, int line, const char *what) {
    panic("%s:%d: assertion failed: %s", file, line, what);
}
