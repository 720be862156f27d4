/*
 * maps - the address space of a process.
 */
#include <stdio.h>

#include "common/process_list.h"
#include "common/show.h"

static const char help[] =
    "usage: maps KOID\n"
    "Shows the address space of a process: begin and end, size, permissions, committed\n"
    "memory, koid of the memory object and the offset in it, name.\n";

static void print_mapping(const zx_info_maps_t *entry) {
    const zx_info_maps_mapping_t *mapping = &entry->u.mapping;
    char committed[SHOW_SIZE];
    printf("%c%c%c %6s %6llu %8llx ", mapping->mmu_flags & ZX_VM_PERM_READ ? 'r' : '-',
           mapping->mmu_flags & ZX_VM_PERM_WRITE ? 'w' : '-',
           mapping->mmu_flags & ZX_VM_PERM_EXECUTE ? 'x' : '-',
           show_bytes(mapping->committed_pages * ZX_PAGE_SIZE, committed),
           (unsigned long long)mapping->vmo_koid, (unsigned long long)mapping->vmo_offset);
}

static void print(const void *records, size_t count) {
    const zx_info_maps_t *entries = records;
    char size[SHOW_SIZE];
    for (size_t i = 0; i < count; i++) {
        const zx_info_maps_t *entry = &entries[i];
        printf("%012llx-%012llx %6s ", (unsigned long long)entry->base,
               (unsigned long long)(entry->base + entry->size), show_bytes(entry->size, size));
        if (entry->type == ZX_INFO_MAPS_TYPE_MAPPING)
            print_mapping(entry);
        else
            printf("%27s", "");
        printf("%*s%s\n", (int)entry->depth * 2, "", entry->name);
    }
}

int main(int argc, char **argv) {
    return process_list_main(argc, argv, help, ZX_INFO_PROCESS_MAPS, sizeof(zx_info_maps_t), print);
}
