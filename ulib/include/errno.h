/*
 * errno.h - the reason of the last failure of a C library function, of this thread.
 * System calls do not set it: they return their status.
 */
#pragma once

extern _Thread_local int errno;
#define errno errno

#define EIO    5
#define EBADF  9
#define EAGAIN 11
#define ENOMEM 12
#define EBUSY  16
#define EINVAL 22
#define EPIPE  32
#define EDOM   33
#define ERANGE 34
#define EILSEQ 84
