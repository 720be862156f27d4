/*
 * sys_bytes.h - user memory as a source and a sink of bytes (object/bytes.h).
 */
#pragma once

#include "lib/user_ptr.h"
#include "object/bytes.h"

struct user_source {
    struct byte_source source;
    struct user_in from;
};
struct user_sink {
    struct byte_sink sink;
    struct user_out to;
};

struct user_source user_source_at(struct user_in from);
struct user_sink user_sink_at(struct user_out to);
