/*
 * inspect.c - reading a stopped thread, and telling of it.
 */
#include "common/inspect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zircon/status.h>
#include <zircon/syscalls.h>

#include "common/tasks.h"

#define FRAMES_MAX 32

const char *inspect_exception_name(zx_excp_type_t type) {
    switch (type) {
    case ZX_EXCP_GENERAL: return "exception";
    case ZX_EXCP_FATAL_PAGE_FAULT: return "page fault";
    case ZX_EXCP_UNDEFINED_INSTRUCTION: return "undefined instruction";
    case ZX_EXCP_SW_BREAKPOINT: return "software breakpoint";
    case ZX_EXCP_HW_BREAKPOINT: return "hardware breakpoint or step";
    case ZX_EXCP_UNALIGNED_ACCESS: return "unaligned access";
    case ZX_EXCP_THREAD_STARTING: return "thread starting";
    case ZX_EXCP_THREAD_EXITING: return "thread exiting";
    case ZX_EXCP_PROCESS_STARTING: return "process starting";
    case ZX_EXCP_POLICY_ERROR: return "policy error";
    default: return "exception";
    }
}

/* --- places --- */

static void read_name(zx_handle_t task, char name[ZX_MAX_NAME_LEN]) {
    if (zx_object_get_property(task, ZX_PROP_NAME, name, ZX_MAX_NAME_LEN) != ZX_OK)
        strlcpy(name, "?", ZX_MAX_NAME_LEN);
}

static zx_koid_t koid_of(zx_handle_t handle) {
    zx_info_handle_basic_t info = {0};
    (void)zx_object_get_info(handle, ZX_INFO_HANDLE_BASIC, &info, sizeof info, NULL, NULL);
    return info.koid;
}

/* Each program and the vDSO lie in a region of their own, the deepest around the address. */
static bool find_module(const zx_info_maps_t *maps, size_t count, uint64_t address,
                        const zx_info_maps_t **out_mapping, uint64_t *out_base) {
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        const zx_info_maps_t *entry = &maps[i];
        if (address - entry->base >= entry->size)
            continue;
        if (entry->type == ZX_INFO_MAPS_TYPE_MAPPING) {
            *out_mapping = entry;
            found = true;
        } else {
            *out_base = entry->base;
        }
    }
    return found;
}

const char *inspect_place(zx_handle_t process, uint64_t address, char text[INSPECT_PLACE]) {
    const zx_info_maps_t *mapping = NULL;
    char name[ZX_MAX_NAME_LEN];
    uint64_t base = 0;
    size_t count;
    void *maps;
    strlcpy(text, "?", INSPECT_PLACE);
    if (tasks_list(process, ZX_INFO_PROCESS_MAPS, sizeof(zx_info_maps_t), &maps, &count) != ZX_OK)
        return text;
    if (find_module(maps, count, address, &mapping, &base)) {
        /* A program's pages are those of the boot archive, so its name is the process's. */
        read_name(process, name);
        snprintf(text, INSPECT_PLACE, "%s+%#llx",
                 strcmp(mapping->name, "vdso") == 0 ? "vdso" : name,
                 (unsigned long long)(address - base));
    }
    free(maps);
    return text;
}

/* --- reports --- */

static void print_page_fault(const zx_exception_report_v2_t *report) {
    const zx_x86_64_exc_data_t *x86 = &report->context.arch.u.x86_64;
    printf("  %s of %#llx: %s\n",
           x86->err_code & 16  ? "execution"
           : x86->err_code & 2 ? "write"
                               : "read",
           (unsigned long long)x86->cr2, zx_status_get_string((zx_status_t)report->synth_code));
}

