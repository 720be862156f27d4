/*
 * paged.c - see paged.h.
 */
#include "core-tests/paged.h"

#include <jacinth/utest.h>
#include <zircon/syscalls.h>

#define KEY 77

struct paged paged_make(size_t pages, uint32_t options) {
    struct paged s = {0};
    EXPECT_OK(zx_pager_create(0, &s.pager));
    s.port = make_port();
    EXPECT_OK(zx_pager_create_vmo(s.pager, options, s.port, KEY, pages * PAGE, &s.vmo));
    return s;
}

void paged_end(struct paged *s) {
    close_handle(s->vmo);
    close_handle(s->pager);
    close_handle(s->port);
}

void expect_packet(struct paged *s, uint16_t command, size_t page, size_t pages) {
    zx_port_packet_t packet = {0};
    EXPECT_OK(zx_port_wait(s->port, PAGER_SOON, &packet));
    EXPECT_EQ(KEY, packet.key);
    EXPECT_EQ(ZX_PKT_TYPE_PAGE_REQUEST, packet.type);
    EXPECT_EQ(command, packet.page_request.command);
    EXPECT_EQ(page * PAGE, packet.page_request.offset);
    EXPECT_EQ(pages * PAGE, packet.page_request.length);
}

void expect_no_packet(struct paged *s) {
    zx_port_packet_t packet;
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_port_wait(s->port, PAGER_SHORT, &packet));
}

void supply(struct paged *s, size_t page, size_t pages, uint8_t value) {
    zx_handle_t aux = make_vmo(pages);
    for (size_t i = 0; i < pages; i++)
        put(aux, i, (uint8_t)(value + i));
    EXPECT_OK(zx_pager_supply_pages(s->pager, s->vmo, page * PAGE, pages * PAGE, aux, 0));
    EXPECT_EQ(0, committed_pages(aux));
    close_handle(aux);
}

/* --- accesses that may wait --- */

static int access_main(void *argument) {
    struct access *a = argument;
    static uint8_t bytes[64 * 4096];
    uint8_t one = a->value;
    a->status = ZX_OK;
    if (a->commit)
        a->status = zx_vmo_op_range(a->vmo, ZX_VMO_OP_COMMIT, 0, a->pages * PAGE, NULL, 0);
    else if (a->hint)
        a->status = zx_vmo_op_range(a->vmo, ZX_VMO_OP_ALWAYS_NEED, 0, a->pages * PAGE, NULL, 0);
    else if (a->view && a->write)
        a->view[a->page * PAGE] = a->value;
    else if (a->view)
        a->value = a->view[a->page * PAGE];
    else if (a->write)
        a->status = zx_vmo_write(a->vmo, &one, a->page * PAGE, 1);
    else if (a->pages > 1)
        a->status = zx_vmo_read(a->vmo, bytes, a->page * PAGE, a->pages * PAGE);
    else
        a->status = zx_vmo_read(a->vmo, &a->value, a->page * PAGE, 1);
    return 0;
}

void access_start(struct access *a) {
    EXPECT_EQ(thrd_success, thrd_create(&a->thread, access_main, a));
}
void access_end(struct access *a) { EXPECT_EQ(thrd_success, thrd_join(a->thread, NULL)); }
