/*
 * handle_table_test.c - values, generations, limits.
 */
#include "lib/ktest.h"
#include "object/event.h"
#include "object/handle_table.h"
#include "vm/kheap.h"

/* A handle to a new event; object NULL if there is no memory. */
static struct handle test_handle(rights_t rights) {
    struct waitable *event;

    if (event_create(&event) != OK)
        return (struct handle){NULL, 0};
    return handle_adopt(event, rights);
}

static void test_table_end(struct handle_table *table) {
    handle_table_clear(table);
    handle_table_destroy(table);
}

static bool test_close(struct handle_table *table, uint32_t value) {
    struct handle handle;

    if (handle_table_remove(table, value, &handle) != OK)
        return false;
    handle_release(&handle);
    return true;
}

KTEST_QUICK(handle_table, values_have_their_low_bits_set_and_find_their_object) {
    struct handle_table table;
    struct handle handle = test_handle(ZX_DEFAULT_EVENT_RIGHTS), found;
    uint32_t value = 0;

    REQUIRE(handle.object);
    handle_table_init(&table);
    status_t status = handle_table_add(&table, handle, &value);
    EXPECT_EQ(OK, status);
    if (status != OK)
        handle_release(&handle);
    EXPECT_EQ(3, value & 3);
    EXPECT_EQ(1, handle_table_count(&table));
    mutex_lock(&table.lock);
    EXPECT_EQ(OK, handle_table_find_locked(&table, value, &found));
    EXPECT(found.object == handle.object);
    EXPECT_EQ(ERR_BAD_HANDLE, handle_table_find_locked(&table, 0, &found));
    EXPECT_EQ(ERR_BAD_HANDLE, handle_table_find_locked(&table, value & ~1u, &found));
    EXPECT_EQ(ERR_BAD_HANDLE, handle_table_find_locked(&table, value & ~2u, &found));
    EXPECT_EQ(ERR_BAD_HANDLE, handle_table_find_locked(&table, value ^ 1u << 21, &found));
    mutex_unlock(&table.lock);
    test_table_end(&table);
}

KTEST_QUICK(handle_table, lookup_checks_value_then_type_then_rights) {
    struct handle_table table;
    struct handle handle = test_handle(ZX_RIGHT_WAIT);
    struct waitable *object;
    uint32_t value;

    REQUIRE(handle.object);
    handle_table_init(&table);
    if (handle_table_add(&table, handle, &value) != OK) {
        handle_release(&handle);
        EXPECT(!"no memory");
        test_table_end(&table);
        return;
    }
    EXPECT_EQ(ERR_BAD_HANDLE,
              handle_table_get(&table, value ^ 4, ZX_OBJ_TYPE_EVENT, 0, &object, NULL));
    EXPECT_EQ(ERR_WRONG_TYPE, handle_table_get(&table, value, ZX_OBJ_TYPE_PORT, ZX_RIGHT_SIGNAL,
                                               &object, NULL));
    EXPECT_EQ(ERR_ACCESS_DENIED, handle_table_get(&table, value, ZX_OBJ_TYPE_EVENT,
                                                  ZX_RIGHT_SIGNAL, &object, NULL));
    EXPECT_EQ(OK, handle_table_get(&table, value, 0, ZX_RIGHT_WAIT, &object, NULL));
    waitable_unref(object);
    test_table_end(&table);
}

KTEST_QUICK(handle_table, a_reserved_value_is_not_valid_until_it_is_published) {
    struct handle_table table;
    struct handle handle = test_handle(ZX_DEFAULT_EVENT_RIGHTS), found;
    uint32_t values[2];

    REQUIRE(handle.object);
    handle_table_init(&table);
    if (handle_table_reserve(&table, 2, values) != OK) {
        handle_release(&handle);
        handle_table_clear(&table);
        handle_table_destroy(&table);
        EXPECT(!"no memory");
        return;
    }
    EXPECT_EQ(ERR_BAD_HANDLE, handle_table_remove(&table, values[0], &found));
    handle_table_publish(&table, values[0], handle);
    handle_table_cancel(&table, values[1]);
    EXPECT_EQ(ERR_BAD_HANDLE, handle_table_remove(&table, values[1], &found));
    EXPECT(test_close(&table, values[0]));
    EXPECT(!test_close(&table, values[0]));
    EXPECT_EQ(0, handle_table_count(&table));
    test_table_end(&table);
}

