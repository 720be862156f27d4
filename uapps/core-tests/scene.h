/*
 * scene.h - regions drawn as a line of text, for the tests of address regions.
 *
 * There is a letter for each page: '.' shows nothing, 'a' to 'f' are mappings of objects of
 * that name (at the same page of the object), 'A' to 'F' the same inside a child region, '_' a
 * page of a child region that shows nothing; neighbouring pages of child regions belong to one
 * child. A run of one letter is one mapping, for reading and writing.
 */
#pragma once

#include "core-tests/support.h"

#define SCENE_PAGES   12 /* of the region, and of each object */
#define SCENE_OBJECTS 6

struct scene {
    zx_handle_t vmar, child[SCENE_PAGES], object[SCENE_OBJECTS];
    zx_vaddr_t base;
    unsigned children;
};

bool scene_letter_is_shown(char letter);
unsigned scene_object_of(char letter); /* the index of a shown letter's object */

/* As the text says, in this process or below `root`. */
struct scene scene_make(const char *text);
struct scene scene_make_in(zx_handle_t root, const char *text);
void scene_end(struct scene *scene);
/*
 * The mapping of `count` pages of the object that text[first] names, from its page `first` on,
 * at byte `at` of a region that begins so that they lie at page `first` of the scene.
 */
void scene_map_run(struct scene *scene, zx_handle_t vmar, uint64_t at, const char *text,
                   size_t first, size_t count);
/* Each page shows what the text says, from the same page of its object. */
void scene_expect(const struct scene *scene, const char *text, const char *file, int line);
#define EXPECT_SCENE(scene, text) scene_expect(scene, text, __FILE__, __LINE__)

/* Asked of the kernel, which copies; what is there stays. */
bool can_read(zx_vaddr_t address);
bool can_write(zx_vaddr_t address);
