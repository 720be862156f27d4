/*
 * aspace_model_test.c - a small part of an address space in lock step with an
 * array that says of each page what is there.
 *
 * One VMAR of 48 pages, in it mappings of three objects and smaller VMARs with
 * mappings of their own. Ranges are drawn at random, so nearly every request cuts
 * something, overlaps something or meets a gap; the model says which status must
 * come, and what each page shows afterwards.
 */
#include "lib/ktest.h"
#include "lib/string.h"
#include "vm/pmm.h"
#include "vm/test_space.h"

#define PAGES   48
#define OBJECTS 3
#define INNER   3 /* VMARs inside the outer one */

struct place {
    unsigned owner; /* 0: the outer VMAR; else an inner one */
    bool mapped;
    unsigned object;
    uint64_t page; /* of the object */
    uint32_t perm;
};
static struct place model[PAGES];
static struct region *vmars[INNER + 1]; /* [0]: the outer one */
static unsigned inner_first[INNER + 1], inner_count[INNER + 1];
static struct vmo *objects[OBJECTS];
static struct aspace *space;
static uint64_t seed;

static uint64_t draw(uint64_t below) {
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed * 0x2545f4914f6cdd1d >> 20) % below;
}

static uint64_t value_of(unsigned object, uint64_t page) { return 1000 * (object + 1) + page; }
static vaddr_t address_of(uint64_t page) { return vmars[0]->start + page * PAGE_SIZE; }

/* ---- What the model says of pages [first, first + count), asked through VMAR `who` ---- */

static bool is_inside(unsigned who, unsigned first, unsigned count) {
    if (who == 0)
        return true;
    return first >= inner_first[who] && first + count <= inner_first[who] + inner_count[who];
}

static bool is_empty(unsigned who, unsigned first, unsigned count) {
    for (unsigned i = first; i < first + count; i++)
        if (model[i].owner != who || model[i].mapped)
            return false;
    return true;
}

static bool touches_inner(unsigned who, unsigned first, unsigned count) {
    for (unsigned i = first; i < first + count; i++)
        if (model[i].owner != who)
            return true;
    return false;
}

static bool cuts_inner(unsigned first, unsigned count) {
    for (unsigned k = 1; k <= INNER; k++) {
        bool overlaps = vmars[k] && inner_first[k] < first + count &&
                        first < inner_first[k] + inner_count[k];
        if (overlaps && !(inner_first[k] >= first &&
                          inner_first[k] + inner_count[k] <= first + count))
            return true;
    }
    return false;
}

static void model_forget_inner(unsigned k) {
    for (unsigned i = inner_first[k]; i < inner_first[k] + inner_count[k]; i++)
        model[i] = (struct place){.owner = 0};
    region_unref(vmars[k]);
    vmars[k] = NULL;
}

/* ---- Steps ---- */

static unsigned any_vmar(void) {
    unsigned who = draw(2) ? 0 : (unsigned)draw(INNER + 1);

    return vmars[who] ? who : 0;
}

static void draw_range(unsigned *out_first, unsigned *out_count) {
    *out_first = (unsigned)draw(PAGES);
    *out_count = 1 + (unsigned)draw(MIN(PAGES - *out_first, 16u));
}

static void step_map(void) {
    unsigned who = any_vmar(), first, count, object = (unsigned)draw(OBJECTS);
    bool overwrite = draw(2);
    uint32_t perm = ZX_VM_PERM_READ | (draw(2) ? ZX_VM_PERM_WRITE : 0);
    vaddr_t address = 0;

    draw_range(&first, &count);
    if (!is_inside(who, first, count))
        return;
    uint64_t page = draw(PAGES - count + 1);
    status_t want = OK;
    if (overwrite && touches_inner(who, first, count))
        want = ERR_INVALID_ARGS;
    else if (!overwrite && !is_empty(who, first, count))
        want = ERR_NO_MEMORY;
    status_t got = vmar_map(vmars[who],
                            perm | (overwrite ? ZX_VM_SPECIFIC_OVERWRITE : ZX_VM_SPECIFIC),
                            address_of(first) - vmars[who]->start, objects[object],
                            page * PAGE_SIZE, count * PAGE_SIZE, PERM_MASK, &address);
    EXPECT_EQ(want, got);
    if (got != OK)
        return;
    EXPECT_EQ(address_of(first), address);
    for (unsigned i = 0; i < count; i++)
        model[first + i] = (struct place){who, true, object, page + i, perm};
}

