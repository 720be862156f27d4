/*
 * model.c - objects and regions in lock step with their models (uapps/model), in this
 * process: the driver is the program that runs on the machine, the kernel is the host's.
 *
 *   model objects|faults|spaces [--steps N] [--seed N] [--threads N] [--every N]
 *                               [--raw 1]
 *
 * With one thread, the first calls of some steps are tried with each of their
 * allocations failing. At the end it tells how often each call was done and refused (+),
 * for each kind of object.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/log.h"
#include "model/lockstep.h"
#include "tests/host/machine.h"
#include "tests/host/model_machine.h"
#include "tests/host/user.h"

const char *__asan_default_options(void);
const char *__asan_default_options(void) {
    /* Fibres have no fake stacks; an abort after a panic shows the stack by names. */
    return "detect_stack_use_after_return=0:handle_abort=1";
}

static const struct lockstep_kind *kind;
static int argument_count;
static char **arguments;
static int code = 1;

static void run_kind(void) {
    struct options options = {.steps = 200000, .every = 64};

    code = lockstep_main(kind, &options, argument_count, arguments);
    fflush(stdout);
}

static void body(void) {
    if (!user_run(run_kind))
        code = 1;
    host_finish(code);
}

static unsigned threads_wanted(void) {
    for (int i = 1; i + 1 < argument_count; i++)
        if (strcmp(arguments[i], "--threads") == 0)
            return (unsigned)atoi(arguments[i + 1]);
    return 1;
}

int main(int count, char **words) {
    struct host_options machine = {.memory = MIB(128), .seed = 1, .cmdline = ""};

    kind = count > 1 ? model_kind(words[1]) : NULL;
    if (!kind) {
        fprintf(stderr, "usage: model objects|faults|spaces [--steps N] [--seed N] ...\n");
        return 2;
    }
    argument_count = count - 1;
    arguments = words + 1;
    machine.cpus = threads_wanted();
    setvbuf(stdout, NULL, _IOLBF, 0);
    return machine_run(&machine, body);
}
