/*
 * assert.h - without a guard: each inclusion obeys NDEBUG anew.
 */
#undef assert

#ifdef NDEBUG
#define assert(condition) ((void)0)
#else
#define assert(condition)                                                                          \
    ((condition) ? (void)0 : assert_failed(#condition, __FILE__, __LINE__, __func__))
#endif

#ifndef static_assert
#define static_assert _Static_assert
#endif

void assert_failed(const char *condition, const char *file, int line, const char *function)
    __attribute__((noreturn));