KTEST_QUICK(handle_table, a_closed_table_refuses_and_releases_what_is_published_late) {
    struct handle_table table;
    struct handle handle = test_handle(ZX_DEFAULT_EVENT_RIGHTS);
    uint64_t events = waitable_live_count(ZX_OBJ_TYPE_EVENT);
    uint32_t value, other;

    REQUIRE(handle.object);
    handle_table_init(&table);
    if (handle_table_reserve(&table, 1, &value) != OK) {
        handle_release(&handle);
        handle_table_clear(&table);
        handle_table_destroy(&table);
        EXPECT(!"no memory");
        return;
    }
    handle_table_clear(&table);
    EXPECT_EQ(ERR_BAD_STATE, handle_table_reserve(&table, 1, &other));
    handle_table_publish(&table, value, handle);
    EXPECT_EQ(events - 1, waitable_live_count(ZX_OBJ_TYPE_EVENT));
    handle_table_destroy(&table);
}

static bool add_event(struct handle_table *table, uint32_t *out_value) {
    struct handle handle = test_handle(ZX_RIGHT_WAIT);
    if (!handle.object)
        return false;
    bool added = handle_table_add(table, handle, out_value) == OK;
    if (!added)
        handle_release(&handle);
    return added;
}

static uint32_t events_in(struct handle_table *table) {
    uint32_t counts[ZX_OBJ_TYPE_UPPER_BOUND];
    handle_table_count_types(table, counts);
    for (unsigned type = 0; type < ZX_OBJ_TYPE_UPPER_BOUND; type++)
        EXPECT(type == ZX_OBJ_TYPE_EVENT || counts[type] == 0);
    return counts[ZX_OBJ_TYPE_EVENT];
}

KTEST_QUICK(handle_table, the_counts_of_types_are_those_of_the_slots) {
    struct handle_table table;
    struct handle late = test_handle(ZX_RIGHT_WAIT);
    uint32_t values[3], reserved;
    REQUIRE(late.object);
    handle_table_init(&table);
    bool made = add_event(&table, &values[0]) && add_event(&table, &values[1]) &&
                add_event(&table, &values[2]) &&
                handle_table_reserve(&table, 1, &reserved) == OK;
    EXPECT(made);
    if (made) {
        EXPECT_EQ(3, events_in(&table)); /* what is reserved is no handle yet */
        handle_table_publish(&table, reserved, late);
        EXPECT_EQ(4, events_in(&table));
        EXPECT(test_close(&table, values[1]));
        EXPECT(!test_close(&table, values[1]));
        EXPECT_EQ(3, events_in(&table));
    } else {
        handle_release(&late);
    }
    handle_table_clear(&table);
    EXPECT_EQ(0, events_in(&table));
    handle_table_destroy(&table);
}

