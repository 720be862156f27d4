/*
 * f_elf.c - the ELF reader on any bytes: whatever it accepts keeps its promises.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "lib/elf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool condition) {
    if (!condition)
        abort();
}

static void check_image(const struct elf_image *image, uint64_t file_size) {
    uint64_t end = 0;
    bool entry_found = false;

    require(image->segment_count >= 1 && image->segment_count <= ELF_SEGMENTS_MAX);
    require(image->low % ELF_PAGE == 0 && image->span % ELF_PAGE == 0);
    for (unsigned i = 0; i < image->segment_count; i++) {
        const struct elf_segment *s = &image->segments[i];
        uint64_t last = s->vaddr + s->memsz - 1;
        require(s->memsz > 0 && last >= s->vaddr && last < ELF_TOP);
        require(i == 0 || s->vaddr / ELF_PAGE > end / ELF_PAGE);
        require(s->filesz <= s->memsz && s->offset <= file_size &&
                s->filesz <= file_size - s->offset);
        require(s->offset % ELF_PAGE == s->vaddr % ELF_PAGE);
        require((s->prot & ELF_READ) && s->prot != (ELF_READ | ELF_WRITE | ELF_EXECUTE));
        require(s->vaddr >= image->low && last < image->low + image->span);
        entry_found |= (s->prot & ELF_EXECUTE) && image->entry >= s->vaddr &&
                       image->entry < s->vaddr + s->filesz;
        end = last;
    }
    require(entry_found && image->low + image->span <= ELF_TOP);
    require(image->align >= ELF_PAGE && (image->align & (image->align - 1)) == 0);
}

static void try_parse(const uint8_t *bytes, size_t size, uint64_t file_size) {
    struct elf_image image;
    /* A copy of the exact size, so that reading past its end is seen. */
    uint8_t *copy = malloc(size ? size : 1);

    memcpy(copy, bytes, size);
    if (elf_parse(copy, size, file_size, &image) == ELF_OK)
        check_image(&image, file_size);
    free(copy);
}

/* A header that passes, with program headers made of the input, 9 bytes for one. */
static void try_shaped(const uint8_t *data, size_t size) {
    uint8_t file[4096] = "\x7f" "ELF\x02\x01\x01";
    uint64_t count = size / 9 < 20 ? size / 9 : 20;

    file[16] = 3;
    file[18] = 62;
    file[20] = 1;
    file[32] = file[52] = 64;
    file[54] = 56;
    file[56] = (uint8_t)count;
    for (uint64_t i = 0; i < count; i++) {
        const uint8_t *d = data + i * 9;
        const uint64_t types[] = {1, 1, 1, 2, 3, 4, 6, 0x6474e551};
        uint64_t fields[] = {types[d[0] % 8] | (uint64_t)(d[1] % 9) << 32,
                             (uint64_t)d[2] << (d[0] / 8),
                             (uint64_t)d[3] << (d[0] / 8) | (uint64_t)d[8] << 46,
                             0,
                             (uint64_t)d[4] << (d[7] % 64),
                             (uint64_t)d[5] << (d[7] % 64),
                             (uint64_t)d[6] << (d[7] / 8)};
        memcpy(file + 64 + i * 56, fields, sizeof(fields));
    }
    file[24] = size ? data[0] : 0;
    file[25] = size ? data[size - 1] : 0;
    try_parse(file, sizeof(file), (uint64_t)1 << 20);
}

/* The first byte: which way, and how large the file claims to be beyond what is there. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0)
        return 0;
    if (data[0] % 2)
        try_shaped(data + 1, size - 1);
    else
        try_parse(data + 1, size - 1, size - 1 + (uint64_t)data[0] * 4096);
    return 0;
}
