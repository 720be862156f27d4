/*
 * fifo_test.c - rings of elements, in lock step with plain arrays.
 */
#include "object/fifo.h"

#include "lib/ktest.h"
#include "lib/string.h"
#include "object/test_bytes.h"
#include "vm/kheap.h"

struct ends {
    struct fifo *a, *b;
    struct handle ha, hb;
};

static bool ends_create(struct ends *ends, size_t count, size_t size) {
    if (fifo_create(count, size, &ends->a, &ends->b) != OK)
        return false;
    ends->ha = handle_adopt(&ends->a->end.base, ZX_DEFAULT_FIFO_RIGHTS);
    ends->hb = handle_adopt(&ends->b->end.base, ZX_DEFAULT_FIFO_RIGHTS);
    return true;
}

static void ends_release(struct ends *ends) {
    handle_release(&ends->ha);
    handle_release(&ends->hb);
}

static status_t put(struct fifo *fifo, const void *bytes, size_t good, size_t size, size_t count,
                    size_t *out_actual) {
    size_t there;
    const struct test_source source = test_source_of(bytes, good, &there);

    return fifo_write(fifo, size, &source.source, count, out_actual);
}

static status_t get(struct fifo *fifo, void *bytes, size_t size, size_t count,
                    size_t *out_actual) {
    size_t there;
    const struct test_sink sink = test_sink_of(bytes, &there);

    return fifo_read(fifo, size, &sink.sink, count, out_actual);
}

KTEST_QUICK(fifo, only_shapes_that_fit_a_page_are_made) {
    static const uint64_t bad[][2] = {{0, 8},    {8, 0},         {3, 8},           {512, 9},
                                      {8192, 1}, {1, 4097},      {2, UINT64_MAX},  {1ull << 63, 2},
                                      {UINT64_MAX, 1}, {1ull << 32, 1ull << 32}};
    struct fifo *a, *b;

    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        EXPECT_EQ(ERR_OUT_OF_RANGE, fifo_create(bad[i][0], bad[i][1], &a, &b));
}

KTEST_QUICK(fifo, checks_come_in_their_order) {
    struct ends ends;
    char bytes[64] = "";
    size_t count;

    REQUIRE(ends_create(&ends, 2, 8));
    EXPECT_EQ(ERR_OUT_OF_RANGE, put(ends.a, bytes, 64, 4, 1, &count));
    EXPECT_EQ(ERR_OUT_OF_RANGE, put(ends.a, bytes, 64, 8, 0, &count));
    EXPECT_EQ(ERR_OUT_OF_RANGE, get(ends.a, bytes, 4, 1, &count));
    EXPECT_EQ(ERR_OUT_OF_RANGE, get(ends.a, bytes, 8, 0, &count));
    EXPECT_EQ(ERR_SHOULD_WAIT, get(ends.a, bytes, 8, 1, &count));
    EXPECT_EQ(OK, put(ends.a, bytes, 64, 8, 3, &count));
    EXPECT_EQ(2, count);
    EXPECT_EQ(ERR_SHOULD_WAIT, put(ends.a, bytes, 64, 8, 1, &count));
    EXPECT_EQ(ERR_OUT_OF_RANGE, put(ends.a, bytes, 64, 8, 0, &count));
    handle_release(&ends.hb);
    EXPECT_EQ(ERR_PEER_CLOSED, put(ends.a, bytes, 64, 4, 0, &count));
    EXPECT_EQ(ERR_OUT_OF_RANGE, get(ends.a, bytes, 4, 1, &count));
    EXPECT_EQ(ERR_PEER_CLOSED, get(ends.a, bytes, 8, 1, &count));
    EXPECT_EQ(ZX_FIFO_PEER_CLOSED, waitable_signals(ends.ha.object));
    ends_release(&ends);
}

