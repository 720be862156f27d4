/*
 * tree.h - intrusive balanced search tree keyed by a 64-bit number.
 *
 * Nodes are embedded in what they index. Equal keys are allowed and keep the
 * order of insertion. All operations are O(log n) and never allocate or
 * recurse; the tree takes no lock, its owner does.
 */
#pragma once

#include "lib/types.h"

struct tree_node {
    struct tree_node *parent, *left, *right;
    uint64_t key;
    int32_t balance; /* private to tree.c */
    bool linked;
};
struct tree {
    struct tree_node *root;
    struct tree_node *leftmost; /* the least key, at hand for deadlines */
};

ALWAYS_INLINE void tree_init(struct tree *tree) { tree->root = tree->leftmost = NULL; }
ALWAYS_INLINE bool tree_is_empty(const struct tree *tree) { return tree->root == NULL; }
ALWAYS_INLINE struct tree_node *tree_first(const struct tree *tree) { return tree->leftmost; }

/* node->key is set by the caller before. */
void tree_insert(struct tree *tree, struct tree_node *node);
void tree_remove(struct tree *tree, struct tree_node *node);
/* The last node with key <= `key`, or NULL. */
ALWAYS_INLINE struct tree_node *tree_find_le(const struct tree *tree, uint64_t key) {
    struct tree_node *node = tree->root, *best = NULL;

    while (node) {
        bool right = node->key <= key;
        best = right ? node : best;
        node = right ? node->right : node->left;
    }
    return best;
}
/* The first node with key >= `key`, or NULL. */
struct tree_node *tree_find_ge(const struct tree *tree, uint64_t key);
struct tree_node *tree_last(const struct tree *tree);
struct tree_node *tree_next(const struct tree_node *node);
struct tree_node *tree_prev(const struct tree_node *node);

#define tree_entry(node, type, member) container_of(node, type, member)
