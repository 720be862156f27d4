/*
 * stream_test.c - streams in lock step with a plain array, and writers that append
 * from several threads.
 */
#include "object/stream.h"

#include "lib/ktest.h"
#include "lib/string.h"
#include "object/handle.h"
#include "vm/kheap.h"
#include "vm/test_crew.h"
#include "vm/test_space.h"
#include "vm/vmo_content.h"

#define MODEL_PAGES 6
#define MODEL_BYTES (MODEL_PAGES * PAGE_SIZE)
#define USER_PAGES  4 /* of user memory; what follows is not mapped */
#define USER_BYTES  (USER_PAGES * PAGE_SIZE)

struct model {
    char bytes[MODEL_BYTES]; /* also behind the content; zero behind `size` */
    uint64_t size, content;
    uint64_t seek[2];
    bool append[2];
    uint64_t seed;
};
struct world {
    struct vmo *vmo, *memory;
    struct stream *streams[2];
    struct aspace *space;
    vaddr_t user;
};

static uint64_t draw(struct model *model, uint64_t below) {
    model->seed = model->seed * 6364136223846793005 + 1442695040888963407;
    return (model->seed >> 33) % below;
}

/* A vector of two pieces with a hole between; the second may run out of user memory. */
struct pieces {
    zx_iovec_t entries[3];
    struct stream_vector vector;
    uint64_t good; /* bytes before the first bad one */
};

static struct pieces draw_pieces(struct model *model, const struct world *world) {
    uint64_t first = draw(model, PAGE_SIZE), second = draw(model, 2 * PAGE_SIZE);
    bool bad = draw(model, 6) == 0;
    uint64_t overrun = bad ? 1 + draw(model, second + 1) : 0;
    struct pieces pieces = {.good = first + second - MIN(overrun, second)};

    pieces.entries[0] = (zx_iovec_t){(void *)(world->user + draw(model, 100)), first};
    pieces.entries[1] = (zx_iovec_t){NULL, 0};
    pieces.entries[2] = (zx_iovec_t){
        (void *)(world->user + USER_BYTES - second + MIN(overrun, second)), second};
    pieces.vector.count = 3;
    pieces.vector.total = first + second;
    return pieces;
}

/* The byte of user memory that is byte `i` of the pieces, as an offset in `memory`. */
static uint64_t user_offset(const struct pieces *pieces, const struct world *world, uint64_t i) {
    uint64_t first = pieces->entries[0].capacity;
    vaddr_t address = i < first ? (vaddr_t)pieces->entries[0].buffer + i
                                : (vaddr_t)pieces->entries[2].buffer + (i - first);

    return address - world->user;
}

static void fresh_pages(struct model *model, const struct world *world) {
    if (draw(model, 3) == 0)
        EXPECT_EQ(OK, vmo_decommit(world->memory, 0, USER_BYTES));
}

static void fill_user(struct model *model, const struct world *world, char *buffer) {
    for (uint64_t i = 0; i < USER_BYTES; i++)
        buffer[i] = (char)draw(model, 256);
    EXPECT_EQ(OK, vmo_write_kernel(world->memory, 0, buffer, USER_BYTES));
}

static void step_write(struct model *model, const struct world *world, char *buffer) {
    unsigned which = (unsigned)draw(model, 2);
    struct pieces pieces = draw_pieces(model, world);
    struct stream_place place = {.at_seek = draw(model, 2), .offset = draw(model, MODEL_BYTES)};
    uint64_t actual = 0, offset, wanted = pieces.vector.total;

    pieces.vector.entries = pieces.entries;
    if (place.at_seek)
        place.append = draw(model, 4) == 0;
    bool append = place.append || (place.at_seek && model->append[which]);
    offset = append ? model->content : place.at_seek ? model->seek[which] : place.offset;
    if (offset + wanted > MODEL_BYTES)
        return; /* the array ends there */
    fill_user(model, world, buffer);
    status_t status = stream_write(world->streams[which], place, &pieces.vector, &actual);
    if (wanted == 0) {
        EXPECT_EQ(OK, status);
        EXPECT_EQ(0, actual);
        return;
    }
    if (pieces.good == 0) {
        EXPECT_EQ(ERR_INVALID_ARGS, status);
        return;
    }
    EXPECT_EQ(OK, status);
    EXPECT_EQ(pieces.good, actual);
    model->size = MAX(model->size, round_up(offset + wanted, PAGE_SIZE));
    if (offset > model->content)
        memset(model->bytes + model->content, 0, offset - model->content);
    for (uint64_t i = 0; i < pieces.good; i++)
        model->bytes[offset + i] = buffer[user_offset(&pieces, world, i)];
    model->content = MAX(model->content, offset + pieces.good);
    if (place.at_seek)
        model->seek[which] = offset + pieces.good;
}

