/*
 * log_test.c - the ring through its public face. Other CPUs may log meanwhile, so
 * a test looks only for its own records.
 */
#include "lib/log.h"

#include "lib/ktest.h"
#include "lib/string.h"

#define RING_AT_MOST 4096

static struct log_record record;

/* The next record at or after *cursor whose text is `text`. */
static bool find_record(uint64_t *cursor, const char *text) {
    while (log_read(cursor, &record))
        if (record.length == strlen(text) && memcmp(record.data, text, record.length) == 0)
            return true;
    return false;
}

KTEST_QUICK(log, a_record_comes_back_as_it_was_written) {
    uint64_t cursor = log_next_sequence();

    log_append(LOG_DEBUG, 11, 12, "log test, first", 15);
    log_printf(LOG_DEBUG, "log test, %s\n", "second");
    REQUIRE(find_record(&cursor, "log test, first"));
    EXPECT_EQ(11, record.pid);
    EXPECT_EQ(12, record.tid);
    EXPECT_EQ(LOG_DEBUG, record.severity);
    EXPECT(find_record(&cursor, "log test, second"));
}

KTEST(log, a_reader_left_behind_goes_on_with_the_oldest) {
    uint64_t cursor = log_next_sequence(), begin = cursor;

    for (unsigned i = 0; i < RING_AT_MOST; i++)
        log_printf(LOG_DEBUG, "filler %u", i);
    REQUIRE(log_read(&cursor, &record));
    EXPECT(record.sequence > begin);
    uint64_t previous = record.sequence;
    while (log_read(&cursor, &record)) {
        EXPECT(record.sequence > previous);
        previous = record.sequence;
    }
    EXPECT(previous >= begin + RING_AT_MOST - 1);
}

KTEST_QUICK(log, a_long_line_is_cut) {
    static char text[LOG_DATA_MAX * 2];
    uint64_t cursor = log_next_sequence();

    memset(text, 'q', sizeof(text) - 1);
    log_printf(LOG_DEBUG, "%s", text);
    do
        REQUIRE(log_read(&cursor, &record));
    while (record.data[0] != 'q');
    EXPECT_EQ(LOG_DATA_MAX - 1, record.length);
}
