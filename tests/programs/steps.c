/*
 * steps.c - a program whose trace is known (tests/qemu/trace.py).
 *
 * Two threads hand a word to and fro by two events, 20 times or as often as its argument
 * says; a new page of a memory object is written in each round.
 */
#include <stdio.h>
#include <stdlib.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#define PAGE   4096u

static zx_handle_t there, back;
static unsigned rounds = 20;

static int answer(void *unused) {
    for (unsigned i = 0; i < rounds; i++) {
        (void)zx_object_wait_one(there, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, NULL);
        (void)zx_object_signal(there, ZX_EVENT_SIGNALED, 0);
        (void)zx_object_signal(back, 0, ZX_EVENT_SIGNALED);
    }
    return 0;
}

int main(int argc, char **argv) {
    thrd_t thread;
    zx_handle_t vmo;
    zx_vaddr_t view;
    if (argc > 1)
        rounds = (unsigned)strtoul(argv[1], NULL, 10);
    (void)zx_object_set_property(zx_thread_self(), ZX_PROP_NAME, "the \"first\" one", 15);
    if (zx_event_create(0, &there) != ZX_OK || zx_event_create(0, &back) != ZX_OK ||
        zx_vmo_create(rounds * PAGE, 0, &vmo) != ZX_OK ||
        zx_vmar_map(zx_vmar_root_self(), ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, 0, vmo, 0,
                    rounds * PAGE, &view) != ZX_OK ||
        thrd_create(&thread, answer, NULL) != thrd_success)
        return 1;
    for (unsigned i = 0; i < rounds; i++) {
        *(volatile char *)(view + i * PAGE) = 1;
        (void)zx_object_signal(there, 0, ZX_EVENT_SIGNALED);
        (void)zx_object_wait_one(back, ZX_EVENT_SIGNALED, ZX_TIME_INFINITE, NULL);
        (void)zx_object_signal(back, ZX_EVENT_SIGNALED, 0);
    }
    (void)thrd_join(thread, NULL);
    printf("%u rounds\n", rounds);
    return 7;
}
