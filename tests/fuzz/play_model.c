/*
 * play_model.c - the machine runs on a pthread of its own; its only CPU stands still
 * while there is no input.
 */
#include "tests/fuzz/play_model.h"

#include <pthread.h>
#include <stdlib.h>

#include "lib/log.h"
#include "tests/host/machine.h"
#include "tests/host/user.h"

const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_stack_use_after_return=0"; }

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static const struct lockstep_kind *wanted;
static const uint8_t *input; /* NULL: none, or done */
static size_t input_size;

/* User code. */
static void serve(void) {
    for (;;) {
        pthread_mutex_lock(&lock);
        while (!input)
            pthread_cond_wait(&changed, &lock);
        pthread_mutex_unlock(&lock);
        if (!lockstep_play(wanted, input, input_size))
            abort();
        pthread_mutex_lock(&lock);
        input = NULL;
        pthread_cond_broadcast(&changed);
        pthread_mutex_unlock(&lock);
    }
}

static void body(void) {
    log_set_console_severity(LOG_ERROR);
    (void)user_run(serve);
    abort();
}

static void *machine(void *unused) {
    static const struct host_options options = {
        .cpus = 1, .memory = MIB(128), .seed = 1, .cmdline = ""};

    machine_run(&options, body);
    return NULL;
}

static void start_once(void) {
    static bool started;
    pthread_t thread;

    if (!started && pthread_create(&thread, NULL, machine, NULL) != 0)
        abort();
    started = true;
}

int play_model(const struct lockstep_kind *kind, const uint8_t *data, size_t size) {
    static const uint8_t nothing[1];

    start_once();
    pthread_mutex_lock(&lock);
    wanted = kind;
    input = size ? data : nothing;
    input_size = size;
    pthread_cond_broadcast(&changed);
    while (input)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return 0;
}
