/*
 * t_handle.c - closing, duplicating and replacing handles.
 */
#include <jacinth/utest.h>

#include "core-tests/support.h"

/* Addresses that no program can write to. */
static zx_handle_t *const bad_places[] = {
    NULL,
    (zx_handle_t *)8,
    (zx_handle_t *)0x00007ffffffff000,
    (zx_handle_t *)0x8000000000000000,
    (zx_handle_t *)0xffff800000000000,
    (zx_handle_t *)0xfffffffffffffffe,
};
#define BAD_PLACES (sizeof bad_places / sizeof bad_places[0])

TEST(handle_values_have_both_low_bits_set_and_differ) {
    zx_handle_t a = make_event(), b = make_event();
    EXPECT_EQ(ZX_HANDLE_FIXED_BITS_MASK, a & ZX_HANDLE_FIXED_BITS_MASK);
    EXPECT_EQ(ZX_HANDLE_FIXED_BITS_MASK, b & ZX_HANDLE_FIXED_BITS_MASK);
    EXPECT(a != b);
    close_handle(a);
    close_handle(b);
}

TEST(handle_close_of_nothing_is_fine_and_of_a_closed_value_is_not) {
    zx_handle_t event = make_event();
    EXPECT_OK(zx_handle_close(ZX_HANDLE_INVALID));
    EXPECT_OK(zx_handle_close(event));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_handle_close(event));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_handle_close(event & ~1u));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_handle_close(4));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_handle_close(UINT32_MAX));
}

TEST(handle_close_many_closes_all_and_tells_of_a_bad_one) {
    unsigned before = own_handles();
    zx_handle_t handles[5] = {make_event(), ZX_HANDLE_INVALID, make_event(), 0, make_event()};
    EXPECT_OK(zx_handle_close_many(handles, 5));
    EXPECT_EQ(before, own_handles());
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_handle_close_many(handles, 5));
    zx_handle_t twice = make_event();
    zx_handle_t more[3] = {twice, twice, make_event()};
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_handle_close_many(more, 3));
    EXPECT_EQ(before, own_handles());
    EXPECT_OK(zx_handle_close_many(NULL, 0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_handle_close_many(NULL, 1));
}

TEST(handle_close_many_takes_any_number) {
    static zx_handle_t handles[1000];
    unsigned before = own_handles();
    for (int i = 0; i < 1000; i++)
        handles[i] = make_event();
    EXPECT_EQ(before + 1000, own_handles());
    EXPECT_OK(zx_handle_close_many(handles, 1000));
    EXPECT_EQ(before, own_handles());
}

TEST(handle_duplicate_keeps_or_shrinks_rights) {
    zx_handle_t event = make_event(), copy;
    EXPECT_OK(zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, &copy));
    EXPECT(copy != event);
    EXPECT_EQ(ZX_DEFAULT_EVENT_RIGHTS, rights_of(copy));
    EXPECT_EQ(koid_of(event), koid_of(copy));
    close_handle(copy);
    EXPECT_OK(zx_handle_duplicate(event, ZX_RIGHT_WAIT, &copy));
    EXPECT_EQ(ZX_RIGHT_WAIT, rights_of(copy));
    zx_handle_t third = 77;
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_handle_duplicate(copy, ZX_RIGHT_WAIT, &third));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_handle_duplicate(copy, ZX_RIGHT_READ, &third));
    close_handle(copy);
    EXPECT_OK(zx_handle_duplicate(event, 0, &copy));
    EXPECT_EQ(0, rights_of(copy));
    close_handle(copy);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_handle_duplicate(event, ZX_RIGHT_WAIT | ZX_RIGHT_READ, &third));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS | ZX_RIGHT_WAIT, &third));
    EXPECT_EQ(77, third);
    close_handle(event);
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, &third));
}

TEST(handle_duplicate_to_a_bad_place_makes_no_handle) {
    zx_handle_t event = make_event();
    unsigned before = own_handles();
    for (size_t i = 0; i < BAD_PLACES; i++)
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, bad_places[i]));
    EXPECT_EQ(before, own_handles());
    EXPECT_EQ(ZX_DEFAULT_EVENT_RIGHTS, rights_of(event));
    close_handle(event);
}

