/*
 * log.c - the ring of log records, without a lock.
 *
 * A writer draws a sequence number; it owns slot `sequence % LOG_RECORDS` from
 * the moment it changes the slot's stamp from an even value to 2 * sequence + 1
 * until it sets it to 2 * sequence + 2. A reader copies the words and then looks
 * whether the stamp is still the one it expects. The words are atomic (relaxed),
 * so a copy that loses the race is torn but never undefined.
 *
 * A writer that finds its slot still owned has gone once around the ring while
 * another was interrupted in the middle: it draws another number and leaves a
 * hole. Readers pass a hole, and a record whose writer is very slow, when they
 * are half a ring behind.
 */
#include "lib/log.h"

#include <stdatomic.h>

#include "lib/fmt.h"
#include "lib/string.h"

#define LOG_RECORDS  512
#define RECORD_WORDS (sizeof(struct log_record) / sizeof(uint64_t))
_Static_assert(sizeof(struct log_record) % sizeof(uint64_t) == 0, "records are copied by words");

struct slot {
    _Atomic uint64_t stamp;
    _Atomic uint64_t words[RECORD_WORDS];
};

static struct slot ring[LOG_RECORDS];
static _Atomic uint64_t next_sequence;
static _Atomic(log_notify *) notify_hook;
static _Atomic(log_console *) console_hook;
static _Atomic(log_clock *) clock_hook;
static atomic_int console_least = LOG_INFO;

static uint64_t stamp_writing(uint64_t sequence) { return 2 * sequence + 1; }
static uint64_t stamp_ready(uint64_t sequence) { return 2 * sequence + 2; }

/* Draw a number whose slot nobody is writing. */
static struct slot *slot_claim(uint64_t *out_sequence) {
    for (;;) {
        uint64_t sequence = atomic_fetch_add_explicit(&next_sequence, 1, memory_order_relaxed);
        struct slot *slot = &ring[sequence % LOG_RECORDS];
        uint64_t stamp = atomic_load_explicit(&slot->stamp, memory_order_relaxed);

        if (stamp % 2 == 0 && stamp < stamp_writing(sequence) &&
            atomic_compare_exchange_strong_explicit(&slot->stamp, &stamp, stamp_writing(sequence),
                                                    memory_order_acquire, memory_order_relaxed)) {
            *out_sequence = sequence;
            return slot;
        }
    }
}

static void ring_put(struct log_record *record) {
    struct slot *slot = slot_claim(&record->sequence);
    uint64_t words[RECORD_WORDS];

    atomic_thread_fence(memory_order_release);
    memcpy(words, record, sizeof(words));
    for (size_t i = 0; i < RECORD_WORDS; i++)
        atomic_store_explicit(&slot->words[i], words[i], memory_order_relaxed);
    atomic_store_explicit(&slot->stamp, stamp_ready(record->sequence), memory_order_release);
}

/* False if the slot does not hold (or did not hold until the end) record `sequence`. */
static bool ring_get(uint64_t sequence, struct log_record *out_record) {
    struct slot *slot = &ring[sequence % LOG_RECORDS];
    uint64_t words[RECORD_WORDS];

    if (atomic_load_explicit(&slot->stamp, memory_order_acquire) != stamp_ready(sequence))
        return false;
    for (size_t i = 0; i < RECORD_WORDS; i++)
        words[i] = atomic_load_explicit(&slot->words[i], memory_order_relaxed);
    atomic_thread_fence(memory_order_acquire);
    if (atomic_load_explicit(&slot->stamp, memory_order_relaxed) != stamp_ready(sequence))
        return false;
    memcpy(out_record, words, sizeof(words));
    return true;
}

uint64_t log_next_sequence(void) {
    return atomic_load_explicit(&next_sequence, memory_order_acquire);
}

bool log_read(uint64_t *cursor, struct log_record *out_record) {
    for (;;) {
        uint64_t next = log_next_sequence();

        if (*cursor >= next)
            return false;
        if (next - *cursor > LOG_RECORDS)
            *cursor = next - LOG_RECORDS;
        if (ring_get(*cursor, out_record)) {
            (*cursor)++;
            return true;
        }
        if (next - *cursor <= LOG_RECORDS / 2)
            return false;
        (*cursor)++;
    }
}

/* One write per line, so that lines of several CPUs do not mix. */
static void console_put(const struct log_record *record) {
    log_console *console = atomic_load_explicit(&console_hook, memory_order_acquire);
    char line[LOG_DATA_MAX + 32];

    if (!console || record->severity < atomic_load_explicit(&console_least, memory_order_relaxed))
        return;
    size_t length = fmt_format(line, sizeof(line), "[%5lld.%06lld] %.*s\n",
                               (long long)(record->timestamp / 1000000000),
                               (long long)(record->timestamp / 1000 % 1000000),
                               (int)record->length, record->data);
    console(line, MIN(length, sizeof(line) - 1));
}

static void record_finish(struct log_record *record, enum log_severity severity) {
    log_clock *clock = atomic_load_explicit(&clock_hook, memory_order_acquire);
    log_notify *notify = atomic_load_explicit(&notify_hook, memory_order_acquire);

    record->severity = (uint8_t)severity;
    record->flags = 0;
    record->timestamp = clock ? clock() : 0;
    ring_put(record);
    console_put(record);
    if (notify)
        notify();
}

void log_append(enum log_severity severity, uint64_t pid, uint64_t tid, const char *data,
                size_t length) {
    struct log_record record;

    memset(&record, 0, sizeof(record));
    record.pid = pid;
    record.tid = tid;
    record.length = (uint16_t)MIN(length, (size_t)LOG_DATA_MAX);
    memcpy(record.data, data, record.length);
    record_finish(&record, severity);
}

void log_vprintf(enum log_severity severity, const char *format, va_list args) {
    struct log_record record;

    memset(&record, 0, sizeof(record));
    size_t length = fmt_vformat(record.data, sizeof(record.data), format, args);
    length = MIN(length, sizeof(record.data) - 1);
    if (length > 0 && record.data[length - 1] == '\n')
        length--;
    record.length = (uint16_t)length;
    record_finish(&record, severity);
}

void log_printf(enum log_severity severity, const char *format, ...) {
    va_list args;

    va_start(args, format);
    log_vprintf(severity, format, args);
    va_end(args);
}

void log_set_notify(log_notify *notify) {
    atomic_store_explicit(&notify_hook, notify, memory_order_release);
}
void log_set_console(log_console *console) {
    atomic_store_explicit(&console_hook, console, memory_order_release);
}
void log_set_clock(log_clock *clock) {
    atomic_store_explicit(&clock_hook, clock, memory_order_release);
}
void log_set_console_severity(enum log_severity least) {
    atomic_store_explicit(&console_least, least, memory_order_relaxed);
}
