/*
 * blocking_waits.h - rows of blocking.c that wait for signals, and what ends a handle.
 */
#pragma once

#include "races/blocking.h"

/* Where in the page results go, and packets and messages. */
#define SCENE_RESULT 2400
#define SCENE_PACKET 2416

/* Ends of the caller's handle, or of what is at the other side. */
void end_close(struct scene *scene);
void end_close_other(struct scene *scene);
void end_replace(struct scene *scene);
void end_transfer(struct scene *scene);
void end_transfer_etc(struct scene *scene);
void end_happen_and_close(struct scene *scene);

/* Objects whose signals are waited for, and what sets the signals. */
void make_wait_event(struct scene *scene);
void make_wait_event_until(struct scene *scene);
void make_wait_many(struct scene *scene);
void happen_event(struct scene *scene);
void use_event(struct scene *scene);
void make_wait_channel(struct scene *scene);
void happen_channel(struct scene *scene);
void make_wait_exception(struct scene *scene);
void make_wait_socket(struct scene *scene);
void happen_socket(struct scene *scene);
void make_wait_fifo(struct scene *scene);
void happen_fifo(struct scene *scene);
void make_wait_eventpair(struct scene *scene);
void happen_eventpair(struct scene *scene);
void make_wait_timer(struct scene *scene);
void happen_timer(struct scene *scene);
void make_wait_process(struct scene *scene);
void make_wait_job(struct scene *scene);
/* The process or job in `other` is killed. */
void happen_killed(struct scene *scene);
void make_wait_vmo(struct scene *scene);
void happen_vmo(struct scene *scene);
void make_wait_clock(struct scene *scene);
void happen_clock(struct scene *scene);
void make_wait_stream(struct scene *scene);
void happen_stream(struct scene *scene);
void make_wait_log(struct scene *scene);
void happen_log(struct scene *scene);
