/*
 * process_list.h - tools that print one of a process's lists.
 */
#pragma once

#include <stddef.h>
#include <zircon/syscalls/object.h>
#include <zircon/types.h>

/* The whole of main: argv[1] is a koid; `print` gets the records. */
int process_list_main(int argc, char **argv, const char *help, zx_object_info_topic_t topic,
                      size_t record_size, void (*print)(const void *records, size_t count));