static void step_unmap(void) {
    unsigned who = any_vmar(), first, count;

    draw_range(&first, &count);
    bool inside = is_inside(who, first, count);
    bool refused = !inside || (who == 0 && cuts_inner(first, count));
    status_t got = vmar_unmap(vmars[who], address_of(first), count * PAGE_SIZE);
    EXPECT_EQ(refused ? ERR_INVALID_ARGS : OK, got);
    if (got != OK)
        return;
    for (unsigned k = 1; k <= INNER && who == 0; k++)
        if (vmars[k] && inner_first[k] >= first && inner_first[k] < first + count)
            model_forget_inner(k);
    for (unsigned i = first; i < first + count; i++)
        model[i].mapped = false;
}

/* What protect must say: it goes from left to right. */
static status_t protect_verdict(unsigned who, unsigned first, unsigned count) {
    if (!is_inside(who, first, count))
        return ERR_INVALID_ARGS;
    for (unsigned i = first; i < first + count; i++) {
        if (model[i].owner != who)
            return ERR_INVALID_ARGS;
        if (!model[i].mapped)
            return ERR_NOT_FOUND;
    }
    return OK;
}

static void step_protect(void) {
    unsigned who = any_vmar(), first, count;
    uint32_t perm = draw(4) ? ZX_VM_PERM_READ | (draw(2) ? ZX_VM_PERM_WRITE : 0) : 0;

    draw_range(&first, &count);
    status_t want = protect_verdict(who, first, count);
    EXPECT_EQ(want, vmar_protect(vmars[who], perm, address_of(first), count * PAGE_SIZE));
    for (unsigned i = first; want == OK && i < first + count; i++)
        model[i].perm = perm;
}

static void step_allocate(void) {
    unsigned k = 1 + (unsigned)draw(INNER), first, count;
    const uint32_t options = ZX_VM_SPECIFIC | ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_CAN_MAP_READ |
                             ZX_VM_CAN_MAP_WRITE;

    draw_range(&first, &count);
    if (vmars[k])
        return;
    status_t want = is_empty(0, first, count) ? OK : ERR_NO_MEMORY;
    EXPECT_EQ(want, vmar_allocate(vmars[0], options, first * PAGE_SIZE, count * PAGE_SIZE,
                                  &vmars[k]));
    if (want != OK)
        return;
    inner_first[k] = first;
    inner_count[k] = count;
    for (unsigned i = first; i < first + count; i++)
        model[i] = (struct place){.owner = k};
}

static void step_destroy(void) {
    unsigned k = 1 + (unsigned)draw(INNER);

    if (!vmars[k])
        return;
    EXPECT_EQ(OK, vmar_destroy(vmars[k]));
    EXPECT_EQ(ERR_BAD_STATE, vmar_destroy(vmars[k]));
    model_forget_inner(k);
}

/* ---- Looking ---- */

static void expect_place(unsigned page) {
    const struct place *want = &model[page];
    struct aspace_place place;
    status_t status = aspace_resolve(space, address_of(page), &place);

    EXPECT_EQ(want->mapped ? OK : ERR_NO_MEMORY, status);
    if (status != OK)
        return;
    EXPECT(place.vmo == objects[want->object]);
    EXPECT_EQ(want->page * PAGE_SIZE, place.offset);
    vmo_unref(place.vmo);
}

