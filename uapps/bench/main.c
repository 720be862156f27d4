/*
 * main.c - bench: what the primitive operations cost, a line for each row:
 * `row<TAB>instructions`. With arguments it measures only the rows they name; `--list`
 * names them all. `./jx bench` runs it. Curves (curves.h) print several lines each, and
 * the word `short` makes them fewer.
 *
 * The figures go to standard output, or to the machine's console when this program
 * has no streams (as init it has none).
 */
#include <jacinth/launch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "bench/curves.h"

extern const struct row rows_begin[] __asm__("__start_rows");
extern const struct row rows_end[] __asm__("__stop_rows");

static const struct row *running;

/* The pause lets whoever carries the line finish before the next row begins. */
static void print_line(const char *line) {
    size_t length = strlen(line);
    if (jx_stream_handle(1) == ZX_HANDLE_INVALID)
        (void)zx_debug_write(line, length);
    else
        fwrite(line, 1, length, stdout);
    (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(5)));
}

void bench_fail(const char *what, int64_t value, int line) {
    char text[200];
    snprintf(text, sizeof text, "bench: %s: line %d: %s gave %ld\n",
             running ? running->name : "partner", line, what, (long)value);
    print_line(text);
    exit(1);
}

void row_result(int64_t instructions) {
    char text[100];
    snprintf(text, sizeof text, "%s\t%ld\n", running->name, (long)instructions);
    print_line(text);
}

void point(const char *figure, uint64_t x, int64_t value) {
    char text[120];
    snprintf(text, sizeof text, "%s.%s\t%lu\t%ld\n", running->name, figure, x, (long)value);
    print_line(text);
}

/* The arguments, but for the name. */
static char **words;
static int word_count;

static bool has_word(const char *word) {
    for (int i = 0; i < word_count; i++) {
        if (strcmp(words[i], word) == 0)
            return true;
    }
    return false;
}

bool curves_short(void) { return has_word("short"); }

static bool wanted(const struct row *row) {
    return word_count ? has_word(row->name) : !row->alone;
}

static void list_rows(void) {
    for (const struct row *row = rows_begin; row < rows_end; row++)
        printf("%s\n", row->name);
}

int main(int argc, char **argv) {
    if (partner_play(argc, argv))
        return 0;
    words = argv + 1;
    word_count = argc - 1;
    if (has_word("--list")) {
        list_rows();
        return 0;
    }
    int measured = 0;
    for (const struct row *row = rows_begin; row < rows_end; row++) {
        if (!wanted(row))
            continue;
        running = row;
        row->run();
        measured++;
    }
    return measured == 0;
}
