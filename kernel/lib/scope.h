/*
 * scope.h - cleanup at the end of a scope.
 *
 * AUTO(type) declares a pointer whose `type_auto_release(type **)` runs when the
 * scope ends; TAKE hands the pointer over and leaves NULL behind. A type joins
 * in by AUTO_RELEASE(type, function), where function(struct type *) accepts no
 * NULL. Declared before a guard, an AUTO is released after it.
 */
#pragma once

#define AUTO(type) __attribute__((cleanup(type##_auto_release))) struct type *

#define AUTO_RELEASE(type, function)                                                               \
    static inline void type##_auto_release(struct type **pointer) {                                \
        if (*pointer)                                                                              \
            function(*pointer);                                                                    \
    }

#define TAKE(name)                                                                                 \
    __extension__({                                                                                \
        __typeof__(name) taken_ = (name);                                                          \
        (name) = 0;                                                                                \
        taken_;                                                                                    \
    })
