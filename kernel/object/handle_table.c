/*
 * handle_table.c - values to handles and back.
 *
 * A slot knows its own value, less the secret, with the fixed bits replaced by the
 * slot's state; so one comparison tells whether a value is valid, and no value is
 * the word of a slot that is free or reserved (its value is drawn, but not valid
 * yet). Free slots form a queue through their own memory; a slot gets its next
 * generation when it joins the queue, so a stale value fails the comparison.
 * New slots come a chunk at a time, before the queue gets short, and are taken
 * before the queued ones; only when it is taken is a new slot's memory written.
 */
#include "object/handle_table.h"

#include "lib/string.h"
#include "vm/entropy.h"
#include "vm/kheap.h"
#include "vm/user_copy.h"

#define FIXED_BITS     HANDLE_FIXED_BITS
#define GENERATION_ONE (1u << (2 + HANDLE_SLOT_BITS))

/* The low bits of a slot's word. */
enum slot_state { SLOT_FREE = 0, SLOT_RESERVED = 1, SLOT_USED = FIXED_BITS };

static enum slot_state slot_state(const struct handle_slot *slot) {
    return slot->word & FIXED_BITS;
}

static void slot_set_state(struct handle_slot *slot, enum slot_state state) {
    slot->word = (slot->word & ~FIXED_BITS) | state;
}

static uint32_t slot_value(const struct handle_table *table, const struct handle_slot *slot) {
    return (slot->word | FIXED_BITS) ^ table->secret;
}

static struct handle_slot *slot_at(const struct handle_table *table, uint32_t index) {
    return handle_slot_at(table, index);
}

static struct handle_slot *slot_find_used(struct handle_table *table, uint32_t value)
    REQUIRES(table->lock) {
    return handle_table_slot_locked(table, value);
}

static struct handle_slot *slot_find_reserved(const struct handle_table *table, uint32_t value) {
    return handle_slot_find(table, (value ^ table->secret ^ FIXED_BITS) | SLOT_RESERVED);
}

/* ---- the queue of free slots ---- */

static void queue_put_locked(struct handle_table *table, struct handle_slot *slot)
    REQUIRES(table->lock) {
    *table->free_end = slot;
    table->free_end = &slot->next_free;
    table->free_count++;
}

/* A used or reserved slot becomes free. */
static void slot_retire_locked(struct handle_table *table, struct handle_slot *slot)
    REQUIRES(table->lock) {
    slot->word = (slot->word & ~FIXED_BITS) + GENERATION_ONE;
    queue_put_locked(table, slot);
}

static status_t chunks_make_room_locked(struct handle_table *table) REQUIRES(table->lock) {
    if (table->chunk_count < table->chunk_capacity)
        return OK;
    uint32_t capacity = table->chunk_capacity ? table->chunk_capacity * 2 : 4;
    struct handle_slot **chunks = kheap_alloc(capacity * sizeof(*chunks));
    if (!chunks)
        return ERR_NO_MEMORY;
    if (table->chunk_count)
        memcpy(chunks, table->chunks, table->chunk_count * sizeof(*chunks));
    kheap_free(table->chunks);
    table->chunks = chunks;
    table->chunk_capacity = capacity;
    return OK;
}

/* With all chunks there, all slots but HANDLE_FREE_MIN can be taken: HANDLES_MAX. */
static status_t chunk_add_locked(struct handle_table *table) REQUIRES(table->lock) {
    if (table->chunk_count == HANDLE_CHUNKS_MAX)
        return ERR_NO_RESOURCES;
    status_t status = chunks_make_room_locked(table);
    if (status != OK)
        return status;
    struct handle_slot *chunk = kheap_alloc(HANDLE_CHUNK_SIZE * sizeof(*chunk));
    if (!chunk)
        return ERR_NO_MEMORY;
    table->chunks[table->chunk_count++] = chunk;
    table->slot_count += HANDLE_CHUNK_SIZE;
    table->free_count += HANDLE_CHUNK_SIZE;
    return OK;
}

static status_t chunks_add_locked(struct handle_table *table, uint32_t count)
    REQUIRES(table->lock) COLD;
static status_t chunks_add_locked(struct handle_table *table, uint32_t count) {
    while (table->free_count < HANDLE_FREE_MIN + count) {
        status_t status = chunk_add_locked(table);
        if (status != OK)
            return status;
    }
    return OK;
}

