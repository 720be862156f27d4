/*
 * stay_test.c - objects, pages and nodes stay where they are (P01).
 *
 * Debug kernels stamp each object with its own address and look at every reference and
 * every look-up. Here everything that can grow does so around three memory objects; one
 * is cloned again and again, and the other two must be just as they were.
 */
#include <zircon/types.h>

#include "lib/ktest.h"
#include "object/event.h"
#include "object/handle_table.h"
#include "vm/kheap.h"
#include "vm/vmo.h"

#define PAGES  200
#define CLONES 300
#define EVENTS 4000 /* more than three times what a table begins with */

struct witness {
    struct vmo *vmo;
    const struct page *page[PAGES];
    const struct map_node *root;
};

static const struct page *page_at(struct vmo *vmo, uint64_t index) {
    MUTEX_GUARD(&vmo->lock);
    return page_map_find(&vmo->map, index, NULL);
}

static status_t witness_make(struct witness *w, uint64_t mark) {
    status_t status = vmo_create(PAGES * PAGE_SIZE, false, &w->vmo);
    for (uint64_t i = 0; i < PAGES && status == OK; i++) {
        uint64_t word = mark + i;
        status = vmo_write_kernel(w->vmo, i * PAGE_SIZE, &word, sizeof(word));
        w->page[i] = page_at(w->vmo, i);
    }
    w->root = w->vmo ? w->vmo->map.root : NULL;
    return status;
}

static void expect_in_place(struct witness *w, uint64_t mark) {
    if (!w->vmo)
        return;
    EXPECT(w->vmo->map.root == w->root);
    waitable_assert_in_place(&w->vmo->base);
    for (uint64_t i = 0; i < PAGES; i++) {
        uint64_t word = 0;
        EXPECT(page_at(w->vmo, i) == w->page[i]);
        EXPECT(vmo_read_kernel(w->vmo, i * PAGE_SIZE, &word, sizeof(word)) == OK);
        EXPECT_EQ(mark + i, word);
    }
}

/* A table that grows again and again, with a new object in each slot. */
static uint32_t grow_table(struct handle_table *table) {
    uint32_t made = 0, value;
    for (; made < EVENTS; made++) {
        struct waitable *event;
        if (event_create(&event) != OK)
            break;
        struct handle handle = handle_adopt(event, ZX_RIGHT_WAIT);
        if (handle_table_add(table, handle, &value) != OK) {
            handle_release(&handle);
            break;
        }
    }
    return made;
}

static unsigned clone_often(struct witness *w, struct vmo **clones) {
    unsigned made = 0;
    for (; made < CLONES; made++) {
        uint64_t word = made;
        if (vmo_create_snapshot(w->vmo, SNAPSHOT_FULL, 0, PAGES * PAGE_SIZE, false,
                                &clones[made]) != OK)
            break;
        EXPECT_EQ(OK, vmo_write_kernel(clones[made], made % PAGES * PAGE_SIZE, &word, 8));
        EXPECT_EQ(OK, vmo_write_kernel(w->vmo, made * 7 % PAGES * PAGE_SIZE, &word, 8));
    }
    return made;
}

KTEST(stay, P01_what_lives_stays_in_place_while_all_around_it_grows) {
    static struct witness a, b, c;
    static struct vmo *clones[CLONES];
    struct handle_table table;

    a.vmo = b.vmo = c.vmo = NULL;
    handle_table_init(&table);
    EXPECT_EQ(OK, witness_make(&b, 1000));
    EXPECT_EQ(OK, witness_make(&a, 2000));
    EXPECT_EQ(OK, witness_make(&c, 3000));
    EXPECT_EQ(EVENTS, grow_table(&table));
    unsigned made = clone_often(&a, clones);
    EXPECT_EQ(CLONES, made);
    expect_in_place(&b, 1000);
    expect_in_place(&c, 3000);
    while (made-- > 0)
        vmo_unref(clones[made]);
    handle_table_clear(&table);
    handle_table_destroy(&table);
    expect_in_place(&b, 1000);
    expect_in_place(&c, 3000);
    struct vmo *all[] = {a.vmo, b.vmo, c.vmo};
    for (unsigned i = 0; i < ARRAY_SIZE(all); i++)
        if (all[i])
            vmo_unref(all[i]);
}
