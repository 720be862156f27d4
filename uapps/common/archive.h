/*
 * archive.h - all files of the image.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <zircon/types.h>

struct archive_file {
    const char *path; /* without a slash in front */
    size_t size;
    bool is_folder;
};

/* Visit each; false ends the walk. */
typedef bool archive_visit(void *context, const struct archive_file *file);
/* ZX_ERR_UNAVAILABLE without an archive, ZX_ERR_IO_DATA_INTEGRITY when it is damaged. */
zx_status_t archive_walk(archive_visit *visit, void *context);
