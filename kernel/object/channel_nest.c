/*
 * channel_nest.c - the forest of ends in queues.
 *
 * An end knows the end in whose queue its handle lies, and how many ends lie in
 * its own queue. Only a message with an end that has others below it can close a
 * cycle, so building even a very long chain never walks it.
 */
#include "object/channel_nest.h"

struct mutex channel_nest_lock;

void channel_nest_init(void) { mutex_init(&channel_nest_lock, RANK_FAMILY, "nested channels"); }

static struct channel *end_in(const struct message *message, uint32_t i) {
    struct waitable *object = message->handles[i].object;

    return object && object->ops->type == ZX_OBJ_TYPE_CHANNEL ? channel_from(object) : NULL;
}

bool channel_nest_concerns(const struct message *message) {
    for (uint32_t i = 0; i < message->handle_count; i++)
        if (end_in(message, i))
            return true;
    return false;
}

/* Does `below` lie in the queue of `top`, or of an end that lies in it, and so on? */
static bool lies_below(const struct channel *below, const struct channel *top) {
    for (const struct channel *at = below->container; at; at = at->container)
        if (at == top)
            return true;
    return false;
}

bool channel_nest_closes_cycle(const struct channel *receiver, const struct message *message) {
    for (uint32_t i = 0; i < message->handle_count; i++) {
        const struct channel *end = end_in(message, i);
        if (end && (end == receiver || (end->nested > 0 && lies_below(receiver, end))))
            return true;
    }
    return false;
}

void channel_nest_enter(struct channel *receiver, const struct message *message) {
    for (uint32_t i = 0; i < message->handle_count; i++) {
        struct channel *end = end_in(message, i);
        if (!end)
            continue;
        end->container = receiver;
        receiver->nested++;
    }
}

void channel_nest_leave(struct channel *receiver, const struct message *message) {
    for (uint32_t i = 0; i < message->handle_count; i++) {
        struct channel *end = end_in(message, i);
        if (!end)
            continue;
        end->container = NULL;
        receiver->nested--;
    }
}
