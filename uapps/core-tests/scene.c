/*
 * scene.c - see scene.h.
 */
#include "core-tests/scene.h"

#include <jacinth/utest.h>
#include <string.h>

static bool is_child(char letter) { return letter == '_' || (letter >= 'A' && letter <= 'F'); }
bool scene_letter_is_shown(char letter) { return letter != '.' && letter != '_'; }
unsigned scene_object_of(char letter) { return (unsigned)((letter | 0x20) - 'a'); }

void scene_map_run(struct scene *scene, zx_handle_t vmar, uint64_t at, const char *text,
                   size_t first, size_t count) {
    zx_vaddr_t address;
    EXPECT_OK(zx_vmar_map(vmar, READ_WRITE | ZX_VM_SPECIFIC, at,
                          scene->object[scene_object_of(text[first])], first * PAGE,
                          count * PAGE, &address));
    EXPECT_EQ(scene->base + first * PAGE, address);
}

/* The mappings in [from, to) of the text: one for each run of a letter. */
static void map_runs(struct scene *scene, zx_handle_t vmar, size_t vmar_first, const char *text,
                     size_t from, size_t to) {
    for (size_t i = from, end; i < to; i = end) {
        for (end = i + 1; end < to && text[end] == text[i]; end++) {}
        if (scene_letter_is_shown(text[i]) && is_child(text[i]) == (vmar != scene->vmar))
            scene_map_run(scene, vmar, (i - vmar_first) * PAGE, text, i, end - i);
    }
}

static void make_child(struct scene *scene, const char *text, size_t from, size_t to) {
    zx_vaddr_t address;
    zx_handle_t *child = &scene->child[scene->children++];
    EXPECT_OK(zx_vmar_allocate(scene->vmar, CAN_MAP | ZX_VM_SPECIFIC | ZX_VM_CAN_MAP_SPECIFIC,
                               from * PAGE, (to - from) * PAGE, child, &address));
    map_runs(scene, *child, from, text, from, to);
}

struct scene scene_make_in(zx_handle_t root, const char *text) {
    struct scene scene = {0};
    size_t length = strlen(text);
    EXPECT_OK(zx_vmar_allocate(root, CAN_MAP | ZX_VM_CAN_MAP_SPECIFIC, 0, SCENE_PAGES * PAGE,
                               &scene.vmar, &scene.base));
    for (unsigned i = 0; i < SCENE_OBJECTS; i++) {
        scene.object[i] = make_vmo(SCENE_PAGES);
        for (size_t page = 0; page < SCENE_PAGES; page++)
            put(scene.object[i], page, (uint8_t)(16 * i + page + 1));
    }
    for (size_t i = 0, end; i < length; i = end) {
        bool child = is_child(text[i]);
        for (end = i + 1; end < length && is_child(text[end]) == child; end++) {}
        if (child)
            make_child(&scene, text, i, end);
        else
            map_runs(&scene, scene.vmar, 0, text, i, end);
    }
    return scene;
}

struct scene scene_make(const char *text) {
    return scene_make_in(zx_vmar_root_self(), text);
}

void scene_end(struct scene *scene) {
    EXPECT_OK(zx_vmar_destroy(scene->vmar));
    close_handle(scene->vmar);
    for (unsigned i = 0; i < scene->children; i++)
        close_handle(scene->child[i]);
    for (unsigned i = 0; i < SCENE_OBJECTS; i++)
        close_handle(scene->object[i]);
}

static zx_handle_t scratch(void) {
    static zx_handle_t vmo;
    if (vmo == ZX_HANDLE_INVALID)
        vmo = make_vmo(1);
    return vmo;
}
bool can_read(zx_vaddr_t address) {
    return zx_vmo_write(scratch(), (const void *)address, 0, 1) == ZX_OK;
}
/* Writes what is there already: the scratch byte was just read from it. */
bool can_write(zx_vaddr_t address) {
    return can_read(address) && zx_vmo_read(scratch(), (void *)address, 0, 1) == ZX_OK;
}

void scene_expect(const struct scene *scene, const char *text, const char *file, int line) {
    for (size_t i = 0; text[i]; i++) {
        zx_vaddr_t address = scene->base + i * PAGE;
        bool there = can_read(address), shown = scene_letter_is_shown(text[i]);
        uint8_t byte = there ? *(volatile uint8_t *)address : 0;
        uint8_t want = shown ? (uint8_t)(16 * scene_object_of(text[i]) + i + 1) : 0;
        if (there != shown || byte != want)
            utest_fail(file, line, "'%s', page %zu shows %u, not %u", text, i, byte, want);
    }
}