TEST(handle_values_may_be_stored_where_no_page_was_yet) {
    zx_handle_t vmo = make_vmo(2), event = make_event();
    volatile uint8_t *place = map_vmo(vmo, READ_WRITE, 2);
    zx_handle_t *straddling = (zx_handle_t *)(uintptr_t)(place + PAGE - 2);
    EXPECT_OK(zx_handle_duplicate(event, ZX_RIGHT_SAME_RIGHTS, straddling));
    zx_handle_t copy;
    __builtin_memcpy(&copy, straddling, sizeof copy);
    EXPECT_EQ(koid_of(event), koid_of(copy));
    close_handle(copy);
    unmap(place, 2);
    close_handle(vmo);
    close_handle(event);
}

TEST(handle_replace_consumes_the_old_handle_in_nearly_any_case) {
    zx_handle_t event = make_event(), next = 0, last = 0;
    EXPECT_OK(zx_handle_replace(event, ZX_RIGHT_WAIT, &next));
    EXPECT(next != event);
    EXPECT_EQ(ZX_RIGHT_WAIT, rights_of(next));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_handle_close(event));
    EXPECT_OK(zx_handle_replace(next, ZX_RIGHT_SAME_RIGHTS, &last));
    EXPECT_EQ(ZX_RIGHT_WAIT, rights_of(last));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_handle_replace(last, ZX_RIGHT_READ, &next));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_handle_close(last));
    unsigned before = own_handles();
    for (size_t i = 0; i < BAD_PLACES; i++)
        EXPECT_EQ(ZX_ERR_INVALID_ARGS,
                  zx_handle_replace(make_event(), ZX_RIGHT_SAME_RIGHTS, bad_places[i]));
    EXPECT_EQ(before, own_handles());
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_handle_replace(last, ZX_RIGHT_SAME_RIGHTS, &next));
}

#define ROUNDS 20000

TEST(P51_a_closed_value_is_not_soon_valid_again) {
    static zx_handle_t closed[ROUNDS];
    unsigned accepted = 0;
    for (int i = 0; i < ROUNDS; i++) {
        closed[i] = make_event();
        close_handle(closed[i]);
    }
    for (int i = 0; i < ROUNDS; i++)
        accepted += zx_handle_close(closed[i]) == ZX_OK;
    EXPECT_EQ(0, accepted);
}

/* A second handle with fewer rights, that has gone through a channel; the first is closed. */
static zx_handle_t pass_on(zx_handle_t handle, zx_rights_t rights) {
    zx_handle_t from, to, given = copy_with(handle, rights), got = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_channel_create(0, &from, &to));
    EXPECT_OK(zx_channel_write(from, 0, NULL, 0, &given, 1));
    EXPECT_OK(zx_channel_read(to, 0, NULL, &got, 0, 1, NULL, NULL));
    close_handle(from);
    close_handle(to);
    return got;
}

/* At the end of a chain from this process a child triggers an interrupt, and tries to wait for it. */
static void use_at_the_end(zx_status_t expected, void (*revoke)(zx_handle_t first)) {
    struct child child;
    zx_handle_t first = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_interrupt_create(ZX_HANDLE_INVALID, 0, ZX_INTERRUPT_VIRTUAL, &first));
    zx_handle_t second = pass_on(first, ZX_DEFAULT_INTERRUPT_RIGHTS & ~ZX_RIGHT_WAIT);
    zx_handle_t third = pass_on(second, ZX_RIGHT_TRANSFER | ZX_RIGHT_SIGNAL);
    close_handle(second);
    REQUIRE(script_make(&child));
    script_add(&child, 0, "zx_interrupt_trigger", CHILD_HANDLE, 0, 1, 0);
    script_add(&child, 1, "zx_interrupt_wait", CHILD_HANDLE, 0, 0, 0);
    revoke(first);
    EXPECT_OK(zx_process_start(child.process, child.thread, CHILD_CODE, CHILD_STACK, third,
                               CHILD_DATA));
    (void)child_wait(&child);
    EXPECT_EQ(expected, script_result(&child, 0));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, script_result(&child, 1));
    child_end(&child);
}

static void end_object(zx_handle_t first) {
    EXPECT_OK(zx_interrupt_destroy(first));
    close_handle(first);
}

TEST(P37_closing_takes_nothing_back_along_a_chain_and_ending_the_object_takes_all) {
    use_at_the_end(ZX_OK, close_handle);
    use_at_the_end(ZX_ERR_CANCELED, end_object);
}
