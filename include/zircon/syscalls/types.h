/*
 * syscalls/types.h - names of the structures of syscalls/, for those that only pass pointers.
 */
#pragma once

#include <zircon/types.h>

typedef struct zx_port_packet zx_port_packet_t;
typedef struct zx_profile_info zx_profile_info_t;
typedef struct zx_system_powerctl_arg zx_system_powerctl_arg_t;
