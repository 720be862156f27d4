/*
 * handle_table.c - values to handles and back.
 *
 * A slot is free, reserved (its value is drawn, but not valid yet) or used. Free
 * slots form a queue through their own memory; a slot gets its next generation
 * when it joins the queue, so a stale value fails the comparison of generations.
 * New slots join at the end, a chunk at a time, before the queue gets short.
 */
#include "object/handle_table.h"

#include "lib/string.h"
#include "vm/entropy.h"
#include "vm/kheap.h"

#define SLOT_MASK       ((1u << HANDLE_SLOT_BITS) - 1)
#define GENERATION_MASK 0xfffu
#define FIXED_BITS      3u

struct handle_slot {
    struct waitable *object; /* NULL: free or reserved */
    union {
        rights_t rights;     /* used */
        uint32_t next_free;  /* free */
    };
    uint16_t generation;
    bool reserved;
};
_Static_assert(sizeof(struct handle_slot) == 16, "a chunk is one page");

static struct handle_slot *slot_at(const struct handle_table *table, uint32_t index) {
    return &table->chunks[index / HANDLE_CHUNK_SIZE][index % HANDLE_CHUNK_SIZE];
}

static uint32_t slot_value(const struct handle_table *table, uint32_t index, uint32_t generation) {
    return ((generation << HANDLE_SLOT_BITS | index) << 2 | FIXED_BITS) ^ table->secret;
}

static uint32_t value_index(const struct handle_table *table, uint32_t value) {
    return (value ^ table->secret) >> 2 & SLOT_MASK;
}

/* The slot that a value of the right form and generation names, used or reserved; or NULL. */
static struct handle_slot *slot_find(const struct handle_table *table, uint32_t value) {
    uint32_t raw = value ^ table->secret, index = raw >> 2 & SLOT_MASK;

    if ((raw & FIXED_BITS) != FIXED_BITS || index / HANDLE_CHUNK_SIZE >= table->chunk_count)
        return NULL;
    struct handle_slot *slot = slot_at(table, index);
    return slot->generation == raw >> (2 + HANDLE_SLOT_BITS) ? slot : NULL;
}

/* ---- the queue of free slots ---- */

static void queue_put_locked(struct handle_table *table, uint32_t index) REQUIRES(table->lock) {
    if (table->free_count == 0)
        table->free_head = index;
    else
        slot_at(table, table->free_tail)->next_free = index;
    table->free_tail = index;
    table->free_count++;
}

static uint32_t queue_take_locked(struct handle_table *table) REQUIRES(table->lock) {
    uint32_t index = table->free_head;

    table->free_head = slot_at(table, index)->next_free;
    table->free_count--;
    return index;
}

