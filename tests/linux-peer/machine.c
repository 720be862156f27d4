/* What the machine and its kernel tell of themselves. */
#include "measure.h"

#include <stdio.h>
#include <string.h>
#include <sys/klog.h>

#include "rows.h"

void cat(const char *path, const char *const *keys)
{
    FILE *f = fopen(path, "r");
    char line[4096];
    if (!f)
        return;
    while (fgets(line, sizeof line, f)) {
        if (keys) {
            int hit = 0;
            for (const char *const *k = keys; *k; k++)
                hit |= !strncmp(line, *k, strlen(*k));
            if (!hit)
                continue;
        }
        emit("INFO\t%s\t%s%s", path, line, strchr(line, '\n') ? "" : "\n");
    }
    fclose(f);
}

static void cpu_report(void)
{
    static const char *const cpu[] = { "vendor_id", "cpu family", "model", "flags", "bugs",
        "cpu MHz", "address sizes", NULL };
    /* first CPU only */
    FILE *f = fopen("/proc/cpuinfo", "r");
    char line[4096];
    while (f && fgets(line, sizeof line, f) && line[0] != '\n')
        for (const char *const *k = cpu; *k; k++)
            if (!strncmp(line, *k, strlen(*k))) {
                emit("INFO\t/proc/cpuinfo\t%s", line);
                break;
            }
    if (f)
        fclose(f);
}

static void kmsg_report(void)
{
    static char kb[256 * 1024];
    static const char *const kk[] = { "Memory:", "tsc:", "clocksource: Switched", "x86/fpu: Enabled",
        "Kernel/User page tables", "Mitigation", "Spectre", "Retbleed", "Freeing unused kernel",
        "Freeing initrd", "mem auto-init", "Dynamic Preempt", "lapic timer", "APIC: Switch",
        "Write protecting", NULL };
    int n = klogctl(3 /* SYSLOG_ACTION_READ_ALL */, kb, sizeof kb - 1);
    if (n > 0) {
        kb[n] = 0;
        for (char *l = strtok(kb, "\n"); l; l = strtok(NULL, "\n"))
            for (const char *const *k = kk; *k; k++)
                if (strstr(l, *k)) {
                    emit("INFO\tkmsg\t%s\n", l);
                    break;
                }
    }
}

void env_report(void)
{
    static const char *const mem[] = { "MemTotal", "MemFree", "MemAvailable", "Slab",
        "SUnreclaim", "KernelStack", "PageTables", "Percpu", "VmallocUsed", "Shmem:",
        "Unevictable", NULL };
    static const char *const vul[] = { "meltdown", "spectre_v1", "spectre_v2", "retbleed",
        "spec_store_bypass", "l1tf", "mds", "srbds", "gather_data_sampling",
        "spec_rstack_overflow", "mmio_stale_data", "tsx_async_abort", "itlb_multihit",
        "tsa", "vmscape", NULL };
    cat("/proc/meminfo", mem);
    cat("/proc/version", NULL);
    cat("/proc/cmdline", NULL);
    cat("/sys/devices/system/clocksource/clocksource0/current_clocksource", NULL);
    cat("/sys/devices/system/clocksource/clocksource0/available_clocksource", NULL);
    cat("/sys/kernel/mm/transparent_hugepage/enabled", NULL);
    cpu_report();
    for (const char *const *k = vul; *k; k++) {
        char p[128];
        snprintf(p, sizeof p, "/sys/devices/system/cpu/vulnerabilities/%s", *k);
        cat(p, NULL);
    }
    kmsg_report();
}

void meminfo_line(const char *tag)
{
    FILE *f = fopen("/proc/meminfo", "r");
    char line[256];
    while (f && fgets(line, sizeof line, f))
        if (!strncmp(line, "MemFree", 7))
            emit("INFO\t%s\t%s", tag, line);
    if (f)
        fclose(f);
}