static void expect_access(unsigned page) {
    const struct place *want = &model[page];
    uint64_t value = 0;
    bool readable = want->mapped && (want->perm & ZX_VM_PERM_READ);
    bool writable = want->mapped && (want->perm & ZX_VM_PERM_WRITE);

    EXPECT_EQ(readable, test_space_load(address_of(page), &value));
    if (readable)
        EXPECT_EQ(value_of(want->object, want->page), value);
    /* Stores what is there already. */
    EXPECT_EQ(writable, test_space_store(address_of(page), value_of(want->object, want->page)));
}

/* The walk over the space tells each mapping once, in order, and as large as it is. */
static void expect_walk(void) {
    struct aspace_entry entry;
    uint64_t told = 0, mapped = 0, last = 0;

    for (bool more = aspace_next_entry(space, NULL, &entry); more;
         more = aspace_next_entry(space, &entry, &entry)) {
        EXPECT(entry.start >= last);
        last = entry.start;
        if (entry.kind == REGION_MAPPING)
            told += entry.size / PAGE_SIZE;
    }
    for (unsigned i = 0; i < PAGES; i++)
        mapped += model[i].mapped;
    EXPECT_EQ(mapped, told);
}

static void step(void) {
    switch (draw(12)) {
    case 0: step_allocate(); break;
    case 1: step_destroy(); break;
    case 2:
    case 3: step_unmap(); break;
    case 4:
    case 5: step_protect(); break;
    default: step_map(); break;
    }
    expect_access((unsigned)draw(PAGES));
}

static bool begin(void) {
    const uint32_t options = ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_CAN_MAP_READ | ZX_VM_CAN_MAP_WRITE;

    memset(model, 0, sizeof(model));
    memset(vmars, 0, sizeof(vmars));
    memset(objects, 0, sizeof(objects));
    space = NULL;
    if (aspace_create(&space) != OK)
        return false;
    AUTO(region) root = aspace_root(space);
    if (vmar_allocate(root, options, 0, PAGES * PAGE_SIZE, &vmars[0]) != OK)
        return false;
    for (unsigned object = 0; object < OBJECTS; object++) {
        if (vmo_create(PAGES * PAGE_SIZE, false, &objects[object]) != OK)
            return false;
        for (uint64_t page = 0; page < PAGES; page++) {
            uint64_t value = value_of(object, page);
            if (vmo_write_kernel(objects[object], page * PAGE_SIZE, &value, sizeof(value)) != OK)
                return false;
        }
    }
    return true;
}

static void end(void) {
    for (unsigned k = 0; k <= INNER; k++)
        if (vmars[k])
            region_unref(vmars[k]);
    test_space_end(space);
    for (unsigned object = 0; object < OBJECTS; object++)
        if (objects[object])
            vmo_unref(objects[object]);
}

static void run_lock_step(unsigned steps, uint64_t start) {
    uint64_t pages = pmm_stats().pages[PAGE_VMO], tables = pmm_stats().pages[PAGE_TABLE];

    seed = start;
    bool begun = begin();
    EXPECT(begun);
    if (begun)
        test_space_enter(space);
    for (unsigned i = 0; begun && i < steps; i++) {
        step();
        for (unsigned page = 0; i % 64 == 0 && page < PAGES; page++) {
            expect_place(page);
            expect_access(page);
        }
        if (i % 64 == 0)
            expect_walk();
    }
    end();
    EXPECT_EQ(pages, pmm_stats().pages[PAGE_VMO]);
    EXPECT_EQ(tables, pmm_stats().pages[PAGE_TABLE]);
}

KTEST(aspace, regions_agree_with_an_array) {
    for (uint64_t start = 1; start <= 6; start++)
        run_lock_step(4000, start * 0xd1b54a32d192ed03);
}

KTEST_QUICK(aspace, a_short_walk_agrees_with_an_array) { run_lock_step(150, 815); }

KTEST_QUICK(aspace, P13_a_new_space_is_empty) {
    struct aspace *fresh = NULL;
    vaddr_t va;
    paddr_t address;
    unsigned prot;

    REQUIRE(aspace_create(&fresh) == OK);
    EXPECT(!mmu_next(&fresh->mmu, 0, USER_TOP, &va, &address, &prot));
    EXPECT_EQ(1, fresh->mmu.table_pages);
    test_space_end(fresh);
}

