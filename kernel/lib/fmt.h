/*
 * fmt.h - formatting into memory or to a sink; no allocation, bounded stack.
 *
 * Understands %d %i %u %x %X %o %c %s %p %% with flags `-0+ #`, width, precision
 * (also `*`), and lengths hh h l ll z j t. No floating point.
 */
#pragma once

#include <stdarg.h>

#include "lib/types.h"

typedef void fmt_sink(void *context, const char *bytes, size_t length);

/* Returns how many bytes went to the sink. */
size_t fmt_to_sink(fmt_sink *sink, void *context, const char *format, va_list args);
/* As vsnprintf: terminates if size > 0, returns the length it would have had. */
size_t fmt_vformat(char *buffer, size_t size, const char *format, va_list args);
size_t fmt_format(char *buffer, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);
