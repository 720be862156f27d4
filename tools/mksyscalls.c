/*
 * mksyscalls.c - prints docs/SYSCALLS.md from kernel/syscall/syscalls.def.
 *
 * A host program: cc -Ikernel -Iinclude tools/mksyscalls.c. What the kernel refuses
 * for now is in refusals.inc; core-tests asks the kernel whether it is so.
 */
#include <stdio.h>
#include <string.h>
#include <zircon/types.h>

#include "syscall/expand.h"

struct need {
    int argument;
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

static const char *const user_types[] = {
#define KIND(name, passed, user) #user,
#include "syscall/kinds.def"
#undef KIND
};

#define NEEDS_NOTHING {{-1, NULL, NULL}, {-1, NULL, NULL}}
#define NEEDS(i, type, ...) {{i, #type, #__VA_ARGS__}, {-1, NULL, NULL}}
#define NEED_PAIR(i, type, ...) {i, #type, #__VA_ARGS__}
#define NEEDS2(first, second) {NEED_PAIR first, NEED_PAIR second}
#define PAIR_ROW(i, kind, argument_name) {#kind, #argument_name}

#define SYSCALL(name, text, needs, ...)                                                            \
    {"kernel", "zx_status_t", #name, text, needs, {EACH_PAIR(PAIR_ROW, __VA_ARGS__)},              \
     PAIR_COUNT(__VA_ARGS__)},
#define SYSCALL_VOID(name, text, needs, ...)                                                       \
    {"kernel", "void", #name, text, needs, {EACH_PAIR(PAIR_ROW, __VA_ARGS__)},                     \
     PAIR_COUNT(__VA_ARGS__)},
#define SYSCALL_INNER(name, text, needs, ...)
#define VDSO_CALL(type, name, text, ...)                                                           \
    {"vDSO", #type, #name, text, NEEDS_NOTHING, {EACH_PAIR(PAIR_ROW, __VA_ARGS__)},                     \
     PAIR_COUNT(__VA_ARGS__)},

static const struct row rows[] = {
#include "syscall/syscalls.def"
};

static const char *const kind_names[] = {
#define KIND(name, passed, user) #name,
#include "syscall/kinds.def"
#undef KIND
};

static const char *user_type(const char *kind) {
    for (size_t i = 0; i < sizeof kind_names / sizeof kind_names[0]; i++) {
        if (strcmp(kind_names[i], kind) == 0)
            return user_types[i];
    }
    return "?";
}

static void print_needs(const struct row *row) {
    for (int i = 0; i < 2; i++) {
        const struct need *need = &row->needs[i];
        if (need->argument < 0)
            continue;
        printf("%s `%s`: %s", i > 0 ? ";" : " Needs", row->arguments[need->argument].name,
               need->type);
        if (strcmp(need->rights, "NOTHING") != 0)
            printf(" with %s", need->rights);
    }
    if (row->needs[0].argument >= 0)
        printf(".");
}

static void print_row(const struct row *row) {
    printf("### zx_%s\n\n```c\n%s zx_%s(", row->name, row->result, row->name);
    for (int i = 0; i < row->argument_count; i++) {
        const char *type = user_type(row->arguments[i].kind);
        const char *space = type[strlen(type) - 1] == '*' ? "" : " ";
        printf("%s%s%s%s", i > 0 ? ", " : "", type, space, row->arguments[i].name);
    }
    printf("%s);\n```\n\n%s", row->argument_count == 0 ? "void" : "", row->text);
    print_needs(row);
    if (strcmp(row->where, "vDSO") == 0)
        printf(" Code of the vDSO.");
    printf("\n\n");
}

static const char *const refusals[] = {
#include "refusals.inc"
};

int main(void) {
    printf("# System calls\n\n"
           "Printed by tools/mksyscalls.c from kernel/syscall/syscalls.def; do not edit.\n\n"
           "A handle is checked in this order: `ZX_ERR_BAD_HANDLE`, `ZX_ERR_WRONG_TYPE`,\n"
           "`ZX_ERR_ACCESS_DENIED`; with ANY and TASK the right comes before the type. A pointer\n"
           "that cannot be followed is `ZX_ERR_INVALID_ARGS`. Deadlines are absolute, in\n"
           "nanoseconds since boot. Calls marked \"Code of the vDSO\" run in user mode.\n\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        print_row(&rows[i]);
    printf("## Not there yet\n\n"
           "These give `ZX_ERR_NOT_SUPPORTED`. A call that is not in this document does not exist:\n"
           "a program that uses it does not link.\n\n");
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        printf("- %s\n", refusals[i]);
    return 0;
}