/* After this, `count` slots can be taken. */
ALWAYS_INLINE status_t slots_ensure_locked(struct handle_table *table, uint32_t count)
    REQUIRES(table->lock) {
    if (unlikely(table->closed))
        return ERR_BAD_STATE;
    if (likely(table->free_count >= HANDLE_FREE_MIN + count))
        return OK;
    return chunks_add_locked(table, count);
}

static bool has_untouched_locked(const struct handle_table *table) REQUIRES(table->lock) {
    return table->touched < table->slot_count;
}

/* The slot that will be taken next. The queue never gets as short as its last slot. */
static struct handle_slot *slot_peek_locked(struct handle_table *table) REQUIRES(table->lock) {
    if (!has_untouched_locked(table))
        return table->free_head;
    struct handle_slot *slot = slot_at(table, table->touched);
    slot->word = table->touched << 2;
    return slot;
}

/* `slot` is what slot_peek_locked gave. */
static void slot_take_locked(struct handle_table *table, struct handle_slot *slot)
    REQUIRES(table->lock) {
    if (has_untouched_locked(table))
        table->touched++;
    else
        table->free_head = slot->next_free;
    table->free_count--;
}

static void slot_fill_locked(struct handle_table *table, struct handle_slot *slot,
                             struct handle handle) REQUIRES(table->lock) {
    slot->object = handle.object;
    slot->rights = handle.rights;
    slot_set_state(slot, SLOT_USED);
    table->of_type[handle.object->ops->type]++;
}

static uint32_t used_locked(const struct handle_table *table) REQUIRES(table->lock) {
    return table->slot_count - table->free_count;
}

/* ---- life ---- */

void handle_table_init(struct handle_table *table) {
    *table = (struct handle_table){.secret = (uint32_t)entropy_draw_u64() & ~FIXED_BITS,
                                   .free_end = &table->free_head};
    mutex_init(&table->lock, RANK_HANDLE_TABLE, "handle table");
}

static bool take_any(struct handle_table *table, uint32_t *cursor, uint32_t *out_value) {
    MUTEX_GUARD(&table->lock);

    table->closed = true;
    for (; *cursor < table->touched; (*cursor)++) {
        struct handle_slot *slot = slot_at(table, *cursor);
        if (slot_state(slot) == SLOT_USED) {
            *out_value = slot_value(table, slot);
            return true;
        }
    }
    return false;
}

void handle_table_clear(struct handle_table *table) {
    uint32_t cursor = 0, value;
    struct handle handle;

    while (take_any(table, &cursor, &value)) {
        if (handle_table_remove(table, value, &handle) == OK)
            handle_release(&handle);
    }
}

void handle_table_destroy(struct handle_table *table) {
    ASSERT(handle_table_count(table) == 0);
    for (uint32_t i = 0; i < table->chunk_count; i++)
        kheap_free(table->chunks[i]);
    kheap_free(table->chunks);
    table->chunks = NULL;
    table->chunk_count = table->chunk_capacity = 0;
    table->slot_count = table->touched = table->free_count = 0;
}

/* ---- adding ---- */

status_t handle_table_reserve(struct handle_table *table, uint32_t count, uint32_t *out_values) {
    MUTEX_GUARD(&table->lock);

    status_t status = slots_ensure_locked(table, count);
    if (status != OK)
        return status;
    for (uint32_t i = 0; i < count; i++) {
        struct handle_slot *slot = slot_peek_locked(table);
        slot_take_locked(table, slot);
        slot_set_state(slot, SLOT_RESERVED);
        out_values[i] = slot_value(table, slot);
    }
    return OK;
}

/* False if the table was closed meanwhile: the slot is free again, the handle the caller's. */
static bool publish_or_retire(struct handle_table *table, uint32_t value, struct handle handle) {
    MUTEX_GUARD(&table->lock);
    struct handle_slot *slot = slot_find_reserved(table, value);

    ASSERT(slot);
    if (unlikely(table->closed)) {
        slot_retire_locked(table, slot);
        return false;
    }
    slot_fill_locked(table, slot, handle);
    return true;
}

void handle_table_publish(struct handle_table *table, uint32_t value, struct handle handle) {
    if (unlikely(!publish_or_retire(table, value, handle)))
        handle_release(&handle);
}

