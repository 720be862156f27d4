/*
 * port_model_test.c - a port in lock step with two arrays: registrations, and packets.
 *
 * Events are waited for through handles that come and go; whatever is done, the packets
 * that the port gives are those of the model, in its order.
 */
#include "lib/ktest.h"
#include "lib/string.h"
#include "object/event.h"
#include "object/object.h"
#include "object/port.h"
#include "vm/kheap.h"

#define EVENTS 4
#define KEYS   5
#define ROOM   64

/* A wait, and later its packet; a user's packet has no handle. */
struct entry {
    uint32_t value; /* the handle; 0: a user's */
    unsigned event;
    uint64_t key;
    signals_t wanted, observed;
    bool stamped;
};
struct list_of {
    struct entry entries[ROOM];
    unsigned count;
};
struct model {
    struct handle_table table;
    struct port *port;
    struct handle port_handle;
    struct waitable *events[EVENTS]; /* referenced */
    uint32_t values[EVENTS];
    signals_t signals[EVENTS];
    struct list_of waits, packets;
    uint64_t seed;
};

static uint64_t draw(struct model *model, uint64_t below) {
    model->seed = model->seed * 6364136223846793005 + 1442695040888963407;
    return (model->seed >> 33) % below;
}

static signals_t draw_signals(struct model *model) {
    return (signals_t)(draw(model, 16) << 24);
}

static void list_push(struct list_of *list, struct entry entry) {
    list->entries[list->count++] = entry;
}

static struct entry list_drop(struct list_of *list, unsigned at) {
    struct entry entry = list->entries[at];

    list->count--;
    memmove(&list->entries[at], &list->entries[at + 1],
            (list->count - at) * sizeof(list->entries[0]));
    return entry;
}

static bool has_room(const struct model *model) {
    return model->waits.count + model->packets.count < ROOM;
}

/* ---- steps ---- */

static void step_signal(struct model *model) {
    unsigned event = (unsigned)draw(model, EVENTS);
    signals_t clear = draw_signals(model), set = draw_signals(model);
    signals_t before = model->signals[event], after = (before & ~clear) | set;

    EXPECT_EQ(OK, object_signal(model->events[event], clear, set));
    model->signals[event] = after;
    for (unsigned i = 0; i < model->waits.count;) {
        struct entry *wait = &model->waits.entries[i];
        if (wait->event != event || !(wait->wanted & after & ~before)) {
            i++;
            continue;
        }
        struct entry packet = list_drop(&model->waits, i);
        packet.observed = after;
        list_push(&model->packets, packet);
    }
}

static void step_wait_async(struct model *model) {
    unsigned event = (unsigned)draw(model, EVENTS);
    uint32_t options = (uint32_t)draw(model, 4); /* TIMESTAMP, EDGE, both, neither */
    struct entry wait = {.value = model->values[event],
                         .event = event,
                         .key = draw(model, KEYS),
                         .wanted = draw_signals(model),
                         .observed = model->signals[event],
                         .stamped = options & ZX_WAIT_ASYNC_TIMESTAMP};

    if (!has_room(model))
        return;
    EXPECT_EQ(OK, port_wait_async(model->port, &model->table, wait.value, wait.key, wait.wanted,
                                  options));
    if (!(options & ZX_WAIT_ASYNC_EDGE) && (wait.wanted & model->signals[event]))
        list_push(&model->packets, wait);
    else
        list_push(&model->waits, wait);
}

static void step_queue(struct model *model) {
    const zx_port_packet_t packet = {.key = draw(model, KEYS)};

    if (!has_room(model))
        return;
    EXPECT_EQ(OK, port_queue(model->port, &packet));
    list_push(&model->packets, (struct entry){.key = packet.key});
}

static bool cancel_in(struct list_of *list, uint32_t value, uint64_t key) {
    bool found = false;

    for (unsigned i = 0; i < list->count;) {
        if (list->entries[i].value != value || list->entries[i].key != key) {
            i++;
            continue;
        }
        (void)list_drop(list, i);
        found = true;
    }
    return found;
}

static void step_cancel(struct model *model) {
    uint32_t value = model->values[draw(model, EVENTS)];
    uint64_t key = draw(model, KEYS);
    bool waits = cancel_in(&model->waits, value, key);
    bool packets = cancel_in(&model->packets, value, key);

    EXPECT_EQ(waits || packets ? OK : ERR_NOT_FOUND,
              port_cancel(model->port, &model->table, value, key));
}

