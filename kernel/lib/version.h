/*
 * version.h - what zx_system_get_version says.
 */
#pragma once

#define KERNEL_VERSION "jacinth 0.1"