void inspect_print_exception(zx_handle_t process, zx_handle_t thread,
                             const zx_exception_report_v2_t *report) {
    char process_name[ZX_MAX_NAME_LEN], thread_name[ZX_MAX_NAME_LEN];
    read_name(process, process_name);
    read_name(thread, thread_name);
    printf("process %s (%llu), thread %s (%llu): %s\n", process_name,
           (unsigned long long)koid_of(process), thread_name, (unsigned long long)koid_of(thread),
           inspect_exception_name(report->header.type));
    if (report->header.type == ZX_EXCP_FATAL_PAGE_FAULT)
        print_page_fault(report);
    else if (report->header.type == ZX_EXCP_POLICY_ERROR)
        printf("  code %u, %u\n", report->synth_code, report->synth_data);
    else if (ZX_EXCP_IS_ARCH(report->header.type))
        printf("  vector %llu, error code %#llx\n",
               (unsigned long long)report->context.arch.u.x86_64.vector,
               (unsigned long long)report->context.arch.u.x86_64.err_code);
}

static zx_status_t read_registers(zx_handle_t thread, zx_thread_state_general_regs_t *out) {
    return zx_thread_read_state(thread, ZX_THREAD_STATE_GENERAL_REGS, out, sizeof *out);
}

static void print_three(const char *a, uint64_t x, const char *b, uint64_t y, const char *c,
                        uint64_t z) {
    printf("  %-3s %016llx  %-3s %016llx  %-3s %016llx\n", a, (unsigned long long)x, b,
           (unsigned long long)y, c, (unsigned long long)z);
}

zx_status_t inspect_print_registers(zx_handle_t thread) {
    zx_thread_state_general_regs_t r;
    zx_status_t status = read_registers(thread, &r);
    if (status != ZX_OK)
        return status;
    print_three("rip", r.rip, "rsp", r.rsp, "rbp", r.rbp);
    print_three("rax", r.rax, "rbx", r.rbx, "rcx", r.rcx);
    print_three("rdx", r.rdx, "rsi", r.rsi, "rdi", r.rdi);
    print_three("r8", r.r8, "r9", r.r9, "r10", r.r10);
    print_three("r11", r.r11, "r12", r.r12, "r13", r.r13);
    print_three("r14", r.r14, "r15", r.r15, "fl", r.rflags);
    print_three("fs", r.fs_base, "gs", r.gs_base, "", 0);
    return ZX_OK;
}

static void print_frame(zx_handle_t process, unsigned number, uint64_t address) {
    char place[INSPECT_PLACE];
    printf("  #%u %#llx %s\n", number, (unsigned long long)address,
           inspect_place(process, address, place));
}

zx_status_t inspect_print_backtrace(zx_handle_t process, zx_handle_t thread) {
    struct {
        uint64_t next, return_address;
    } link;
    zx_thread_state_general_regs_t r;
    size_t actual = 0;
    zx_status_t status = read_registers(thread, &r);
    if (status != ZX_OK)
        return status;
    print_frame(process, 0, r.rip);
    for (unsigned i = 1; i < FRAMES_MAX && r.rbp != 0 && r.rbp % 8 == 0; i++) {
        status = zx_process_read_memory(process, r.rbp, &link, sizeof link, &actual);
        if (status != ZX_OK || actual != sizeof link || link.return_address == 0)
            break;
        print_frame(process, i, link.return_address);
        if (link.next <= r.rbp)
            break;
        r.rbp = link.next;
    }
    return ZX_OK;
}

static void print_line(uint64_t address, const uint8_t *bytes, size_t count) {
    printf("%012llx ", (unsigned long long)address);
    for (size_t i = 0; i < 16; i++) {
        if (i < count)
            printf(" %02x", bytes[i]);
        else
            printf("   ");
    }
    printf("  ");
    for (size_t i = 0; i < count; i++)
        putchar(bytes[i] >= ' ' && bytes[i] < 127 ? bytes[i] : '.');
    putchar('\n');
}

zx_status_t inspect_print_memory(zx_handle_t process, uint64_t address, size_t length) {
    uint8_t bytes[16];
    while (length > 0) {
        size_t wanted = length < sizeof bytes ? length : sizeof bytes, actual = 0;
        zx_status_t status = zx_process_read_memory(process, address, bytes, wanted, &actual);
        if (status != ZX_OK)
            return status;
        print_line(address, bytes, actual);
        address += actual;
        length -= actual;
    }
    return ZX_OK;
}
