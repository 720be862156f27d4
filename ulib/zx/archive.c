/*
 * archive.c - files of the boot archive (PA_VMO_BOOTFS), mapped on first use.
 *
 * The archive is walked for each look-up, about a hundred instructions a file; the
 * last answer is kept, for programs that start one program again and again.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

#include <jacinth/launch.h>

#include "c/lock.h"
#include "lib/cpio.h"
#include "zx/start.h"

#define PATH_MAX_ 256

/* Under lock. */
static struct lock lock;
static const void *archive;
static size_t archive_size;
static char last_path[PATH_MAX_];
static struct jx_file last_file;

static zx_status_t map_archive_locked(zx_handle_t vmo) {
    uint64_t size;
    zx_vaddr_t address = 0;
    if (archive)
        return ZX_OK;
    zx_status_t status = zx_vmo_get_size(vmo, &size);
    if (status == ZX_OK)
        status = zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ, 0, vmo, 0, size, &address);
    if (status != ZX_OK)
        return status;
    archive = (const void *)address;
    archive_size = size;
    return ZX_OK;
}

static zx_status_t open_archive_locked(zx_handle_t *out_vmo) {
    *out_vmo = start_find_handle(PA_HND(PA_VMO_BOOTFS, 0));
    if (*out_vmo == ZX_HANDLE_INVALID)
        return ZX_ERR_UNAVAILABLE;
    return map_archive_locked(*out_vmo);
}

zx_status_t jx_archive(const void **out_base, size_t *out_size) {
    zx_handle_t vmo;
    lock_take(&lock);
    zx_status_t status = open_archive_locked(&vmo);
    if (status == ZX_OK) {
        *out_base = archive;
        *out_size = archive_size;
    }
    lock_drop(&lock);
    return status;
}

/* The archive's names have no leading slash; a bare name is a program's. */
static bool normalise(const char *path, char *name, size_t size) {
    const char *folder = strchr(path, '/') ? "" : "bin/";
    while (*path == '/')
        path++;
    return (size_t)snprintf(name, size, "%s%s", folder, path) < size;
}

static zx_status_t find_locked(zx_handle_t vmo, const char *name, struct jx_file *out_file) {
    struct cpio_entry entry;
    if (strcmp(name, last_path) == 0) {
        *out_file = last_file;
        return ZX_OK;
    }
    enum cpio_verdict verdict = cpio_find(archive, archive_size, name, &entry);
    if (verdict != CPIO_ENTRY)
        return verdict == CPIO_END ? ZX_ERR_NOT_FOUND : ZX_ERR_IO_DATA_INTEGRITY;
    *out_file = (struct jx_file){.vmo = vmo,
                                 .offset = entry.data_offset,
                                 .size = entry.size,
                                 .data = (const char *)archive + entry.data_offset};
    strcpy(last_path, name);
    last_file = *out_file;
    return ZX_OK;
}

zx_status_t jx_file_find(const char *path, struct jx_file *out_file) {
    char name[PATH_MAX_];
    zx_handle_t vmo;
    if (!normalise(path, name, sizeof name))
        return ZX_ERR_NOT_FOUND;
    lock_take(&lock);
    zx_status_t status = open_archive_locked(&vmo);
    if (status == ZX_OK)
        status = find_locked(vmo, name, out_file);
    lock_drop(&lock);
    return status;
}
