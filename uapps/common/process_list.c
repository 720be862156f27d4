/*
 * process_list.c - finds the process below the root job and asks it.
 */
#include "common/process_list.h"

#include <stdlib.h>

#include "common/authority.h"
#include "common/tasks.h"
#include "common/tool.h"

int process_list_main(int argc, char **argv, const char *help, zx_object_info_topic_t topic,
                      size_t record_size, void (*print)(const void *records, size_t count)) {
    struct authority authority = authority_take();
    zx_koid_t koid;
    zx_handle_t process;
    enum task_kind kind;
    size_t count;
    void *records;
    tool_start(argc, argv, help);
    if (argc != 2 || !tasks_parse_koid(argv[1], &koid))
        return tool_usage();
    zx_status_t status = tasks_find(authority.root_job, koid, &process, &kind);
    if (status == ZX_OK)
        status = tasks_list(process, topic, record_size, &records, &count);
    if (status != ZX_OK)
        return tool_fail(status, "%s", argv[1]);
    print(records, count);
    free(records);
    return 0;
}
