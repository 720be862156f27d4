/*
 * handle_table.h - a process's handles.
 *
 * A value is ((generation << 18 | slot) << 2 | 3) ^ (secret & ~3): never zero, its
 * two low bits always set, different in each process. A freed slot gets the next
 * of 4096 generations and goes to the end of a first-in first-out queue; slots
 * are taken from the queue only while more than 256 lie in it (the table grows
 * before that), so a closed value is not accepted again before 2^20 further
 * handles (P51). At most 261,888 handles: then ERR_NO_RESOURCES.
 * Slots lie in chunks that never move (P01). Lookup is O(1) under `lock`, which
 * no other process uses.
 */
#pragma once

#include <zircon/types.h>

#include "lib/user_ptr.h"
#include "object/handle.h"

#define HANDLE_SLOT_BITS  18
#define HANDLES_MAX       261888u
#define HANDLE_FREE_MIN   256u
#define HANDLE_CHUNK_SIZE 256u
#define HANDLE_CHUNKS_MAX ((1u << HANDLE_SLOT_BITS) / HANDLE_CHUNK_SIZE)

struct handle_slot {
    union {
        struct waitable *object;       /* used */
        struct handle_slot *next_free; /* free */
    };
    rights_t rights; /* used */
    uint32_t word;   /* generation << 20 | index << 2 | state: handle_table.c */
};
_Static_assert(sizeof(struct handle_slot) == 16, "a chunk is one page");
#define HANDLE_FIXED_BITS 3u /* set in each value, and in the word of a used slot */

struct handle_table {
    struct mutex lock;     /* RANK_HANDLE_TABLE */
    uint32_t secret;       /* set once; low two bits zero */
    /* Under lock. */
    struct handle_slot **chunks; /* an array that grows by replacement; slots stay */
    uint32_t chunk_count, chunk_capacity;
    uint32_t slot_count;   /* in all chunks */
    uint32_t touched;      /* slots that were ever taken: all with a lower index */
    struct handle_slot *free_head, **free_end; /* of the queue; where its next slot is linked */
    uint32_t free_count;   /* all slots but the used and the reserved */
    uint32_t of_type[ZX_OBJ_TYPE_UPPER_BOUND]; /* used slots by their objects' types */
    bool closed;           /* the process is dying: nothing is added any more */
};

void handle_table_init(struct handle_table *table);
/* Close all handles and refuse further ones. No lock held; iterative. */
void handle_table_clear(struct handle_table *table);
/* Free the memory of a cleared table. */
void handle_table_destroy(struct handle_table *table);

/*
 * Adding is in two steps, so that the value can be copied out to the user before
 * it becomes valid: reserve `count` values (ERR_NO_RESOURCES, ERR_NO_MEMORY,
 * ERR_BAD_STATE when closed), then publish or cancel each. Publishing cannot
 * fail, except that a table closed meanwhile releases the handle at once.
 */
status_t handle_table_reserve(struct handle_table *table, uint32_t count, uint32_t *out_values);
void handle_table_publish(struct handle_table *table, uint32_t value, struct handle handle);
void handle_table_cancel(struct handle_table *table, uint32_t value);
/* Both steps. On failure the handle is still the caller's. */
status_t handle_table_add(struct handle_table *table, struct handle handle, uint32_t *out_value);
/*
 * Both steps with the copy to the user between them, under one hold of the lock. When
 * the user's page is not there this does nothing: ERR_INTERNAL_RETRY, for the caller
 * to do it step by step.
 */
status_t handle_table_give(struct handle_table *table, struct handle handle, struct user_out to);

