/*
 * examples.h - what the examples of docs/calls include: public headers alone.
 */
#pragma once

#include <jacinth/launch.h>
#include <jacinth/trace.h>
#include <jacinth/utest.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>
