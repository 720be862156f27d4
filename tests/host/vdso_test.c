/*
 * vdso_test.c - the code of the vDSO that never enters the kernel, run from the real
 * image with a time page that the test wrote.
 */
#include <string.h>
#include <sys/mman.h>
#include <zircon/types.h>

#include "lib/elf.h"
#include "lib/ktest.h"
#include "vdso/hash.h"
#include "vdso/time_page.h"
#include "vdso/vdso_image.h"

__asm__(".pushsection .rodata\n"
        ".balign 4096\n"
        "image_begin: .incbin \"vdso/vdso.img\"\n"
        ".balign 4096\n"
        "image_end:\n"
        ".popsection\n");
extern const uint8_t image_begin[], image_end[];

typedef void *find_function(uint32_t hash);

static size_t image_size(void) { return (size_t)(image_end - image_begin); }

/* The image in memory with this time page, as a process has it; find() is its entry. */
static find_function *map_image(const struct time_page *page) {
    struct elf_image elf;
    uint8_t *base = mmap(NULL, image_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                         -1, 0);
    memcpy(base, image_begin, image_size());
    memcpy(base + VDSO_TIME_PAGE_OFFSET, page, sizeof *page);
    mprotect(base, image_size(), PROT_READ | PROT_EXEC);
    if (elf_parse(base, image_size(), image_size(), &elf) != ELF_OK)
        return NULL;
    return (find_function *)(uintptr_t)(base + elf.entry);
}

static const struct time_page sample = {
    .base_ticks = 1000,
    .mult = 3ul << 32,
    .shift = 33, /* one and a half nanoseconds a tick */
    .num_cpus = 5,
    .ticks_per_second = 666666666,
    .physmem = 123456789,
    .features = ZX_HAS_CPU_FEATURES,
    .version = "test 1",
};

KTEST(vdso, the_image_has_two_segments_and_the_layout_the_kernel_expects) {
    struct elf_image elf;
    REQUIRE(elf_parse(image_begin, image_size(), image_size(), &elf) == ELF_OK);
    REQUIRE(elf.segment_count == 2);
    EXPECT(elf.is_pie);
    EXPECT_EQ(0, elf.segments[0].vaddr);
    EXPECT_EQ(0, elf.segments[0].offset);
    EXPECT_EQ(ELF_READ, elf.segments[0].prot);
    EXPECT(elf.segments[0].memsz > VDSO_TIME_PAGE_OFFSET);
    EXPECT(elf.segments[0].memsz <= VDSO_CODE_OFFSET);
    EXPECT_EQ(VDSO_CODE_OFFSET, elf.segments[1].vaddr);
    EXPECT_EQ(VDSO_CODE_OFFSET, elf.segments[1].offset);
    EXPECT_EQ(image_size() - VDSO_CODE_OFFSET, elf.segments[1].memsz);
    EXPECT_EQ(ELF_READ | ELF_EXECUTE, elf.segments[1].prot);
}

KTEST(vdso, every_public_call_is_found_and_nothing_else) {
    find_function *find = map_image(&sample);
    REQUIRE(find != NULL);
#define SYSCALL(name, ...)         EXPECT(find(VDSO_HASH("zx_" #name)) != NULL);
#define SYSCALL_VOID(name, ...)    EXPECT(find(VDSO_HASH("zx_" #name)) != NULL);
#define SYSCALL_INNER(name, ...)   EXPECT(find(VDSO_HASH("zx_" #name)) == NULL);
#define VDSO_CALL(type, name, ...) EXPECT(find(VDSO_HASH("zx_" #name)) != NULL);
#include "syscall/syscalls.def"
    EXPECT(find(0) == NULL);
    EXPECT(find(VDSO_HASH("zx_")) == NULL);
    EXPECT(find(VDSO_HASH("zx_channel_rea")) == NULL);
}

KTEST(vdso, the_clock_scales_ticks_by_the_time_page) {
    find_function *find = map_image(&sample);
    REQUIRE(find != NULL);
    int64_t (*ticks_get)(void) = (int64_t(*)(void))find(VDSO_HASH("zx_ticks_get"));
    int64_t (*now)(void) = (int64_t(*)(void))find(VDSO_HASH("zx_clock_get_monotonic"));
    int64_t before = (ticks_get() - 1000) / 2 * 3;
    int64_t time = now();
    int64_t after = (ticks_get() - 1000) / 2 * 3 + 3;
    EXPECT(before <= time && time <= after);
    int64_t (*deadline_after)(int64_t) = (int64_t(*)(int64_t))find(VDSO_HASH("zx_deadline_after"));
    EXPECT(deadline_after(ZX_SEC(5)) - now() > ZX_SEC(4));
    EXPECT_EQ(ZX_TIME_INFINITE, deadline_after(INT64_MAX));
    EXPECT(deadline_after(INT64_MIN) < 0);
}

KTEST(vdso, constants_come_from_the_time_page) {
    find_function *find = map_image(&sample);
    REQUIRE(find != NULL);
    EXPECT_EQ(666666666, ((int64_t(*)(void))find(VDSO_HASH("zx_ticks_per_second")))());
    EXPECT_EQ(5, ((uint32_t(*)(void))find(VDSO_HASH("zx_system_get_num_cpus")))());
    EXPECT_EQ(123456789, ((uint64_t(*)(void))find(VDSO_HASH("zx_system_get_physmem")))());

    EXPECT_EQ(4096, ((uint32_t(*)(void))find(VDSO_HASH("zx_system_get_page_size")))());

    int (*version)(char *, size_t) = (int (*)(char *, size_t))find(
        VDSO_HASH("zx_system_get_version"));
    char text[7];
    EXPECT_EQ(ZX_ERR_BUFFER_TOO_SMALL, version(text, 6));
    EXPECT_EQ(ZX_OK, version(text, 7));
    EXPECT(strcmp(text, "test 1") == 0);

    int (*get_features)(uint32_t, uint32_t *) = (int (*)(uint32_t, uint32_t *))find(
        VDSO_HASH("zx_system_get_features"));
    uint32_t bits = 0;
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, get_features(1, &bits));
    EXPECT_EQ(ZX_OK, get_features(ZX_FEATURE_KIND_CPU, &bits));
    EXPECT_EQ(ZX_HAS_CPU_FEATURES, bits);
}
