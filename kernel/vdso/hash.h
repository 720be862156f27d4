/*
 * hash.h - the number by which a program asks the vDSO for a call.
 *
 * A polynomial of the name's characters, folded by the compiler. The names are the
 * ABI; these hashes are compiled into programs, so the formula never changes.
 */
#pragma once

#include <stdint.h>

#define VDSO_HASH(s)                                                                               \
    H8_(s, 0) + HP8_ * (H8_(s, 8) + HP8_ * (H8_(s, 16) + HP8_ * (H8_(s, 24) + HP8_ *               \
    (H8_(s, 32) + HP8_ * H8_(s, 40)))))
#define H_P_        16777619u
#define H_P2_       (H_P_ * H_P_)
#define H_P4_       (H_P2_ * H_P2_)
#define HP8_        (H_P4_ * H_P4_)
#define H1_(s, i)   ((i) < sizeof(s) ? (uint32_t)(unsigned char)(s)[(i) < sizeof(s) ? (i) : 0] : 0u)
#define H2_(s, i)   (H1_(s, i) + H_P_ * H1_(s, (i) + 1))
#define H4_(s, i)   (H2_(s, i) + H_P2_ * H2_(s, (i) + 2))
#define H8_(s, i)   (H4_(s, i) + H_P4_ * H4_(s, (i) + 4))
#define VDSO_NAME_MAX 48
