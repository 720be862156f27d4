/*
 * launch.h - a process from a program: its file, its arguments, its first handles.
 *
 * A new process gets the start message of <zircon/processargs.h>: its own process,
 * thread and root region, the region it was loaded into, its job, the vDSO, its
 * stack, the boot archive, standard streams, and whatever else it is given.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <zircon/types.h>

/* A file of the boot archive: a range of a memory object. `vmo` is borrowed. */
struct jx_file {
    zx_handle_t vmo;
    uint64_t offset;
    uint64_t size;
    const char *data; /* mapped, readable, for as long as the program runs */
};

/*
 * Find a file by its path ("/bin/ls", "boot/hello"); a name without a slash is looked
 * for in /bin. ZX_ERR_NOT_FOUND; ZX_ERR_UNAVAILABLE when this program has no archive.
 */
zx_status_t jx_file_find(const char *path, struct jx_file *out_file);
/* The boot archive itself, mapped; see lib/cpio.h for a reader. */
zx_status_t jx_archive(const void **out_base, size_t *out_size);

/* A handle for the new process; `info` is a PA_HND() word. */
struct jx_launch_handle {
    uint32_t info;
    zx_handle_t handle;
};

struct jx_launch {
    const struct jx_file *file; /* the program; NULL: look argv[0] up */
    const char *name;           /* of the process; NULL: argv[0] without its folders */
    const char *const *argv;    /* ends with NULL */
    const char *const *envp;    /* ends with NULL; NULL: this program's environment */
    zx_handle_t job;            /* borrowed; ZX_HANDLE_INVALID: this program's job */
    const struct jx_launch_handle *handles; /* given away on every result */
    size_t handle_count;                    /* at most JX_LAUNCH_HANDLES */
    uint32_t flags;
};
#define JX_LAUNCH_HANDLES 48
#define JX_LAUNCH_NO_STDIO 1u /* do not hand on the own streams 0, 1, 2 where `handles` has none */

/*
 * Start a program. On success *out_process is the caller's. On failure `error`, if it
 * has any size, tells the reason as one line without its end.
 */
zx_status_t jx_launch(const struct jx_launch *launch, zx_handle_t *out_process, char *error,
                      size_t error_size);

/* The usual case: a program by name with its arguments, sharing this program's streams. */
zx_status_t jx_spawn(const char *const *argv, zx_handle_t *out_process);
/* Wait for a process's end and take its handle; *out_code is its return code. */
zx_status_t jx_wait(zx_handle_t process, int64_t *out_code);

/* The handle behind standard stream 0, 1 or 2; borrowed; ZX_HANDLE_INVALID if there is none. */
zx_handle_t jx_stream_handle(int fd);