static void step_read(struct model *model, const struct world *world, char *buffer) {
    unsigned which = (unsigned)draw(model, 2);
    struct pieces pieces = draw_pieces(model, world);
    struct stream_place place = {.at_seek = draw(model, 2), .offset = draw(model, MODEL_BYTES)};
    uint64_t offset = place.at_seek ? model->seek[which] : place.offset;
    uint64_t end = MIN(model->content, model->size), actual = 0;
    uint64_t there = offset < end ? MIN(pieces.vector.total, end - offset) : 0;

    pieces.vector.entries = pieces.entries;
    fresh_pages(model, world);
    status_t status = stream_read(world->streams[which], place, &pieces.vector, &actual);
    if (there > 0 && pieces.good == 0) {
        EXPECT_EQ(ERR_INVALID_ARGS, status);
        return;
    }
    EXPECT_EQ(OK, status);
    EXPECT_EQ(MIN(there, pieces.good), actual);
    EXPECT_EQ(OK, vmo_read_kernel(world->memory, 0, buffer, USER_BYTES));
    unsigned wrong = 0;
    for (uint64_t i = 0; i < actual; i++)
        wrong += buffer[user_offset(&pieces, world, i)] != model->bytes[offset + i];
    EXPECT_EQ(0, wrong);
    if (place.at_seek)
        model->seek[which] += actual;
}

static void step_seek(struct model *model, const struct world *world) {
    unsigned which = (unsigned)draw(model, 2);
    uint32_t whence = (uint32_t)draw(model, 3);
    int64_t offset = (int64_t)draw(model, MODEL_BYTES) - MODEL_BYTES / 3;
    const uint64_t bases[] = {0, model->seek[which], model->content};
    int64_t want = (int64_t)bases[whence] + offset;
    uint64_t got = 0;

    status_t status = stream_seek(world->streams[which], whence, offset, &got);
    EXPECT_EQ(want < 0 ? ERR_INVALID_ARGS : OK, status);
    if (want >= 0) {
        EXPECT_EQ(want, got);
        model->seek[which] = (uint64_t)want;
    }
}

static void step_size(struct model *model, const struct world *world) {
    uint64_t size = draw(model, MODEL_BYTES + 1);

    if (draw(model, 2)) {
        EXPECT_EQ(OK, vmo_set_size(world->vmo, size));
        model->size = round_up(size, PAGE_SIZE);
    } else {
        EXPECT_EQ(OK, vmo_set_content_size(world->vmo, size));
    }
    memset(model->bytes + size, 0, MODEL_BYTES - size);
    model->content = size;
}

/* Anyone may write behind the content. */
static void step_scribble(struct model *model, const struct world *world) {
    char byte = (char)draw(model, 256);
    uint64_t at = draw(model, MODEL_BYTES);

    for (uint64_t end = MIN(at + 50, model->size); at < end; at++) {
        EXPECT_EQ(OK, vmo_write_kernel(world->vmo, at, &byte, 1));
        model->bytes[at] = byte;
    }
}

static void step_mode(struct model *model, const struct world *world) {
    unsigned which = (unsigned)draw(model, 2);

    EXPECT_EQ(model->append[which], stream_append_mode(world->streams[which]));
    model->append[which] = draw(model, 2);
    stream_set_append_mode(world->streams[which], model->append[which]);
}

static void check(const struct model *model, const struct world *world, char *buffer) {
    zx_info_stream_t info;

    EXPECT_EQ(model->size, vmo_size(world->vmo));
    EXPECT_EQ(model->content, vmo_content_size(world->vmo));
    EXPECT_EQ(OK, vmo_read_kernel(world->vmo, 0, buffer, model->size));
    EXPECT(memcmp(buffer, model->bytes, model->size) == 0);
    for (unsigned i = 0; i < 2; i++) {
        stream_get_info(world->streams[i], &info);
        EXPECT_EQ(model->seek[i], info.seek);
        EXPECT_EQ(model->content, info.content_size);
    }
}

static void play(struct model *model, const struct world *world, char *buffer) {
    for (unsigned i = 0; i < 600; i++) {
        switch (draw(model, 9)) {
        case 0:
        case 1:
        case 2: step_write(model, world, buffer); break;
        case 3:
        case 4: step_read(model, world, buffer); break;
        case 5: step_seek(model, world); break;
        case 6: step_size(model, world); break;
        case 7: step_scribble(model, world); break;
        default: step_mode(model, world); break;
        }
        if (i % 4 == 0)
            check(model, world, buffer);
    }
    check(model, world, buffer);
}

static bool world_make(struct world *world) {
    *world = (struct world){0};
    if (vmo_create(0, true, &world->vmo) != OK ||
        vmo_create(USER_BYTES, false, &world->memory) != OK ||
        aspace_create(&world->space) != OK)
        return false;
    for (unsigned i = 0; i < 2; i++)
        if (stream_create(ZX_STREAM_MODE_READ | ZX_STREAM_MODE_WRITE, world->vmo, 0,
                          &world->streams[i]) != OK)
            return false;
    test_space_enter(world->space);
    return test_space_map(world->space, world->memory, 0, USER_BYTES,
                          ZX_VM_PERM_READ | ZX_VM_PERM_WRITE, &world->user) == OK;
}

static void world_end(struct world *world) {
    test_space_end(world->space);
    for (unsigned i = 0; i < 2; i++)
        if (world->streams[i])
            waitable_unref(&world->streams[i]->base);
    if (world->memory)
        vmo_unref(world->memory);
    if (world->vmo)
        vmo_unref(world->vmo);
}

