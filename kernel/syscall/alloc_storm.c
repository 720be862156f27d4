/*
 * alloc_storm.c - the countdown of pmm.h, set anew for each call; see alloc_storm.h.
 *
 * The turns belong to one process with one thread: it is a test's door, so nothing
 * here is exact when several processes bear the name.
 */
#include "syscall/alloc_storm.h"

#include "arch/boot.h"
#include "lib/string.h"
#include "object/process.h"
#include "object/user_thread.h"
#include "syscall/numbers.h"
#include "vm/pmm.h"

static uint64_t turns[SYS_COUNT]; /* how many failures of a call there were, one after another */

static bool is_switched_on(void) {
    static _Atomic int known; /* 0: not asked yet */
    int answer = atomic_load_explicit(&known, memory_order_relaxed);
    if (answer == 0) {
        answer = boot_option_bool("alloc.storm", false) ? 1 : -1;
        atomic_store_explicit(&known, answer, memory_order_relaxed);
    }
    return answer > 0;
}

static bool is_victim(void) {
    return is_switched_on() && strcmp(process_current()->name, "alloc-storm") == 0;
}

bool alloc_storm_enter(uint64_t number) {
    if (!is_victim())
        return false;
    alloc_fail_set(turns[number] + 1);
    return true;
}

void alloc_storm_leave(uint64_t number) {
    turns[number] = alloc_fail_left() == 0 ? turns[number] + 1 : 0;
    alloc_fail_set(0);
}
