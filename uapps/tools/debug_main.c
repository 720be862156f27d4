/*
 * debug_main.c - the commands of debug, a line each.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>

#include "common/authority.h"
#include "common/inspect.h"
#include "common/tool.h"
#include "tools/debug.h"

static const char help[] =
    "usage: debug PROGRAM [ARGUMENT...]\n"
    "       debug -p KOID\n"
    "Starts a program and stops it before its first instruction, or stops a running process;\n"
    "then takes commands:\n"
    "  break ADDRESS    stop before the instruction there (up to four breakpoints)\n"
    "  watch ADDRESS    stop after a write to the eight bytes there\n"
    "  delete           forget all breakpoints\n"
    "  step [N]         run one instruction of the stopped thread, or N\n"
    "  continue [MS]    go on until something happens, or for so many milliseconds; a\n"
    "                   crash goes to the next handler, and so usually ends the process\n"
    "  registers, set REGISTER VALUE, memory ADDRESS [LENGTH], backtrace, threads\n"
    "  thread KOID      look at another thread\n"
    "  leave            let the process go on by itself, and end\n"
    "  kill             end the process, and end\n"
    "A command may be shortened. An ADDRESS is a number, a symbol, or * for where the thread\n"
    "is, and may have +OFFSET behind it. The end of the input leaves. The programs of /bin\n"
    "have no symbols; those that `./jx cc` makes do.\n";

/* --- words --- */

static bool parse_number(const char *word, const char **out_rest, uint64_t *out_value) {
    char *rest;
    *out_value = strtoull(word, &rest, 0);
    *out_rest = rest;
    return rest != word;
}

static uint64_t rip_of(const struct target *t) {
    zx_thread_state_general_regs_t regs = {0};
    (void)zx_thread_read_state(t->thread, ZX_THREAD_STATE_GENERAL_REGS, &regs, sizeof regs);
    return regs.rip;
}

static bool parse_address(const struct target *t, const char *word, uint64_t *out_address) {
    uint64_t offset = 0;
    const char *rest = word;
    if (!word)
        return false;
    *out_address = rip_of(t);
    size_t length = strcspn(word, "+");
    if (*word == '*')
        rest = word + 1;
    else if (inspect_find(t->process, word, length, out_address))
        rest = word + length;
    else if (!parse_number(word, &rest, out_address))
        return false;
    if (*rest == '+' && !parse_number(rest + 1, &rest, &offset))
        return false;
    *out_address += offset;
    return *rest == '\0';
}

static uint64_t parse_count(const char *word, uint64_t otherwise) {
    uint64_t value;
    const char *rest;
    return word && parse_number(word, &rest, &value) && *rest == '\0' ? value : otherwise;
}

static void complain(zx_status_t status) {
    if (status != ZX_OK)
        printf("%s\n", zx_status_get_string(status));
}

/* --- commands: false ends the session --- */

static void add_breakpoint(struct target *t, const char *word, enum break_kind kind) {
    uint64_t address;
    if (!parse_address(t, word, &address)) {
        printf("not an address\n");
        return;
    }
    for (unsigned i = 0; i < BREAKPOINTS; i++) {
        if (t->breakpoints[i].kind != BREAK_NONE)
            continue;
        t->breakpoints[i] = (struct breakpoint){kind, address};
        return;
    }
    printf("there are only %d\n", BREAKPOINTS);
}

static bool do_break(struct target *t, char **words) {
    add_breakpoint(t, words[1], BREAK_EXECUTE);
    return true;
}
static bool do_watch(struct target *t, char **words) {
    add_breakpoint(t, words[1], BREAK_WRITE);
    return true;
}
static bool do_delete(struct target *t, char **words) {
    memset(t->breakpoints, 0, sizeof t->breakpoints);
    return true;
}

static bool do_continue(struct target *t, char **words) {
    uint64_t ms = parse_count(words[1], 0);
    target_run(t, ms ? zx_deadline_after(ZX_MSEC((zx_duration_t)ms)) : ZX_TIME_INFINITE);
    return !t->ended;
}

/* A step into a call that blocks does not end by itself. */
#define STEP_LIMIT ZX_SEC(1)

static bool do_step(struct target *t, char **words) {
    static const uint32_t on = 1;
    for (uint64_t left = parse_count(words[1], 1); left > 0 && !t->ended; left--) {
        complain(zx_thread_write_state(t->thread, ZX_THREAD_STATE_SINGLE_STEP, &on, sizeof on));
        target_run(t, zx_deadline_after(STEP_LIMIT));
    }
    return !t->ended;
}

static bool do_registers(struct target *t, char **words) {
    complain(inspect_print_registers(t->thread));
    return true;
}
static bool do_backtrace(struct target *t, char **words) {
    complain(inspect_print_backtrace(t->process, t->thread));
    return true;
}

