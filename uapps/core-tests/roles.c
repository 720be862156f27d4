/*
 * roles.c - the parts that children play, by the first argument.
 */
#include "core-tests/roles.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

/* --exit CODE */
static int play_exit(int argc, char **argv) { return argc > 2 ? atoi(argv[2]) : 0; }

/* --atexit: leaves its code to a function that exit runs */
static void leave_with_7(void) { _Exit(7); }
static int play_atexit(int argc, char **argv) {
    atexit(leave_with_7);
    return 1;
}

/* --echo: standard input to standard output, to the end */
static int play_echo(int argc, char **argv) {
    char buffer[512];
    size_t length;
    while ((length = fread(buffer, 1, sizeof buffer, stdin)) > 0)
        fwrite(buffer, 1, length, stdout);
    return 0;
}

/* --hog: writes to more memory than there is */
static int play_hog(int argc, char **argv) {
    const uint64_t size = (uint64_t)1 << 40;
    zx_handle_t vmo;
    zx_vaddr_t address;
    if (zx_vmo_create(size, 0, &vmo) != ZX_OK ||
        zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0, size,
                    &address) != ZX_OK)
        return 1;
    for (uint64_t at = 0; at < size; at += ZX_PAGE_SIZE)
        *(volatile uint8_t *)(address + at) = 1;
    return 0;
}

/* --args A B..., environment: prints both */
static int play_args(int argc, char **argv) {
    extern char **environ;
    for (int i = 2; i < argc; i++)
        printf("%s\n", argv[i]);
    for (char **entry = environ; *entry; entry++)
        printf("%s\n", *entry);
    return 0;
}

/* --crash: an access that nobody allows */
static int play_crash(int argc, char **argv) {
    *(volatile int *)8 = 1;
    return 0;
}

/* --relro: writes to what start code made read-only */
static void (*const volatile relocated)(void) = leave_with_7;
static int play_relro(int argc, char **argv) {
    *(void (*volatile *)(void))(uintptr_t)&relocated = NULL;
    return 0;
}

/* --smash: writes over its own frame */
__attribute__((noinline)) static void smash(volatile char *from, int length) {
    volatile char small[16];
    volatile char *at = small;
    __asm__("" : "+r"(at));
    for (int i = 0; i < length; i++)
        at[i] = from[i];
}
static int play_smash(int argc, char **argv) {
    char text[64] = {1};
    smash(text, sizeof text);
    return 0;
}

/* --double-free */
static int play_double_free(int argc, char **argv) {
    void *volatile block = malloc(40);
    free(block);
    free(block);
    return 0;
}

/* --own-syscall: enters the kernel without the vDSO */
static int play_own_syscall(int argc, char **argv) {
    __asm__ volatile("xorl %%eax, %%eax\n\tsyscall" ::: "rax", "rcx", "r11", "memory");
    return 0;
}

/* --flood WAY COUNT: so many messages that nobody reads, then 7 */
static zx_status_t flood_once(const char *way, zx_handle_t to, zx_handle_t from) {
    zx_channel_call_args_t args = {.wr_bytes = "ask", .wr_num_bytes = 4};
    zx_channel_call_etc_args_t etc_args = {.wr_bytes = "ask", .wr_num_bytes = 4};
    uint32_t bytes, handles;
    if (strcmp(way, "etc") == 0)
        return zx_channel_write_etc(to, 0, NULL, 0, NULL, 0);
    if (strcmp(way, "call") == 0)
        return zx_channel_call(to, 0, 0, &args, &bytes, &handles) == ZX_ERR_TIMED_OUT ? 0 : 1;
    if (strcmp(way, "call-etc") == 0)
        return zx_channel_call_etc(to, 0, 0, &etc_args, &bytes, &handles) == ZX_ERR_TIMED_OUT ? 0 : 1;
    zx_status_t status = zx_channel_write(to, 0, NULL, 0, NULL, 0);
    if (status == ZX_OK && strcmp(way, "read") == 0)
        status = zx_channel_read(from, 0, NULL, NULL, 0, 0, NULL, NULL);
    return status;
}
static int play_flood(int argc, char **argv) {
    zx_handle_t to, from;
    if (argc < 4 || zx_channel_create(0, &to, &from) != ZX_OK)
        return 1;
    for (int i = atoi(argv[3]); i > 0; i--) {
        if (flood_once(argv[2], to, from) != ZX_OK)
            return 2;
    }
    return 7;
}

static const struct {
    const char *name;
    int (*play)(int argc, char **argv);
} roles[] = {
    {"--exit", play_exit},   {"--atexit", play_atexit},
    {"--echo", play_echo},   {"--args", play_args},
    {"--crash", play_crash}, {"--relro", play_relro},
    {"--smash", play_smash}, {"--double-free", play_double_free},
    {"--own-syscall", play_own_syscall},
    {"--hog", play_hog},     {"--flood", play_flood},
};

static int find_role(const char *name) {
    for (int i = 0; i < (int)(sizeof roles / sizeof roles[0]); i++) {
        if (strcmp(roles[i].name, name) == 0)
            return i;
    }
    return -1;
}

bool role_is_known(const char *name) { return find_role(name) >= 0; }
int role_play(int argc, char **argv) { return roles[find_role(argv[1])].play(argc, argv); }
