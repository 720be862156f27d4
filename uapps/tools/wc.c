/*
 * wc - lines, words and bytes.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/file.h"
#include "common/tool.h"

static const char help[] =
    "usage: wc [-lwc] [FILE...]\n"
    "Counts lines (-l), words (-w) and bytes (-c) of files or of standard input.\n";

struct counts {
    unsigned long lines, words, bytes;
};

static bool show_lines, show_words, show_bytes_;
static struct counts total;

static void print(const struct counts *counts, const char *path) {
    const char *space = "";
    const struct {
        bool shown;
        unsigned long value;
    } columns[] = {
        {show_lines, counts->lines}, {show_words, counts->words}, {show_bytes_, counts->bytes}};
    for (size_t i = 0; i < 3; i++) {
        if (columns[i].shown) {
            printf("%s%lu", space, columns[i].value);
            space = " ";
        }
    }
    printf("%s%s\n", path ? " " : "", path ? path : "");
}

static void count(struct reader *reader, const char *path) {
    struct counts counts = {0};
    const char *bytes;
    size_t length;
    bool in_word = false;
    while ((length = reader_next(reader, &bytes)) > 0) {
        counts.bytes += length;
        for (size_t i = 0; i < length; i++) {
            bool blank = isspace((unsigned char)bytes[i]);
            counts.lines += bytes[i] == '\n';
            counts.words += !blank && !in_word;
            in_word = !blank;
        }
    }
    total.lines += counts.lines;
    total.words += counts.words;
    total.bytes += counts.bytes;
    print(&counts, path);
}

static bool read_options(const char *letters) {
    for (; *letters; letters++) {
        if (!strchr("lwc", *letters))
            return false;
        show_lines |= *letters == 'l';
        show_words |= *letters == 'w';
        show_bytes_ |= *letters == 'c';
    }
    return true;
}

int main(int argc, char **argv) {
    tool_start(argc, argv, help);
    int first = 1;
    for (; first < argc && argv[first][0] == '-' && argv[first][1]; first++) {
        if (!read_options(argv[first] + 1))
            return tool_usage();
    }
    if (first == 1)
        show_lines = show_words = show_bytes_ = true;
    int code = reader_for_each(argc, argv, first, count);
    if (argc - first > 1)
        print(&total, "total");
    return code;
}