static bool do_memory(struct target *t, char **words) {
    uint64_t address;
    if (!parse_address(t, words[1], &address))
        printf("not an address\n");
    else
        complain(inspect_print_memory(t->process, address,
                                      parse_count(words[1] ? words[2] : NULL, 64)));
    return true;
}

/* In the order of zx_thread_state_general_regs_t. */
static const char *const register_names[] = {"rax", "rbx", "rcx",    "rdx",     "rsi",
                                             "rdi", "rbp", "rsp",    "r8",      "r9",
                                             "r10", "r11", "r12",    "r13",     "r14",
                                             "r15", "rip", "rflags", "fs_base", "gs_base"};

static bool do_set(struct target *t, char **words) {
    uint64_t regs[20], value;
    zx_status_t status =
        zx_thread_read_state(t->thread, ZX_THREAD_STATE_GENERAL_REGS, regs, sizeof regs);
    complain(status);
    for (unsigned i = 0; words[1] && i < 20; i++) {
        if (strcmp(words[1], register_names[i]) != 0)
            continue;
        if (!parse_address(t, words[2], &value)) {
            printf("not a value\n");
            return true;
        }
        regs[i] = value;
        complain(zx_thread_write_state(t->thread, ZX_THREAD_STATE_GENERAL_REGS, regs, sizeof regs));
        return true;
    }
    printf("not a register\n");
    return true;
}

static zx_koid_t koid_of(zx_handle_t handle) {
    zx_info_handle_basic_t info = {0};
    (void)zx_object_get_info(handle, ZX_INFO_HANDLE_BASIC, &info, sizeof info, NULL, NULL);
    return info.koid;
}

static void print_thread(struct target *t, zx_handle_t thread) {
    char name[ZX_MAX_NAME_LEN] = "";
    struct target other = *t;
    (void)zx_object_get_property(thread, ZX_PROP_NAME, name, sizeof name);
    printf("%c %llu %s ", koid_of(thread) == koid_of(t->thread) ? '*' : ' ',
           (unsigned long long)koid_of(thread), name);
    other.thread = thread;
    target_print_place(&other);
}

static bool do_threads(struct target *t, char **words) {
    complain(target_each_thread(t, print_thread));
    return true;
}

static bool do_thread(struct target *t, char **words) {
    zx_handle_t thread;
    zx_status_t status = zx_object_get_child(t->process, parse_count(words[1], 0),
                                             ZX_RIGHT_SAME_RIGHTS, &thread);
    complain(status);
    if (status != ZX_OK)
        return true;
    (void)zx_handle_close(t->thread);
    t->thread = thread;
    target_print_place(t);
    return true;
}

static bool do_leave(struct target *t, char **words) {
    target_leave(t);
    return false;
}
static bool do_kill(struct target *t, char **words) {
    complain(zx_task_kill(t->process));
    return false;
}
static bool do_help(struct target *t, char **words) {
    fputs(help, stdout);
    return true;
}

/* Of those that a word begins the first is meant: `thread` stands before `threads`. */
static const struct {
    const char *name;
    bool (*run)(struct target *t, char **words);
} commands[] = {{"break", do_break},         {"watch", do_watch},     {"delete", do_delete},
                {"step", do_step},           {"continue", do_continue}, {"registers", do_registers},
                {"set", do_set},             {"memory", do_memory},   {"backtrace", do_backtrace},
                {"thread", do_thread},       {"threads", do_threads}, {"leave", do_leave},
                {"kill", do_kill},           {"help", do_help}};

#define WORDS_MAX 4

static bool run_line(struct target *t, char *line) {
    char *words[WORDS_MAX] = {NULL};
    int count = 0;
    for (char *at = line; count < WORDS_MAX - 1;) {
        at += strspn(at, " \t\n");
        if (*at == '\0')
            break;
        words[count++] = at;
        at += strcspn(at, " \t\n");
        if (*at != '\0')
            *at++ = '\0';
    }
    if (count == 0)
        return true;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (strncmp(commands[i].name, words[0], strlen(words[0])) == 0)
            return commands[i].run(t, words);
    }
    printf("%s: no such command; `help` lists them\n", words[0]);
    return true;
}

static int run_session(struct target *t) {
    char line[256];
    for (;;) {
        printf("debug> ");
        fflush(stdout);
        if (!fgets(line, sizeof line, stdin)) {
            target_leave(t);
            return 0;
        }
        if (!run_line(t, line))
            return 0;
    }
}

int main(int argc, char **argv) {
    struct authority authority = authority_take();
    struct target target = {0};
    tool_start(argc, argv, help);
    if (argc < 2 || (strcmp(argv[1], "-p") == 0 && argc != 3))
        return tool_usage();
    int code = strcmp(argv[1], "-p") == 0 ? target_attach(&target, authority.root_job, argv[2])
                                          : target_start(&target, argv + 1);
    return code ? code : run_session(&target);
}
