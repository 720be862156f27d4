/*
 * heap_pages.h - where malloc gets its memory; the host's tests have their own.
 */
#pragma once

#include <stddef.h>

/* Zeroed memory of whole pages, or NULL. */
void *heap_map(size_t size);
void heap_unmap(void *memory, size_t size);
/* A number that changes from run to run. */
size_t heap_secret(void);
