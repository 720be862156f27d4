/*
 * t_event.c - events and event pairs: signals and who may set them.
 */
#include <jacinth/utest.h>

#include "core-tests/support.h"

static zx_signals_t signals_of(zx_handle_t handle) {
    zx_signals_t seen = 0;
    EXPECT_EQ(ZX_ERR_TIMED_OUT, zx_object_wait_one(handle, 0, 0, &seen));
    return seen;
}

TEST(event_create_refuses_options_and_bad_places) {
    zx_handle_t event = 5;
    unsigned before = own_handles();
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_event_create(1, &event));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_event_create(0, NULL));
    EXPECT_EQ(5, event);
    EXPECT_EQ(before, own_handles());
    REQUIRE_OK(zx_event_create(0, &event));
    EXPECT_EQ(ZX_DEFAULT_EVENT_RIGHTS, rights_of(event));
    EXPECT_EQ(0, signals_of(event));
    close_handle(event);
}

TEST(event_signal_clears_then_sets) {
    zx_handle_t event;
    REQUIRE_OK(zx_event_create(0, &event));
    EXPECT_OK(zx_object_signal(event, 0, ZX_EVENT_SIGNAL_MASK));
    EXPECT_EQ(ZX_EVENT_SIGNAL_MASK, signals_of(event));
    EXPECT_OK(zx_object_signal(event, ZX_EVENT_SIGNAL_MASK, ZX_USER_SIGNAL_3));
    EXPECT_EQ(ZX_USER_SIGNAL_3, signals_of(event));
    EXPECT_OK(zx_object_signal(event, 0, 0));
    EXPECT_EQ(ZX_USER_SIGNAL_3, signals_of(event));
    close_handle(event);
}

TEST(event_signal_of_the_kernels_bits_is_refused_without_change) {
    zx_handle_t event;
    REQUIRE_OK(zx_event_create(0, &event));
    for (int bit = 0; bit < 24; bit++) {
        zx_signals_t mask = 1u << bit;
        if (mask == ZX_EVENT_SIGNALED)
            continue;
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_signal(event, 0, mask | ZX_USER_SIGNAL_0));
        EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_signal(event, mask, ZX_USER_SIGNAL_0));
    }
    EXPECT_EQ(0, signals_of(event));
    close_handle(event);
}

TEST(event_signal_checks_handle_then_right_then_type_then_masks) {
    zx_handle_t event, port;
    REQUIRE_OK(zx_event_create(0, &event));
    REQUIRE_OK(zx_port_create(0, &port));
    zx_handle_t weak = copy_without(event, ZX_RIGHT_SIGNAL);
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_signal(weak, 0, 1));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_signal(port, 0, 1)); /* ports have no SIGNAL */
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_signal_peer(event, 0, 1));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_object_signal(ZX_HANDLE_INVALID, 0, 1));
    close_handle(weak);
    close_handle(event);
    close_handle(port);
}

TEST(signalled_is_only_for_events) {
    zx_handle_t vmo = make_vmo(1), timer, a, b;
    REQUIRE_OK(zx_timer_create(0, ZX_CLOCK_MONOTONIC, &timer));
    REQUIRE_OK(zx_channel_create(0, &a, &b));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_signal(vmo, 0, ZX_OBJECT_SIGNALED));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_signal(timer, 0, ZX_OBJECT_SIGNALED));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_signal(a, 0, ZX_OBJECT_SIGNALED));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_signal_peer(a, 0, ZX_OBJECT_SIGNALED));
    EXPECT_OK(zx_object_signal(vmo, 0, ZX_USER_SIGNAL_7));
    EXPECT_OK(zx_object_signal_peer(a, 0, ZX_USER_SIGNAL_7));
    EXPECT_EQ(ZX_USER_SIGNAL_7 | ZX_CHANNEL_WRITABLE, signals_of(b));
    EXPECT_EQ(ZX_CHANNEL_WRITABLE, signals_of(a));
    close_handle(vmo);
    close_handle(timer);
    close_handle(a);
    close_handle(b);
}

TEST(eventpair_create_has_a_status_of_its_own_for_options) {
    zx_handle_t a = 1, b = 2;
    unsigned before = own_handles();
    EXPECT_EQ(ZX_ERR_NOT_SUPPORTED, zx_eventpair_create(1, &a, &b));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_eventpair_create(0, NULL, &b));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_eventpair_create(0, &a, NULL));
    EXPECT_EQ(before, own_handles());
}

TEST(eventpair_ends_signal_each_other) {
    zx_handle_t a, b;
    REQUIRE_OK(zx_eventpair_create(0, &a, &b));
    EXPECT_EQ(ZX_DEFAULT_EVENTPAIR_RIGHTS, rights_of(a));
    EXPECT_EQ(0, signals_of(a));
    EXPECT_OK(zx_object_signal_peer(a, 0, ZX_EVENTPAIR_SIGNALED | ZX_USER_SIGNAL_1));
    EXPECT_EQ(0, signals_of(a));
    EXPECT_EQ(ZX_EVENTPAIR_SIGNALED | ZX_USER_SIGNAL_1, signals_of(b));
    EXPECT_OK(zx_object_signal(b, ZX_EVENTPAIR_SIGNALED, 0));
    EXPECT_EQ(ZX_USER_SIGNAL_1, signals_of(b));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_signal(a, 0, ZX_EVENTPAIR_PEER_CLOSED));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_signal_peer(a, ZX_EVENTPAIR_PEER_CLOSED, 0));
    close_handle(a);
    EXPECT_EQ(ZX_USER_SIGNAL_1 | ZX_EVENTPAIR_PEER_CLOSED, signals_of(b));
    EXPECT_EQ(ZX_ERR_PEER_CLOSED, zx_object_signal_peer(b, 0, ZX_USER_SIGNAL_0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_signal_peer(b, 0, 1));
    EXPECT_OK(zx_object_signal(b, 0, ZX_EVENTPAIR_SIGNALED));
    close_handle(b);
}

TEST(eventpair_is_closed_by_the_last_of_several_handles) {
    zx_handle_t a, b, copy;
    REQUIRE_OK(zx_eventpair_create(0, &a, &b));
    REQUIRE_OK(zx_handle_duplicate(a, ZX_RIGHT_SAME_RIGHTS, &copy));
    close_handle(a);
    EXPECT_EQ(0, signals_of(b));
    close_handle(copy);
    EXPECT_EQ(ZX_EVENTPAIR_PEER_CLOSED, signals_of(b));
    close_handle(b);
}

TEST(pairs_know_each_others_koids) {
    zx_handle_t a, b;
    zx_info_handle_basic_t info;
    REQUIRE_OK(zx_eventpair_create(0, &a, &b));
    zx_koid_t koid = koid_of(a);
    REQUIRE_OK(zx_object_get_info(b, ZX_INFO_HANDLE_BASIC, &info, sizeof info, NULL, NULL));
    EXPECT_EQ(koid, info.related_koid);
    EXPECT(info.koid >= ZX_KOID_FIRST && info.koid != koid);
    close_handle(a);
    REQUIRE_OK(zx_object_get_info(b, ZX_INFO_HANDLE_BASIC, &info, sizeof info, NULL, NULL));
    EXPECT_EQ(koid, info.related_koid);
    close_handle(b);
}