KTEST_QUICK(fifo, what_a_closed_peer_wrote_stays_readable) {
    struct ends ends;
    char bytes[8] = "";
    size_t count;

    REQUIRE(ends_create(&ends, 8, 1));
    EXPECT_EQ(OK, put(ends.a, "hello", 5, 1, 5, &count));
    handle_release(&ends.ha);
    EXPECT_EQ(ZX_FIFO_PEER_CLOSED | ZX_FIFO_READABLE, waitable_signals(ends.hb.object));
    EXPECT_EQ(OK, get(ends.b, bytes, 1, 8, &count));
    EXPECT_EQ(5, count);
    EXPECT(memcmp(bytes, "hello", 5) == 0);
    EXPECT_EQ(ERR_PEER_CLOSED, get(ends.b, bytes, 1, 8, &count));
    EXPECT_EQ(ZX_FIFO_PEER_CLOSED, waitable_signals(ends.hb.object));
    ends_release(&ends);
}

/* ---- the model: one direction ---- */

#define MODEL_MAX 4096
struct model {
    char bytes[MODEL_MAX];
    size_t used; /* elements, the oldest first */
    size_t count, size;
    uint64_t seed;
    char next; /* the byte that is written next */
};

static uint64_t draw(struct model *model, uint64_t below) {
    model->seed = model->seed * 6364136223846793005 + 1442695040888963407;
    return (model->seed >> 33) % below;
}

static void check_signals(const struct model *model, const struct ends *ends) {
    EXPECT_EQ(model->used > 0, (waitable_signals(ends->hb.object) & ZX_FIFO_READABLE) != 0);
    EXPECT_EQ(model->used < model->count,
              (waitable_signals(ends->ha.object) & ZX_FIFO_WRITABLE) != 0);
}

static void step_write(struct model *model, const struct ends *ends, char *buffer) {
    size_t count = 1 + draw(model, model->count + 2), actual = 0;
    size_t fit = MIN(count, model->count - model->used), bytes = fit * model->size;
    bool bad = bytes > 0 && draw(model, 8) == 0; /* the source ends too early */

    for (size_t i = 0; i < bytes; i++)
        buffer[i] = (char)(model->next + (char)i);
    status_t status = put(ends->a, buffer, bad ? draw(model, bytes) : bytes, model->size, count,
                          &actual);
    if (fit == 0) {
        EXPECT_EQ(ERR_SHOULD_WAIT, status);
    } else if (bad) {
        EXPECT_EQ(ERR_INVALID_ARGS, status);
    } else {
        EXPECT_EQ(OK, status);
        EXPECT_EQ(fit, actual);
        memcpy(model->bytes + model->used * model->size, buffer, bytes);
        model->used += fit;
        model->next += (char)bytes;
    }
}

static void step_read(struct model *model, const struct ends *ends, char *buffer) {
    size_t count = 1 + draw(model, model->count + 2), actual = 0;
    size_t there = MIN(count, model->used), bytes = there * model->size;

    status_t status = get(ends->b, buffer, model->size, count, &actual);
    if (there == 0) {
        EXPECT_EQ(ERR_SHOULD_WAIT, status);
        return;
    }
    EXPECT_EQ(OK, status);
    EXPECT_EQ(there, actual);
    EXPECT(memcmp(buffer, model->bytes, bytes) == 0);
    memmove(model->bytes, model->bytes + bytes, (model->used - there) * model->size);
    model->used -= there;
}

static void model_run(struct model *model, size_t count, size_t size, char *buffer) {
    struct ends ends;

    *model = (struct model){.count = count, .size = size, .seed = count * 77 + size};
    if (!ends_create(&ends, count, size))
        return;
    for (unsigned i = 0; i < 400; i++) {
        if (draw(model, 2))
            step_write(model, &ends, buffer);
        else
            step_read(model, &ends, buffer);
        check_signals(model, &ends);
    }
    ends_release(&ends);
}

KTEST(fifo, it_agrees_with_an_array_in_every_shape) {
    static const size_t shapes[][2] = {{1, 1}, {1, 4096}, {2, 2048}, {4096, 1}, {64, 64},
                                       {8, 3}, {16, 17},  {2, 1},    {512, 8}};
    struct model *model = kheap_alloc(sizeof(*model));
    char *buffer = kheap_alloc(MODEL_MAX);

    for (size_t i = 0; model && buffer && i < ARRAY_SIZE(shapes); i++)
        model_run(model, shapes[i][0], shapes[i][1], buffer);
    kheap_free(model);
    kheap_free(buffer);
}