/* A used or reserved slot becomes free. */
static void slot_retire_locked(struct handle_table *table, uint32_t value) REQUIRES(table->lock) {
    uint32_t index = value_index(table, value);
    struct handle_slot *slot = slot_at(table, index);

    slot->object = NULL;
    slot->reserved = false;
    slot->generation = (slot->generation + 1) & GENERATION_MASK;
    table->used--;
    queue_put_locked(table, index);
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

static status_t chunk_add_locked(struct handle_table *table) REQUIRES(table->lock) {
    status_t status = chunks_make_room_locked(table);
    if (status != OK)
        return status;
    struct handle_slot *chunk = kheap_zalloc(HANDLE_CHUNK_SIZE * sizeof(*chunk));
    if (!chunk)
        return ERR_NO_MEMORY;
    uint32_t first = table->chunk_count * HANDLE_CHUNK_SIZE;
    table->chunks[table->chunk_count++] = chunk;
    for (uint32_t i = 0; i < HANDLE_CHUNK_SIZE; i++)
        queue_put_locked(table, first + i);
    return OK;
}

/* After this, `count` slots can be taken. */
static status_t slots_ensure_locked(struct handle_table *table, uint32_t count)
    REQUIRES(table->lock) {
    if (unlikely(table->closed))
        return ERR_BAD_STATE;
    if (unlikely(count > HANDLES_MAX - table->used))
        return ERR_NO_RESOURCES;
    while (unlikely(table->free_count < HANDLE_FREE_MIN + count)) {
        status_t status = chunk_add_locked(table);
        if (status != OK)
            return status;
    }
    return OK;
}

static struct handle_slot *slot_take_locked(struct handle_table *table, uint32_t *out_value)
    REQUIRES(table->lock) {
    uint32_t index = queue_take_locked(table);
    struct handle_slot *slot = slot_at(table, index);

    table->used++;
    *out_value = slot_value(table, index, slot->generation);
    return slot;
}

/* ---- life ---- */

void handle_table_init(struct handle_table *table) {
    *table = (struct handle_table){.secret = (uint32_t)entropy_draw_u64() & ~FIXED_BITS};
    mutex_init(&table->lock, RANK_HANDLE_TABLE, "handle table");
}

static bool take_any(struct handle_table *table, uint32_t *cursor, uint32_t *out_value) {
    MUTEX_GUARD(&table->lock);

    table->closed = true;
    for (; *cursor < table->chunk_count * HANDLE_CHUNK_SIZE; (*cursor)++) {
        struct handle_slot *slot = slot_at(table, *cursor);
        if (slot->object) {
            *out_value = slot_value(table, *cursor, slot->generation);
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
    ASSERT(table->used == 0);
    for (uint32_t i = 0; i < table->chunk_count; i++)
        kheap_free(table->chunks[i]);
    kheap_free(table->chunks);
    table->chunks = NULL;
    table->chunk_count = table->chunk_capacity = table->free_count = 0;
}

/* ---- adding ---- */

status_t handle_table_reserve(struct handle_table *table, uint32_t count, uint32_t *out_values) {
    MUTEX_GUARD(&table->lock);

    status_t status = slots_ensure_locked(table, count);
    if (status != OK)
        return status;
    for (uint32_t i = 0; i < count; i++)
        slot_take_locked(table, &out_values[i])->reserved = true;
    return OK;
}

/* False if the table was closed meanwhile: the slot is free again, the handle the caller's. */
static bool publish_or_retire(struct handle_table *table, uint32_t value, struct handle handle) {
    MUTEX_GUARD(&table->lock);
    struct handle_slot *slot = slot_find(table, value);

    ASSERT(slot && slot->reserved);
    if (unlikely(table->closed)) {
        slot_retire_locked(table, value);
        return false;
    }
    slot->reserved = false;
    slot->object = handle.object;
    slot->rights = handle.rights;
    return true;
}

void handle_table_publish(struct handle_table *table, uint32_t value, struct handle handle) {
    if (unlikely(!publish_or_retire(table, value, handle)))
        handle_release(&handle);
}

void handle_table_cancel(struct handle_table *table, uint32_t value) {
    MUTEX_GUARD(&table->lock);

    ASSERT(slot_find(table, value) && slot_find(table, value)->reserved);
    slot_retire_locked(table, value);
}

status_t handle_table_add(struct handle_table *table, struct handle handle, uint32_t *out_value) {
    MUTEX_GUARD(&table->lock);

    status_t status = slots_ensure_locked(table, 1);
    if (status != OK)
        return status;
    struct handle_slot *slot = slot_take_locked(table, out_value);
    slot->object = handle.object;
    slot->rights = handle.rights;
    return OK;
}

/* ---- looking up ---- */

status_t handle_table_find_locked(struct handle_table *table, uint32_t value,
                                  struct handle *out_borrowed) {
    struct handle_slot *slot = slot_find(table, value);

    if (!slot || !slot->object)
        return ERR_BAD_HANDLE;
    *out_borrowed = (struct handle){slot->object, slot->rights};
    return OK;
}

status_t handle_table_get(struct handle_table *table, uint32_t value, uint32_t type,
                          rights_t needed, struct waitable **out_object, rights_t *out_rights) {
    MUTEX_GUARD(&table->lock);
    struct handle handle;

    status_t status = handle_table_find_locked(table, value, &handle);
    if (status != OK)
        return status;
    if (type != 0 && handle.object->ops->type != type)
        return ERR_WRONG_TYPE;
    if (!rights_are_subset(needed, handle.rights))
        return ERR_ACCESS_DENIED;
    waitable_ref(handle.object);
    *out_object = handle.object;
    if (out_rights)
        *out_rights = handle.rights;
    return OK;
}

status_t handle_table_duplicate(struct handle_table *table, uint32_t value, rights_t rights,
                                uint32_t *out_reserved, struct handle *out_handle) {
    MUTEX_GUARD(&table->lock);
    struct handle source;

    status_t status = handle_table_find_locked(table, value, &source);
    if (status != OK)
        return status;
    if (!(source.rights & ZX_RIGHT_DUPLICATE))
        return ERR_ACCESS_DENIED;
    if (rights == ZX_RIGHT_SAME_RIGHTS)
        rights = source.rights;
    if (!rights_are_subset(rights, source.rights))
        return ERR_INVALID_ARGS;
    status = slots_ensure_locked(table, 1);
    if (status != OK)
        return status;
    slot_take_locked(table, out_reserved)->reserved = true;
    *out_handle = handle_make(source.object, rights);
    return OK;
}

static status_t take_out(struct handle_table *table, uint32_t value, struct handle *out_handle) {
    MUTEX_GUARD(&table->lock);

    status_t status = handle_table_find_locked(table, value, out_handle);
    if (status == OK)
        slot_retire_locked(table, value);
    return status;
}

status_t handle_table_remove(struct handle_table *table, uint32_t value,
                             struct handle *out_handle) {
    status_t status = take_out(table, value, out_handle);

    if (status == OK)
        waitable_cancel_handle(out_handle->object, table, value);
    return status;
}

uint32_t handle_table_count(struct handle_table *table) {
    MUTEX_GUARD(&table->lock);

    return table->used;
}

bool handle_table_next(struct handle_table *table, uint32_t *cursor, uint32_t *out_value,
                       struct handle *out_referenced) {
    MUTEX_GUARD(&table->lock);

    for (; *cursor < table->chunk_count * HANDLE_CHUNK_SIZE; (*cursor)++) {
        struct handle_slot *slot = slot_at(table, *cursor);
        if (!slot->object)
            continue;
        waitable_ref(slot->object);
        *out_referenced = (struct handle){slot->object, slot->rights};
        *out_value = slot_value(table, *cursor, slot->generation);
        (*cursor)++;
        return true;
    }
    return false;
}
