/*
 * channel_nest_test.c - ends of channels inside messages, in lock step with a plain
 * model that marks all ends which somebody can still reach.
 *
 * After each step the model marks from the handles that are held: an end is alive if its
 * handle is held, or lies in the queue of an end that is alive. All others must be
 * closed, and their memory gone: then their peers see it, and the count of live ends
 * is the model's.
 */
#include "lib/ktest.h"
#include "lib/string.h"
#include "object/channel.h"
#include "object/channel_nest.h"
#include "vm/kheap.h"

#define ENDS  24 /* end 2n and end 2n + 1 are peers */
#define QUEUE 32 /* messages in all */
#define CARRY 3  /* ends in one message */

enum place { PLACE_DEAD, PLACE_HELD, PLACE_QUEUED };
struct end {
    enum place place;
    struct handle handle; /* while held */
};
/* A message in the queue of `receiver`; lists keep their order. */
struct note {
    int receiver; /* -1: free */
    int carried[CARRY];
    unsigned count;
};
struct model {
    struct end ends[ENDS];
    struct note notes[QUEUE];
    unsigned note_count;
    uint64_t seed;
    uint64_t channels_before;
};

static uint64_t draw(struct model *model, uint64_t below) {
    model->seed = model->seed * 6364136223846793005 + 1442695040888963407;
    return (model->seed >> 33) % below;
}

static int peer_of(int end) { return end ^ 1; }

static int any_held(struct model *model) {
    int first = (int)draw(model, ENDS);

    for (int i = 0; i < ENDS; i++)
        if (model->ends[(first + i) % ENDS].place == PLACE_HELD)
            return (first + i) % ENDS;
    return -1;
}

/* ---- marking ---- */

static void note_drop(struct model *model, unsigned at) {
    model->note_count--;
    memmove(&model->notes[at], &model->notes[at + 1],
            (model->note_count - at) * sizeof(model->notes[0]));
}

/* One more pass; true if it found something. */
static bool mark_pass(const struct model *model, bool alive[ENDS]) {
    bool more = false;

    for (unsigned i = 0; i < model->note_count; i++) {
        const struct note *note = &model->notes[i];
        for (unsigned j = 0; alive[note->receiver] && j < note->count; j++) {
            more |= !alive[note->carried[j]];
            alive[note->carried[j]] = true;
        }
    }
    return more;
}

/* Ends that nobody can reach are dead, and what lies in their queues is lost. */
static void collect(struct model *model) {
    bool alive[ENDS];

    for (int i = 0; i < ENDS; i++)
        alive[i] = model->ends[i].place == PLACE_HELD;
    while (mark_pass(model, alive)) {
    }
    for (int i = 0; i < ENDS; i++)
        if (!alive[i])
            model->ends[i].place = PLACE_DEAD;
    for (unsigned i = model->note_count; i-- > 0;)
        if (!alive[model->notes[i].receiver])
            note_drop(model, i);
}

static void check(const struct model *model) {
    uint64_t alive = 0;

    for (int i = 0; i < ENDS; i++) {
        const struct end *end = &model->ends[i];
        alive += end->place != PLACE_DEAD;
        if (end->place != PLACE_HELD)
            continue;
        bool closed = model->ends[peer_of(i)].place == PLACE_DEAD;
        EXPECT_EQ(closed, (waitable_signals(end->handle.object) & ZX_CHANNEL_PEER_CLOSED) != 0);
    }
    EXPECT_EQ(model->channels_before + alive, waitable_live_count(ZX_OBJ_TYPE_CHANNEL));
}

/* ---- steps ---- */

static void step_create(struct model *model) {
    struct channel *a, *b;

    for (int i = 0; i < ENDS; i += 2) {
        if (model->ends[i].place != PLACE_DEAD || model->ends[i + 1].place != PLACE_DEAD)
            continue;
        if (channel_create(&a, &b) != OK)
            return;
        model->ends[i] = (struct end){
            PLACE_HELD, handle_adopt(&a->end.base, ZX_DEFAULT_CHANNEL_RIGHTS)};
        model->ends[i + 1] = (struct end){
            PLACE_HELD, handle_adopt(&b->end.base, ZX_DEFAULT_CHANNEL_RIGHTS)};
        return;
    }
}

