/*
 * vmar.c - stress-vmar: many threads map, unmap, protect, overwrite and destroy in one
 * address space, while all of them look.
 *
 * Every page of the pool's objects carries its own name, so whatever an address shows
 * can be judged. Besides each thread's own mappings there is a stage, which is always
 * mapped because it is only ever overwritten; a flicker, whose write permission one
 * thread takes and gives; and a common region, which is destroyed and made anew under
 * those who map in it. Addresses that may be gone are tried with kernel copies.
 */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/syscalls.h>

#include "stress/stress.h"

#define POOL        4
#define POOL_PAGES  70 /* more than one leaf of a page map */
#define NAME        0x4a4158ull /* in the upper bits of every name */
#define STAGE_PAGES 6
#define OWN         6 /* mappings of a thread */
#define READ_WRITE  (ZX_VM_PERM_READ | ZX_VM_PERM_WRITE)
#define CAN_ALL                                                                                    \
    (ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE | ZX_VM_CAN_MAP_EXECUTE | ZX_VM_CAN_MAP_SPECIFIC)

static struct options options = {.seconds = 10};
static unsigned workers;
static uint64_t until_ms;
static zx_handle_t pool[POOL];
static zx_handle_t field; /* the region that all of this happens in */
static zx_vaddr_t field_base;
static uint64_t field_size;
static _Atomic uint64_t maps_made, looks_made, tries_made, refused;

/* ---- Names ---- */

static uint64_t name_of(unsigned object, uint64_t page) {
    return NAME << 40 | (uint64_t)object << 32 | page;
}
static bool is_name(uint64_t word) {
    return word >> 40 == NAME && (word >> 32 & 0xff) < POOL && (word & 0xffffffff) < POOL_PAGES;
}

static void look(zx_vaddr_t address, unsigned object, uint64_t page) {
    uint64_t word = *(volatile uint64_t *)address;
    looks_made++;
    if (word != name_of(object, page))
        stress_fail("address %#llx shows %#llx, not page %llu of object %u",
                    (unsigned long long)address, (unsigned long long)word,
                    (unsigned long long)page, object);
}

/* ---- A thread ---- */

struct mapping {
    zx_vaddr_t address; /* 0: none */
    uint64_t first, pages;
    unsigned object;
    bool writable;
};

static struct worker {
    unsigned index;
    struct draws draws;
    struct mapping own[OWN];
    zx_handle_t scratch; /* to try addresses with */
    uint8_t pad[64];
} worker_of[STRESS_THREADS_MAX];

/* Reads a word as the kernel does; false if that faults. */
static bool try_read(struct worker *worker, zx_vaddr_t address, uint64_t *out_word) {
    zx_status_t status = zx_vmo_write(worker->scratch, (const void *)address, 0, 8);
    tries_made++;
    if (status != ZX_OK && status != ZX_ERR_INVALID_ARGS)
        stress_fail("trying to read gave %d", status);
    if (status == ZX_OK)
        MUST(zx_vmo_read(worker->scratch, out_word, 0, 8));
    return status == ZX_OK;
}

static bool try_write(struct worker *worker, zx_vaddr_t address) {
    zx_status_t status = zx_vmo_read(worker->scratch, (void *)address, 8, 8);
    tries_made++;
    if (status != ZX_OK && status != ZX_ERR_INVALID_ARGS)
        stress_fail("trying to write gave %d", status);
    return status == ZX_OK;
}

/* ---- Own mappings ---- */

static void own_look(struct mapping *mapping) {
    for (uint64_t i = 0; i < mapping->pages; i++)
        look(mapping->address + i * PAGE, mapping->object, mapping->first + i);
}

static void own_map(struct worker *worker, struct mapping *mapping) {
    mapping->object = (unsigned)draw(&worker->draws, POOL);
    mapping->pages = 1 + draw(&worker->draws, 12);
    mapping->first = draw(&worker->draws, POOL_PAGES - mapping->pages);
    mapping->writable = true;
    MUST(zx_vmar_map(field, READ_WRITE | (draw(&worker->draws, 4) ? 0 : ZX_VM_MAP_RANGE), 0,
                     pool[mapping->object], mapping->first * PAGE, mapping->pages * PAGE,
                     &mapping->address));
    maps_made++;
}

/* The front, the back or all of it; what is gone must fault, unless another took the place. */
static void own_unmap(struct worker *worker, struct mapping *mapping) {
    uint64_t cut = draw(&worker->draws, 2) ? mapping->pages : 1 + draw(&worker->draws, mapping->pages);
    bool front = draw(&worker->draws, 2);
    zx_vaddr_t at = mapping->address + (front ? 0 : mapping->pages - cut) * PAGE;
    uint64_t word;
    MUST(zx_vmar_unmap(field, at, cut * PAGE));
    if (try_read(worker, at, &word) && !is_name(word))
        stress_fail("an unmapped address shows %#llx", (unsigned long long)word);
    mapping->pages -= cut;
    if (front) {
        mapping->address += cut * PAGE;
        mapping->first += cut;
    }
    if (mapping->pages == 0)
        mapping->address = 0;
}

