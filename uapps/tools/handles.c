/*
 * handles - the handles of a process.
 */
#include <stdio.h>

#include "common/process_list.h"
#include "common/show.h"

static const char help[] =
    "usage: handles KOID\n"
    "Shows the handles of a process: value, type, rights, koid of the object, and koid of\n"
    "the related one (the other end, or the parent).\n" SHOW_RIGHTS_HELP;

static void print(const void *records, size_t count) {
    const zx_info_handle_extended_t *handles = records;
    char rights[SHOW_RIGHTS];
    printf("   VALUE TYPE       RIGHTS                  KOID RELATED\n");
    for (size_t i = 0; i < count; i++)
        printf("%08x %-10s %s %6llu %7llu\n", handles[i].handle_value, show_type(handles[i].type),
               show_rights(handles[i].rights, rights), (unsigned long long)handles[i].koid,
               (unsigned long long)handles[i].related_koid);
}

int main(int argc, char **argv) {
    return process_list_main(argc, argv, help, ZX_INFO_HANDLE_TABLE,
                             sizeof(zx_info_handle_extended_t), print);
}
