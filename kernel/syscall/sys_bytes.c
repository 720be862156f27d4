/*
 * sys_bytes.c - user memory as a source and a sink of bytes.
 */
#include "syscall/sys_bytes.h"

#include "vm/user_copy.h"

static status_t source_copy_in(const struct byte_source *source, size_t offset, void *to,
                               size_t length) {
    const struct user_source *user = container_of(source, const struct user_source, source);

    return user_copy_in(to, user_in_at(user->from, offset), length);
}

static size_t source_copy_in_nofault(const struct byte_source *source, size_t offset, void *to,
                                     size_t length) {
    const struct user_source *user = container_of(source, const struct user_source, source);

    return user_copy_in_nofault(to, user_in_at(user->from, offset), length);
}

static status_t source_touch(const struct byte_source *source, size_t offset) {
    const struct user_source *user = container_of(source, const struct user_source, source);

    return user_touch_read(user->from.address + offset);
}

static size_t sink_copy_out_nofault(const struct byte_sink *sink, size_t offset, const void *from,
                                    size_t length) {
    const struct user_sink *user = container_of(sink, const struct user_sink, sink);

    return user_copy_out_nofault(user_out_at(user->to, offset), from, length);
}

static status_t sink_touch(const struct byte_sink *sink, size_t offset) {
    const struct user_sink *user = container_of(sink, const struct user_sink, sink);

    return user_touch_write(user->to.address + offset);
}

struct user_source user_source_at(struct user_in from) {
    return (struct user_source){{source_copy_in, source_copy_in_nofault, source_touch}, from};
}

struct user_sink user_sink_at(struct user_out to) {
    return (struct user_sink){{sink_copy_out_nofault, sink_touch}, to};
}
