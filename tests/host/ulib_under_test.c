/*
 * ulib_under_test.c - parts of the user library as host code, each name with ulib_ in
 * front, so that tests can compare them with the C library's.
 *
 * The library's locks are not needed here, and its end of a program is a flag.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "host/ulib_under_test.h"

#pragma clang diagnostic ignored "-Wmissing-prototypes"

#define strtoll   ulib_strtoll
#define strtoull  ulib_strtoull
#define strtol    ulib_strtol
#define strtoul   ulib_strtoul
#define strtoimax ulib_strtoimax
#define strtoumax ulib_strtoumax
#define atoi      ulib_atoi
#define atol      ulib_atol
#define atoll     ulib_atoll
#define abs       ulib_abs
#define labs      ulib_labs
#define llabs     ulib_llabs
#define imaxabs   ulib_imaxabs
#define div       ulib_div
#define ldiv      ulib_ldiv
#define lldiv     ulib_lldiv
#define rand      ulib_rand
#define srand     ulib_srand
#include "c/number.c"

#define qsort   ulib_qsort
#define bsearch ulib_bsearch
#include "c/sort.c"

#undef isalnum
#undef isalpha
#undef isblank
#undef iscntrl
#undef isdigit
#undef isgraph
#undef islower
#undef isprint
#undef ispunct
#undef isspace
#undef isupper
#undef isxdigit
#undef tolower
#undef toupper
#define isalnum  ulib_isalnum
#define isalpha  ulib_isalpha
#define isblank  ulib_isblank
#define iscntrl  ulib_iscntrl
#define isdigit  ulib_isdigit
#define isgraph  ulib_isgraph
#define islower  ulib_islower
#define isprint  ulib_isprint
#define ispunct  ulib_ispunct
#define isspace  ulib_isspace
#define isupper  ulib_isupper
#define isxdigit ulib_isxdigit
#define tolower  ulib_tolower
#define toupper  ulib_toupper
#include "c/ctype.c"

#define malloc         ulib_malloc
#define calloc         ulib_calloc
#define realloc        ulib_realloc
#define reallocarray   ulib_reallocarray
#define aligned_alloc  ulib_aligned_alloc
#define posix_memalign ulib_posix_memalign
#define free           ulib_free
#include "c/malloc.c"

zx_status_t lock_take_until(_Atomic(int) *state, zx_time_t deadline) { return ZX_OK; }
void lock_give(_Atomic(int) *state) {}

struct ulib_failure ulib_failure;
size_t ulib_mapped;

void fail_with(const char *text) {
    snprintf(ulib_failure.text, sizeof ulib_failure.text, "%s", text);
    longjmp(ulib_failure.back, 1);
}

void *heap_map(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ulib_mapped += size;
    return memory == MAP_FAILED ? NULL : memory;
}
void heap_unmap(void *memory, size_t size) {
    ulib_mapped -= size;
    munmap(memory, size);
}
size_t heap_secret(void) { return 0x5eed5eed5eed5eed; }

#define strncasecmp ulib_strncasecmp
#define strcasecmp  ulib_strcasecmp
#define memchr      ulib_memchr
#define memrchr     ulib_memrchr
#define mempcpy     ulib_mempcpy
#define strchrnul   ulib_strchrnul
#define strrchr     ulib_strrchr
#define strstr      ulib_strstr
#define strspn      ulib_strspn
#define strcspn     ulib_strcspn
#define strpbrk     ulib_strpbrk
#define stpcpy      ulib_stpcpy
#define strcpy      ulib_strcpy
#define strncpy     ulib_strncpy
#define strcat      ulib_strcat
#define strncat     ulib_strncat
#define strlcpy     ulib_strlcpy
#define strlcat     ulib_strlcat
#define strtok_r    ulib_strtok_r
#define strtok      ulib_strtok
#define strsep      ulib_strsep
#define strndup     ulib_strndup
#define strdup      ulib_strdup
#define strerror    ulib_strerror
#include "c/string.c"

#include "zx/start_message.c"
