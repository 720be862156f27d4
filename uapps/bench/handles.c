/*
 * handles.c - handles and objects made and closed.
 */
#include <zircon/syscalls.h>

#include "bench/bench.h"

ROW(handle_dup_close) {
    zx_handle_t event = event_new(), copy;
    MEASURE(32, CHECK(zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, &copy));
            CHECK(zx_handle_close(copy)));
    CHECK(zx_handle_close(event));
}

ROW(event_create_close) {
    zx_handle_t event;
    MEASURE(32, CHECK(zx_event_create(0, &event)); CHECK(zx_handle_close(event)));
}

ROW(channel_create_close) {
    zx_handle_t a, b;
    MEASURE(32, CHECK(zx_channel_create(0, &a, &b)); CHECK(zx_handle_close(a));
            CHECK(zx_handle_close(b)));
}

ROW(vmo_create_close_4k) {
    zx_handle_t vmo;
    MEASURE(32, CHECK(zx_vmo_create(PAGE, 0, &vmo)); CHECK(zx_handle_close(vmo)));
}
