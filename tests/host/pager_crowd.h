/*
 * pager_crowd.h - what several threads should see that wait for one pager, told plainly.
 *
 * Each thread is in an operation on some pages of one object with a pager, at a page that
 * stands in its way, and waits for a request that contains this page, alone or with others.
 * A crowd_ function does to that what the call of the pager should do (ABI-MORE.md section
 * S1), and tells which threads look again; crowd_advance lets one of them go on, to its end or
 * to its next request. Threads that look again at once do so in any order, and the requests
 * they make depend on it: so the test asks whether some order explains what the pager saw.
 */
#pragma once

#include "vm/page_source.h"
#include "vm/vmo.h"

#define CROWD_THREADS 4
#define CROWD_PAGES   24
#define CROWD_LONGEST 8 /* pages of one operation */

enum crowd_kind {
    CROWD_READ,
    CROWD_READ_CLONE, /* through a lazy clone, which never changes its size */
    CROWD_WRITE,      /* one byte of the first page: each thread has its own */
    CROWD_COMMIT,
    CROWD_PIN,        /* for writing, and let go at once */
    CROWD_FAULT_READ, /* of the first page */
    CROWD_FAULT_WRITE,
    CROWD_KINDS
};

struct crowd_op {
    enum crowd_kind kind;
    uint64_t first, count;
    uint8_t byte; /* that a write leaves */
    /* What should come of it. */
    bool is_busy;
    unsigned request; /* its id; 0: it waits for none */
    uint64_t at;      /* the page that it has come to */
    status_t status;  /* when it is not busy any more */
    uint8_t seen[CROWD_LONGEST];
};

struct crowd_page {
    bool is_present;
    uint8_t dirt; /* enum page_dirt */
    uint8_t brought;             /* by the pager: a byte that nobody writes */
    uint8_t own[CROWD_THREADS]; /* by each thread */
};

struct crowd_request {
    unsigned id;
    enum page_command command;
    uint64_t first, count, missing;
    bool is_taken; /* the pager has read of it */
};

struct crowd {
    bool traps_dirty, is_detached;
    uint64_t pages;
    uint64_t clone_limit; /* what the clone still borrows */
    unsigned ids;
    unsigned request_count;
    struct crowd_request request[CROWD_THREADS]; /* oldest first */
    struct crowd_page page[CROWD_PAGES];
    struct crowd_op op[CROWD_THREADS];
};

/* A number with a bit for each thread. */
typedef unsigned crowd_set;

void crowd_begin(struct crowd *crowd, bool traps_dirty);
/* `op` has kind, first, count and byte. It is to look for the first time. */
void crowd_start(struct crowd *crowd, unsigned index, const struct crowd_op *op);
/* It looks at its pages, and goes on until it ends or waits. */
void crowd_advance(struct crowd *crowd, unsigned index);
/* Its wait ends with `status`, nobody else's. How many wait on for the same request. */
unsigned crowd_give_up(struct crowd *crowd, unsigned index, status_t status);

/* Ranges lie inside the object. These tell who looks again, crowd_fail for how many it is over. */
crowd_set crowd_supply(struct crowd *crowd, uint64_t first, uint64_t count, const uint8_t *bytes);
unsigned crowd_fail(struct crowd *crowd, uint64_t first, uint64_t count, status_t status);
status_t crowd_mark_dirty(struct crowd *crowd, uint64_t first, uint64_t count,
                          crowd_set *out_woken);
status_t crowd_resize(struct crowd *crowd, uint64_t pages, crowd_set *out_woken);
crowd_set crowd_detach(struct crowd *crowd);
/* Of pages that nobody has pinned: dirty ones are being written back, or these are clean. */
void crowd_write_back(struct crowd *crowd, uint64_t first, uint64_t count, bool is_end);
/* Clean ones go, but for these. */
void crowd_evict(struct crowd *crowd);
bool crowd_is_pinned(const struct crowd *crowd, uint64_t index);