/* The waits that were made through the old handle go with it, the packets stay. */
static void step_replace(struct model *model) {
    unsigned event = (unsigned)draw(model, EVENTS);
    uint32_t old = model->values[event];
    struct handle handle, copy = handle_make(model->events[event], ZX_DEFAULT_EVENT_RIGHTS);

    if (handle_table_add(&model->table, copy, &model->values[event]) != OK) {
        handle_release(&copy);
        return;
    }
    EXPECT_EQ(OK, handle_table_remove(&model->table, old, &handle));
    handle_release(&handle);
    for (uint64_t key = 0; key < KEYS; key++)
        cancel_in(&model->waits, old, key);
}

static void step_take(struct model *model) {
    zx_port_packet_t packet = {0};

    status_t status = port_wait(model->port, 0, &packet);
    if (model->packets.count == 0) {
        EXPECT_EQ(ERR_TIMED_OUT, status);
        return;
    }
    struct entry want = list_drop(&model->packets, 0);
    EXPECT_EQ(OK, status);
    EXPECT_EQ(want.key, packet.key);
    EXPECT_EQ(want.value ? ZX_PKT_TYPE_SIGNAL_ONE : ZX_PKT_TYPE_USER, packet.type);
    if (!want.value)
        return;
    EXPECT_EQ(want.wanted, packet.signal.trigger);
    EXPECT_EQ(want.observed, packet.signal.observed);
    EXPECT_EQ(1, packet.signal.count);
    EXPECT_EQ(want.stamped, packet.signal.timestamp != 0);
}

static void play(struct model *model) {
    for (unsigned i = 0; i < 6000; i++) {
        switch (draw(model, 16)) {
        case 0: step_replace(model); break;
        case 1:
        case 2: step_cancel(model); break;
        case 3: step_queue(model); break;
        case 4:
        case 5:
        case 6:
        case 7: step_signal(model); break;
        case 8:
        case 9:
        case 10: step_take(model); break;
        default: step_wait_async(model); break;
        }
        EXPECT_EQ(model->waits.count + model->packets.count,
                  model->port->async_count + model->port->user_count);
    }
}

static bool model_begin(struct model *model) {
    handle_table_init(&model->table);
    if (port_create(0, &model->port) != OK)
        return false;
    model->port_handle = handle_adopt(&model->port->base, 0);
    for (unsigned i = 0; i < EVENTS; i++) {
        if (event_create(&model->events[i]) != OK)
            return false;
        struct handle handle = handle_make(model->events[i], ZX_DEFAULT_EVENT_RIGHTS);
        if (handle_table_add(&model->table, handle, &model->values[i]) != OK) {
            handle_release(&handle);
            return false;
        }
    }
    return true;
}

static void model_end(struct model *model) {
    handle_release(&model->port_handle);
    for (unsigned i = 0; i < EVENTS; i++) {
        if (!model->events[i])
            continue;
        EXPECT(list_is_empty(&model->events[i]->observers));
        waitable_unref(model->events[i]);
    }
    handle_table_clear(&model->table);
    handle_table_destroy(&model->table);
}

KTEST(port, it_agrees_with_arrays_of_waits_and_packets) {
    struct model *model = kheap_zalloc(sizeof(*model));

    if (model) {
        model->seed = 99;
        if (model_begin(model))
            play(model);
        model_end(model);
    }
    kheap_free(model);
}

KTEST(port, too_many_registrations_are_refused) {
    struct model *model = kheap_zalloc(sizeof(*model));
    status_t status = OK;

    if (model && model_begin(model)) {
        for (unsigned i = 0; i < PORT_ASYNC_WAITS_MAX && status == OK; i++)
            status = port_wait_async(model->port, &model->table, model->values[0], 1,
                                     ZX_USER_SIGNAL_0, 0);
        EXPECT_EQ(OK, status);
        EXPECT_EQ(ERR_NO_RESOURCES, port_wait_async(model->port, &model->table, model->values[1],
                                                    1, ZX_USER_SIGNAL_0, 0));
        EXPECT_EQ(OK, port_cancel(model->port, &model->table, model->values[0], 1));
        EXPECT_EQ(OK, port_wait_async(model->port, &model->table, model->values[1], 1,
                                      ZX_USER_SIGNAL_0, 0));
    }
    if (model)
        model_end(model);
    kheap_free(model);
}
