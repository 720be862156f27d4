/*
 * stdio.h - formatted output, and the three standard streams.
 *
 * The streams are the sockets that the program got as PA_FD 0, 1 and 2; a program
 * without them writes to the machine's console and finds its input at the end.
 * Standard output is line-buffered always, standard error not buffered. A stream
 * may be used by several threads; a call is not torn apart.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

#define EOF    (-1)
#define BUFSIZ 4096

#define _IOFBF 0
#define _IOLBF 1
#define _IONBF 2

typedef struct stdio_file FILE;
extern FILE *const stdin;
extern FILE *const stdout;
extern FILE *const stderr;
#define stdin  stdin
#define stdout stdout
#define stderr stderr

#define STDIO_FORMAT(f, a) __attribute__((format(printf, f, a)))
int printf(const char *restrict format, ...) STDIO_FORMAT(1, 2);
int fprintf(FILE *restrict file, const char *restrict format, ...) STDIO_FORMAT(2, 3);
int snprintf(char *restrict buffer, size_t size, const char *restrict format, ...)
    STDIO_FORMAT(3, 4);
int sprintf(char *restrict buffer, const char *restrict format, ...) STDIO_FORMAT(2, 3);
int asprintf(char **restrict out, const char *restrict format, ...) STDIO_FORMAT(2, 3);
int vprintf(const char *restrict format, va_list args) STDIO_FORMAT(1, 0);
int vfprintf(FILE *restrict file, const char *restrict format, va_list args) STDIO_FORMAT(2, 0);
int vsnprintf(char *restrict buffer, size_t size, const char *restrict format, va_list args)
    STDIO_FORMAT(3, 0);
int vsprintf(char *restrict buffer, const char *restrict format, va_list args) STDIO_FORMAT(2, 0);
int vasprintf(char **restrict out, const char *restrict format, va_list args) STDIO_FORMAT(2, 0);

int putchar(int c);
int putc(int c, FILE *file);
int fputc(int c, FILE *file);
int puts(const char *s);
int fputs(const char *restrict s, FILE *restrict file);
size_t fwrite(const void *restrict data, size_t size, size_t count, FILE *restrict file);
int fflush(FILE *file); /* NULL: all output */
int setvbuf(FILE *restrict file, char *restrict buffer, int mode, size_t size);

int getchar(void);
int getc(FILE *file);
int fgetc(FILE *file);
int ungetc(int c, FILE *file);
char *fgets(char *restrict s, int size, FILE *restrict file);
size_t fread(void *restrict data, size_t size, size_t count, FILE *restrict file);
long getline(char **restrict line, size_t *restrict size, FILE *restrict file);

int feof(FILE *file);
int ferror(FILE *file);
void clearerr(FILE *file);
int fileno(FILE *file);
void perror(const char *s);