static void own_protect(struct worker *worker, struct mapping *mapping) {
    mapping->writable = draw(&worker->draws, 2);
    MUST(zx_vmar_protect(field, ZX_VM_PERM_READ | (mapping->writable ? ZX_VM_PERM_WRITE : 0),
                         mapping->address, mapping->pages * PAGE));
    zx_vaddr_t at = mapping->address + draw(&worker->draws, mapping->pages) * PAGE;
    if (try_write(worker, at + 64 + worker->index * 8) != mapping->writable)
        stress_fail("a page that is %swritable", mapping->writable ? "not " : "");
}

static void deed_own(struct worker *worker) {
    struct mapping *mapping = &worker->own[draw(&worker->draws, OWN)];
    if (!mapping->address) {
        own_map(worker, mapping);
        return;
    }
    switch (draw(&worker->draws, 6)) {
    case 0:
    case 1:
        return own_unmap(worker, mapping);
    case 2:
        return own_protect(worker, mapping);
    default:
        return own_look(mapping);
    }
}

/* ---- Anybody's addresses ---- */

static void deed_try(struct worker *worker) {
    zx_vaddr_t base = worker_of[draw(&worker->draws, workers)].own[draw(&worker->draws, OWN)].address;
    uint64_t word;
    if (!base)
        base = field_base + draw(&worker->draws, field_size / PAGE) * PAGE;
    if (try_read(worker, base + draw(&worker->draws, 4) * PAGE, &word) && !is_name(word))
        stress_fail("somebody's address shows %#llx", (unsigned long long)word);
}

/* ---- The stage ---- */

static zx_vaddr_t stage;

/* Pages [first, first + count) of the stage show the same pages of another object. */
static void stage_overwrite(struct worker *worker) {
    uint64_t first = draw(&worker->draws, STAGE_PAGES);
    uint64_t count = 1 + draw(&worker->draws, STAGE_PAGES - first);
    zx_vaddr_t address;
    MUST(zx_vmar_map(field, READ_WRITE | ZX_VM_SPECIFIC_OVERWRITE,
                     stage + first * PAGE - field_base, pool[draw(&worker->draws, POOL)],
                     first * PAGE, count * PAGE, &address));
    maps_made++;
}

/* An address of the stage is never empty, and always shows the page of its place. */
static void deed_stage(struct worker *worker) {
    if (draw(&worker->draws, 3) == 0)
        return stage_overwrite(worker);
    for (unsigned i = 0; i < 8; i++) {
        uint64_t page = draw(&worker->draws, STAGE_PAGES);
        uint64_t word = *(volatile uint64_t *)(stage + page * PAGE);
        looks_made++;
        if (!is_name(word) || (word & 0xffffffff) != page)
            stress_fail("page %llu of the stage shows %#llx", (unsigned long long)page,
                        (unsigned long long)word);
    }
}

/* ---- The flicker ---- */

static zx_vaddr_t flicker;
static _Atomic uint64_t flicker_epoch; /* 0 mod 4: writable; 2 mod 4: not; odd: changing */

static void flicker_change(void) {
    bool writable = flicker_epoch % 4 == 2;
    flicker_epoch++;
    MUST(zx_vmar_protect(field, ZX_VM_PERM_READ | (writable ? ZX_VM_PERM_WRITE : 0), flicker,
                         PAGE));
    flicker_epoch++;
}

static void deed_flicker(struct worker *worker) {
    if (worker->index == 0 && draw(&worker->draws, 2))
        return flicker_change();
    uint64_t before = flicker_epoch;
    bool written = try_write(worker, flicker + 512 + worker->index * 8);
    if (before == flicker_epoch && before % 2 == 0 && written != (before % 4 == 0))
        stress_fail("the flicker is %swritable", written ? "" : "not ");
}

/* ---- The common region ---- */

static mtx_t common_lock;
static zx_handle_t common;

static zx_handle_t common_copy(void) {
    zx_handle_t copy;
    mtx_lock(&common_lock);
    MUST(zx_handle_duplicate(common, ZX_RIGHT_SAME_RIGHTS, &copy));
    mtx_unlock(&common_lock);
    return copy;
}

/* Everybody's copies stay valid, but nothing can be done in the old one. */
static void common_renew(void) {
    zx_handle_t old = common, fresh;
    zx_vaddr_t address;
    mtx_lock(&common_lock);
    old = common;
    MUST(zx_vmar_destroy(old));
    MUST(zx_vmar_allocate(field, CAN_ALL, 0, 64 * PAGE, &fresh, &address));
    common = fresh;
    mtx_unlock(&common_lock);
    MUST(zx_handle_close(old));
}

/* What may happen in a region that somebody destroys, or that is full. */
static bool may_be(zx_status_t status) {
    refused += status != ZX_OK;
    return status == ZX_OK || status == ZX_ERR_BAD_STATE || status == ZX_ERR_NO_MEMORY;
}

