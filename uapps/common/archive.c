/*
 * archive.c - the library's cpio reader over the mapped image.
 */
#include "common/archive.h"

#include <jacinth/launch.h>

#include "lib/cpio.h"

zx_status_t archive_walk(archive_visit *visit, void *context) {
    const void *base;
    size_t size;
    struct cpio_reader reader;
    struct cpio_entry entry;
    enum cpio_verdict verdict;
    zx_status_t status = jx_archive(&base, &size);
    if (status != ZX_OK)
        return status;
    cpio_open(&reader, base, size);
    while ((verdict = cpio_next(&reader, &entry)) == CPIO_ENTRY) {
        const struct archive_file file = {
            .path = entry.name,
            .size = entry.size,
            .is_folder = (entry.mode & CPIO_TYPE_MASK) == CPIO_DIRECTORY,
        };
        if (entry.name_length > 0 && !visit(context, &file))
            return ZX_OK;
    }
    return verdict == CPIO_END ? ZX_OK : ZX_ERR_IO_DATA_INTEGRITY;
}
