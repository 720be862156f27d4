/*
 * kdebug - a debug command for the kernel, and its answer out of the kernel's log.
 */
#include <stdio.h>
#include <string.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/log.h>

#include "common/authority.h"
#include "common/system.h"
#include "common/tool.h"

static const char help[] =
    "usage: kdebug COMMAND [ARGUMENT]\n"
    "Has the kernel run a debug command, and writes what it logs meanwhile. The kernel\n"
    "must be booted with debug.syscalls=1. `kdebug help` lists the commands.\n";

/* The words with single spaces; false if they are too long. */
static bool join(int argc, char **argv, char *text, size_t size) {
    size_t length = 0;
    text[0] = '\0';
    for (int i = 1; i < argc; i++) {
        if (i > 1)
            length = strlcat(text, " ", size);
        length = strlcat(text, argv[i], size);
    }
    return length < size;
}

static void skip_records(zx_handle_t log) {
    zx_log_record_t record;
    while (zx_debuglog_read(log, 0, &record, sizeof record) > 0)
        ;
}

/* The kernel's own records. */
static void print_records(zx_handle_t log) {
    zx_log_record_t record;
    while (zx_debuglog_read(log, 0, &record, sizeof record) > 0) {
        if (record.pid == 0)
            printf("%.*s\n", record.datalen, record.data);
    }
}

int main(int argc, char **argv) {
    struct authority authority = authority_take();
    struct system_answer answer;
    char command[SYSTEM_TEXT_MAX];
    zx_handle_t log;
    tool_start(argc, argv, help);
    if (argc < 2 || !join(argc, argv, command, sizeof command))
        return tool_usage();
    zx_status_t status = system_ask(authority.system, SYSTEM_LOG, 0, &answer, &log);
    if (status != ZX_OK)
        return tool_fail(status, "no log");
    skip_records(log);
    status = system_debug(authority.system, command);
    print_records(log);
    return status == ZX_OK ? 0 : tool_fail(status, "%s", command);
}
