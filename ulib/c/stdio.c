/*
 * stdio.c - the three standard streams: buffers, locks and modes over stream.c.
 *
 * A stream is for input or for output. Output collects in the buffer until it is full,
 * or, line-buffered, until a newline was written. Each public function holds the
 * stream's lock for its whole work.
 */
#include <stdio.h>

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "c/exit.h"
#include "c/lock.h"
#include "c/stream.h"
#include "lib/fmt.h"

struct stdio_file {
    int fd;
    bool is_input;

    /* Under lock. */
    struct lock lock;
    int mode;            /* _IOLBF and its like */
    bool failed, at_end;
    size_t begin, end;   /* what the buffer holds */
    char buffer[BUFSIZ];
};

static FILE input = {.fd = 0, .is_input = true};
static FILE output = {.fd = 1, .mode = _IOLBF};
static FILE error_output = {.fd = 2, .mode = _IONBF};
#undef stdin
#undef stdout
#undef stderr
FILE *const stdin = &input;
FILE *const stdout = &output;
FILE *const stderr = &error_output;

/* --- output --- */

static void give_out(FILE *file, const char *data, size_t length) {
    if (length > 0 && stream_write(file->fd, data, length) != ZX_OK) {
        file->failed = true;
        errno = EPIPE;
    }
}

static void flush_locked(FILE *file) {
    size_t length = file->end;
    file->end = 0;
    give_out(file, file->buffer, length);
}

static void flush_all(void) {
    fflush(stdout);
    fflush(stderr);
}

static void put_locked(FILE *file, const char *data, size_t length) {
    exit_set_flush(flush_all);
    if (file->is_input) {
        file->failed = true;
        errno = EBADF;
        return;
    }
    if (length > BUFSIZ - file->end)
        flush_locked(file);
    if (length > BUFSIZ) {
        give_out(file, data, length);
        return;
    }
    memcpy(file->buffer + file->end, data, length);
    file->end += length;
}

/* After a call's text is in the buffer: what must not stay there leaves. */
static void settle_locked(FILE *file, bool had_newline) {
    if (file->mode == _IONBF || (file->mode == _IOLBF && had_newline))
        flush_locked(file);
}

/* Between the two, `failed` tells of this call alone; finish_output: did it go well? */
static bool begin_output(FILE *file) {
    lock_take(&file->lock);
    bool failed_before = file->failed;
    file->failed = false;
    return failed_before;
}

static bool finish_output(FILE *file, bool failed_before) {
    bool done = !file->failed;
    file->failed |= failed_before;
    lock_drop(&file->lock);
    return done;
}

static bool write_whole(FILE *file, const char *data, size_t length) {
    bool failed_before = begin_output(file);
    put_locked(file, data, length);
    settle_locked(file, memchr(data, '\n', length) != NULL);
    return finish_output(file, failed_before);
}

size_t fwrite(const void *restrict data, size_t size, size_t count, FILE *restrict file) {
    size_t total;
    if (size == 0 || count == 0 || __builtin_mul_overflow(size, count, &total))
        return 0;
    return write_whole(file, data, total) ? count : 0;
}

int fputc(int c, FILE *file) {
    char byte = (char)c;
    return write_whole(file, &byte, 1) ? (unsigned char)byte : EOF;
}
int putc(int c, FILE *file) { return fputc(c, file); }
int putchar(int c) { return fputc(c, stdout); }

int fputs(const char *restrict s, FILE *restrict file) {
    return write_whole(file, s, strlen(s)) ? 0 : EOF;
}

int puts(const char *s) {
    FILE *file = stdout;
    bool failed_before = begin_output(file);
    put_locked(file, s, strlen(s));
    put_locked(file, "\n", 1);
    settle_locked(file, true);
    return finish_output(file, failed_before) ? 0 : EOF;
}

struct printing {
    FILE *file;
    bool had_newline;
};

static void print_part(void *context, const char *bytes, size_t length) {
    struct printing *printing = context;
    put_locked(printing->file, bytes, length);
    printing->had_newline |= memchr(bytes, '\n', length) != NULL;
}

int vfprintf(FILE *restrict file, const char *restrict format, va_list args) {
    struct printing printing = {.file = file};
    bool failed_before = begin_output(file);
    size_t length = fmt_to_sink(print_part, &printing, format, args);
    settle_locked(file, printing.had_newline);
    return finish_output(file, failed_before) && length <= INT_MAX ? (int)length : -1;
}

int vprintf(const char *restrict format, va_list args) { return vfprintf(stdout, format, args); }

