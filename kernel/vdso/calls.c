/*
 * calls.c - calls that are code of the vDSO: they read the time page, or make several
 * kernel calls where user code could not.
 *
 * Nothing here may need a stack protector, a relocation or writable data.
 */
#include <zircon/syscalls.h>

#include "syscall/numbers.h"
#include "vdso/calls.h"
#include "vdso/time_page.h"

/* The kernel writes it through its own address; the compiler must not know its value. */
static const volatile struct time_page time_page __attribute__((section(".time_page"), used)) = {
    0};

/* The fence keeps the counter's reading after every load before it in program order. */
static inline uint64_t read_ticks(void) {
    uint32_t low, high;
    __asm__ volatile("lfence\n\trdtsc" : "=a"(low), "=d"(high));
    return (uint64_t)high << 32 | low;
}

zx_time_t vdso_clock_get_monotonic(void) {
    uint64_t ticks = read_ticks() - time_page.base_ticks;
    return (zx_time_t)(((unsigned __int128)ticks * time_page.mult) >> time_page.shift);
}

zx_ticks_t vdso_ticks_get(void) { return (zx_ticks_t)read_ticks(); }

zx_ticks_t vdso_ticks_per_second(void) { return (zx_ticks_t)time_page.ticks_per_second; }

zx_time_t vdso_deadline_after(zx_duration_t nanoseconds) {
    return zx_time_add_duration(vdso_clock_get_monotonic(), nanoseconds);
}

void vdso_cprng_draw(void *buffer, size_t buffer_size) {
    uint8_t *at = buffer;
    while (buffer_size > 0) {
        size_t length = buffer_size < ZX_CPRNG_DRAW_MAX_LEN ? buffer_size : ZX_CPRNG_DRAW_MAX_LEN;
        if (vdso_cprng_draw_once(at, length) != ZX_OK)
            __builtin_trap();
        at += length;
        buffer_size -= length;
    }
}

uint32_t vdso_system_get_num_cpus(void) { return time_page.num_cpus; }

uint32_t vdso_system_get_page_size(void) { return ZX_PAGE_SIZE; }

uint64_t vdso_system_get_physmem(void) { return time_page.physmem; }

zx_status_t vdso_system_get_version(char *version, size_t version_size) {
    size_t length = 0;
    while (length < sizeof time_page.version - 1 && time_page.version[length] != '\0')
        length++;
    if (version_size < length + 1)
        return ZX_ERR_BUFFER_TOO_SMALL;
    for (size_t i = 0; i < length; i++)
        version[i] = time_page.version[i];
    version[length] = '\0';
    return ZX_OK;
}

zx_status_t vdso_system_get_features(uint32_t kind, uint32_t *features) {
    if (kind != ZX_FEATURE_KIND_CPU)
        return ZX_ERR_NOT_SUPPORTED;
    *features = time_page.features;
    return ZX_OK;
}

/*
 * The two calls below end a thread whose stack is given away on the way: once it is,
 * all that they know is in registers, and an error can only trap. rbx holds the
 * handle to close; the kernel keeps it.
 */
#define CLOSE_RBX_AND_EXIT                                                                         \
    "movl %%ebx, %%edi\n\tmovl %[close], %%eax\n\tsyscall\n\ttestl %%eax, %%eax\n\tjnz 2f\n\t"     \
    "movl %[exit], %%eax\n\tsyscall\n"                                                             \
    "2:\tud2"

__attribute__((naked)) zx_status_t
vdso_vmar_unmap_handle_close_thread_exit(zx_handle_t vmar, zx_vaddr_t addr, size_t size,
                                         zx_handle_t close_handle) {
    __asm__("pushq %%rbx\n\tmovl %%ecx, %%ebx\n\tmovl %[unmap], %%eax\n\tsyscall\n\t"
            "testl %%eax, %%eax\n\tjz 1f\n\tpopq %%rbx\n\tret\n"
            "1:\t" CLOSE_RBX_AND_EXIT
            :
            : [unmap] "i"(SYS_vmar_unmap), [close] "i"(SYS_handle_close),
              [exit] "i"(SYS_thread_exit));
}

__attribute__((naked)) void vdso_futex_wake_handle_close_thread_exit(const zx_futex_t *value_ptr,
                                                                     uint32_t wake_count,
                                                                     int32_t new_value,
                                                                     zx_handle_t close_handle) {
    __asm__("movl %%ecx, %%ebx\n\tmovl %%edx, (%%rdi)\n\tmovl %[wake], %%eax\n\tsyscall\n\t"
            "testl %%eax, %%eax\n\tjnz 2f\n\t" CLOSE_RBX_AND_EXIT
            :
            : [wake] "i"(SYS_futex_wake), [close] "i"(SYS_handle_close),
              [exit] "i"(SYS_thread_exit));
}
