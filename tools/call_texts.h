/*
 * call_texts.h - the table of system calls, and the texts of docs/calls about them.
 *
 * docs/calls/README tells the form of a text. All is kept until the end of the program.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* ---- The table: kernel/syscall/syscalls.def ---- */

struct need {
    int argument; /* less than 0: none */
    const char *type;
    const char *rights;
};
struct argument {
    const char *kind;
    const char *name;
};
struct row {
    const char *where; /* kernel, vDSO, inner */
    const char *result;
    const char *name;
    const char *text;
    struct need needs[2];
    struct argument arguments[8];
    int argument_count;
};
struct kind {
    const char *name, *passed, *user;
};

extern const struct row rows[];
extern const size_t row_count;

const struct kind *kind_of(const struct argument *argument);
bool is_vdso(const struct row *row);
/* What the call needs of an argument, and an argument, by name; or NULL. */
const struct need *need_of(const struct row *row, const char *argument, size_t length);
const struct argument *argument_find(const struct row *row, const char *name, size_t length);

/* ---- The texts ---- */

struct line {
    const char *file, *text;
    int number;
};
struct range {
    int from, to; /* indexes of lines, from inclusive, to exclusive */
};
/* The head of a file, or a call. */
struct section {
    int title; /* its line */
    struct range body, errors, code;
    const char *rights; /* more about them, or NULL */
    const struct row *row;
    int group; /* the file's head */
    bool has_errors, has_code;
};

#define SECTIONS_MAX 512
extern struct line lines[];
extern struct section sections[SECTIONS_MAX];
extern int section_count;

bool starts_with(const char *text, const char *start);
/* Read a file, after others; split all that was read; false after a complaint. */
void texts_read(const char *path);
bool texts_split(void);
/* Each call has a whole text, each text a call; complains and is false otherwise. */
bool texts_check(void);
/* The text of a call, or NULL. */
const struct section *section_of(const struct row *row);
