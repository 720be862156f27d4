/*
 * socket_datagram_test.c - packets in lock step with an array of them.
 */
#include "lib/ktest.h"
#include "lib/string.h"
#include "object/handle.h"
#include "object/socket.h"
#include "object/test_bytes.h"
#include "vm/kheap.h"

#define PACKETS    64 /* in flight at most, so that the array is small */
#define PACKET_MAX 4096

struct model {
    struct packet {
        uint32_t size;
        char first; /* byte i is first + i */
    } packets[PACKETS];
    unsigned count;
    size_t bytes;
    uint64_t seed;
};
struct ends {
    struct socket *a, *b;
    struct handle ha, hb;
};

static uint64_t draw(struct model *model, uint64_t below) {
    model->seed = model->seed * 6364136223846793005 + 1442695040888963407;
    return (model->seed >> 33) % below;
}

static void step_write(struct model *model, const struct ends *ends, char *buffer) {
    size_t size = draw(model, draw(model, 2) ? 20 : PACKET_MAX), there, actual = 0;
    bool bad = size > 0 && draw(model, 8) == 0; /* the source ends too early */
    struct packet packet = {(uint32_t)size, (char)draw(model, 256)};

    if (model->count == PACKETS)
        return;
    for (size_t i = 0; i < size; i++)
        buffer[i] = (char)(packet.first + (char)i);
    const struct test_source source =
        test_source_of(buffer, bad ? draw(model, size) : size, &there);
    status_t status = socket_write(ends->a, &source.source, size, &actual);
    if (bad) {
        EXPECT_EQ(model->bytes + size > SOCKET_BUFFER_MAX ? ERR_SHOULD_WAIT : ERR_INVALID_ARGS,
                  status);
        return;
    }
    if (model->bytes + size > SOCKET_BUFFER_MAX) {
        EXPECT_EQ(ERR_SHOULD_WAIT, status);
        return;
    }
    EXPECT_EQ(OK, status);
    EXPECT_EQ(size, actual);
    if (size > 0)
        model->packets[model->count++] = packet;
    model->bytes += size;
}

static void step_read(struct model *model, const struct ends *ends, char *buffer) {
    const struct packet packet = model->packets[0];
    size_t size = draw(model, PACKET_MAX), there, actual = 0;
    bool peek = draw(model, 3) == 0;
    const struct test_sink sink = test_sink_of(buffer, &there);

    status_t status = socket_read(ends->b, &sink.sink, size, peek, &actual);
    if (model->count == 0) {
        EXPECT_EQ(ERR_SHOULD_WAIT, status);
        return;
    }
    unsigned wrong = 0;
    for (size_t i = 0; i < actual; i++)
        wrong += buffer[i] != (char)(packet.first + (char)i);
    EXPECT_EQ(OK, status);
    EXPECT_EQ(MIN(size, (size_t)packet.size), actual);
    EXPECT_EQ(0, wrong);
    if (peek)
        return;
    model->count--;
    model->bytes -= packet.size;
    memmove(model->packets, model->packets + 1, model->count * sizeof(packet));
}

static void check(const struct model *model, const struct ends *ends) {
    zx_info_socket_t info;

    socket_get_info(ends->b, &info);
    EXPECT_EQ(model->bytes, info.rx_buf_size);
    EXPECT_EQ(model->count > 0 ? model->packets[0].size : 0, info.rx_buf_available);
    EXPECT_EQ(model->count > 0, (waitable_signals(ends->hb.object) & ZX_SOCKET_READABLE) != 0);
}

static void play(struct model *model, const struct ends *ends, char *buffer) {
    for (unsigned i = 0; i < 3000; i++) {
        /* Now filling, now draining. */
        if (draw(model, 8) < (i / 300 % 2 ? 3u : 5u))
            step_write(model, ends, buffer);
        else
            step_read(model, ends, buffer);
        check(model, ends);
    }
}

KTEST(socket, datagrams_agree_with_an_array_of_packets) {
    struct model *model = kheap_zalloc(sizeof(*model));
    char *buffer = kheap_alloc(PACKET_MAX);
    struct ends ends;

    if (model && buffer && socket_create(true, &ends.a, &ends.b) == OK) {
        ends.ha = handle_adopt(&ends.a->end.base, ZX_DEFAULT_SOCKET_RIGHTS);
        ends.hb = handle_adopt(&ends.b->end.base, ZX_DEFAULT_SOCKET_RIGHTS);
        model->seed = 7;
        play(model, &ends, buffer);
        handle_release(&ends.ha);
        handle_release(&ends.hb);
    }
    kheap_free(model);
    kheap_free(buffer);
}
