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
 * In an object with a pager, and in its lazy clones, a cell may be absent. A pager's
 * absent cell must be asked for; what the pager will bring lies in `source`. A lazy
 * clone's absent cell shows the pager's object's (its lender's) cell of the moment. What
 * a pager answers to the requests of a call is agreed on before the call, and the
 * requests that the call should make are written down (pager_model.c).
 *
 * Physical objects have no cells of their own: they are windows on the device memory of the
 * world, an array of cells like theirs, and may show the same of it.
 *
 * A model_ function does to the arrays what the call of the same name should do to the
 * object, and tells the status that the call should give (ZX-ABI.md sections 3.4, 4).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <zircon/types.h>

#define MODEL_PAGES    100 /* of the largest object: more than one leaf of a page map */
#define MODEL_OBJECTS  20
#define MODEL_SAMPLES  8
#define MODEL_DEVICE   48 /* pages of device memory: more than one fault brings */
#define MODEL_SIZE_CAP ((uint64_t)1 << 48) /* the kernel makes no larger object */

enum model_dirt { MODEL_CLEAN, MODEL_DIRTY, MODEL_AWAITING };

struct model_cell {
    uint32_t page;
    uint8_t bytes[MODEL_SAMPLES];
    bool absent;
    uint8_t dirt; /* enum model_dirt, with a pager; of a page and of zeros */
    uint8_t pins;
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
    bool is_discardable, is_contiguous;
    bool is_physical;
    uint64_t device_first; /* the page of the device memory that its first one is */
    uint32_t policy;       /* ZX_CACHE_POLICY_*; an alias has that of what it shows */
    unsigned locks;
    bool is_discarded;
    bool may_be_reclaimed; /* when memory runs out: see model_reclaim */
    unsigned pins;         /* of its cells */
    /* With a pager. */
    bool is_pager, traps_dirty, is_detached, is_needed;
    bool is_modified, may_be_modified; /* written to by way of a mapping that was there */
    uint8_t source[MODEL_PAGES][MODEL_SAMPLES];
    /* A lazy clone: whose cells show in absent ones, from which on; else -1. */
    int lender;
    uint64_t lender_first;
    uint64_t pages, content; /* a reference has those of what it shows */
    struct model_cell cell[MODEL_PAGES];
};

/* What the pager does with the requests of one call. */
enum model_answer_kind { ANSWER_ALL, ANSWER_MORE, ANSWER_IN_HALVES, ANSWER_FAIL, ANSWER_DETACH };
struct model_answer {
    enum model_answer_kind kind;
    unsigned at;        /* FAIL, DETACH: before this request all are answered */
    zx_status_t status; /* FAIL */
    uint64_t more;      /* MORE: pages behind those that were asked for */
};

struct model_request {
    int slot;
    uint16_t command; /* ZX_PAGER_VMO_READ, ZX_PAGER_VMO_DIRTY */
    uint64_t first, count;
};

#define MODEL_REQUESTS 256 /* of one call */

