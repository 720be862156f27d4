/*
 * page_source.c - requests to a pager: asking, waiting, answering.
 */
#include "vm/page_source.h"

#include "arch/boot.h"
#include "arch/clock.h"
#include "lib/log.h"
#include "vm/kheap.h"

struct page_request {
    struct list_node node; /* in source->requests */
    enum page_command command;
    uint64_t first, count;
    uint64_t missing;      /* pages not answered yet */
    bool taken;            /* the pager knows of it */
    struct list waiters;   /* struct page_waiter; never empty */
};

void page_source_init(struct page_source *source, const struct page_source_ops *ops,
                      bool trap_dirty) {
    ref_init(&source->refs);
    source->ops = ops;
    source->trap_dirty = trap_dirty;
    mutex_init(&source->lock, RANK_SOURCE, "page source");
    list_init(&source->borrowers);
    list_init(&source->views);
    list_init(&source->requests);
}

void page_source_unref(struct page_source *source) {
    if (ref_put(&source->refs))
        source->ops->destroy(source);
}

/* Pages of the range that the request is for. */
static uint64_t overlap(const struct page_request *request, uint64_t first, uint64_t count) {
    uint64_t from = MAX(request->first, first);
    uint64_t to = MIN(request->first + request->count, first + count);
    return from < to ? to - from : 0;
}

/* ---- Asking ---- */

/* The request for `first`; else *count is cut where the next request begins. */
static struct page_request *find_locked(struct page_source *source, enum page_command command,
                                        uint64_t first, uint64_t *count)
    REQUIRES(source->lock) {
    list_for_each(node, &source->requests) {
        struct page_request *request = list_entry(node, struct page_request, node);
        if (request->command != command)
            continue;
        if (overlap(request, first, 1))
            return request;
        if (request->first > first)
            *count = MIN(*count, request->first - first);
    }
    return NULL;
}

status_t page_source_ask(struct page_source *source, enum page_command command, uint64_t first,
                         uint64_t count, struct page_waiter *waiter) {
    MUTEX_GUARD(&source->lock);
    struct page_request *request = find_locked(source, command, first, &count);
    if (!request) {
        request = kheap_alloc(sizeof(*request));
        if (!request)
            return ERR_NO_MEMORY;
        *request = (struct page_request){
            .command = command, .first = first, .count = count, .missing = count};
        list_init(&request->waiters);
        list_add_tail(&source->requests, &request->node);
    }
    park_prepare(&waiter->parker);
    waiter->request = request;
    list_add_tail(&request->waiters, &waiter->node);
    return OK;
}

/* Nobody waits for it any more. */
static void request_free_locked(struct page_source *source, struct page_request *request)
    REQUIRES(source->lock) {
    if (source->offered == request)
        source->offered = NULL;
    list_remove(&request->node);
    kheap_free_sized(request, sizeof(*request));
}

/* ---- Waiting ---- */

/* Seconds from the command line as a time from now; 0 is for ever. */
static nstime_t option_deadline(const char *name, uint64_t otherwise) {
    uint64_t seconds = boot_option_u64(name, otherwise);
    return seconds == 0 || seconds > 1u << 30 ? TIME_INFINITE
                                              : clock_now() + (nstime_t)seconds * 1000000000;
}

static status_t park_for_pager(struct page_waiter *waiter) {
    nstime_t warn = option_deadline("kernel.userpager.overtime_wait_seconds", 20);
    nstime_t end = option_deadline("kernel.userpager.overtime_timeout_seconds", 300);
    if (warn < end) {
        status_t status = thread_park(&waiter->parker, warn, PARK_KILLABLE, BLOCK_PAGER);
        if (status != ERR_TIMED_OUT)
            return status;
        log_warning("pager: a page has been waited for for long");
    }
    return thread_park(&waiter->parker, end, PARK_KILLABLE, BLOCK_PAGER);
}

/* A waiter that nobody woke leaves; with the last one goes the request. False: it was woken. */
static bool leave(struct page_source *source, struct page_waiter *waiter) {
    MUTEX_GUARD(&source->lock);
    if (!list_node_is_linked(&waiter->node))
        return false;
    list_remove(&waiter->node);
    if (list_is_empty(&waiter->request->waiters))
        request_free_locked(source, waiter->request);
    return true;
}

status_t page_source_wait(struct page_source *source, struct page_waiter *waiter) {
    source->ops->tell(source);
    status_t status = park_for_pager(waiter);
    if (!leave(source, waiter))
        return parker_status(&waiter->parker);
    source->ops->tell(source);
    return status;
}

/* ---- Answering ---- */

static void request_end_locked(struct page_source *source, struct page_request *request,
                               status_t status) REQUIRES(source->lock) {
    struct page_waiter *waiter;
    while ((waiter = list_pop_entry(&request->waiters, struct page_waiter, node)))
        thread_unpark(&waiter->parker, status);
    request_free_locked(source, request);
}

void page_source_answer(struct page_source *source, enum page_command command, uint64_t first,
                        uint64_t count) {
    MUTEX_GUARD(&source->lock);
    list_for_each_safe(node, &source->requests) {
        struct page_request *request = list_entry(node, struct page_request, node);
        uint64_t done = request->command == command ? overlap(request, first, count) : 0;
        if (done < request->missing)
            request->missing -= done;
        else
            request_end_locked(source, request, OK);
    }
}

void page_source_end(struct page_source *source, uint64_t first, uint64_t count, status_t status) {
    MUTEX_GUARD(&source->lock);
    list_for_each_safe(node, &source->requests) {
        struct page_request *request = list_entry(node, struct page_request, node);
        if (overlap(request, first, count))
            request_end_locked(source, request, status);
    }
}

/* ---- Telling the pager ---- */

bool page_source_offer(struct page_source *source, struct page_offer *out_offer) {
    MUTEX_GUARD(&source->lock);
    list_for_each(node, &source->requests) {
        struct page_request *request = list_entry(node, struct page_request, node);
        if (request->taken)
            continue;
        source->offered = request;
        *out_offer = (struct page_offer){request->command, request->first, request->count};
        return true;
    }
    source->offered = NULL;
    return false;
}

void page_source_taken(struct page_source *source) {
    MUTEX_GUARD(&source->lock);
    if (source->offered)
        source->offered->taken = true;
    source->offered = NULL;
}
