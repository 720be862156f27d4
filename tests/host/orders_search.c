/*
 * orders_search.c - see orders_search.h.
 *
 * Steps of an order are counted, choices or not; so a choice is named by its step, and what
 * is learned meanwhile does not change the names of earlier ones. A prefix that does not
 * meet the same instructions again is a fault of the test: its orders are not repeatable.
 */
#include "tests/host/orders_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arch/cpu.h"
#include "lib/assert.h"
#include "lib/log.h"

#define STEPS_MAX     100000 /* of an order; one that has more does not end */
#define DECISIONS_MAX 4096
#define SITES         4096   /* a power of two; so is the next */
#define PLACES        16384
#define USERS_KEPT    8

/* An instruction that uses atomic words. */
struct site {
    const void *pc; /* NULL: free */
    bool is_scheduler;
    bool matters;   /* some word that it used was another CPU's business, too */
    uint64_t passed_over; /* the last pass in which it could have been a choice */
};

/* An atomic word, in the present order. */
struct place {
    const volatile void *where;
    uint64_t order;    /* in which the rest was noted; another one: it is free */
    uint64_t cpus;     /* who used it */
    bool changed;
    unsigned user_count;
    struct site *users[USERS_KEPT];
};

struct decision {
    uint64_t step;
    const struct site *site; /* NULL: the running CPU could not go on */
    uint64_t untried;        /* CPUs, by cpu_bit */
    unsigned usual, chosen;
};

static struct site sites[SITES];
static struct place places[PLACES];
static struct decision decisions[DECISIONS_MAX];

static struct {
    /* Of the search. */
    uint64_t cpus;       /* among which is chosen */
    unsigned switches;
    bool scheduler;
    bool learned;        /* that a choice was passed over */
    bool is_given;       /* an order is repeated, and told */
    unsigned depth;      /* of `decisions` */
    uint64_t order;      /* counts them */
    uint64_t pass;       /* counts how often the search went through all orders */
    uint64_t first_order; /* of the present pass */
    /* Of the order. */
    bool running;
    uint64_t step;
    unsigned position;   /* of the next decision to be met */
    unsigned switched;
} search;

/* ---- What matters ---- */

static size_t hash(const volatile void *pointer) {
    return (size_t)((uintptr_t)pointer * 0x9e3779b97f4a7c15 >> 40);
}

static bool is_scheduler(const char *file) {
    size_t length = strlen(file);
    const char *name = "/sched.c"; /* wherever a mutant of it lies */

    return length >= strlen(name) && strcmp(file + length - strlen(name), name) == 0;
}

static struct site *site_of(const struct host_point *point) {
    size_t i = hash(point->site) % SITES;

    while (sites[i].pc && sites[i].pc != point->site)
        i = (i + 1) % SITES;
    if (!sites[i].pc)
        sites[i] = (struct site){.pc = point->site, .is_scheduler = is_scheduler(point->file)};
    return &sites[i];
}

static struct place *place_of(const volatile void *where) {
    size_t i = hash(where) % PLACES, looked = 0;

    for (; places[i].order == search.order && places[i].where != where; i = (i + 1) % PLACES)
        if (++looked == PLACES)
            panic("orders: too many words in one order");
    if (places[i].order != search.order)
        places[i] = (struct place){.where = where, .order = search.order};
    return &places[i];
}

static void learn(struct site *site) {
    search.learned |= !site->matters && site->passed_over == search.pass;
    site->matters = true;
}

static void note_user(struct place *place, struct site *site) {
    for (unsigned i = 0; i < place->user_count; i++)
        if (place->users[i] == site)
            return;
    if (place->user_count == USERS_KEPT)
        learn(site); /* rather too much */
    else
        place->users[place->user_count++] = site;
}

static void note(const struct host_point *point, struct site *site, unsigned cpu) {
    struct place *place = place_of(point->where);

    place->cpus |= cpu_bit(cpu);
    place->changed |= point->changes;
    note_user(place, site);
    bool shared = (place->cpus & (place->cpus - 1)) != 0;
    for (unsigned i = 0; shared && place->changed && i < place->user_count; i++)
        learn(place->users[i]);
}

/* ---- Choices ---- */

void __sanitizer_symbolize_pc(void *pc, const char *format, char *out, size_t size)
    __attribute__((weak));

static void tell(unsigned from, unsigned to, const void *pc) {
    char text[256] = "it can't go on";

    if (pc && __sanitizer_symbolize_pc)
        __sanitizer_symbolize_pc((char *)(uintptr_t)pc - 1, "before %f, %s:%l", text, sizeof(text));
    printf("  step %llu: CPU %u to CPU %u, %s\n", (unsigned long long)search.step, from, to, text);
    fflush(stdout);
}

static void check_repeated(const struct decision *decision, const struct site *site,
                           uint64_t able) {
    if (decision->site != site || !(able & cpu_bit(decision->chosen)))
        panic("orders: step %llu is another one than before, so orders can't be repeated",
              (unsigned long long)search.step);
}

