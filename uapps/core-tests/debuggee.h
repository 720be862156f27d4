/*
 * debuggee.h - what the tests of suspension, registers and exceptions share.
 */
#pragma once

#include "core-tests/support.h"

#define SOON zx_deadline_after(ZX_SEC(10))

/* --- what the children do --- */

/* Turns on the spot for ever: no call, no fault. */
extern const char still_code[], still_code_end[];
/* Faults at once; behind that, at AFTER_CRASH, it puts 1 at its rsi and turns on the spot. */
extern const char crash_code[], crash_code_end[];
#define AFTER_CRASH (CHILD_CODE + 2)
/* Starts the thread with its data page in rsi; a test fails when that fails. */
bool start_crashing(struct child *child);

/* --- suspension --- */

/* A token, once the thread has stopped. */
zx_handle_t stop(zx_handle_t thread);
/* Closes the token; the thread is running, or blocked again, afterwards. */
void go_on(zx_handle_t thread, zx_handle_t token);
zx_info_thread_t thread_info(zx_handle_t thread);
uint32_t thread_state(zx_handle_t thread);
/* Waits for a state that no signal tells of; false after ten seconds. */
bool wait_for_state(zx_handle_t thread, uint32_t state);
/* Waits for a word to become, or to leave, a value. */
bool wait_for_word(const volatile uint64_t *word, uint64_t value);
bool wait_for_change(const volatile uint64_t *word, uint64_t value);

/* --- registers --- */

zx_thread_state_general_regs_t general_regs(zx_handle_t thread);
void set_general_regs(zx_handle_t thread, const zx_thread_state_general_regs_t *regs);
void set_rip(zx_handle_t thread, uint64_t rip);
void set_single_step(zx_handle_t thread, uint32_t on);

/* --- exceptions --- */

#define DEBUGGER    ZX_EXCEPTION_CHANNEL_DEBUGGER
#define TRY_NEXT    ZX_EXCEPTION_STATE_TRY_NEXT
#define HANDLED     ZX_EXCEPTION_STATE_HANDLED
#define THREAD_EXIT ZX_EXCEPTION_STATE_THREAD_EXIT
#define UNDEFINED   ZX_EXCP_UNDEFINED_INSTRUCTION

struct caught {
    zx_exception_info_t info;
    zx_handle_t exception; /* ZX_HANDLE_INVALID after a failure */
};
zx_handle_t exception_channel(zx_handle_t task, uint32_t options);
/* The next exception; a test fails when there is none within ten seconds. */
struct caught catch_next(zx_handle_t channel);
/* The same, which must be of this type. */
zx_handle_t catch_type(zx_handle_t channel, zx_excp_type_t type);
/* Closes the exception with this state. */
void answer(zx_handle_t exception, uint32_t state);
zx_exception_report_v2_t report_of(zx_handle_t thread);