static void use_common(struct worker *worker, zx_handle_t vmar) {
    zx_vaddr_t address;
    zx_handle_t inner;
    uint64_t word, page = draw(&worker->draws, POOL_PAGES - 4);
    zx_status_t status = zx_vmar_map(vmar, READ_WRITE, 0, pool[1], page * PAGE, 4 * PAGE, &address);
    if (!may_be(status))
        stress_fail("map in the common region gave %d", status);
    if (status == ZX_OK && try_read(worker, address, &word) && !is_name(word))
        stress_fail("the common region shows %#llx", (unsigned long long)word);
    if (status == ZX_OK && draw(&worker->draws, 3)) {
        status = zx_vmar_unmap(vmar, address, 4 * PAGE);
        if (!may_be(status))
            stress_fail("unmap in the common region gave %d", status);
    }
    status = zx_vmar_allocate(vmar, CAN_ALL, 0, 8 * PAGE, &inner, &address);
    if (!may_be(status))
        stress_fail("allocate in the common region gave %d", status);
    if (status != ZX_OK)
        return;
    status = zx_vmar_map(inner, READ_WRITE | ZX_VM_SPECIFIC, PAGE, pool[2], 0, PAGE, &address);
    if (!may_be(status) || !may_be(zx_vmar_destroy(inner)))
        stress_fail("the inner region gave %d", status);
    MUST(zx_handle_close(inner));
}

static void deed_common(struct worker *worker) {
    if (draw(&worker->draws, 6) == 0)
        return common_renew();
    zx_handle_t copy = common_copy();
    use_common(worker, copy);
    MUST(zx_handle_close(copy));
}

/* ---- The run ---- */

static void work(unsigned index) {
    static void (*const deeds[])(struct worker *worker) = {
        deed_own, deed_own, deed_own, deed_own, deed_try, deed_stage, deed_flicker, deed_common,
    };
    struct worker *worker = &worker_of[index];
    while (stress_elapsed_ms() < until_ms)
        deeds[draw(&worker->draws, sizeof deeds / sizeof deeds[0])](worker);
}

static void make_pool(void) {
    for (unsigned object = 0; object < POOL; object++) {
        MUST(zx_vmo_create(POOL_PAGES * PAGE, 0, &pool[object]));
        for (uint64_t page = 0; page < POOL_PAGES; page++) {
            uint64_t name = name_of(object, page);
            MUST(zx_vmo_write(pool[object], &name, page * PAGE, sizeof name));
        }
    }
}

static void make_field(void) {
    zx_vaddr_t address;
    field_size = 1024 * PAGE;
    MUST(zx_vmar_allocate(zx_vmar_root_self(), CAN_ALL, 0, field_size, &field, &field_base));
    MUST(zx_vmar_map(field, READ_WRITE, 0, pool[0], 0, STAGE_PAGES * PAGE, &stage));
    MUST(zx_vmar_map(field, READ_WRITE, 0, pool[3], 0, PAGE, &flicker));
    MUST(zx_vmar_allocate(field, CAN_ALL, 0, 64 * PAGE, &common, &address));
    flicker_epoch = 0;
}

static void run(uint64_t milliseconds) {
    uint8_t byte = 1;
    maps_made = looks_made = tries_made = refused = 0;
    make_pool();
    make_field();
    for (unsigned i = 0; i < workers; i++) {
        worker_of[i] = (struct worker){.index = i, .draws = {.seed = options.seed * 17 + i}};
        MUST(zx_vmo_create(PAGE, 0, &worker_of[i].scratch));
        MUST(zx_vmo_write(worker_of[i].scratch, &byte, 0, 1));
    }
    until_ms = stress_elapsed_ms() + milliseconds;
    stress_run(workers, work);
    MUST(zx_vmar_destroy(field));
    MUST(zx_handle_close(field));
    MUST(zx_handle_close(common));
    for (unsigned i = 0; i < workers; i++)
        MUST(zx_handle_close(worker_of[i].scratch));
    for (unsigned i = 0; i < POOL; i++)
        MUST(zx_handle_close(pool[i]));
    printf("stress-vmar: %llu maps, %llu looks, %llu tries, %llu rightly refused\n",
           (unsigned long long)maps_made, (unsigned long long)looks_made,
           (unsigned long long)tries_made, (unsigned long long)refused);
}

/* A short run comes first, so that all memory of this program itself is there. */
int main(int argc, char **argv) {
    options_read(&options, "stress-vmar", argc, argv);
    workers = options_threads(&options);
    if (workers < 2)
        workers = 2;
    if (workers > STRESS_THREADS_MAX)
        workers = STRESS_THREADS_MAX;
    mtx_init(&common_lock, mtx_plain);
    run(400);
    uint64_t pages_before = machine_vmo_pages();
    run(options.seconds * 1000);
    uint64_t pages = machine_vmo_pages();
    if (pages != pages_before)
        stress_fail("%lld pages are still there", (long long)(pages - pages_before));
    stress_audit();
    printf("stress-vmar: done in %llu ms\n", (unsigned long long)stress_elapsed_ms());
    return 0;
}
