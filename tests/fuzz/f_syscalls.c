/*
 * f_syscalls.c - programs of system calls found by coverage. The kernel runs on a
 * pthread of its own; an input is played there as a process (tests/host/play.c),
 * and must die and leave nothing behind. With PLAY_TRACE set the calls are logged.
 */
#include <pthread.h>
#include <stdlib.h>

#include "lib/log.h"
#include "tests/host/machine.h"
#include "tests/host/play.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_stack_use_after_return=0"; }

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static const uint8_t *input; /* NULL: none, or done */
static size_t input_size;

/* In the kernel's main thread; the only CPU stands still while there is no input. */
static void serve(void) {
    log_set_console_severity(LOG_ERROR);
    play_trace(getenv("PLAY_TRACE") != NULL);
    for (;;) {
        pthread_mutex_lock(&lock);
        while (!input)
            pthread_cond_wait(&changed, &lock);
        pthread_mutex_unlock(&lock);
        if (!play_program(input, input_size))
            abort();
        pthread_mutex_lock(&lock);
        input = NULL;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
}

static void *machine(void *unused) {
    static const struct host_options options = {
        .cpus = 1, .memory = MIB(64), .seed = 1, .cmdline = "", .preempt_one_in = 50};

    machine_run(&options, serve);
    return NULL;
}

static void start_once(void) {
    static bool started;
    pthread_t thread;

    if (!started && pthread_create(&thread, NULL, machine, NULL) != 0)
        abort();
    started = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const uint8_t nothing[1];

    start_once();
    pthread_mutex_lock(&lock);
    input = size ? data : nothing;
    input_size = size;
    pthread_cond_broadcast(&changed);
    while (input)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return 0;
}
