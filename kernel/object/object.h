/*
 * object.h - what can be done with an object of any type: signals from user code,
 * and names.
 */
#pragma once

#include "object/handle.h"
#include "vm/user_copy.h"

/* ERR_NOT_SUPPORTED if nobody can wait for it, ERR_INVALID_ARGS for other signals' bits. */
status_t object_signal(struct waitable *object, signals_t clear, signals_t set);
/* ERR_NOT_SUPPORTED without a peer, ERR_INVALID_ARGS, ERR_PEER_CLOSED. */
status_t object_signal_peer(struct waitable *object, signals_t clear, signals_t set);
/* Start what this layer runs at boot: workers, the log's readers, resources. All CPUs are up. */
status_t objects_init(void);
uint64_t object_related_koid(const struct waitable *object);
/* All zero if the object has no name. */
void object_get_name(struct waitable *object, char out_name[OBJECT_NAME_SIZE]);
/* ERR_NOT_SUPPORTED if the object keeps none. */
status_t object_set_name(struct waitable *object, const char name[OBJECT_NAME_SIZE]);
