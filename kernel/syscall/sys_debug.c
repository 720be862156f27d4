/*
 * sys_debug.c - zx_debug_send_command: a word and its arguments; the answer is in the log.
 *
 * Answers are of the least severity, so that they stay off the console; a program reads
 * them by a debuglog. What is wrong is told as an error, and by the status.
 *
 * The kernel answers only when it was booted with debug.syscalls, and then only to who
 * has the root resource.
 */
#include "arch/boot.h"
#include "arch/lock_rank.h"
#include "lib/log.h"
#include "lib/string.h"
#include "syscall/sys_resource.h"
#include "syscall/sys_util.h"
#include "vm/audit_plant.h"
#include "vm/kernel_thread.h"
#include "vm/kheap.h"
#include "vm/memory_audit.h"
#include "vm/page_map.h"

#define COMMAND_MAX 256

/* ---- The commands; each gets what follows its word ---- */

static status_t command_frames(const char *argument) {
    struct memory_audit audit = memory_audit();
    if (audit.differences == 0)
        log_debug("audit: all agrees");
    else
        log_error("audit: %lu differences", audit.differences);
    return audit.differences == 0 ? OK : ERR_INTERNAL;
}

static status_t command_locks(const char *argument) {
    lock_counts_log();
    return OK;
}

/* Decimal; false if it is nothing else. */
static bool parse_number(const char *text, unsigned *out_number) {
    unsigned number = 0;
    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' || number > 1000)
            return false;
        number = number * 10 + (unsigned)(*text - '0');
    }
    *out_number = number;
    return true;
}

static status_t command_plant(const char *argument) {
    unsigned number;
    if (!parse_number(argument, &number))
        return ERR_INVALID_ARGS;
    if (number == 0) {
        audit_unplant();
        return OK;
    }
    status_t status = audit_plant(number);
    if (status == OK)
        log_debug("planted: %s", audit_plant_get(number)->what);
    return status;
}

static status_t command_trim(const char *argument) {
    kheap_trim();
    kernel_stacks_trim();
    return OK;
}

static status_t command_help(const char *argument);

static const struct command {
    const char *word, *help;
    status_t (*run)(const char *argument);
} commands[] = {
    {"frames", "compare page records, page maps, page tables and counters", command_frames},
    {"help", "list the commands", command_help},
    {"locks", "how often locks were taken and waited for", command_locks},
    {"plant", "N: debug kernels: plant fault N for `frames` to find; 0 takes it back",
     command_plant},
    {"trim", "give back what the kernel keeps for later: stacks, empty slabs", command_trim},
};

static status_t command_help(const char *argument) {
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
        log_debug("%s: %s", commands[i].word, commands[i].help);
    return OK;
}

/* Cut `text` behind its first word; what follows the word and the spaces. */
static char *cut_word(char *text) {
    while (*text && *text != ' ')
        text++;
    while (*text == ' ')
        *text++ = '\0';
    return text;
}

static status_t run_command(char *text) {
    char *argument = cut_word(text);
    (void)cut_word(argument);
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++)
        if (strcmp(commands[i].word, text) == 0)
            return commands[i].run(argument);
    return ERR_NOT_FOUND;
}

/* ---- The call ---- */

status_t sys_debug_send_command(uint32_t resource, struct user_in buffer, uint64_t length) {
    char text[COMMAND_MAX + 1];

    if (!boot_option_bool("debug.syscalls", false))
        return ERR_NOT_SUPPORTED;
    status_t status = sys_check_resource(resource, ZX_RSRC_KIND_ROOT);
    if (status != OK)
        return status;
    if (length > COMMAND_MAX)
        return ERR_INVALID_ARGS;
    status = user_copy_in(text, buffer, length);
    if (status != OK)
        return status;
    text[length] = '\0';
    return run_command(text);
}
