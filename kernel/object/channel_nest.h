/*
 * channel_nest.h - ends of channels inside messages of channels.
 *
 * An end has exactly one handle (channels cannot be duplicated), and while that
 * lies in a queue, nobody can use the end before somebody reads that queue. So the
 * ends in queues form a forest, and a message that would make an end lie below
 * itself is lost to everybody for ever: it is closed at once instead of queued.
 */
#pragma once

#include "object/channel.h"

/* RANK_FAMILY: the shape of the forest. Taken before a channel's lock. */
extern struct mutex channel_nest_lock;

/* Once, at boot. */
void channel_nest_init(void);
/* Does any of its handles name an end? */
bool channel_nest_concerns(const struct message *message);
/* In the queue of `receiver`, would the message hold up the handle of `receiver` itself? */
bool channel_nest_closes_cycle(const struct channel *receiver, const struct message *message)
    REQUIRES(channel_nest_lock);
/* The message, which concerns the forest, joins or has left the queue of `receiver`. */
void channel_nest_enter(struct channel *receiver, const struct message *message)
    REQUIRES(channel_nest_lock);
void channel_nest_leave(struct channel *receiver, const struct message *message)
    REQUIRES(channel_nest_lock);
