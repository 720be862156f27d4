/*
 * process.h - the handles that a program's start code keeps for it.
 *
 * They are borrowed: who passes one on duplicates it first, and nobody closes one.
 */
#pragma once

#include <stdint.h>
#include <zircon/types.h>

#ifdef __cplusplus
extern "C" {
#endif

zx_handle_t zx_process_self(void);
zx_handle_t zx_thread_self(void); /* of the calling thread */
zx_handle_t zx_vmar_root_self(void);
zx_handle_t zx_job_default(void); /* ZX_HANDLE_INVALID when none was given */

/*
 * Take a handle of the start message by its PA_HND() word: the first match becomes
 * the caller's, later calls do not find it. ZX_HANDLE_INVALID when there is none.
 */
zx_handle_t zx_take_startup_handle(uint32_t hnd_info);

#ifdef __cplusplus
}
#endif
