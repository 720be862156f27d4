/*
 * expand.h - macros for those who include syscalls.def.
 *
 * EACH_PAIR(M, pairs) gives M(1, kind, name), M(2, kind, name), ... for the (kind,
 * name) pairs of a row, and nothing for none. RIGHTS(A, B) is the mask of the rights
 * ZX_RIGHT_A and ZX_RIGHT_B; NOTHING is no right.
 */
#pragma once

#define EACH_PAIR(M, ...)                                                                          \
    __VA_OPT__(PAIR_CHOOSE_(__VA_ARGS__, P_8, _, P_7, _, P_6, _, P_5, _, P_4, _, P_3, _, P_2, _,   \
                            P_1, _)(M, __VA_ARGS__))
#define PAIR_CHOOSE_(k1, n1, k2, n2, k3, n3, k4, n4, k5, n5, k6, n6, k7, n7, k8, n8, chosen, ...)  \
    chosen
#define P_1(M, k1, n1)         M(1, k1, n1)
#define P_2(M, k1, n1, k2, n2) M(1, k1, n1), M(2, k2, n2)
#define P_3(M, k1, n1, k2, n2, k3, n3) P_2(M, k1, n1, k2, n2), M(3, k3, n3)
#define P_4(M, k1, n1, k2, n2, k3, n3, k4, n4) P_3(M, k1, n1, k2, n2, k3, n3), M(4, k4, n4)
#define P_5(M, k1, n1, k2, n2, k3, n3, k4, n4, k5, n5)                                             \
    P_4(M, k1, n1, k2, n2, k3, n3, k4, n4), M(5, k5, n5)
#define P_6(M, k1, n1, k2, n2, k3, n3, k4, n4, k5, n5, k6, n6)                                     \
    P_5(M, k1, n1, k2, n2, k3, n3, k4, n4, k5, n5), M(6, k6, n6)
#define P_7(M, k1, n1, k2, n2, k3, n3, k4, n4, k5, n5, k6, n6, k7, n7)                             \
    P_6(M, k1, n1, k2, n2, k3, n3, k4, n4, k5, n5, k6, n6), M(7, k7, n7)
#define P_8(M, k1, n1, k2, n2, k3, n3, k4, n4, k5, n5, k6, n6, k7, n7, k8, n8)                     \
    P_7(M, k1, n1, k2, n2, k3, n3, k4, n4, k5, n5, k6, n6, k7, n7), M(8, k8, n8)

/* The parameter list of a call: declare(i, kind, name) for each argument, or void. */
#define PARAMETERS(declare, ...) (PARAMETERS_##__VA_OPT__(SOME_)(declare __VA_OPT__(, ) __VA_ARGS__))
#define PARAMETERS_(declare)           void
#define PARAMETERS_SOME_(declare, ...) EACH_PAIR(declare, __VA_ARGS__)

/* How many arguments a row has: a bare digit, fit for pasting. */
#define PAIR_COUNT(...) PAIR_COUNT_##__VA_OPT__(SOME_)(__VA_ARGS__)
#define PAIR_COUNT_()   0
#define PAIR_COUNT_SOME_(...)                                                                      \
    PAIR_CHOOSE_(__VA_ARGS__, 8, _, 7, _, 6, _, 5, _, 4, _, 3, _, 2, _, 1, _)

#define ZX_RIGHT_NOTHING 0
#define RIGHTS(...)                                                                                \
    RIGHTS_CHOOSE_(__VA_ARGS__, RIGHTS_4_, RIGHTS_3_, RIGHTS_2_, RIGHTS_1_)(__VA_ARGS__)
#define RIGHTS_CHOOSE_(a, b, c, d, chosen, ...) chosen
#define RIGHTS_1_(a)       (ZX_RIGHT_##a)
#define RIGHTS_2_(a, b)    (ZX_RIGHT_##a | ZX_RIGHT_##b)
#define RIGHTS_3_(a, b, c) (ZX_RIGHT_##a | ZX_RIGHT_##b | ZX_RIGHT_##c)
#define RIGHTS_4_(a, b, c, d) (RIGHTS_3_(a, b, c) | ZX_RIGHT_##d)

/* Two types that no object has, for the column of needs. */
#define ZX_OBJ_TYPE_ANY  0u
#define ZX_OBJ_TYPE_TASK 64u
