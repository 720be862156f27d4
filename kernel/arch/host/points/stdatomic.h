/*
 * stdatomic.h (host, for the search through orders) - each operation on an atomic word
 * says first that it is about to come, so that another CPU may be let before it.
 *
 * Stands before the compiler's own header in the builds that want it (HOST_POINTS in
 * tools/build_lists.py). Spinlocks, mutexes and counts of references are made of these
 * operations; so every step by which CPUs can see each other is a point, as long as
 * there is no data race, which the thread sanitizer watches (host-tsan). A plain use of
 * an _Atomic variable is none.
 */
#pragma once

#include_next <stdatomic.h>

/* turns.c. `file` is the source file that is compiled, whatever header the operation is in. */
void host_point(const volatile void *where, _Bool changes, const char *file);
#define HOST_READS_(object)   host_point((object), 0, __BASE_FILE__)
#define HOST_CHANGES_(object) host_point((object), 1, __BASE_FILE__)

#undef atomic_load
#undef atomic_load_explicit
#undef atomic_store
#undef atomic_store_explicit
#undef atomic_exchange
#undef atomic_exchange_explicit
#undef atomic_compare_exchange_strong
#undef atomic_compare_exchange_strong_explicit
#undef atomic_compare_exchange_weak
#undef atomic_compare_exchange_weak_explicit
#undef atomic_fetch_add
#undef atomic_fetch_add_explicit
#undef atomic_fetch_sub
#undef atomic_fetch_sub_explicit
#undef atomic_fetch_or
#undef atomic_fetch_or_explicit
#undef atomic_fetch_and
#undef atomic_fetch_and_explicit

#define atomic_load_explicit(object, order)                                                        \
    (HOST_READS_(object), __c11_atomic_load(object, order))
#define atomic_store_explicit(object, value, order)                                                \
    (HOST_CHANGES_(object), __c11_atomic_store(object, value, order))
#define atomic_exchange_explicit(object, value, order)                                             \
    (HOST_CHANGES_(object), __c11_atomic_exchange(object, value, order))
#define atomic_compare_exchange_strong_explicit(object, expected, value, order, order2)            \
    (HOST_CHANGES_(object),                                                                        \
     __c11_atomic_compare_exchange_strong(object, expected, value, order, order2))
#define atomic_compare_exchange_weak_explicit(object, expected, value, order, order2)              \
    (HOST_CHANGES_(object),                                                                        \
     __c11_atomic_compare_exchange_weak(object, expected, value, order, order2))
#define atomic_fetch_add_explicit(object, value, order)                                            \
    (HOST_CHANGES_(object), __c11_atomic_fetch_add(object, value, order))
#define atomic_fetch_sub_explicit(object, value, order)                                            \
    (HOST_CHANGES_(object), __c11_atomic_fetch_sub(object, value, order))
#define atomic_fetch_or_explicit(object, value, order)                                             \
    (HOST_CHANGES_(object), __c11_atomic_fetch_or(object, value, order))
#define atomic_fetch_and_explicit(object, value, order)                                            \
    (HOST_CHANGES_(object), __c11_atomic_fetch_and(object, value, order))

#define atomic_load(object)         atomic_load_explicit(object, memory_order_seq_cst)
#define atomic_store(object, value) atomic_store_explicit(object, value, memory_order_seq_cst)
#define atomic_exchange(object, value)                                                             \
    atomic_exchange_explicit(object, value, memory_order_seq_cst)
#define atomic_compare_exchange_strong(object, expected, value)                                    \
    atomic_compare_exchange_strong_explicit(object, expected, value, memory_order_seq_cst,         \
                                            memory_order_seq_cst)
#define atomic_compare_exchange_weak(object, expected, value)                                      \
    atomic_compare_exchange_weak_explicit(object, expected, value, memory_order_seq_cst,           \
                                          memory_order_seq_cst)
#define atomic_fetch_add(object, value)                                                            \
    atomic_fetch_add_explicit(object, value, memory_order_seq_cst)
#define atomic_fetch_sub(object, value)                                                            \
    atomic_fetch_sub_explicit(object, value, memory_order_seq_cst)
#define atomic_fetch_or(object, value) atomic_fetch_or_explicit(object, value, memory_order_seq_cst)
#define atomic_fetch_and(object, value)                                                            \
    atomic_fetch_and_explicit(object, value, memory_order_seq_cst)
