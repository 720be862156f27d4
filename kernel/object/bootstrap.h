/*
 * bootstrap.h - the first process.
 */
#pragma once

#include "object/process.h"

/*
 * Make memory objects of the initrd and the vDSO, load the program that `init=`
 * names (bin/init), give it the root job and root resource, and start it. The
 * process is the caller's reference. What can't be loaded ends the machine with one
 * readable line.
 */
struct process *bootstrap_start_init(void);
