/*
 * boot_option.c - words of the kernel's command line. The last of equal names counts.
 */
#include "arch/boot.h"
#include "lib/string.h"

/* The value of the last word `name` or `name=value`; its length in *out_length; NULL: absent. */
static const char *find(const char *name, size_t *out_length) {
    size_t name_length = strlen(name);
    const char *at = boot_info.cmdline, *found = NULL;
    while (*at) {
        while (*at == ' ')
            at++;
        size_t length = 0;
        while (at[length] && at[length] != ' ')
            length++;
        if (length >= name_length && strncmp(at, name, name_length) == 0 &&
            (length == name_length || at[name_length] == '=')) {
            size_t skip = MIN(length, name_length + 1);
            found = at + skip;
            *out_length = length - skip;
        }
        at += length;
    }
    return found;
}

bool boot_option(const char *name, char *buffer, size_t size) {
    size_t length = 0;
    const char *value = find(name, &length);
    if (!value)
        return false;
    length = MIN(length, size - 1);
    memcpy(buffer, value, length);
    buffer[length] = 0;
    return true;
}

static int digit_value(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return -1;
}

uint64_t boot_option_u64(const char *name, uint64_t otherwise) {
    char text[32];
    uint64_t value = 0;
    if (!boot_option(name, text, sizeof(text)) || !text[0])
        return otherwise;
    unsigned base = strncmp(text, "0x", 2) == 0 ? 16 : 10;
    const char *at = base == 16 ? text + 2 : text;
    if (!*at)
        return otherwise;
    for (; *at; at++) {
        int digit = digit_value(*at);
        if (digit < 0 || (unsigned)digit >= base || __builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, (unsigned)digit, &value))
            return otherwise;
    }
    return value;
}

bool boot_option_bool(const char *name, bool otherwise) {
    static const char *const no[] = {"off", "0", "no", "false"};
    static const char *const yes[] = {"on", "1", "yes", "true", ""};
    char text[8];
    if (!boot_option(name, text, sizeof(text)))
        return otherwise;
    for (unsigned i = 0; i < ARRAY_SIZE(no); i++)
        if (strcmp(text, no[i]) == 0)
            return false;
    for (unsigned i = 0; i < ARRAY_SIZE(yes); i++)
        if (strcmp(text, yes[i]) == 0)
            return true;
    return otherwise;
}
