/*
 * fmt.c - printf-style formatting: one pass over the format, no allocation.
 *
 * A conversion is first read into a `struct spec`, then its digits or bytes are
 * emitted between their padding. A number's digits are built backwards in a
 * small buffer; sign, prefix and zeros are emitted before them and never stored,
 * so a width of a million costs time but no stack. The sink gets bytes in
 * batches.
 */
#include "lib/fmt.h"

#include "lib/string.h"

struct out {
    fmt_sink *sink;
    void *context;
    size_t total;
    size_t held; /* bytes waiting in batch[] */
    char batch[64];
};

struct spec {
    bool left, zero, plus, space, alternate, upper;
    int width;     /* 0: none */
    int precision; /* -1: none */
    int length;    /* -2 hh, -1 h, 0 int, 1 l, 2 ll, j, z, t */
};

static void out_flush(struct out *out) {
    if (out->held)
        out->sink(out->context, out->batch, out->held);
    out->held = 0;
}

static void out_char(struct out *out, char c) {
    if (out->held == sizeof(out->batch))
        out_flush(out);
    out->batch[out->held++] = c;
    out->total++;
}

static void out_bytes(struct out *out, const char *bytes, size_t length) {
    for (size_t i = 0; i < length; i++)
        out_char(out, bytes[i]);
}

static void out_repeat(struct out *out, char c, int count) {
    for (int i = 0; i < count; i++)
        out_char(out, c);
}

/* Emit `body` with the padding that `spec` asks for around it. */
static void out_padded(struct out *out, const struct spec *spec, const char *body, size_t length) {
    int pad = length < (size_t)spec->width ? spec->width - (int)length : 0;

    if (!spec->left)
        out_repeat(out, ' ', pad);
    out_bytes(out, body, length);
    if (spec->left)
        out_repeat(out, ' ', pad);
}

/* Digits of `value`, ending at `end`; returns where they begin. */
static char *digits_before(char *end, uint64_t value, unsigned base, bool upper) {
    const char *alphabet = upper ? "0123456789ABCDEF" : "0123456789abcdef";

    while (value) {
        *--end = alphabet[value % base];
        value /= base;
    }
    return end;
}

static void out_number(struct out *out, const struct spec *spec, uint64_t value, unsigned base,
                       const char *sign) {
    char buffer[24];
    char *end = buffer + sizeof(buffer);
    char *first = digits_before(end, value, base, spec->upper);
    int digits = (int)(end - first);
    int zeros = spec->precision < 0 ? (digits == 0) : MAX(spec->precision - digits, 0);
    const char *prefix = "";

    if (spec->alternate && base == 16 && value != 0)
        prefix = spec->upper ? "0X" : "0x";
    if (spec->alternate && base == 8 && zeros == 0)
        zeros = 1;

    int used = digits + zeros + (int)strlen(sign) + (int)strlen(prefix);
    int pad = spec->width > used ? spec->width - used : 0;
    if (spec->zero && !spec->left && spec->precision < 0) {
        zeros += pad;
        pad = 0;
    }
    if (!spec->left)
        out_repeat(out, ' ', pad);
    out_bytes(out, sign, strlen(sign));
    out_bytes(out, prefix, strlen(prefix));
    out_repeat(out, '0', zeros);
    out_bytes(out, first, (size_t)digits);
    if (spec->left)
        out_repeat(out, ' ', pad);
}

/* A decimal number in the format; what is absurd is held at a million. */
static int read_number(const char **format) {
    int value = 0;

    while (**format >= '0' && **format <= '9') {
        value = value * 10 + (*(*format)++ - '0');
        value = MIN(value, 1000000);
    }
    return value;
}

static void read_flags(const char **format, struct spec *spec) {
    for (;; (*format)++) {
        switch (**format) {
        case '-': spec->left = true; break;
        case '0': spec->zero = true; break;
        case '+': spec->plus = true; break;
        case ' ': spec->space = true; break;
        case '#': spec->alternate = true; break;
        default: return;
        }
    }
}

static void read_length(const char **format, struct spec *spec) {
    for (;; (*format)++) {
        switch (**format) {
        case 'h': spec->length--; break;
        case 'l': spec->length++; break;
        case 'j':
        case 'z':
        case 't': spec->length = 2; break;
        default: return;
        }
    }
}

/* va_list is an array on some targets, so it travels inside a structure. */
struct arguments {
    va_list list;
};

static struct spec read_spec(const char **format, struct arguments *args) {
    struct spec spec = {.precision = -1};

