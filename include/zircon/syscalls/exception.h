/*
 * syscalls/exception.h - what a thread that cannot go on reports.
 */
#pragma once

#include <zircon/types.h>

/* The processor's exceptions. */
#define ZX_EXCP_GENERAL               ((zx_excp_type_t)0x008u)
#define ZX_EXCP_FATAL_PAGE_FAULT      ((zx_excp_type_t)0x108u)
#define ZX_EXCP_UNDEFINED_INSTRUCTION ((zx_excp_type_t)0x208u)
#define ZX_EXCP_SW_BREAKPOINT         ((zx_excp_type_t)0x308u)
#define ZX_EXCP_HW_BREAKPOINT         ((zx_excp_type_t)0x408u)
#define ZX_EXCP_UNALIGNED_ACCESS      ((zx_excp_type_t)0x508u)

/* The kernel's own. */
#define ZX_EXCP_SYNTH            ((zx_excp_type_t)0x8000u)
#define ZX_EXCP_THREAD_STARTING  ((zx_excp_type_t)0x8008u)
#define ZX_EXCP_THREAD_EXITING   ((zx_excp_type_t)0x8108u)
#define ZX_EXCP_POLICY_ERROR     ((zx_excp_type_t)0x8208u)
#define ZX_EXCP_PROCESS_STARTING ((zx_excp_type_t)0x8308u)
#define ZX_EXCP_IS_ARCH(type)    (((type) & ZX_EXCP_SYNTH) == 0)

/* synth_code of ZX_EXCP_POLICY_ERROR */
#define ZX_EXCP_POLICY_CODE_BAD_HANDLE              0u
#define ZX_EXCP_POLICY_CODE_WRONG_OBJECT            1u
#define ZX_EXCP_POLICY_CODE_VMAR_WX                 2u
#define ZX_EXCP_POLICY_CODE_NEW_ANY                 3u
#define ZX_EXCP_POLICY_CODE_NEW_VMO                 4u
#define ZX_EXCP_POLICY_CODE_NEW_CHANNEL             5u
#define ZX_EXCP_POLICY_CODE_NEW_EVENT               6u
#define ZX_EXCP_POLICY_CODE_NEW_EVENTPAIR           7u
#define ZX_EXCP_POLICY_CODE_NEW_PORT                8u
#define ZX_EXCP_POLICY_CODE_NEW_SOCKET              9u
#define ZX_EXCP_POLICY_CODE_NEW_FIFO                10u
#define ZX_EXCP_POLICY_CODE_NEW_TIMER               11u
#define ZX_EXCP_POLICY_CODE_NEW_PROCESS             12u
#define ZX_EXCP_POLICY_CODE_NEW_PROFILE             13u
#define ZX_EXCP_POLICY_CODE_NEW_PAGER               14u
#define ZX_EXCP_POLICY_CODE_AMBIENT_MARK_VMO_EXEC   15u
#define ZX_EXCP_POLICY_CODE_CHANNEL_FULL_WRITE      16u
#define ZX_EXCP_POLICY_CODE_PORT_TOO_MANY_PACKETS   17u
#define ZX_EXCP_POLICY_CODE_BAD_SYSCALL             18u
#define ZX_EXCP_POLICY_CODE_PORT_TOO_MANY_OBSERVERS 19u

/* Which channel a thread in an exception waits for. */
#define ZX_EXCEPTION_CHANNEL_DEBUGGER          1u /* option of zx_task_create_exception_channel */
#define ZX_EXCEPTION_CHANNEL_TYPE_NONE         0u
#define ZX_EXCEPTION_CHANNEL_TYPE_DEBUGGER     1u
#define ZX_EXCEPTION_CHANNEL_TYPE_THREAD       2u
#define ZX_EXCEPTION_CHANNEL_TYPE_PROCESS      3u
#define ZX_EXCEPTION_CHANNEL_TYPE_JOB          4u
#define ZX_EXCEPTION_CHANNEL_TYPE_JOB_DEBUGGER 5u

/* ZX_PROP_EXCEPTION_STATE and ZX_PROP_EXCEPTION_STRATEGY */
#define ZX_EXCEPTION_STATE_TRY_NEXT          0u
#define ZX_EXCEPTION_STATE_HANDLED           1u
#define ZX_EXCEPTION_STATE_THREAD_EXIT       2u
#define ZX_EXCEPTION_STRATEGY_FIRST_CHANCE   0u
#define ZX_EXCEPTION_STRATEGY_SECOND_CHANCE  1u

/* A message on an exception channel; the exception's handle goes with it. */
typedef struct zx_exception_info {
    zx_koid_t pid;
    zx_koid_t tid;
    zx_excp_type_t type;
    uint8_t padding1[4];
} zx_exception_info_t;
_Static_assert(sizeof(zx_exception_info_t) == 24, "ABI");

typedef struct zx_x86_64_exc_data {
    uint64_t vector;
    uint64_t err_code;
    uint64_t cr2;
} zx_x86_64_exc_data_t;
_Static_assert(sizeof(zx_x86_64_exc_data_t) == 24, "ABI");

typedef struct zx_arm64_exc_data {
    uint32_t esr;
    uint8_t padding1[4];
    uint64_t far;
    uint8_t padding2[8];
} zx_arm64_exc_data_t;
_Static_assert(sizeof(zx_arm64_exc_data_t) == 24, "ABI");

typedef struct zx_exception_header {
    uint32_t size; /* of the whole report */
    zx_excp_type_t type;
} zx_exception_header_t;

typedef struct zx_exception_context {
    struct {
        union {
            zx_x86_64_exc_data_t x86_64;
            zx_arm64_exc_data_t arm_64;
        } u;
    } arch;
} zx_exception_context_t;

/* ZX_INFO_THREAD_EXCEPTION_REPORT */
typedef struct zx_exception_report {
    zx_exception_header_t header;
    zx_exception_context_t context;
} zx_exception_report_t;
_Static_assert(sizeof(zx_exception_report_t) == 32, "ABI");

/* ZX_INFO_THREAD_EXCEPTION_REPORT_V2 */
typedef struct zx_exception_report_v2 {
    zx_exception_header_t header;
    zx_exception_context_t context;
    uint32_t synth_code;
    uint32_t synth_data;
} zx_exception_report_v2_t;
_Static_assert(sizeof(zx_exception_report_v2_t) == 40, "ABI");
