/*
 * main.c - races: things that happen at about the same time, in every order that comes, at 1,
 * 2, 4 and 8 CPUs. The first process of its machine, so that nothing else changes the
 * kernel's counters, which are back after each test.
 *
 *   t_stop.c       close, suspension and kill against every call that blocks (blocking.c)
 *   t_signal.c     signals against waits, cancel against packets, ports that close
 *   t_interrupt.c  triggers against unbinding, destruction and acknowledgement
 *   t_timer.c      set and cancel against expiry
 *   t_peer.c       peers that close under each use of the other end, and under channel_call
 *   t_futex.c      wakes against deadlines, suspensions and requeueing
 *   t_task.c       kills of trees that grow, of the dying, of those in an exception; tokens
 *   t_handle.c     one handle, or one message, and several who take it
 *
 * Kills at each named point of a thread's life are in proofs (kill_points.c).
 */
#include <jacinth/utest.h>
#include <stdio.h>
#include <zircon/syscalls.h>

int main(int argc, char **argv) {
    zx_time_t start = zx_clock_get_monotonic();
    fprintf(stderr, "races on %u CPUs\n", zx_system_get_num_cpus());
    int result = utest_main(argc, argv);
    fprintf(stderr, "races on %u CPUs: %ld ms\n", zx_system_get_num_cpus(),
            (long)((zx_clock_get_monotonic() - start) / ZX_MSEC(1)));
    return result;
}