struct model {
    struct model_answer answer;
    unsigned request_count; /* that the call should make */
    struct model_request request[MODEL_REQUESTS];
    uint16_t sample_at[MODEL_SAMPLES]; /* places in a page, ascending */
    uint64_t births;
    struct model_vmo vmo[MODEL_OBJECTS];
    struct model_cell device[MODEL_DEVICE]; /* bytes only */
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
/* What page `index` shows; NULL past the end, and where the pager would be asked. */
const struct model_cell *model_look(const struct model *model, int slot, uint64_t index);
/* The object whose pages `slot` shows: itself, if it is no alias. */
const struct model_vmo *model_pages_of(const struct model *model, int slot);
/* The same without asking anybody: ZX_OK, the error, or ZX_ERR_SHOULD_WAIT. */
zx_status_t model_touches(const struct model *model, int slot, uint64_t index);
/* One access through a mapping. Then the page is there; of a write the bytes are the caller's. */
zx_status_t model_touch(struct model *model, int slot, uint64_t index, bool write);

zx_status_t model_read(struct model *model, int slot, uint64_t offset, uint64_t length);
/* Every byte of the range becomes `byte`. */
zx_status_t model_write(struct model *model, int slot, uint64_t offset, uint64_t length,
                        uint8_t byte);
/* A page that was touched gets these bytes. */
void model_fill_page(struct model *model, int slot, uint64_t index,
                     const uint8_t bytes[MODEL_SAMPLES]);
void model_fill_byte(struct model *model, int slot, uint64_t index, uint64_t at, uint8_t byte);
/* A write that has not brought its bytes yet. */
zx_status_t model_own_page(struct model *model, int slot, uint64_t index);
zx_status_t model_commit(struct model *model, int slot, uint64_t offset, uint64_t length);
zx_status_t model_decommit(struct model *model, int slot, uint64_t offset, uint64_t length);
zx_status_t model_zero(struct model *model, int slot, uint64_t offset, uint64_t length);
/* Hints and cache operations, which change nothing, and locks. */
zx_status_t model_other_op(struct model *model, int slot, uint32_t op, uint64_t offset,
                           uint64_t length);
zx_status_t model_set_size(struct model *model, int slot, uint64_t size);
zx_status_t model_set_content_size(struct model *model, int slot, uint64_t content);

/* Pinned pages stay where they are; a range that was pinned is let go as one. */
zx_status_t model_pin(struct model *model, int slot, uint64_t offset, uint64_t length, bool write);
void model_unpin(struct model *model, int slot, uint64_t offset, uint64_t length);
/* All that may be reclaimed is. */
void model_reclaim(struct model *model);

/* ---- Device memory, and caches (device_model.c) ---- */

/* A window on the device memory, `offset` bytes from its begin. */
zx_status_t model_create_physical(struct model *model, int slot, uint64_t offset, uint64_t size);
zx_status_t model_set_cache_policy(struct model *model, int slot, uint32_t policy,
                                   bool is_mapped);
/* What reads and writes by offset are refused with, whatever their range; ZX_OK: they are not. */
zx_status_t model_refuses(const struct model *model, int slot);

/* ---- Pagers (pager_model.c) ---- */

zx_status_t model_create_pager(struct model *model, int slot, uint64_t size, uint32_t options);
zx_status_t model_create_contiguous(struct model *model, int slot, uint64_t size);
void model_detach(struct model *model, int slot);
/* What the pager has, or the pages of another object, of which none is pinned. */
zx_status_t model_supply_source(struct model *model, int slot, uint64_t first, uint64_t count);
zx_status_t model_supply(struct model *model, int slot, uint64_t first, uint64_t count, int aux,
                         uint64_t aux_first);
/* zx_pager_op_range; `data` as there. */
zx_status_t model_pager_op(struct model *model, int slot, uint32_t op, uint64_t offset,
                           uint64_t length, uint64_t data);
/* The next run from page `first` on, before `end`, that is not clean. */
bool model_next_dirty(const struct model *model, int slot, uint64_t first, uint64_t end,
                      uint64_t *out_first, uint64_t *out_count, bool *out_zero);

/* ---- For the files of the model ---- */

struct model_vmo *model_begin_vmo(struct model *model, int slot, uint64_t size);
bool model_round_up(uint64_t size, uint64_t *out_pages);
void model_clear_cell(struct model *model, struct model_cell *cell);
/* The cell's page becomes one that no other cell has; its bytes stay. */
void model_own_cell(struct model *model, struct model_cell *cell);
/* What a write does to a page that is there. */
void model_write_cell(struct model *model, struct model_vmo *vmo, struct model_cell *cell);
/* What stands in the way of using page `index` of an object with cells; ZX_OK: nothing. */
zx_status_t model_blocked(const struct model *model, const struct model_vmo *vmo, uint64_t index,
                          bool write);
/*
 * What `index` needs is asked for, until nothing stands in the way: as much at a time as
 * lies in the `count` pages that the call is about.
 */
zx_status_t model_bring(struct model *model, struct model_vmo *vmo, uint64_t index,
                        uint64_t count, bool write);
/* The same for all pages of the range, none of which is used. */
zx_status_t model_bring_all(struct model *model, struct model_vmo *vmo, uint64_t first,
                            uint64_t count, bool write);
/* Lazy clones of `lender` see nothing of it from page `pages` on, ever again. */
void model_lower_limits(struct model *model, const struct model_vmo *lender, uint64_t pages);

/* ---- Families ---- */

unsigned model_children(const struct model *model, int slot);
/* The pages that each object pays for, and how many there are in all. */
uint64_t model_charges(const struct model *model, uint64_t out_pages[MODEL_OBJECTS]);
