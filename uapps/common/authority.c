/*
 * authority.c - the table of programs that get more than their streams.
 */
#include "common/authority.h"

#include <string.h>
#include <zircon/process.h>
#include <zircon/rights.h>
#include <zircon/syscalls.h>

#include "common/system.h"

#define LOOK     (ZX_RIGHT_INSPECT | ZX_RIGHT_ENUMERATE | ZX_RIGHT_GET_PROPERTY | ZX_RIGHT_TRANSFER)
#define LOOK_IN  (LOOK | ZX_RIGHT_READ | ZX_RIGHT_MANAGE_PROCESS | ZX_RIGHT_MANAGE_THREAD)
#define END_TASK (LOOK | ZX_RIGHT_DESTROY)
#define WATCH    (LOOK_IN | ZX_RIGHT_DUPLICATE | ZX_RIGHT_WAIT | ZX_RIGHT_WRITE)
#define DEBUG    (WATCH | ZX_RIGHT_DESTROY)
#define HAND_ON  (DEBUG | END_TASK)

struct need {
    const char *program;
    zx_rights_t root_job; /* rights of the handle; 0: none */
    uint32_t system;      /* SYSTEM_MAY bits; 0: no channel */
};

static const struct need needs[] = {
    {"crash", WATCH, 0},
    {"debug", DEBUG, 0},
    {"dmesg", 0, SYSTEM_MAY(SYSTEM_LOG)},
    {"handles", LOOK_IN, 0},
    {"jobtree", LOOK, 0},
    {"kdebug", 0, SYSTEM_MAY(SYSTEM_DEBUG) | SYSTEM_MAY(SYSTEM_LOG)},
    {"kill", END_TASK, 0},
    {"maps", LOOK_IN, 0},
    {"mem", 0, SYSTEM_MAY(SYSTEM_MEMORY)},
    {"objects", LOOK_IN, 0},
    {"ports", LOOK_IN, 0},
    {"poweroff", 0, SYSTEM_MAY(SYSTEM_POWEROFF)},
    {"ps", LOOK, 0},
    {"reboot", 0, SYSTEM_MAY(SYSTEM_REBOOT)},
    {"sh", HAND_ON, SYSTEM_MAY_ALL},
    {"top", LOOK, 0},
    {"trace", LOOK, SYSTEM_MAY(SYSTEM_TRACE)},
    {"vmo", LOOK_IN | ZX_RIGHT_DUPLICATE, SYSTEM_MAY(SYSTEM_MEMORY)},
};

struct authority authority_take(void) {
    return (struct authority){
        .root_job = zx_take_startup_handle(AUTHORITY_ROOT_JOB),
        .system = zx_take_startup_handle(AUTHORITY_SYSTEM),
    };
}

/* The program's name if `path` is in /bin, where only the image's programs are. */
static const char *image_program(const char *path) {
    if (!strchr(path, '/'))
        return path;
    while (*path == '/')
        path++;
    return strncmp(path, "bin/", 4) == 0 ? path + 4 : NULL;
}

static const struct need *find_need(const char *path) {
    const char *name = image_program(path);
    for (size_t i = 0; name && i < sizeof needs / sizeof needs[0]; i++) {
        if (strcmp(name, needs[i].program) == 0)
            return &needs[i];
    }
    return NULL;
}

size_t authority_for(const struct authority *own, const char *path,
                     struct jx_launch_handle handles[AUTHORITY_HANDLES]) {
    const struct need *need = find_need(path);
    size_t count = 0;
    zx_handle_t handle;
    if (!need)
        return 0;
    if (need->root_job && zx_handle_duplicate(own->root_job, need->root_job, &handle) == ZX_OK)
        handles[count++] = (struct jx_launch_handle){AUTHORITY_ROOT_JOB, handle};
    if (need->system && system_connect(own->system, need->system, &handle) == ZX_OK)
        handles[count++] = (struct jx_launch_handle){AUTHORITY_SYSTEM, handle};
    return count;
}
