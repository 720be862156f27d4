/*
 * dmesg - what the kernel's log still holds.
 */
#include <stdio.h>
#include <zircon/syscalls.h>
#include <zircon/syscalls/log.h>

#include "common/authority.h"
#include "common/system.h"
#include "common/tool.h"

static const char help[] = "usage: dmesg\n"
                           "Writes the kernel's log.\n";

static void print(const zx_log_record_t *record) {
    zx_duration_t time = record->timestamp;
    printf("[%5lld.%06lld] %.*s\n", (long long)(time / ZX_SEC(1)),
           (long long)(time % ZX_SEC(1) / 1000), record->datalen, record->data);
}

int main(int argc, char **argv) {
    struct authority authority = authority_take();
    struct system_answer answer;
    zx_log_record_t record;
    zx_handle_t log;
    zx_status_t status;
    tool_start(argc, argv, help);
    if (argc != 1)
        return tool_usage();
    status = system_ask(authority.system, SYSTEM_LOG, 0, &answer, &log);
    if (status != ZX_OK)
        return tool_fail(status, "no log");
    while ((status = zx_debuglog_read(log, 0, &record, sizeof record)) > 0)
        print(&record);
    return status == ZX_ERR_SHOULD_WAIT ? 0 : tool_fail(status, "the log");
}
