/*
 * compiler.h - attributes, lock annotations and small compiler helpers.
 *
 * The lock annotations are checked by clang's -Wthread-safety (STYLE.md of the
 * project, "Locks"): a function that needs a lock says REQUIRES(lock), one that
 * takes it itself says EXCLUDES(lock).
 */
#pragma once

#define NORETURN         __attribute__((noreturn))
#define NOINLINE         __attribute__((noinline))
#define ALWAYS_INLINE    static inline __attribute__((always_inline))
#define PACKED           __attribute__((packed))
#define ALIGNED(n)       __attribute__((aligned(n)))
#define UNUSED           __attribute__((unused))
#define USED             __attribute__((used))
#define SECTION(s)       __attribute__((section(s)))
#define NODISCARD        __attribute__((warn_unused_result))
#define COLD             __attribute__((cold, noinline))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a)))
#define NO_STACK_PROTECTOR __attribute__((no_stack_protector))
/* For looks at what others change meanwhile, which only an audit takes. */
#define NO_SANITIZE_THREAD __attribute__((no_sanitize("thread")))

/* For the slow half of an inline function: the caller's registers survive it. */
#define PRESERVE_MOST    __attribute__((preserve_most))

#define CAPABILITY(name) __attribute__((capability(name)))
#define REQUIRES(...)    __attribute__((requires_capability(__VA_ARGS__)))
#define EXCLUDES(...)    __attribute__((locks_excluded(__VA_ARGS__)))
#define ACQUIRE(...)     __attribute__((acquire_capability(__VA_ARGS__)))
#define RELEASE(...)     __attribute__((release_capability(__VA_ARGS__)))
#define TRY_ACQUIRE(...) __attribute__((try_acquire_capability(__VA_ARGS__)))
#define ASSERT_HELD(...) __attribute__((assert_capability(__VA_ARGS__)))
#define NO_LOCK_ANALYSIS __attribute__((no_thread_safety_analysis))

#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define CONCAT_(a, b) a##b
#define CONCAT(a, b)  CONCAT_(a, b)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The structure of type `type` whose member `member` is at `ptr`. */
#define container_of(ptr, type, member)                                                            \
    __extension__({                                                                                \
        __typeof__(((type *)0)->member) *member_ptr_ = (ptr);                                      \
        (type *)((char *)member_ptr_ - __builtin_offsetof(type, member));                          \
    })

#define MIN(a, b)                                                                                  \
    __extension__({                                                                                \
        __typeof__(a) a_ = (a);                                                                    \
        __typeof__(b) b_ = (b);                                                                    \
        a_ < b_ ? a_ : b_;                                                                         \
    })
#define MAX(a, b)                                                                                  \
    __extension__({                                                                                \
        __typeof__(a) a_ = (a);                                                                    \
        __typeof__(b) b_ = (b);                                                                    \
        a_ > b_ ? a_ : b_;                                                                         \
    })
