/*
 * suspend_token.h - a thread or a process stands still while this object has a handle.
 *
 * Suspensions count: of a thread, and of its process. A thread whose sum is not zero
 * has THREAD_PENDING_SUSPEND, and stops before it next runs user code; what it waits
 * for in the kernel is interrupted and waited for again afterwards.
 */
#pragma once

#include "object/user_thread.h"

/* The reference is the caller's. ERR_BAD_STATE if it is dying or dead, ERR_NO_MEMORY. */
status_t suspend_thread(struct user_thread *thread, struct waitable **out_token);
/* All threads that it has, and those that it will start. */
status_t suspend_process(struct process *process, struct waitable **out_token);
