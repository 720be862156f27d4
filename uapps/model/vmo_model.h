/*
 * vmo_model.h - what memory objects should do, told with plain arrays.
 *
 * Each object that is no alias has an array of cells, one for each page, and shares it
 * with nobody: a snapshot copies the array. A cell has the bytes at a few places of the
 * page (all of it would only be slower to copy), and the number of the physical page
 * that should stand behind it; 0 means that there is none and the bytes are 0. Cells
 * of relatives with the same number are one page that they share; who writes to it
 * gets a new number.
 *
 * A model_ function does to the arrays what the call of the same name should do to the
 * object, and tells the status that the call should give (ZX-ABI.md sections 3.4, 4).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <zircon/types.h>

#define MODEL_PAGES    100 /* of the largest object: more than one leaf of a page map */
#define MODEL_OBJECTS  14
#define MODEL_SAMPLES  8
#define MODEL_SIZE_CAP ((uint64_t)1 << 48) /* the kernel makes no larger object */

struct model_cell {
    uint32_t page;
    uint8_t bytes[MODEL_SAMPLES];
};

struct model_vmo {
    bool alive;
    unsigned keepers; /* its handle, its mappings, the aliases that show it */
    uint64_t birth;   /* the first object is 1 */
    uint64_t family;  /* the birth of the first ancestor */
    uint64_t made_from; /* birth of the object that create_child was called on; 0: none */
    int parent;       /* who counts it as a child now; -1: nobody */
    int shown;        /* an alias: whose cells it shows; else -1 */
    uint64_t shown_first;
    bool resizable, is_slice, is_snapshot;
    bool is_discardable; /* there is memory enough, so it never is discarded */
    unsigned locks;
    uint64_t pages, content; /* a reference has those of what it shows */
    struct model_cell cell[MODEL_PAGES];
};

struct model {
    uint16_t sample_at[MODEL_SAMPLES]; /* places in a page, ascending */
    uint64_t births;
    struct model_vmo vmo[MODEL_OBJECTS];
    uint16_t holders[MODEL_OBJECTS * MODEL_PAGES + 1]; /* cells with that page number */
    uint32_t last_page;
};

/* Empty; the first and the last byte of a page are always looked at. */
void model_begin(struct model *model, uint64_t seed);

zx_status_t model_create(struct model *model, int slot, uint64_t size, uint32_t options);
zx_status_t model_create_child(struct model *model, int slot, int parent, uint32_t options,
                               uint64_t offset, uint64_t size);
/* A handle, a mapping: one more, one less. The last one ends the object. */
void model_keep(struct model *model, int slot);
void model_drop(struct model *model, int slot);

uint64_t model_size(const struct model *model, int slot);
uint64_t model_content_size(const struct model *model, int slot);
/* What page `index` shows; NULL past the end. */
const struct model_cell *model_look(const struct model *model, int slot, uint64_t index);

/* Every byte of the range becomes `byte`. */
zx_status_t model_write(struct model *model, int slot, uint64_t offset, uint64_t length,
                        uint8_t byte);
/* A page's bytes become another page's. */
void model_copy_page(struct model *model, int slot, uint64_t index,
                     const struct model_cell *from);
zx_status_t model_commit(struct model *model, int slot, uint64_t offset, uint64_t length);
zx_status_t model_decommit(struct model *model, int slot, uint64_t offset, uint64_t length);
zx_status_t model_zero(struct model *model, int slot, uint64_t offset, uint64_t length);
/* Hints and cache operations, which change nothing, and locks. */
zx_status_t model_other_op(struct model *model, int slot, uint32_t op, uint64_t offset,
                           uint64_t length);
zx_status_t model_set_size(struct model *model, int slot, uint64_t size);
zx_status_t model_set_content_size(struct model *model, int slot, uint64_t content);

unsigned model_children(const struct model *model, int slot);
/* The pages that each object pays for, and how many there are in all. */
uint64_t model_charges(const struct model *model, uint64_t out_pages[MODEL_OBJECTS]);