ALWAYS_INLINE struct handle_slot *handle_slot_at(const struct handle_table *table,
                                                 uint32_t index) {
    return &table->chunks[index / HANDLE_CHUNK_SIZE][index % HANDLE_CHUNK_SIZE];
}
/* The slot with this word, whose state is not free; or NULL. Under lock. */
ALWAYS_INLINE struct handle_slot *handle_slot_find(const struct handle_table *table,
                                                   uint32_t word) {
    uint32_t index = word >> 2 & ((1u << HANDLE_SLOT_BITS) - 1);

    if (unlikely(index >= table->touched))
        return NULL;
    struct handle_slot *slot = handle_slot_at(table, index);
    __builtin_assume(slot != NULL);
    return likely(slot->word == word) ? slot : NULL;
}
/* The slot of a valid value, or NULL: what lies in it may be borrowed while the lock is held. */
ALWAYS_INLINE struct handle_slot *handle_table_slot_locked(struct handle_table *table,
                                                           uint32_t value)
    REQUIRES(table->lock) {
    uint32_t word = value ^ table->secret;

    /* The secret leaves the low bits alone; a word of another state is nobody's value. */
    if (unlikely((word & HANDLE_FIXED_BITS) != HANDLE_FIXED_BITS))
        return NULL;
    return handle_slot_find(table, word);
}
/* The handle behind a value, borrowed while the lock is held; ERR_BAD_HANDLE. */
ALWAYS_INLINE status_t handle_table_find_locked(struct handle_table *table, uint32_t value,
                                                struct handle *out_borrowed)
    REQUIRES(table->lock) {
    const struct handle_slot *slot = handle_table_slot_locked(table, value);

    if (unlikely(!slot))
        return ERR_BAD_HANDLE;
    *out_borrowed = (struct handle){slot->object, slot->rights};
    return OK;
}
/*
 * Typed lookup in the documented order: ERR_BAD_HANDLE, ERR_WRONG_TYPE (type 0:
 * any), ERR_ACCESS_DENIED. A reference is the caller's. The result travels in
 * registers, since nearly every call does this.
 */
struct found {
    struct waitable *object; /* referenced, if OK */
    status_t status;
};
/* The checks in their order, and no reference. */
ALWAYS_INLINE struct found handle_table_check_locked(struct handle_table *table, uint32_t value,
                                                     uint32_t type, rights_t needed)
    REQUIRES(table->lock) {
    const struct handle_slot *slot = handle_table_slot_locked(table, value);

    if (unlikely(!slot))
        return (struct found){NULL, ERR_BAD_HANDLE};
    if (unlikely(type != 0 && slot->object->ops->type != type))
        return (struct found){NULL, ERR_WRONG_TYPE};
    if (unlikely(!rights_are_subset(needed, slot->rights)))
        return (struct found){NULL, ERR_ACCESS_DENIED};
    return (struct found){slot->object, OK};
}
/* The same body in two forms: compiled into the caller, for the busiest calls, and not. */
ALWAYS_INLINE struct found handle_table_look_up_inline(struct handle_table *table, uint32_t value,
                                                       uint32_t type, rights_t needed) {
    MUTEX_GUARD(&table->lock);

    struct found found = handle_table_check_locked(table, value, type, needed);
    if (likely(found.status == OK))
        waitable_ref(found.object);
    return found;
}
struct found handle_table_look_up(struct handle_table *table, uint32_t value, uint32_t type,
                                  rights_t needed);
/* The same, telling all rights of the handle; out_rights may be NULL. */
status_t handle_table_get(struct handle_table *table, uint32_t value, uint32_t type,
                          rights_t needed, struct waitable **out_object, rights_t *out_rights);
/*
 * A second handle to the same object, not yet in any table. ERR_BAD_HANDLE,
 * ERR_ACCESS_DENIED (no DUPLICATE), ERR_INVALID_ARGS (more rights;
 * ZX_RIGHT_SAME_RIGHTS keeps them).
 */
status_t handle_table_duplicate(struct handle_table *table, uint32_t value, rights_t rights,
                                struct handle *out_handle);
/*
 * Take a handle out; waits through it are cancelled before this returns. The
 * handle is the caller's; its object is NULL if the value was not valid.
 */
struct handle handle_table_take(struct handle_table *table, uint32_t value);
/* The same with a status: ERR_BAD_HANDLE. */
ALWAYS_INLINE status_t handle_table_remove(struct handle_table *table, uint32_t value,
                                           struct handle *out_handle) {
    struct handle handle = handle_table_take(table, value);

    if (!handle.object)
        return ERR_BAD_HANDLE;
    *out_handle = handle;
    return OK;
}
uint32_t handle_table_count(struct handle_table *table);
/* How many handles there are to objects of each ZX_OBJ_TYPE_*, at one moment; in constant time. */
void handle_table_count_types(struct handle_table *table,
                              uint32_t out_counts[ZX_OBJ_TYPE_UPPER_BOUND]);
/*
 * For HANDLE_TABLE and the like: the next used slot at or after *cursor, with a
 * reference in *out_handle's object (no handle count); false at the end.
 */
bool handle_table_next(struct handle_table *table, uint32_t *cursor, uint32_t *out_value,
                       struct handle *out_referenced);