KTEST_QUICK(handle_table, a_duplicate_has_the_same_or_fewer_rights) {
    struct handle_table table;
    struct handle handle = test_handle(ZX_RIGHT_DUPLICATE | ZX_RIGHT_WAIT), copy;
    uint32_t value, second = 0;

    REQUIRE(handle.object);
    handle_table_init(&table);
    if (handle_table_add(&table, handle, &value) != OK) {
        handle_release(&handle);
        EXPECT(!"no memory");
        test_table_end(&table);
        return;
    }
    EXPECT_EQ(ERR_INVALID_ARGS,
              handle_table_duplicate(&table, value, ZX_RIGHT_WAIT | ZX_RIGHT_SIGNAL, &copy));
    EXPECT_EQ(OK, handle_table_duplicate(&table, value, ZX_RIGHT_WAIT, &copy));
    EXPECT_EQ(ZX_RIGHT_WAIT, copy.rights);
    EXPECT_EQ(OK, handle_table_add(&table, copy, &second));
    EXPECT_EQ(ERR_ACCESS_DENIED,
              handle_table_duplicate(&table, second, ZX_RIGHT_SAME_RIGHTS, &copy));
    EXPECT_EQ(2, atomic_load(&handle.object->handle_count));
    test_table_end(&table);
}

/* Put `count` handles to one object into a table; their values go to `values`. */
static status_t fill(struct handle_table *table, struct waitable *object, uint32_t count,
                     uint32_t *values) {
    for (uint32_t i = 0; i < count; i++) {
        struct handle handle = handle_make(object, ZX_RIGHT_WAIT);
        status_t status = handle_table_add(table, handle, &values[i]);
        if (status != OK) {
            handle_release(&handle);
            return status;
        }
    }
    return OK;
}

#define P01_COUNT 3000u

KTEST(handle_table, P01_slots_stay_while_the_table_grows) {
    struct handle_table table;
    AUTO(waitable) event = NULL;
    uint32_t first[16], *more = kheap_alloc(P01_COUNT * sizeof(*more)), cursor = 0, value;
    struct handle handle;

    REQUIRE(more);
    handle_table_init(&table);
    if (event_create(&event) == OK && fill(&table, event, 16, first) == OK) {
        /* Slots that wait in the queue of free ones while the table grows around them. */
        for (unsigned i = 0; i < 8; i++)
            EXPECT(test_close(&table, first[i]));
        EXPECT(fill(&table, event, P01_COUNT, more) == OK);
        for (unsigned i = 8; i < 16; i++)
            EXPECT(test_close(&table, first[i]));
        unsigned seen = 0;
        while (handle_table_next(&table, &cursor, &value, &handle)) {
            waitable_unref(handle.object);
            seen++;
        }
        EXPECT_EQ(P01_COUNT, seen);
    } else {
        EXPECT(!"no memory");
    }
    test_table_end(&table);
    kheap_free(more);
}

/*
 * ---- P51 ----
 *
 * One handle is made and closed 2^21 times; the last 2^20 values are kept, in parts as
 * large as the heap gives. Free slots are a queue, so a slot comes again after
 * `rotation` rounds: only while it is in use does an old value meet its generation.
 */
#define P51_WINDOW (1u << 20)
#define P51_ROUNDS (1u << 21)
#define P51_SAMPLE 1000u
#define P51_PERIOD (1u << 16) /* rounds from sample to sample */
#define RING_PART  (1u << 18)

struct ring {
    uint32_t *parts[P51_WINDOW / RING_PART];
};

static bool ring_begin(struct ring *ring) {
    bool good = true;

    for (unsigned i = 0; i < ARRAY_SIZE(ring->parts); i++)
        good = (ring->parts[i] = kheap_alloc(RING_PART * sizeof(uint32_t))) && good;
    return good;
}

static void ring_end(struct ring *ring) {
    for (unsigned i = 0; i < ARRAY_SIZE(ring->parts); i++)
        kheap_free(ring->parts[i]);
}

/* The value of a round, until P51_WINDOW rounds later. */
static uint32_t *ring_at(struct ring *ring, uint32_t round) {
    return &ring->parts[round / RING_PART % ARRAY_SIZE(ring->parts)][round % RING_PART];
}

static bool is_same_slot(uint32_t a, uint32_t b) {
    return ((a ^ b) & ((4u << HANDLE_SLOT_BITS) - 1)) == 0;
}

