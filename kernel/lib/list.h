/*
 * list.h - intrusive doubly linked circular list.
 *
 * The head is a `struct list`; each member embeds a `struct list_node`. A node
 * that is on no list has next == NULL, so membership can be asked of the node.
 * The list takes no lock and no references: its owner does.
 */
#pragma once

#include "lib/types.h"

struct list_node {
    struct list_node *next, *prev;
};
struct list {
    struct list_node head;
};

#define LIST_INIT(name) {{&(name).head, &(name).head}}

ALWAYS_INLINE void list_init(struct list *list) { list->head.next = list->head.prev = &list->head; }
ALWAYS_INLINE bool list_is_empty(const struct list *list) { return list->head.next == &list->head; }
ALWAYS_INLINE bool list_node_is_linked(const struct list_node *node) { return node->next != NULL; }

ALWAYS_INLINE void list_insert_between_(struct list_node *node, struct list_node *prev,
                                        struct list_node *next) {
    node->prev = prev;
    node->next = next;
    prev->next = node;
    next->prev = node;
}
ALWAYS_INLINE void list_add_tail(struct list *list, struct list_node *node) {
    list_insert_between_(node, list->head.prev, &list->head);
}
ALWAYS_INLINE void list_add_head(struct list *list, struct list_node *node) {
    list_insert_between_(node, &list->head, list->head.next);
}
ALWAYS_INLINE void list_add_before(struct list_node *place, struct list_node *node) {
    list_insert_between_(node, place->prev, place);
}
ALWAYS_INLINE void list_remove(struct list_node *node) {
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = node->prev = NULL;
}
/* NULL if empty. */
ALWAYS_INLINE struct list_node *list_first(const struct list *list) {
    return list_is_empty(list) ? NULL : list->head.next;
}
ALWAYS_INLINE struct list_node *list_last(const struct list *list) {
    return list_is_empty(list) ? NULL : list->head.prev;
}
ALWAYS_INLINE struct list_node *list_next(const struct list *list, const struct list_node *node) {
    return node->next == &list->head ? NULL : node->next;
}
ALWAYS_INLINE struct list_node *list_pop(struct list *list) {
    struct list_node *node = list_first(list);
    if (node)
        list_remove(node);
    return node;
}
/* Move all of `from` to the end of `to`. */
ALWAYS_INLINE void list_splice_tail(struct list *to, struct list *from) {
    if (list_is_empty(from))
        return;
    struct list_node *first = from->head.next, *last = from->head.prev;
    first->prev = to->head.prev;
    to->head.prev->next = first;
    last->next = &to->head;
    to->head.prev = last;
    list_init(from);
}

#define list_entry(node, type, member) container_of(node, type, member)
#define list_pop_entry(list, type, member)                                                         \
    __extension__({                                                                                \
        struct list_node *popped_ = list_pop(list);                                                \
        popped_ ? list_entry(popped_, type, member) : NULL;                                        \
    })
#define list_for_each(node, list)                                                                  \
    for (struct list_node *node = (list)->head.next; node != &(list)->head; node = node->next)
/* Safe against removal of `node` itself. */
#define list_for_each_safe(node, list)                                                             \
    for (struct list_node *node = (list)->head.next, *next_##node = node->next;                    \
         node != &(list)->head; node = next_##node, next_##node = node->next)
