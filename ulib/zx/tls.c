/*
 * tls.c - thread-local storage: the image's initial values, copied for each thread.
 */
#include "zx/tls.h"

#include <elf.h>
#include <stddef.h>
#include <string.h>

#include "zx/start.h"

#define BLOCK_ALIGN _Alignof(max_align_t)

NO_PROTECTOR static struct start_segment tls_image(void) {
    struct start_segment image = {.align = 1};
    (void)start_find_segment(PT_TLS, &image);
    if (image.align == 0)
        image.align = 1;
    return image;
}

NO_PROTECTOR static size_t block_align(const struct start_segment *image) {
    return image->align > BLOCK_ALIGN ? image->align : BLOCK_ALIGN;
}

NO_PROTECTOR size_t tls_size(void) {
    struct start_segment image = tls_image();
    return image.size + image.align + block_align(&image) + sizeof(struct thread_control);
}

NO_PROTECTOR struct thread_control *tls_place(void *memory, size_t size) {
    struct start_segment image = tls_image();
    uintptr_t control = (uintptr_t)memory + size - sizeof(struct thread_control);
    control &= ~(uintptr_t)(block_align(&image) - 1);
    /* The linker counts the variables' addresses back from the block by their own alignment. */
    size_t below = (image.size + image.align - 1) & ~(image.align - 1);
    memcpy((void *)(control - below), (const void *)image.address, image.file_size);

    struct thread_control *block = (struct thread_control *)control;
    block->self = block;
    return block;
}

NO_PROTECTOR void tls_install(struct thread_control *control) {
    __asm__ volatile("wrfsbase %0" : : "r"(control) : "memory");
}