/* Values of earlier rounds, every second one a value of the slot that is in use now. */
static uint32_t sample_accepted(struct handle_table *table, struct ring *ring, uint32_t round,
                                uint32_t rotation) {
    static uint64_t seed = 51;
    uint32_t kept = MIN(round, P51_WINDOW - 1), accepted = 0;

    for (unsigned i = 0; i < P51_SAMPLE; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        uint32_t drawn = (uint32_t)(seed >> 33);
        uint32_t back = i % 2 ? 1 + drawn % kept : (1 + drawn % (kept / rotation)) * rotation;
        accepted += test_close(table, *ring_at(ring, round - back));
    }
    return accepted;
}

/* Each value that is kept, while its slot is in use. */
static uint32_t all_accepted(struct handle_table *table, struct waitable *event,
                             struct ring *ring, uint32_t rotation) {
    uint32_t accepted = 0, others = 0, tried = 0, open;

    for (uint32_t round = P51_ROUNDS; round < P51_ROUNDS + rotation; round++) {
        if (fill(table, event, 1, &open) != OK)
            return 1;
        for (uint32_t back = rotation; back <= round - (P51_ROUNDS - P51_WINDOW);
             back += rotation, tried++) {
            uint32_t value = *ring_at(ring, round - back);
            others += !is_same_slot(value, open);
            accepted += test_close(table, value);
        }
        test_close(table, open);
    }
    EXPECT_EQ(P51_WINDOW, tried);
    EXPECT_EQ(0, others);
    return accepted;
}

static void close_and_create(struct handle_table *table, struct waitable *event,
                             struct ring *ring) {
    uint32_t accepted = 0, rotation = 0;

    for (uint32_t round = 0; round < P51_ROUNDS; round++) {
        uint32_t *value = ring_at(ring, round);
        if (fill(table, event, 1, value) != OK)
            return;
        if (round == 0)
            rotation = table->free_count + 1;
        if (round % P51_PERIOD == P51_PERIOD - 1)
            accepted += sample_accepted(table, ring, round, rotation);
        test_close(table, *value);
    }
    accepted += all_accepted(table, event, ring, rotation);
    EXPECT_EQ(0, accepted);
}

KTEST(handle_table, P51_a_closed_value_is_not_accepted_again) {
    struct handle_table table;
    AUTO(waitable) event = NULL;
    struct ring ring;

    handle_table_init(&table);
    if (ring_begin(&ring) && event_create(&event) == OK)
        close_and_create(&table, event, &ring);
    else
        EXPECT(!"no memory");
    test_table_end(&table);
    ring_end(&ring);
}

/* Reserve up to `count` values; how many there were. */
static uint32_t reserve_all(struct handle_table *table, uint32_t *values, uint32_t count) {
    uint32_t done = 0;

    while (done < count) {
        uint32_t now = MIN(count - done, 64u);
        if (handle_table_reserve(table, now, values + done) != OK)
            return done;
        done += now;
    }
    return done;
}

/* With all other slots in use the queue is as short as it gets: 256 slots and one. */
KTEST(handle_table, P51_a_full_table_refuses_more_and_still_tells_old_values_apart) {
    struct handle_table table;
    AUTO(waitable) event = NULL;
    struct ring ring;
    uint32_t *values = kheap_alloc(HANDLES_MAX * sizeof(*values)), reserved = 0, value;

    handle_table_init(&table);
    if (ring_begin(&ring) && values && event_create(&event) == OK)
        reserved = reserve_all(&table, values, HANDLES_MAX);
    EXPECT_EQ(HANDLES_MAX, reserved);
    if (reserved == HANDLES_MAX) {
        EXPECT_EQ(ERR_NO_RESOURCES, fill(&table, event, 1, &value));
        handle_table_cancel(&table, values[--reserved]);
        close_and_create(&table, event, &ring);
    }
    while (reserved > 0)
        handle_table_cancel(&table, values[--reserved]);
    test_table_end(&table);
    ring_end(&ring);
    kheap_free(values);
}
