/*
 * tree.c - a height-balanced binary tree with parent links.
 *
 * `balance` holds a node's height, a leaf's being 1. After an insertion or a
 * removal the walk goes up from where the shape changed, corrects heights, and
 * rotates where the two sides differ by two, until a height stays as it was.
 *
 * Invariants: keys do not fall from left to right; among equal keys the earlier
 * inserted is further left; the heights of two siblings differ by at most one;
 * `leftmost` is the first node or NULL.
 */
#include "lib/tree.h"

#include "lib/assert.h"

static int32_t height(const struct tree_node *node) { return node ? node->balance : 0; }

static void update_height(struct tree_node *node) {
    int32_t left = height(node->left), right = height(node->right);

    node->balance = 1 + MAX(left, right);
}

/* Let `node` (which may be NULL) take the place of `old` below old's parent. */
static void replace_child(struct tree *tree, struct tree_node *old, struct tree_node *node) {
    struct tree_node *parent = old->parent;

    if (!parent)
        tree->root = node;
    else if (parent->left == old)
        parent->left = node;
    else
        parent->right = node;
    if (node)
        node->parent = parent;
}

static struct tree_node *rotate_left(struct tree *tree, struct tree_node *node) {
    struct tree_node *top = node->right;

    replace_child(tree, node, top);
    node->right = top->left;
    if (node->right)
        node->right->parent = node;
    top->left = node;
    node->parent = top;
    update_height(node);
    update_height(top);
    return top;
}

static struct tree_node *rotate_right(struct tree *tree, struct tree_node *node) {
    struct tree_node *top = node->left;

    replace_child(tree, node, top);
    node->left = top->right;
    if (node->left)
        node->left->parent = node;
    top->right = node;
    node->parent = top;
    update_height(node);
    update_height(top);
    return top;
}

/* Mend a difference of two below `node`; returns the root of what was its subtree. */
static struct tree_node *rebalance(struct tree *tree, struct tree_node *node) {
    int32_t lean = height(node->right) - height(node->left);

    if (lean > 1) {
        if (height(node->right->left) > height(node->right->right))
            rotate_right(tree, node->right);
        return rotate_left(tree, node);
    }
    if (lean < -1) {
        if (height(node->left->right) > height(node->left->left))
            rotate_left(tree, node->left);
        return rotate_right(tree, node);
    }
    return node;
}

/* A new leaf has grown below: up to where the height stays, or one mend gives it back. */
static void mend_grown(struct tree *tree, struct tree_node *node) {
    for (struct tree_node *parent = node->parent; parent; node = parent, parent = node->parent) {
        if (parent->balance > node->balance)
            return;
        struct tree_node *sibling = parent->left == node ? parent->right : parent->left;
        if (height(sibling) < node->balance - 1) {
            rebalance(tree, parent);
            return;
        }
        parent->balance = node->balance + 1;
    }
}

/* Something is gone below `node`: up to where the height stays as it was. */
static void mend_shrunk(struct tree *tree, struct tree_node *node) {
    while (node) {
        int32_t before = node->balance;
        int32_t left = height(node->left), right = height(node->right);
        if (left - right > 1 || right - left > 1)
            node = rebalance(tree, node);
        else
            node->balance = 1 + MAX(left, right);
        if (node->balance == before)
            return;
        node = node->parent;
    }
}

void tree_insert(struct tree *tree, struct tree_node *node) {
    struct tree_node *parent = NULL, **link = &tree->root;
    bool is_first = true;

    DEBUG_ASSERT(!node->linked);
    while (*link) {
        parent = *link;
        if (node->key < parent->key) {
            link = &parent->left;
        } else { /* an equal key goes behind those that are there */
            link = &parent->right;
            is_first = false;
        }
    }
    node->parent = parent;
    node->left = node->right = NULL;
    node->balance = 1;
    node->linked = true;
    *link = node;
    if (is_first)
        tree->leftmost = node;
    mend_grown(tree, node);
}

/* `next`, the least node on the right of `node`, takes its place; returns where to mend. */
static struct tree_node *replace_by_next(struct tree *tree, struct tree_node *node,
                                         struct tree_node *next) {
    struct tree_node *mend = next;

    if (next->parent != node) {
        mend = next->parent;
        replace_child(tree, next, next->right);
        next->right = node->right;
        next->right->parent = next;
    }
    next->left = node->left;
    next->left->parent = next;
    next->balance = node->balance;
    replace_child(tree, node, next);
    return mend;
}

void tree_remove(struct tree *tree, struct tree_node *node) {
    struct tree_node *mend = node->parent;

    DEBUG_ASSERT(node->linked);
    if (tree->leftmost == node)
        tree->leftmost = tree_next(node);
    if (node->left && node->right)
        mend = replace_by_next(tree, node, tree_next(node));
    else
        replace_child(tree, node, node->left ? node->left : node->right);
    mend_shrunk(tree, mend);
    node->parent = node->left = node->right = NULL;
    node->linked = false;
}

struct tree_node *tree_find_ge(const struct tree *tree, uint64_t key) {
    struct tree_node *node = tree->root, *best = NULL;

    while (node) {
        if (node->key >= key) {
            best = node;
            node = node->left;
        } else {
            node = node->right;
        }
    }
    return best;
}

struct tree_node *tree_last(const struct tree *tree) {
    struct tree_node *node = tree->root;

    while (node && node->right)
        node = node->right;
    return node;
}

struct tree_node *tree_next(const struct tree_node *node) {
    if (node->right) {
        struct tree_node *next = node->right;
        while (next->left)
            next = next->left;
        return next;
    }
    while (node->parent && node->parent->right == node)
        node = node->parent;
    return node->parent;
}

struct tree_node *tree_prev(const struct tree_node *node) {
    if (node->left) {
        struct tree_node *prev = node->left;
        while (prev->right)
            prev = prev->right;
        return prev;
    }
    while (node->parent && node->parent->left == node)
        node = node->parent;
    return node->parent;
}
