/*
 * sort.c - qsort as a heap sort: no memory, no recursion, and n log n steps whatever
 * the input. bsearch.
 */
#include <stdlib.h>
#include <string.h>

typedef int compare_function(const void *, const void *);

static void swap(char *a, char *b, size_t size) {
    for (; size >= sizeof(long); size -= sizeof(long), a += sizeof(long), b += sizeof(long)) {
        long from_a, from_b;
        memcpy(&from_a, a, sizeof from_a);
        memcpy(&from_b, b, sizeof from_b);
        memcpy(a, &from_b, sizeof from_b);
        memcpy(b, &from_a, sizeof from_a);
    }
    for (; size > 0; size--, a++, b++) {
        char byte = *a;
        *a = *b;
        *b = byte;
    }
}

/* Lets the element at `root` sink until no child of it in [0, count) is larger. */
static void sink(char *base, size_t root, size_t count, size_t size, compare_function *compare) {
    for (;;) {
        size_t child = 2 * root + 1;
        if (child >= count)
            return;
        if (child + 1 < count && compare(base + child * size, base + (child + 1) * size) < 0)
            child++;
        if (compare(base + root * size, base + child * size) >= 0)
            return;
        swap(base + root * size, base + child * size, size);
        root = child;
    }
}

void qsort(void *base, size_t count, size_t size, compare_function *compare) {
    for (size_t root = count / 2; root > 0; root--)
        sink(base, root - 1, count, size, compare);
    for (size_t last = count; last > 1; last--) {
        swap(base, (char *)base + (last - 1) * size, size);
        sink(base, 0, last - 1, size, compare);
    }
}

void *bsearch(const void *key, const void *base, size_t count, size_t size,
              compare_function *compare) {
    const char *first = base;
    while (count > 0) {
        const char *middle = first + count / 2 * size;
        int order = compare(key, middle);
        if (order == 0)
            return (void *)(unsigned long)middle;
        if (order > 0) {
            first = middle + size;
            count -= count / 2 + 1;
        } else {
            count /= 2;
        }
    }
    return NULL;
}
