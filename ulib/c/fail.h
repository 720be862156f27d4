/*
 * fail.h - the end of a program that broke a rule of the library.
 */
#pragma once

/* Writes `text` to the error stream and aborts. Takes no memory. */
void fail_with(const char *text) __attribute__((noreturn));
