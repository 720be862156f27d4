/*
 * ls - the names in a folder of the image.
 *
 * The archive is a flat list of paths. Each is cut to the part below the folder that is
 * asked for; what repeats, for a path with more parts, is shown once.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jacinth/launch.h>

#include "common/archive.h"
#include "common/tool.h"

static const char help[] =
    "usage: ls [-l] [PATH...]\n"
    "Lists the image's files; -l shows their sizes in bytes. A folder's name ends in /.\n";

struct name {
    char text[256];
    size_t size;
    bool is_folder;
};

struct listing {
    const char *folder; /* without slashes at its ends; "" is the top */
    struct name *names;
    size_t count, room;
    bool exists;
};

static struct name *add_name(struct listing *listing) {
    if (listing->count == listing->room) {
        size_t room = listing->room ? listing->room * 2 : 32;
        struct name *names = reallocarray(listing->names, room, sizeof *names);
        if (!names)
            exit(tool_fail(ZX_ERR_NO_MEMORY, "names"));
        listing->names = names;
        listing->room = room;
    }
    return &listing->names[listing->count++];
}

static bool has_name(const struct listing *listing, const char *text, size_t length) {
    for (size_t i = 0; i < listing->count; i++) {
        if (strncmp(listing->names[i].text, text, length) == 0 &&
            listing->names[i].text[length] == '\0')
            return true;
    }
    return false;
}

static void take(struct listing *listing, const char *rest, const struct archive_file *file) {
    size_t length = strcspn(rest, "/");
    if (length == 0 || length >= sizeof listing->names[0].text || has_name(listing, rest, length))
        return;
    struct name *name = add_name(listing);
    *name = (struct name){.size = file->size, .is_folder = rest[length] || file->is_folder};
    memcpy(name->text, rest, length);
}

static bool visit(void *context, const struct archive_file *file) {
    struct listing *listing = context;
    size_t length = strlen(listing->folder);
    if (length == 0) {
        take(listing, file->path, file);
    } else if (strncmp(file->path, listing->folder, length) == 0 && file->path[length] == '/') {
        listing->exists = true;
        take(listing, file->path + length + 1, file);
    } else if (strcmp(file->path, listing->folder) == 0) {
        listing->exists = true;
        if (!file->is_folder)
            take(listing, file->path, file);
    }
    return true;
}

static int compare(const void *a, const void *b) {
    const struct name *left = a, *right = b;
    return strcmp(left->text, right->text);
}

static void print(const struct listing *listing, bool sizes) {
    for (size_t i = 0; i < listing->count; i++) {
        const struct name *name = &listing->names[i];
        if (sizes)
            printf("%10zu  ", name->size);
        printf("%s%s\n", name->text, name->is_folder ? "/" : "");
    }
}

static int list(const char *path, bool sizes) {
    char folder[256];
    const char *begin = path + strspn(path, "./");
    size_t length = strlen(begin);
    while (length > 0 && begin[length - 1] == '/')
        length--;
    snprintf(folder, sizeof folder, "%.*s", (int)length, begin);
    struct listing listing = {.folder = folder, .exists = length == 0};
    zx_status_t status = archive_walk(visit, &listing);
    if (status == ZX_OK && !listing.exists)
        status = ZX_ERR_NOT_FOUND;
    if (status != ZX_OK)
        return tool_fail(status, "%s", path);
    if (listing.count > 0)
        qsort(listing.names, listing.count, sizeof *listing.names, compare);
    print(&listing, sizes);
    free(listing.names);
    return 0;
}

int main(int argc, char **argv) {
    tool_start(argc, argv, help);
    bool sizes = argc > 1 && strcmp(argv[1], "-l") == 0;
    int code = 0;
    if (argc == 1 + sizes)
        return list("/", sizes);
    for (int i = 1 + sizes; i < argc; i++)
        code |= list(argv[i], sizes);
    return code;
}