int fprintf(FILE *restrict file, const char *restrict format, ...) {
    va_list args;
    va_start(args, format);
    int length = vfprintf(file, format, args);
    va_end(args);
    return length;
}

int printf(const char *restrict format, ...) {
    va_list args;
    va_start(args, format);
    int length = vfprintf(stdout, format, args);
    va_end(args);
    return length;
}

int fflush(FILE *file) {
    if (!file)
        return fflush(stdout) | fflush(stderr);
    bool failed_before = begin_output(file);
    if (!file->is_input)
        flush_locked(file);
    return finish_output(file, failed_before) ? 0 : EOF;
}

int setvbuf(FILE *restrict file, char *restrict buffer, int mode, size_t size) {
    if (mode != _IOFBF && mode != _IOLBF && mode != _IONBF)
        return -1;
    lock_take(&file->lock);
    file->mode = mode;
    lock_drop(&file->lock);
    return 0;
}

/* --- input --- */

/* Have at least a byte in the buffer; false at the end. A prompt is shown first. */
static bool fill_locked(FILE *file) {
    if (file->begin < file->end)
        return true;
    if (!file->is_input || file->at_end)
        return false;
    fflush(stdout);
    file->begin = file->end = 0;
    size_t length = 0;
    if (stream_read(file->fd, file->buffer, sizeof file->buffer, &length) != ZX_OK) {
        file->failed = true;
        errno = EIO;
    } else if (length == 0) {
        file->at_end = true;
    }
    file->end = length;
    return length > 0;
}

static int get_locked(FILE *file) {
    return fill_locked(file) ? (unsigned char)file->buffer[file->begin++] : EOF;
}

int fgetc(FILE *file) {
    lock_take(&file->lock);
    int c = get_locked(file);
    lock_drop(&file->lock);
    return c;
}
int getc(FILE *file) { return fgetc(file); }
int getchar(void) { return fgetc(stdin); }

int ungetc(int c, FILE *file) {
    if (c == EOF || !file->is_input)
        return EOF;
    lock_take(&file->lock);
    bool room = file->begin > 0 || file->end < sizeof file->buffer;
    if (room && file->begin == 0) {
        memmove(file->buffer + 1, file->buffer, file->end);
        file->begin++;
        file->end++;
    }
    if (room) {
        file->buffer[--file->begin] = (char)c;
        file->at_end = false;
    }
    lock_drop(&file->lock);
    return room ? (unsigned char)c : EOF;
}

char *fgets(char *restrict s, int size, FILE *restrict file) {
    int length = 0, c = 0;
    if (size <= 0)
        return NULL;
    lock_take(&file->lock);
    while (length < size - 1 && c != '\n' && (c = get_locked(file)) != EOF)
        s[length++] = (char)c;
    lock_drop(&file->lock);
    s[length] = '\0';
    return length > 0 || size == 1 ? s : NULL;
}

size_t fread(void *restrict data, size_t size, size_t count, FILE *restrict file) {
    size_t total, done = 0;
    if (size == 0 || __builtin_mul_overflow(size, count, &total))
        return 0;
    lock_take(&file->lock);
    while (done < total && fill_locked(file)) {
        size_t held = file->end - file->begin;
        size_t part = held < total - done ? held : total - done;
        memcpy((char *)data + done, file->buffer + file->begin, part);
        file->begin += part;
        done += part;
    }
    lock_drop(&file->lock);
    return done / size;
}

/* Make room for one byte more; the line grows by doubling. */
static bool line_reserve(char **line, size_t *size, size_t needed) {
    if (*line && needed <= *size)
        return true;
    size_t wanted = *size < 64 ? 128 : *size * 2;
    char *larger = realloc(*line, wanted);
    if (!larger)
        return false;
    *line = larger;
    *size = wanted;
    return true;
}

long getline(char **restrict line, size_t *restrict size, FILE *restrict file) {
    size_t length = 0;
    int c = 0;
    if (!*line)
        *size = 0;
    lock_take(&file->lock);
    while (c != '\n' && line_reserve(line, size, length + 2) && (c = get_locked(file)) != EOF)
        (*line)[length++] = (char)c;
    lock_drop(&file->lock);
    if (length == 0)
        return -1;
    (*line)[length] = '\0';
    return (long)length;
}

int feof(FILE *file) { return file->at_end; }
int ferror(FILE *file) { return file->failed; }
int fileno(FILE *file) { return file->fd; }

void clearerr(FILE *file) {
    lock_take(&file->lock);
    file->failed = file->at_end = false;
    lock_drop(&file->lock);
}

void perror(const char *s) { fprintf(stderr, "%s: %s\n", s, strerror(errno)); }
