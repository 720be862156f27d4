/*
 * exit.h - how the streams, if a program uses them, get their last turn.
 */
#pragma once

void exit_set_flush(void (*function)(void));
