/*
 * aspace_io_test.c - the maps of I/O ports: which bits, and that nothing is left of them.
 */
#include "lib/ktest.h"
#include "vm/pmm.h"
#include "vm/test_space.h"

static bool is_allowed(const struct aspace *aspace, uint32_t port) {
    paddr_t page = aspace->mmu.io.denied[port / IO_PORTS_PER_PAGE];
    const uint8_t *bits = page.value ? phys_to_virt(page) : NULL;

    return bits && !(bits[port % IO_PORTS_PER_PAGE / 8] >> port % 8 & 1);
}

static unsigned count_allowed(const struct aspace *aspace) {
    unsigned count = 0;

    for (uint32_t port = 0; port < IO_PORTS; port++)
        count += is_allowed(aspace, port);
    return count;
}

KTEST_QUICK(aspace_io, exactly_the_asked_for_ports_are_allowed) {
    static const struct {
        uint32_t first, count, total;
    } steps[] = {
        {0xcf8, 0, 0},  {0xcf8, 8, 8},       {0xcfc, 8, 12},
        {0, 1, 13},     {65535, 1, 14},      {0x7ffe, 4, 18}, /* across the two pages */
        {60, 200, 218}, {0, IO_PORTS, IO_PORTS},
    };
    struct aspace *aspace, *other;

    REQUIRE(aspace_create(&aspace) == OK);
    REQUIRE(aspace_create(&other) == OK);
    uint64_t tables = aspace->mmu.table_pages;
    for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
        EXPECT_EQ(OK, aspace_allow_io(aspace, steps[i].first, steps[i].count));
        EXPECT_EQ(steps[i].total, count_allowed(aspace));
        if (steps[i].count) {
            EXPECT(is_allowed(aspace, steps[i].first));
            EXPECT(is_allowed(aspace, steps[i].first + steps[i].count - 1));
        }
    }
    EXPECT_EQ(tables + IO_MAP_PAGES, aspace->mmu.table_pages);
    EXPECT_EQ(0, count_allowed(other));
    test_space_end(aspace);
    test_space_end(other);
}

KTEST_QUICK(aspace_io, every_change_has_a_version_of_its_own) {
    struct aspace *one, *two;

    REQUIRE(aspace_create(&one) == OK);
    REQUIRE(aspace_create(&two) == OK);
    EXPECT_EQ(0, one->mmu.io.version);
    EXPECT_EQ(OK, aspace_allow_io(one, 1, 1));
    EXPECT_EQ(OK, aspace_allow_io(two, 1, 1));
    uint64_t before = one->mmu.io.version;
    EXPECT(0 != before);
    EXPECT(before != two->mmu.io.version);
    EXPECT_EQ(OK, aspace_allow_io(one, 2, 1));
    EXPECT(before != one->mmu.io.version);
    EXPECT(two->mmu.io.version != one->mmu.io.version);
    test_space_end(one);
    test_space_end(two);
}

KTEST_QUICK(aspace_io, P53_without_memory_nothing_is_allowed_that_was_not) {
    struct aspace *aspace;

    REQUIRE(aspace_create(&aspace) == OK);
    for (unsigned n = 1; n <= IO_MAP_PAGES; n++) {
        alloc_fail_set(n);
        EXPECT_EQ(ERR_NO_MEMORY, aspace_allow_io(aspace, 0, IO_PORTS));
        alloc_fail_set(0);
        EXPECT_EQ(0, count_allowed(aspace));
        EXPECT_EQ(0, aspace->mmu.io.version);
        if (aspace->mmu.table_pages > n)
            break; /* the page of the first half is there already */
    }
    EXPECT_EQ(OK, aspace_allow_io(aspace, 0, IO_PORTS));
    EXPECT_EQ(IO_PORTS, count_allowed(aspace));
    test_space_end(aspace);
}
