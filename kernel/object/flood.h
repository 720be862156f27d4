/*
 * flood.h - what becomes of a process that fills the kernel with what nobody takes out.
 *
 * Writing to a channel never blocks and never fails for want of room, so a writer whose
 * reader stands still must be stopped in another way: here, by an exception, which ends
 * it if nobody handles it. The limits lie with what they limit (CHANNEL_MESSAGES_MAX).
 */
#pragma once

#include "lib/types.h"

/* The running process went over a limit: `code` is a ZX_EXCP_POLICY_CODE_. No lock held. */
void flood_report(uint32_t code) COLD;
