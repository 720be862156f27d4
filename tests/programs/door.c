/*
 * door.c - what tests/qemu/exec.py and shell.py run: one word chooses what it does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jacinth/launch.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>

/* Copies standard input to standard output to its end. */
static int copy(void) {
    static char buffer[4096];
    size_t length;
    while ((length = fread(buffer, 1, sizeof buffer, stdin)) > 0)
        fwrite(buffer, 1, length, stdout);
    return 0;
}

static int print_words(int argc, char **argv) {
    for (int i = 2; i < argc; i++)
        printf("[%s]", argv[i]);
    printf("\n");
    return 0;
}

/* Tries to close its streams for everybody who shares them. */
static int shut(void) {
    for (int fd = 0; fd < 3; fd++)
        printf("%s\n", zx_status_get_string(zx_socket_set_disposition(
                           jx_stream_handle(fd), ZX_SOCKET_DISPOSITION_WRITE_DISABLED,
                           ZX_SOCKET_DISPOSITION_WRITE_DISABLED)));
    return 0;
}

/* Debuggers tell its name, and who called it. */
__attribute__((noinline)) static void fall(void) {
    *(volatile int *)8 = 1;
}

__attribute__((noinline)) static int doze(void) {
    zx_status_t status = zx_nanosleep(ZX_TIME_INFINITE);
    return status == ZX_OK ? 0 : 1;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "nothing";
    if (strcmp(what, "exit") == 0)
        return atoi(argv[2]);
    if (strcmp(what, "copy") == 0)
        return copy();
    if (strcmp(what, "shut") == 0)
        return shut();
    if (strcmp(what, "words") == 0)
        return print_words(argc, argv);
    if (strcmp(what, "crash") == 0) {
        printf("before");
        fflush(stdout);
        fall();
    }
    if (strcmp(what, "doze") == 0)
        return doze();
    if (strcmp(what, "hang") == 0) {
        for (volatile int i = 0;; i++)
            ;
    }
    return 0;
}