KTEST(stream, it_agrees_with_an_array) {
    struct model *model = kheap_zalloc(sizeof(*model));
    char *buffer = kheap_alloc(MODEL_BYTES);
    struct world world;

    if (model && buffer && world_make(&world)) {
        model->seed = 20260101;
        play(model, &world, buffer);
    }
    if (model && buffer)
        world_end(&world);
    kheap_free(model);
    kheap_free(buffer);
}

/* ---- what cannot grow, and what is too far away ---- */

static struct stream_vector vector_of(const zx_iovec_t *entry) {
    return (struct stream_vector){entry, 1, entry->capacity};
}

KTEST(stream, an_object_that_cannot_grow_takes_what_fits) {
    struct world world;
    struct stream *fixed = NULL;

    if (world_make(&world) &&
        stream_create(ZX_STREAM_MODE_WRITE, world.memory, 0, &fixed) == OK) {
        const zx_iovec_t entry = {(void *)world.user, 2 * PAGE_SIZE};
        struct stream_vector vector = vector_of(&entry);
        uint64_t actual = 0;
        EXPECT_EQ(OK, stream_write(fixed, (struct stream_place){.offset = USER_BYTES - 100},
                                   &vector, &actual));
        EXPECT_EQ(100, actual);
        EXPECT_EQ(ERR_NO_SPACE, stream_write(fixed, (struct stream_place){.offset = USER_BYTES},
                                             &vector, &actual));
        EXPECT_EQ(ERR_OUT_OF_RANGE,
                  stream_write(world.streams[0], (struct stream_place){.offset = VMO_SIZE_MAX},
                               &vector, &actual));
        EXPECT_EQ(ERR_FILE_BIG,
                  stream_write(world.streams[0], (struct stream_place){.offset = UINT64_MAX - 5},
                               &vector, &actual));
        EXPECT_EQ(0, vmo_size(world.vmo));
        EXPECT_EQ(OK, stream_read(world.streams[0], (struct stream_place){.offset = UINT64_MAX},
                                  &vector, &actual));
        EXPECT_EQ(0, actual);
    }
    if (fixed)
        waitable_unref(&fixed->base);
    world_end(&world);
}

/* ---- writers on several CPUs ---- */

#define WRITERS 4
#define RECORDS 60
#define RECORD  ((uint64_t)1500) /* bytes, all the same */

static struct crew crew;
static struct world shared;
static struct stream *own[WRITERS]; /* each writer's, on the same object */
static _Atomic unsigned writer_failures;

static void append_records(void *unused, unsigned writer) {
    const zx_iovec_t entry = {(void *)(shared.user + writer * PAGE_SIZE), RECORD};
    struct stream_vector vector = vector_of(&entry);
    uint64_t actual;

    test_space_enter(shared.space);
    for (unsigned i = 0; i < RECORDS; i++) {
        status_t status = stream_write(own[writer],
                                       (struct stream_place){.at_seek = true, .append = true},
                                       &vector, &actual);
        if (status != OK || actual != RECORD)
            writer_failures++;
    }
    test_space_enter(NULL);
}

static bool prepare_writers(void) {
    static char bytes[RECORD];

    for (unsigned writer = 0; writer < WRITERS; writer++) {
        memset(bytes, 'a' + (int)writer, sizeof(bytes));
        if (stream_create(ZX_STREAM_MODE_WRITE, shared.vmo, 0, &own[writer]) != OK ||
            vmo_write_kernel(shared.memory, writer * PAGE_SIZE, bytes, sizeof(bytes)) != OK)
            return false;
    }
    return true;
}

static void expect_whole_records(void) {
    static char bytes[RECORD];
    unsigned counts[WRITERS] = {0}, wrong = 0;

    for (uint64_t at = 0; at < vmo_content_size(shared.vmo); at += RECORD) {
        EXPECT_EQ(OK, vmo_read_kernel(shared.vmo, at, bytes, sizeof(bytes)));
        for (uint64_t i = 1; i < RECORD; i++)
            wrong += bytes[i] != bytes[0];
        unsigned writer = (unsigned)(bytes[0] - 'a');
        if (writer < WRITERS)
            counts[writer]++;
    }
    EXPECT_EQ(0, wrong);
    for (unsigned writer = 0; writer < WRITERS; writer++)
        EXPECT_EQ(RECORDS, counts[writer]);
}

KTEST(stream, records_that_several_threads_append_stay_whole) {
    writer_failures = 0;
    if (world_make(&shared) && prepare_writers() && crew_run(&crew, WRITERS, append_records, NULL)) {
        EXPECT_EQ(0, writer_failures);
        EXPECT_EQ(WRITERS * RECORDS * RECORD, vmo_content_size(shared.vmo));
        expect_whole_records();
    }
    for (unsigned writer = 0; writer < WRITERS; writer++) {
        if (own[writer])
            waitable_unref(&own[writer]->base);
        own[writer] = NULL;
    }
    world_end(&shared);
}
