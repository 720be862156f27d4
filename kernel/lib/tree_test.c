/*
 * tree_test.c - the tree against a sorted array, operation by operation.
 */
#include "lib/tree.h"

#include "lib/ktest.h"
#include "lib/string.h"

#define NODES 256

static struct tree_node nodes[NODES];
static struct tree_node *model[NODES]; /* the expected order */
static size_t model_count;

static uint64_t test_random(uint64_t *state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Where the first key above `key` stands in the model. */
static size_t model_upper(uint64_t key) {
    size_t i = 0;

    while (i < model_count && model[i]->key <= key)
        i++;
    return i;
}

static void model_insert(struct tree_node *node) {
    size_t at = model_upper(node->key);

    memmove(&model[at + 1], &model[at], (model_count - at) * sizeof(model[0]));
    model[at] = node;
    model_count++;
}

static void model_remove(struct tree_node *node) {
    size_t at = 0;

    while (model[at] != node)
        at++;
    model_count--;
    memmove(&model[at], &model[at + 1], (model_count - at) * sizeof(model[0]));
}

static void expect_same_order(const struct tree *tree) {
    const struct tree_node *node = tree_first(tree);
    size_t i = 0;

    for (; node && i < model_count; node = tree_next(node), i++) {
        REQUIRE(node == model[i]);
        REQUIRE(tree_prev(node) == (i ? model[i - 1] : NULL));
    }
    EXPECT(node == NULL && i == model_count);
    EXPECT(tree_last(tree) == (model_count ? model[model_count - 1] : NULL));
}

static void expect_same_answers(const struct tree *tree, uint64_t key) {
    size_t upper = model_upper(key);
    size_t lower = upper;

    while (lower > 0 && model[lower - 1]->key == key)
        lower--;
    EXPECT(tree_find_le(tree, key) == (upper ? model[upper - 1] : NULL));
    EXPECT(tree_find_ge(tree, key) == (lower < model_count ? model[lower] : NULL));
}

/* Every subtree's sides differ in height by at most one, so the depth is bounded. */
static void expect_balanced(const struct tree *tree) {
    for (const struct tree_node *node = tree_first(tree); node; node = tree_next(node)) {
        int32_t left = node->left ? node->left->balance : 0;
        int32_t right = node->right ? node->right->balance : 0;
        EXPECT(left - right <= 1 && right - left <= 1);
        EXPECT_EQ(1 + MAX(left, right), node->balance);
        EXPECT(!node->left || node->left->parent == node);
        EXPECT(!node->right || node->right->parent == node);
    }
}

static void run_against_model(uint64_t steps, uint64_t keys, uint64_t seed) {
    struct tree tree;

    tree_init(&tree);
    memset(nodes, 0, sizeof(nodes));
    model_count = 0;
    for (uint64_t step = 0; step < steps; step++) {
        struct tree_node *node = &nodes[test_random(&seed) % NODES];
        if (node->linked) {
            tree_remove(&tree, node);
            model_remove(node);
        } else {
            node->key = test_random(&seed) % keys;
            tree_insert(&tree, node);
            model_insert(node);
        }
        expect_same_answers(&tree, test_random(&seed) % (keys + 1));
        EXPECT(tree_first(&tree) == (model_count ? model[0] : NULL));
        if (step % 512 == 0) {
            expect_same_order(&tree);
            expect_balanced(&tree);
        }
    }
}

KTEST(tree, random_operations_agree_with_a_sorted_array) {
    run_against_model(50000, 1000000, 0x9e3779b97f4a7c15);
    run_against_model(50000, 20, 0xd1b54a32d192ed03);
}

KTEST_QUICK(tree, equal_keys_keep_the_order_of_insertion) {
    struct tree tree;
    size_t i = 0;

    tree_init(&tree);
    memset(nodes, 0, sizeof(nodes));
    for (i = 0; i < 20; i++) {
        nodes[i].key = 7;
        tree_insert(&tree, &nodes[i]);
    }
    i = 0;
    for (struct tree_node *node = tree_first(&tree); node; node = tree_next(node))
        EXPECT(node == &nodes[i++]);
    EXPECT_EQ(20, i);
}

KTEST_QUICK(tree, rising_keys_stay_shallow) {
    struct tree tree;

    tree_init(&tree);
    memset(nodes, 0, sizeof(nodes));
    for (size_t i = 0; i < NODES; i++) {
        nodes[i].key = i;
        tree_insert(&tree, &nodes[i]);
    }
    EXPECT(tree.root->balance <= 9);
    expect_balanced(&tree);
}
