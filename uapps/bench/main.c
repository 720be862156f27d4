/*
 * main.c - bench: what the primitive operations cost, a line for each row:
 * `row<TAB>instructions`. With arguments it measures only the rows they name; `--list`
 * names them all. `./jx bench` runs it.
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

#include "bench/bench.h"

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

static bool wanted(const struct row *row, int argc, char **argv) {
    if (argc < 2)
        return !row->alone;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], row->name) == 0)
            return true;
    }
    return false;
}

static void list_rows(void) {
    for (const struct row *row = rows_begin; row < rows_end; row++)
        printf("%s\n", row->name);
}

int main(int argc, char **argv) {
    if (partner_play(argc, argv))
        return 0;
    if (argc == 2 && strcmp(argv[1], "--list") == 0) {
        list_rows();
        return 0;
    }
    int measured = 0;
    for (const struct row *row = rows_begin; row < rows_end; row++) {
        if (!wanted(row, argc, argv))
            continue;
        running = row;
        row->run();
        measured++;
    }
    return measured == 0;
}
