/*
 * entropy.h - the kernel's one source of random numbers.
 *
 * A generator of lib/random behind a spinlock, seeded at boot from the processor's
 * own generator where there is one and from the jitter of its counter in any case.
 * Any context may draw.
 */
#pragma once

#include "lib/types.h"

/* Seed the source. Once, at boot, before the first process. */
void entropy_init(void);
/* Stir in bytes of any quality. */
void entropy_mix(const void *bytes, size_t length);
void entropy_draw(void *out_bytes, size_t length);
uint64_t entropy_draw_u64(void);