/* Is a choice kept for this step? */
static bool is_kept(void) {
    return search.position < search.depth && decisions[search.position].step == search.step;
}

static unsigned repeat(const struct site *site, uint64_t able) {
    const struct decision *decision = &decisions[search.position++];

    if (!search.is_given)
        check_repeated(decision, site, able);
    else if (!(able & cpu_bit(decision->chosen)))
        panic("orders: CPU %u can't go on at step %llu", decision->chosen,
              (unsigned long long)search.step);
    search.switched += site != NULL && decision->chosen != cpu_id();
    return decision->chosen;
}

static void decide(const struct site *site, unsigned usual, uint64_t others) {
    if (search.depth == DECISIONS_MAX)
        panic("orders: too many choices in one order");
    decisions[search.depth++] = (struct decision){search.step, site, others, usual, usual};
    search.position = search.depth;
}

static bool may_switch(const struct site *site, unsigned cpu) {
    return !search.is_given && search.position == search.depth &&
           search.switched < search.switches &&
           (search.scheduler || !site->is_scheduler) && (search.cpus & cpu_bit(cpu));
}

static void next_step(void) {
    if (++search.step > STEPS_MAX)
        panic("orders: an order of more than %d steps", STEPS_MAX);
}

unsigned search_at_point(const struct host_point *point) {
    unsigned cpu = cpu_id(), chosen = cpu;

    if (!search.running)
        return cpu;
    next_step();
    struct site *site = site_of(point);
    note(point, site, cpu);
    if (is_kept()) {
        chosen = repeat(site, host_turns_able() & search.cpus);
    } else if (may_switch(site, cpu)) {
        uint64_t others = host_turns_able() & search.cpus & ~cpu_bit(cpu);
        if (others && site->matters)
            decide(site, cpu, others);
        else if (others)
            site->passed_over = search.pass;
    }
    if (search.is_given && chosen != cpu)
        tell(cpu, chosen, point->site);
    return chosen;
}

unsigned search_choose(uint64_t able) {
    unsigned cpu = cpu_id();
    uint64_t ours = able & search.cpus;

    if (!search.running)
        return host_turns_after(cpu, able);
    next_step();
    /* Who came last to the beginning does not count. */
    unsigned usual = host_turns_after(search.step == 1 ? 0 : cpu, ours ? ours : able), chosen = usual;
    if (is_kept())
        chosen = repeat(NULL, able);
    else if (!search.is_given && search.position == search.depth && (ours & (ours - 1)))
        decide(NULL, usual, ours & ~cpu_bit(usual));
    if (search.is_given && chosen != cpu)
        tell(cpu, chosen, NULL);
    return chosen;
}

/* ---- Orders ---- */

void search_begin(unsigned cpus, unsigned switches, bool scheduler) {
    search.cpus = (cpu_bit(cpus) - 1) << 1;
    search.switches = switches;
    search.scheduler = scheduler;
    search.learned = search.is_given = false;
    search.pass++;
    search.depth = 0;
    search.first_order = search.order;
    if (switches == 0)
        memset(sites, 0, sizeof(sites)); /* another case may have learned more than is needed */
}

bool search_begin_with(unsigned cpus, const char *order) {
    search_begin(cpus, 0, false);
    search.is_given = true;
    if (strcmp(order, "-") == 0)
        return true;
    while (*order) {
        char *end;
        struct decision *decision = &decisions[search.depth++];
        decision->step = strtoull(order, &end, 10);
        if (*end != ':' || search.depth == DECISIONS_MAX)
            return false;
        decision->chosen = (unsigned)strtoul(end + 1, &end, 10);
        if ((*end != '.' && *end != '\0') || decision->chosen >= cpu_count())
            return false;
        order = *end ? end + 1 : end;
    }
    return true;
}

void search_order_begins(void) {
    search.order++;
    search.step = 0;
    search.position = search.switched = 0;
    search.running = true;
}

void search_order_ends(void) {
    search.running = false;
    if (search.position < search.depth)
        panic("orders: the order ended before all that was chosen for it");
}

bool search_advance(void) {
    for (; search.depth > 0; search.depth--) {
        struct decision *last = &decisions[search.depth - 1];
        if (!last->untried)
            continue;
        last->chosen = (unsigned)__builtin_ctzll(last->untried);
        last->untried &= last->untried - 1;
        return true;
    }
    bool again = search.learned;
    search.learned = false;
    search.pass++;
    search.first_order = search.order;
    return again;
}

const char *search_order_text(void) {
    static char text[DECISIONS_MAX];
    size_t length = 0;

    for (unsigned i = 0; i < search.depth && length + 32 < sizeof(text); i++)
        if (search.is_given || decisions[i].chosen != decisions[i].usual)
            length += (size_t)snprintf(text + length, sizeof(text) - length, "%s%llu:%u",
                                       length ? "." : "", (unsigned long long)decisions[i].step,
                                       decisions[i].chosen);
    return length ? text : "-";
}

uint64_t search_steps(void) { return search.step; }
uint64_t search_orders(void) { return search.order - search.first_order; }
