/*
 * stream_pager_test.c - streams on an object whose pages a pager must bring, and whose
 * first writes it must allow: the stream waits with no lock held, then starts again.
 */
#include "lib/ktest.h"
#include "lib/string.h"
#include "object/stream.h"
#include "vm/kheap.h"
#include "vm/page_source.h"
#include "vm/test_space.h"
#include "vm/vmo_content.h"
#include "vm/vmo_pager.h"

#define PAGES 8

/* A pager that answers at once: page i is full of 'A' + i. */
static struct {
    struct page_source source;
    struct vmo *vmo;
    unsigned reads, dirties;
} pager;

static status_t bring(const struct page_offer *offer) {
    AUTO(vmo) aux = NULL;
    char *bytes = kheap_alloc(PAGE_SIZE);
    status_t status =
        bytes ? vmo_create(offer->count << PAGE_SHIFT, false, &aux) : ERR_NO_MEMORY;

    for (uint64_t i = 0; i < offer->count && status == OK; i++) {
        memset(bytes, 'A' + (int)(offer->first + i), PAGE_SIZE);
        status = vmo_write_kernel(aux, i << PAGE_SHIFT, bytes, PAGE_SIZE);
    }
    kheap_free(bytes);
    if (status != OK)
        return status;
    return vmo_supply(pager.vmo, offer->first << PAGE_SHIFT, offer->count << PAGE_SHIFT, aux, 0);
}

static void pager_tell(struct page_source *source) {
    struct page_offer offer;

    while (page_source_offer(source, &offer)) {
        uint64_t offset = offer.first << PAGE_SHIFT, length = offer.count << PAGE_SHIFT;
        bool dirty = offer.command == PAGE_COMMAND_DIRTY;
        page_source_taken(source);
        status_t status = dirty ? vmo_mark_dirty(pager.vmo, offset, length) : bring(&offer);
        pager.dirties += dirty;
        pager.reads += !dirty;
        if (status != OK)
            (void)vmo_fail_requests(pager.vmo, offset, length, status);
    }
}

static void pager_nothing(struct page_source *source) {}

static const struct page_source_ops pager_ops = {pager_tell, pager_nothing, pager_nothing};

struct scene {
    struct stream *stream;
    struct vmo *memory; /* a page of the user's */
    struct aspace *space;
    vaddr_t user;
};

static bool scene_make(struct scene *scene) {
    *scene = (struct scene){0};
    memset(&pager, 0, sizeof(pager));
    page_source_init(&pager.source, &pager_ops, true);
    if (vmo_create_pager(PAGES * PAGE_SIZE, false, &pager.source, &pager.vmo) != OK ||
        vmo_create(PAGE_SIZE, false, &scene->memory) != OK || aspace_create(&scene->space) != OK ||
        stream_create(ZX_STREAM_MODE_READ | ZX_STREAM_MODE_WRITE, pager.vmo, 0,
                      &scene->stream) != OK)
        return false;
    test_space_enter(scene->space);
    return test_space_map(scene->space, scene->memory, 0, PAGE_SIZE,
                          ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, &scene->user) == OK;
}

static void scene_end(struct scene *scene) {
    test_space_end(scene->space);
    if (scene->stream)
        waitable_unref(&scene->stream->base);
    if (scene->memory)
        vmo_unref(scene->memory);
    if (pager.vmo)
        vmo_unref(pager.vmo);
}

static char user_byte(const struct scene *scene, uint64_t offset) {
    char byte = 0;

    EXPECT_EQ(OK, vmo_read_kernel(scene->memory, offset, &byte, 1));
    return byte;
}

static char object_byte(uint64_t offset) {
    char byte = 0;

    EXPECT_EQ(OK, vmo_read_kernel(pager.vmo, offset, &byte, 1));
    return byte;
}

static void play(const struct scene *scene) {
    const zx_iovec_t entry = {(void *)scene->user, 200};
    const struct stream_vector vector = {&entry, 1, 200};
    uint64_t actual = 0;

    /* A read across the edge of two pages that are not there. */
    EXPECT_EQ(OK, stream_read(scene->stream, (struct stream_place){.offset = PAGE_SIZE - 50},
                              &vector, &actual));
    EXPECT_EQ(200, actual);
    EXPECT_EQ('A', user_byte(scene, 49));
    EXPECT_EQ('B', user_byte(scene, 50));
    EXPECT(pager.reads > 0 && pager.dirties == 0);
    /* A write into a page that is not there, and that may not be written yet. */
    EXPECT_EQ(OK, stream_write(scene->stream, (struct stream_place){.offset = 4 * PAGE_SIZE + 10},
                               &vector, &actual));
    EXPECT_EQ(200, actual);
    EXPECT(pager.dirties > 0);
    EXPECT_EQ('E', object_byte(4 * PAGE_SIZE + 9));
    EXPECT_EQ('A', object_byte(4 * PAGE_SIZE + 10));
    EXPECT_EQ('E', object_byte(4 * PAGE_SIZE + 210));
    /* A gap behind the content is zeroed, also where the pager has not been yet. */
    EXPECT_EQ(OK, vmo_set_content_size(pager.vmo, 100));
    EXPECT_EQ(OK, stream_write(scene->stream, (struct stream_place){.offset = 6 * PAGE_SIZE},
                               &vector, &actual));
    EXPECT_EQ('A', object_byte(99));
    EXPECT_EQ(0, object_byte(100));
    EXPECT_EQ(0, object_byte(6 * PAGE_SIZE - 1));
    EXPECT_EQ('A', object_byte(6 * PAGE_SIZE));
    EXPECT_EQ(6 * PAGE_SIZE + 200, vmo_content_size(pager.vmo));
    /* And when no more pages will come, that is what the call says. */
    vmo_detach(pager.vmo);
    status_t status = stream_read(scene->stream, (struct stream_place){.offset = PAGE_SIZE},
                                  &vector, &actual);
    EXPECT(status == OK || status == ERR_BAD_STATE);
}

KTEST(stream, it_waits_for_a_pager_and_starts_again) {
    struct scene scene;

    if (scene_make(&scene))
        play(&scene);
    scene_end(&scene);
}