/* ---- P12: no table page of one space is a table page of another ---- */

#define TABLES_MAX 256
static uint64_t tables_seen[TABLES_MAX];
static unsigned table_count;

static void note_table(void *context, paddr_t table) {
    for (unsigned i = 0; i < table_count; i++)
        EXPECT(tables_seen[i] != table.value);
    if (table_count < TABLES_MAX)
        tables_seen[table_count++] = table.value;
    struct page *page = page_find(table);
    EXPECT(page && page->state == PAGE_TABLE);
}

KTEST_QUICK(aspace, P12_spaces_share_no_table_pages) {
    struct aspace *some[4] = {NULL};
    struct vmo *vmo = NULL;
    vaddr_t address;

    table_count = 0;
    EXPECT_EQ(OK, vmo_create(16 * PAGE_SIZE, false, &vmo));
    for (unsigned i = 0; vmo && i < ARRAY_SIZE(some); i++) {
        if (aspace_create(&some[i]) != OK)
            break;
        if (test_space_map(some[i], vmo, 0, 16 * PAGE_SIZE, ZX_VM_PERM_READ, &address) != OK)
            break;
        test_space_enter(some[i]);
        for (unsigned page = 0; page < 16; page++)
            EXPECT(test_space_load(address + page * PAGE_SIZE, &(uint64_t){0}));
        mmu_for_each_table(&some[i]->mmu, note_table, NULL);
        test_space_enter(NULL);
    }
    EXPECT(table_count >= 4 * ARRAY_SIZE(some));
    for (unsigned i = 0; i < ARRAY_SIZE(some); i++)
        test_space_end(some[i]);
    if (vmo)
        vmo_unref(vmo);
}

/* ---- A mapping among many is found as in a balanced tree ---- */

#define MAPPINGS 4000

/* How many nodes a look-up passes to find this region. */
static unsigned steps_to(const struct region *region) {
    unsigned steps = 1;

    for (const struct tree_node *node = region->node.parent; node; node = node->parent)
        steps++;
    return steps;
}

static void expect_shallow(struct aspace *among, vaddr_t base, unsigned count) {
    MUTEX_GUARD(&among->lock);
    for (unsigned i = 0; i < count; i++) {
        struct region *mapping = aspace_find_locked(among, base + 2 * i * PAGE_SIZE);
        /* An AVL tree of 4,000 nodes is at most 1.44 times log2(4,000) deep. */
        EXPECT(mapping && mapping->start == base + 2 * i * PAGE_SIZE && steps_to(mapping) <= 18);
        EXPECT(!aspace_find_locked(among, base + (2 * i + 1) * PAGE_SIZE));
    }
}

KTEST(aspace, a_mapping_among_4000_is_found_in_18_steps) {
    const uint32_t options = ZX_VM_CAN_MAP_SPECIFIC | ZX_VM_CAN_MAP_READ;
    struct aspace *among = NULL;
    struct region *vmar = NULL;
    struct vmo *vmo = NULL;
    vaddr_t address;
    unsigned made = 0;

    EXPECT_EQ(OK, vmo_create(PAGE_SIZE, false, &vmo));
    if (vmo && aspace_create(&among) == OK) {
        AUTO(region) root = aspace_root(among);
        EXPECT_EQ(OK, vmar_allocate(root, options, 0, 2 * MAPPINGS * PAGE_SIZE, &vmar));
    }
    while (vmar && made < MAPPINGS && /* in order: the worst for a tree that is not balanced */
           vmar_map(vmar, ZX_VM_PERM_READ | ZX_VM_SPECIFIC, 2 * made * PAGE_SIZE, vmo, 0, PAGE_SIZE,
                    PERM_MASK, &address) == OK)
        made++;
    EXPECT_EQ(MAPPINGS, made);
    if (vmar) {
        expect_shallow(among, vmar->start, made);
        region_unref(vmar);
    }
    test_space_end(among);
    if (vmo)
        vmo_unref(vmo);
}
