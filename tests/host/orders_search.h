/*
 * orders_search.h - which order comes next: a depth-first search through the choices of
 * CPUs that take turns (arch/host/turns.c).
 *
 * A choice is made where the running CPU can't go on, and, at most `switches` times in
 * an order, where it could (a preemption, as in context-bounded search). The latter only
 * before operations on words that matter: two CPUs use the word in one order, one of them
 * changes it. Which instructions use such words is learned while searching; when a choice
 * was passed over that way, the search begins again, until it passes over none.
 */
#pragma once

#include "arch/host/host.h"

/*
 * A new search over CPUs 1 to `cpus`; without switches, of a new case. `scheduler`: steps of
 * sched/sched.c are choices, too.
 */
void search_begin(unsigned cpus, unsigned switches, bool scheduler);
/* Instead of a search: the order that search_order_text() told. False: it is no order. */
bool search_begin_with(unsigned cpus, const char *order);
/* From here on choices are made, until search_order_ends. */
void search_order_begins(void);
void search_order_ends(void);
/* The next order is prepared; false: that was the last one. */
bool search_advance(void);
/* The last order, as text: those choices that are not the first to be tried. */
const char *search_order_text(void);
uint64_t search_steps(void);  /* of the last order */
uint64_t search_orders(void); /* since the search began for the last time */

/* For struct host_turn_hooks. */
unsigned search_at_point(const struct host_point *point);
unsigned search_choose(uint64_t able);
