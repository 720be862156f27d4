/*
 * flood.c - the end of a process that floods.
 */
#include "object/flood.h"

#include <zircon/types.h>

#include "lib/log.h"
#include "object/process.h"
#include "object/user_thread.h"

void flood_report(uint32_t code) {
    struct process *process = process_current();

    log_warning("process %s (%lu) floods and is ended, policy code %u", process->name,
             process->base.koid, code);
    process_kill(process, ZX_TASK_RETCODE_POLICY_KILL);
}