static void step_close(struct model *model) {
    int end = any_held(model);

    if (end < 0)
        return;
    model->ends[end].place = PLACE_DEAD;
    handle_release(&model->ends[end].handle);
}

/* Some held ends other than `through`, for a message. */
static struct note draw_note(struct model *model, int through) {
    struct note note = {.receiver = peer_of(through)};

    for (unsigned i = 0; i < CARRY; i++) {
        int end = any_held(model);
        bool again = end == through;
        for (unsigned j = 0; j < note.count; j++)
            again |= note.carried[j] == end;
        if (end >= 0 && !again)
            note.carried[note.count++] = end;
    }
    return note;
}

static void step_write(struct model *model) {
    int through = any_held(model);
    struct message *message;

    if (through < 0 || model->note_count == QUEUE)
        return;
    struct note note = draw_note(model, through);
    if (message_create(4, note.count, &message) != OK)
        return;
    message_set_txid(message, 0);
    struct channel *channel = channel_from(model->ends[through].handle.object);
    AUTO(waitable) kept = &channel->end.base; /* the message may take the last handle's peer */
    waitable_ref(kept);
    for (unsigned i = 0; i < note.count; i++)
        message->handles[i] = handle_take(&model->ends[note.carried[i]].handle);
    bool closed = model->ends[note.receiver].place == PLACE_DEAD;
    status_t status = channel_write(channel, message);
    EXPECT_EQ(closed ? ERR_PEER_CLOSED : OK, status);
    if (status != OK)
        message_destroy(message);
    for (unsigned i = 0; i < note.count; i++)
        model->ends[note.carried[i]].place = closed ? PLACE_DEAD : PLACE_QUEUED;
    if (!closed)
        model->notes[model->note_count++] = note;
}

static int first_note(const struct model *model, int receiver) {
    for (unsigned i = 0; i < model->note_count; i++)
        if (model->notes[i].receiver == receiver)
            return (int)i;
    return -1;
}

static void step_read(struct model *model) {
    int end = any_held(model);
    struct channel_limits sizes;
    struct message *message;

    if (end < 0)
        return;
    struct channel *channel = channel_from(model->ends[end].handle.object);
    status_t status =
        channel_read(channel, (struct channel_limits){4, CARRY, false}, &message, &sizes);
    int at = first_note(model, end);
    EXPECT_EQ(at >= 0, status == OK);
    if (at < 0 || status != OK)
        return;
    const struct note note = model->notes[at];
    EXPECT_EQ(note.count, message->handle_count);
    if (draw(model, 5) == 0) {
        channel_unread(channel, message);
        return;
    }
    note_drop(model, (unsigned)at);
    for (unsigned i = 0; i < note.count && i < message->handle_count; i++) {
        model->ends[note.carried[i]] =
            (struct end){PLACE_HELD, handle_take(&message->handles[i])};
    }
    message_destroy(message);
}

static void play(struct model *model) {
    for (unsigned i = 0; i < 4000; i++) {
        switch (draw(model, 16)) {
        case 0:
        case 1: step_close(model); break;
        case 2:
        case 3:
        case 4: step_read(model); break;
        case 5:
        case 6:
        case 7:
        case 8:
        case 9: step_write(model); break;
        default: step_create(model); break;
        }
        collect(model);
        check(model);
    }
    while (any_held(model) >= 0)
        step_close(model);
    collect(model);
    check(model);
    EXPECT_EQ(model->channels_before, waitable_live_count(ZX_OBJ_TYPE_CHANNEL));
}

KTEST(channel_nest, ends_that_marking_cannot_reach_are_closed_at_once) {
    struct model *model = kheap_zalloc(sizeof(*model));

    for (uint64_t seed = 1; model && seed <= 8; seed++) {
        *model = (struct model){.seed = seed,
                                .channels_before = waitable_live_count(ZX_OBJ_TYPE_CHANNEL)};
        play(model);
    }
    kheap_free(model);
}