    read_flags(format, &spec);
    if (**format == '*') {
        (*format)++;
        spec.width = va_arg(args->list, int);
        if (spec.width < 0) {
            spec.left = true;
            spec.width = spec.width == INT_MIN ? 0 : -spec.width;
        }
    } else {
        spec.width = read_number(format);
    }
    if (**format == '.') {
        (*format)++;
        if (**format == '*') {
            (*format)++;
            spec.precision = va_arg(args->list, int);
            if (spec.precision < 0)
                spec.precision = -1;
        } else {
            spec.precision = read_number(format);
        }
    }
    read_length(format, &spec);
    return spec;
}

static int64_t take_signed(const struct spec *spec, struct arguments *args) {
    if (spec->length >= 1)
        return va_arg(args->list, int64_t);
    int value = va_arg(args->list, int);
    if (spec->length == -1)
        return (short)value;
    if (spec->length <= -2)
        return (signed char)value;
    return value;
}

static uint64_t take_unsigned(const struct spec *spec, struct arguments *args) {
    if (spec->length >= 1)
        return va_arg(args->list, uint64_t);
    unsigned value = va_arg(args->list, unsigned);
    if (spec->length == -1)
        return (unsigned short)value;
    if (spec->length <= -2)
        return (unsigned char)value;
    return value;
}

static void out_signed(struct out *out, const struct spec *spec, int64_t value) {
    const char *sign = value < 0 ? "-" : spec->plus ? "+" : spec->space ? " " : "";
    uint64_t magnitude = value < 0 ? -(uint64_t)value : (uint64_t)value;

    out_number(out, spec, magnitude, 10, sign);
}

static void out_string(struct out *out, const struct spec *spec, const char *string) {
    if (!string)
        string = "(null)";
    size_t length = spec->precision < 0 ? strlen(string) : strnlen(string, (size_t)spec->precision);
    out_padded(out, spec, string, length);
}

static void out_conversion(struct out *out, char kind, struct spec *spec, struct arguments *args) {
    char character;

    switch (kind) {
    case 'd':
    case 'i': out_signed(out, spec, take_signed(spec, args)); break;
    case 'u': out_number(out, spec, take_unsigned(spec, args), 10, ""); break;
    case 'o': out_number(out, spec, take_unsigned(spec, args), 8, ""); break;
    case 'X': spec->upper = true; /* fall through */
    case 'x': out_number(out, spec, take_unsigned(spec, args), 16, ""); break;
    case 'p':
        spec->alternate = true;
        out_number(out, spec, (uintptr_t)va_arg(args->list, void *), 16, "");
        break;
    case 'c':
        character = (char)va_arg(args->list, int);
        out_padded(out, spec, &character, 1);
        break;
    case 's': out_string(out, spec, va_arg(args->list, const char *)); break;
    case '%': out_char(out, '%'); break;
    default: /* unknown: show it, so that the mistake is seen */
        out_char(out, '%');
        out_char(out, kind);
        break;
    }
}

size_t fmt_to_sink(fmt_sink *sink, void *context, const char *format, va_list list) {
    struct out out = {.sink = sink, .context = context};
    struct arguments args;

    va_copy(args.list, list);
    while (*format) {
        if (*format != '%') {
            out_char(&out, *format++);
            continue;
        }
        format++;
        struct spec spec = read_spec(&format, &args);
        if (*format == '\0')
            break;
        out_conversion(&out, *format++, &spec, &args);
    }
    va_end(args.list);
    out_flush(&out);
    return out.total;
}

struct memory_sink {
    char *buffer;
    size_t size, used;
};

static void memory_sink_put(void *context, const char *bytes, size_t length) {
    struct memory_sink *memory = context;
    size_t room = memory->size - memory->used;

    if (length > room)
        length = room;
    if (length)
        memcpy(memory->buffer + memory->used, bytes, length);
    memory->used += length;
}

size_t fmt_vformat(char *buffer, size_t size, const char *format, va_list args) {
    struct memory_sink memory = {buffer, size ? size - 1 : 0, 0};
    size_t total = fmt_to_sink(memory_sink_put, &memory, format, args);

    if (size)
        buffer[memory.used] = '\0';
    return total;
}

size_t fmt_format(char *buffer, size_t size, const char *format, ...) {
    va_list args;

    va_start(args, format);
    size_t total = fmt_vformat(buffer, size, format, args);
    va_end(args);
    return total;
}
