/*
 * start.c - from the first instruction to main.
 *
 * Besides what the program itself uses, this needs channel_read, handle_close,
 * vmar_protect and random numbers. The start message, the argument vectors and the first thread's
 * variables live in the frame of start_main, below main's, for the whole of the
 * program's life: no memory is allocated.
 */
#include "zx/start.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

#include "zx/tls.h"

struct start_handles start_handles;
char **environ;

int main(int argc, char **argv, char **envp);

typedef void initialiser(int argc, char **argv, char **envp);
#define HIDDEN __attribute__((visibility("hidden")))
extern initialiser *const preinit_begin[] __asm__("__preinit_array_start") HIDDEN;
extern initialiser *const preinit_end[] __asm__("__preinit_array_end") HIDDEN;
extern initialiser *const init_begin[] __asm__("__init_array_start") HIDDEN;
extern initialiser *const init_end[] __asm__("__init_array_end") HIDDEN;
extern const Elf64_Ehdr own_header __asm__("__ehdr_start") HIDDEN;

__attribute__((noreturn)) void zx_start(zx_handle_t bootstrap, uintptr_t vdso);

/* With the canary set: a frame that is checked when it returns is allowed from here on. */
static void run_constructors(int argc, char **argv, char **envp) {
    for (initialiser *const *f = preinit_begin; f < preinit_end; f++)
        (*f)(argc, argv, envp);
    for (initialiser *const *f = init_begin; f < init_end; f++)
        (*f)(argc, argv, envp);
}

/* What only relocations and the slots of the stubs had to write becomes read-only. */
NO_PROTECTOR static void protect_relro(void) {
    struct start_segment relro;
    zx_handle_t region = start_find_handle(PA_HND(PA_VMAR_LOADED, 0));
    if (region == ZX_HANDLE_INVALID)
        region = start_find_handle(PA_HND(PA_VMAR_ROOT, 0));
    if (region == ZX_HANDLE_INVALID || !start_find_segment(PT_GNU_RELRO, &relro))
        return;
    uintptr_t begin = relro.address & ~ZX_PAGE_MASK;
    uintptr_t end = (relro.address + relro.size) & ~ZX_PAGE_MASK;
    if (begin < end && zx_vmar_protect(region, ZX_VM_PERM_READ, begin, end - begin) != ZX_OK)
        __builtin_trap();
}

NO_PROTECTOR static void set_canary(struct thread_control *control) {
    uintptr_t canary;
    zx_cprng_draw(&canary, sizeof canary);
    control->canary = canary & ~(uintptr_t)0xff; /* a string cannot carry it: it begins with NUL */
}

/* Not inlined: the relocated pointers of this frame must not be read before zx_start's work. */
NO_PROTECTOR __attribute__((noinline, noreturn)) static void start_main(zx_handle_t bootstrap) {
    uint32_t size = 0, handle_count = 0;
    struct start_args args = {0};
    zx_handle_t *handles = NULL;

    if (bootstrap != ZX_HANDLE_INVALID &&
        zx_channel_read(bootstrap, 0, NULL, NULL, 0, 0, &size, &handle_count) ==
            ZX_ERR_BUFFER_TOO_SMALL) {
        void *message = __builtin_alloca_with_align(size, 64);
        handles = __builtin_alloca(handle_count * sizeof *handles);
        if (zx_channel_read(bootstrap, 0, message, handles, size, handle_count, &size,
                            &handle_count) == ZX_OK)
            start_parse(message, size, handle_count, &args);
    }
    zx_handle_close(bootstrap);
    start_handles = (struct start_handles){args.handle_count, handles, args.infos};

    char **argv = __builtin_alloca((args.argc + args.envc + 2) * sizeof *argv);
    start_fill_vector(args.args, args.argc, argv);
    environ = argv + args.argc + 1;
    start_fill_vector(args.environment, args.envc, environ);

    size_t own_size = tls_size();
    void *own = __builtin_alloca(own_size);
    memset(own, 0, own_size);
    struct thread_control *control = tls_place(own, own_size);
    control->handle = start_find_handle(PA_HND(PA_THREAD_SELF, 0));
    tls_install(control);
    set_canary(control);
    protect_relro();

    run_constructors((int)args.argc, argv, environ);
    exit(main((int)args.argc, argv, environ));
}

NO_PROTECTOR void zx_start(zx_handle_t bootstrap, uintptr_t vdso) {
    start_relocate(own_header.e_type == ET_DYN ? (uintptr_t)&own_header : 0);
    start_resolve(vdso);
    start_main(bootstrap);
}
