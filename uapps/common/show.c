/*
 * show.c - short texts for numbers.
 */
#include "common/show.h"

#include <stdio.h>

const char *show_bytes(uint64_t bytes, char text[SHOW_SIZE]) {
    static const char units[] = "BKMGTPE";
    size_t unit = 0;
    uint64_t rest = 0;
    if (bytes < 1024) {
        snprintf(text, SHOW_SIZE, "%llu", (unsigned long long)bytes);
        return text;
    }
    for (; bytes >= 1024; unit++) {
        rest = bytes % 1024;
        bytes /= 1024;
    }
    if (bytes < 10 && rest >= 103) /* a tenth and more */
        snprintf(text, SHOW_SIZE, "%llu.%llu%c", (unsigned long long)bytes,
                 (unsigned long long)(rest * 10 / 1024), units[unit]);
    else
        snprintf(text, SHOW_SIZE, "%llu%c", (unsigned long long)bytes, units[unit]);
    return text;
}

const char *show_time(zx_duration_t time, char text[SHOW_SIZE]) {
    snprintf(text, SHOW_SIZE, "%lld.%03lld", (long long)(time / ZX_SEC(1)),
             (long long)(time % ZX_SEC(1) / ZX_MSEC(1)));
    return text;
}

const char *show_type(zx_obj_type_t type) {
    static const char *const names[ZX_OBJ_TYPE_UPPER_BOUND] = {
        [ZX_OBJ_TYPE_PROCESS] = "process",
        [ZX_OBJ_TYPE_THREAD] = "thread",
        [ZX_OBJ_TYPE_VMO] = "vmo",
        [ZX_OBJ_TYPE_CHANNEL] = "channel",
        [ZX_OBJ_TYPE_EVENT] = "event",
        [ZX_OBJ_TYPE_PORT] = "port",
        [ZX_OBJ_TYPE_INTERRUPT] = "interrupt",
        [ZX_OBJ_TYPE_PCI_DEVICE] = "pci-device",
        [ZX_OBJ_TYPE_LOG] = "log",
        [ZX_OBJ_TYPE_SOCKET] = "socket",
        [ZX_OBJ_TYPE_RESOURCE] = "resource",
        [ZX_OBJ_TYPE_EVENTPAIR] = "eventpair",
        [ZX_OBJ_TYPE_JOB] = "job",
        [ZX_OBJ_TYPE_VMAR] = "vmar",
        [ZX_OBJ_TYPE_FIFO] = "fifo",
        [ZX_OBJ_TYPE_GUEST] = "guest",
        [ZX_OBJ_TYPE_VCPU] = "vcpu",
        [ZX_OBJ_TYPE_TIMER] = "timer",
        [ZX_OBJ_TYPE_IOMMU] = "iommu",
        [ZX_OBJ_TYPE_BTI] = "bti",
        [ZX_OBJ_TYPE_PROFILE] = "profile",
        [ZX_OBJ_TYPE_PMT] = "pmt",
        [ZX_OBJ_TYPE_SUSPEND_TOKEN] = "suspend-token",
        [ZX_OBJ_TYPE_PAGER] = "pager",
        [ZX_OBJ_TYPE_EXCEPTION] = "exception",
        [ZX_OBJ_TYPE_CLOCK] = "clock",
        [ZX_OBJ_TYPE_STREAM] = "stream",
        [ZX_OBJ_TYPE_MSI] = "msi",
    };
    return type < ZX_OBJ_TYPE_UPPER_BOUND && names[type] ? names[type] : "?";
}

const char *show_thread_state(zx_thread_state_t state) {
    static const char *const states[] = {"new", "running", "suspended", "blocked", "dying", "dead"};
    static const char *const blocked[] = {"blocked", "exception", "sleeping", "futex",     "port",
                                          "channel", "waiting",   "waiting",  "interrupt", "pager"};
    uint32_t basic = ZX_THREAD_STATE_BASIC(state), reason = state >> 8;
    if (basic == ZX_THREAD_STATE_BLOCKED && reason < sizeof blocked / sizeof blocked[0])
        return blocked[reason];
    return basic < sizeof states / sizeof states[0] ? states[basic] : "?";
}

const char *show_rights(zx_rights_t rights, char text[SHOW_RIGHTS]) {
    static const char letters[SHOW_RIGHTS] = "DTRWXMGSEOPLIJAN12345";
    for (size_t i = 0; i < SHOW_RIGHTS - 1; i++)
        text[i] = rights & (1u << i) ? letters[i] : '-';
    text[SHOW_RIGHTS - 1] = '\0';
    return text;
}
