/*
 * number.c - numbers from text, and small integer functions.
 *
 * One reader takes sign, prefix and digits; what the caller's type cannot hold
 * becomes its limit, with errno ERANGE.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>

struct reading {
    unsigned long long magnitude;
    bool negative, overflow;
};

static int digit_value(char c) {
    if (isdigit(c))
        return c - '0';
    return isalpha(c) ? tolower(c) - 'a' + 10 : INT_MAX;
}

/* The base and where the digits begin: "0x" counts only if a digit follows it. */
static const char *skip_prefix(const char *s, int *base) {
    bool hex = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') && isxdigit(s[2]);
    if ((*base == 0 || *base == 16) && hex) {
        *base = 16;
        return s + 2;
    }
    if (*base == 0)
        *base = s[0] == '0' ? 8 : 10;
    return s;
}

static struct reading read_number(const char *restrict s, char **restrict end, int base) {
    struct reading reading = {0};
    const char *at = s;
    if (end)
        *end = (char *)(uintptr_t)s;
    if (base < 0 || base == 1 || base > 36) {
        errno = EINVAL;
        return reading;
    }
    while (isspace(*at))
        at++;
    if (*at == '-' || *at == '+')
        reading.negative = *at++ == '-';
    at = skip_prefix(at, &base);
    if (digit_value(*at) >= base)
        return (struct reading){0};
    for (; digit_value(*at) < base; at++) {
        reading.overflow |= __builtin_mul_overflow(reading.magnitude, (unsigned)base,
                                                   &reading.magnitude) ||
                            __builtin_add_overflow(reading.magnitude, (unsigned)digit_value(*at),
                                                   &reading.magnitude);
    }
    if (end)
        *end = (char *)(uintptr_t)at;
    return reading;
}

long long strtoll(const char *restrict s, char **restrict end, int base) {
    struct reading reading = read_number(s, end, base);
    unsigned long long limit = reading.negative ? (unsigned long long)LLONG_MAX + 1 : LLONG_MAX;
    if (reading.overflow || reading.magnitude > limit) {
        errno = ERANGE;
        return reading.negative ? LLONG_MIN : LLONG_MAX;
    }
    return (long long)(reading.negative ? 0 - reading.magnitude : reading.magnitude);
}

unsigned long long strtoull(const char *restrict s, char **restrict end, int base) {
    struct reading reading = read_number(s, end, base);
    if (reading.overflow) {
        errno = ERANGE;
        return ULLONG_MAX;
    }
    return reading.negative ? 0 - reading.magnitude : reading.magnitude;
}

_Static_assert(LONG_MAX == LLONG_MAX && INTMAX_MAX == LONG_MAX, "one reader serves all");

long strtol(const char *restrict s, char **restrict end, int base) { return strtoll(s, end, base); }
unsigned long strtoul(const char *restrict s, char **restrict end, int base) {
    return strtoull(s, end, base);
}
intmax_t strtoimax(const char *restrict s, char **restrict end, int base) {
    return strtoll(s, end, base);
}
uintmax_t strtoumax(const char *restrict s, char **restrict end, int base) {
    return strtoull(s, end, base);
}

int atoi(const char *s) { return (int)strtoll(s, NULL, 10); }
long atol(const char *s) { return strtoll(s, NULL, 10); }
long long atoll(const char *s) { return strtoll(s, NULL, 10); }

int abs(int value) { return value < 0 ? -value : value; }
long labs(long value) { return value < 0 ? -value : value; }
long long llabs(long long value) { return value < 0 ? -value : value; }
intmax_t imaxabs(intmax_t value) { return value < 0 ? -value : value; }

div_t div(int a, int b) { return (div_t){a / b, a % b}; }
ldiv_t ldiv(long a, long b) { return (ldiv_t){a / b, a % b}; }
lldiv_t lldiv(long long a, long long b) { return (lldiv_t){a / b, a % b}; }

/* A multiply-add step; the upper bits of its state are good enough for games. */
static unsigned long long random_state = 1;

void srand(unsigned seed) { random_state = seed; }

int rand(void) {
    random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
    return (int)(random_state >> 33);
}