void handle_table_cancel(struct handle_table *table, uint32_t value) {
    MUTEX_GUARD(&table->lock);
    struct handle_slot *slot = slot_find_reserved(table, value);

    ASSERT(slot);
    slot_retire_locked(table, slot);
}

status_t handle_table_add(struct handle_table *table, struct handle handle, uint32_t *out_value) {
    MUTEX_GUARD(&table->lock);

    status_t status = slots_ensure_locked(table, 1);
    if (status != OK)
        return status;
    struct handle_slot *slot = slot_peek_locked(table);
    slot_take_locked(table, slot);
    slot_fill_locked(table, slot, handle);
    *out_value = slot_value(table, slot);
    return OK;
}

status_t handle_table_give(struct handle_table *table, struct handle handle, struct user_out to) {
    MUTEX_GUARD(&table->lock);

    status_t status = slots_ensure_locked(table, 1);
    if (unlikely(status != OK))
        return status;
    struct handle_slot *slot = slot_peek_locked(table);
    if (unlikely(!user_copy_out_u32_nofault(to, slot_value(table, slot))))
        return ERR_INTERNAL_RETRY;
    slot_take_locked(table, slot);
    slot_fill_locked(table, slot, handle);
    return OK;
}

/* ---- looking up ---- */

struct found handle_table_look_up(struct handle_table *table, uint32_t value, uint32_t type,
                                  rights_t needed) {
    return handle_table_look_up_inline(table, value, type, needed);
}

status_t handle_table_get(struct handle_table *table, uint32_t value, uint32_t type,
                          rights_t needed, struct waitable **out_object, rights_t *out_rights) {
    MUTEX_GUARD(&table->lock);

    struct found found = handle_table_check_locked(table, value, type, needed);
    if (found.status != OK)
        return found.status;
    waitable_ref(found.object);
    *out_object = found.object;
    if (out_rights)
        *out_rights = slot_find_used(table, value)->rights;
    return OK;
}

status_t handle_table_duplicate(struct handle_table *table, uint32_t value, rights_t rights,
                                struct handle *out_handle) {
    MUTEX_GUARD(&table->lock);
    struct handle_slot *slot = slot_find_used(table, value);

    if (unlikely(!slot))
        return ERR_BAD_HANDLE;
    if (unlikely(!(slot->rights & ZX_RIGHT_DUPLICATE)))
        return ERR_ACCESS_DENIED;
    if (rights == ZX_RIGHT_SAME_RIGHTS)
        rights = slot->rights;
    if (unlikely(!rights_are_subset(rights, slot->rights)))
        return ERR_INVALID_ARGS;
    *out_handle = handle_make(slot->object, rights);
    return OK;
}

static struct handle take_out(struct handle_table *table, uint32_t value) {
    MUTEX_GUARD(&table->lock);
    struct handle_slot *slot = slot_find_used(table, value);

    if (unlikely(!slot))
        return (struct handle){NULL, 0};
    struct handle handle = {slot->object, slot->rights};
    table->of_type[handle.object->ops->type]--;
    slot_retire_locked(table, slot);
    return handle;
}

struct handle handle_table_take(struct handle_table *table, uint32_t value) {
    struct handle handle = take_out(table, value);

    if (handle.object)
        waitable_cancel_handle(handle.object, table, value);
    return handle;
}

uint32_t handle_table_count(struct handle_table *table) {
    MUTEX_GUARD(&table->lock);

    return used_locked(table);
}

void handle_table_count_types(struct handle_table *table,
                              uint32_t out_counts[ZX_OBJ_TYPE_UPPER_BOUND]) {
    MUTEX_GUARD(&table->lock);

    memcpy(out_counts, table->of_type, sizeof(table->of_type));
}

bool handle_table_next(struct handle_table *table, uint32_t *cursor, uint32_t *out_value,
                       struct handle *out_referenced) {
    MUTEX_GUARD(&table->lock);

    for (; *cursor < table->touched; (*cursor)++) {
        struct handle_slot *slot = slot_at(table, *cursor);
        if (slot_state(slot) != SLOT_USED)
            continue;
        waitable_ref(slot->object);
        *out_referenced = (struct handle){slot->object, slot->rights};
        *out_value = slot_value(table, slot);
        (*cursor)++;
        return true;
    }
    return false;
}
