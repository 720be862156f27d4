/*
 * mem - the machine's memory by owner.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/authority.h"
#include "common/system.h"
#include "common/tool.h"

static const char help[] = "usage: mem [-b]\n"
                           "Shows the machine's memory by owner, in KiB, or in bytes (-b). Of the heap it also\n"
                           "shows what is free, and what maps from offsets to pages take.\n";

static void print(const zx_info_kmem_stats_t *memory, uint64_t page_maps, bool bytes) {
    const struct {
        const char *owner;
        uint64_t bytes;
    } rows[] = {
        {"total", memory->total_bytes},
        {"free", memory->free_bytes},
        {"wired", memory->wired_bytes},
        {"heap", memory->total_heap_bytes},
        {"heap, free", memory->free_heap_bytes},
        {"heap, page maps", page_maps},
        {"memory objects", memory->vmo_bytes},
        {"page tables", memory->mmu_overhead_bytes},
        {"messages", memory->ipc_bytes},
        {"other", memory->other_bytes},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (bytes)
            printf("%-16s %14llu\n", rows[i].owner, (unsigned long long)rows[i].bytes);
        else
            printf("%-16s %10llu KiB\n", rows[i].owner, (unsigned long long)rows[i].bytes / 1024);
    }
}

int main(int argc, char **argv) {
    struct authority authority = authority_take();
    struct system_answer answer;
    zx_handle_t none;
    tool_start(argc, argv, help);
    bool bytes = argc == 2 && strcmp(argv[1], "-b") == 0;
    if (argc != 1 + bytes)
        return tool_usage();
    zx_status_t status = system_ask(authority.system, SYSTEM_MEMORY, 0, &answer, &none);
    if (status != ZX_OK)
        return tool_fail(status, "no figures");
    print(&answer.memory, answer.page_maps.node_bytes, bytes);
    return 0;
}
