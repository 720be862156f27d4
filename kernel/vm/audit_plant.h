/*
 * audit_plant.h - debug kernels: faults made on purpose, each to be found by the audit.
 *
 * They are planted in a small world of their own (an address space, three memory
 * objects), one at a time, so that they can be taken back.
 */
#pragma once

#include "vm/audit.h"

struct audit_plant {
    const char *what;
    enum audit_kind kind; /* as which the audit must name it, whatever else it names */
};
/* Plants are numbered from 1; NULL: no such number. */
const struct audit_plant *audit_plant_get(unsigned number);
/* ERR_NOT_FOUND, ERR_BAD_STATE (another is planted), ERR_NO_MEMORY. */
status_t audit_plant(unsigned number);
/* Take back what is planted, if any. */
void audit_unplant(void);
