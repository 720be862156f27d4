/*
 * t_fault.c - what an access does: the pages it finds, and the ones that end a process.
 */
#include <jacinth/utest.h>
#include <stdatomic.h>
#include <threads.h>

#include "core-tests/support.h"

/* --- accesses that are fine --- */

TEST(fault_on_read_shows_zeros_and_commits_nothing) {
    zx_handle_t vmo = make_vmo(64);
    volatile uint8_t *view = map_vmo(vmo, READ_WRITE, 64);
    for (size_t i = 0; i < 64; i++)
        EXPECT_EQ(0, view[i * PAGE + 5]);
    EXPECT_EQ(0, committed_pages(vmo));
    for (size_t i = 0; i < 64; i += 2)
        view[i * PAGE] = (uint8_t)(i + 1);
    EXPECT_EQ(32, committed_pages(vmo));
    for (size_t i = 0; i < 64; i++)
        EXPECT_EQ(i % 2 ? 0 : i + 1, view[i * PAGE]);
    unmap(view, 64);
    EXPECT_EQ(3, get(vmo, 2));
    close_handle(vmo);
}

TEST(fault_leaves_two_views_in_agreement) {
    zx_handle_t vmo = make_vmo(1);
    volatile uint8_t *one = map_vmo(vmo, READ_WRITE, 1), *two = map_vmo(vmo, READ_WRITE, 1);
    EXPECT_EQ(0, one[0]);
    EXPECT_EQ(0, two[0]);
    one[0] = 1;
    EXPECT_EQ(1, two[0]);
    two[0] = 2;
    EXPECT_EQ(2, one[0]);
    EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_DECOMMIT, 0, PAGE, NULL, 0));
    EXPECT_EQ(0, one[0]);
    EXPECT_EQ(0, two[0]);
    put(vmo, 0, 3);
    EXPECT_EQ(3, one[0]);
    EXPECT_EQ(3, two[0]);
    unmap(one, 1);
    unmap(two, 1);
    close_handle(vmo);
}

/* Threads that all fault on the same pages of two clones at once. */
#define FORKERS 4
#define FORK_PAGES 64
static volatile uint8_t *fork_view;
static atomic_uint fork_go;
static int fork_pages(void *argument) {
    unsigned which = (unsigned)(uintptr_t)argument;
    while (atomic_load(&fork_go) == 0)
        (void)zx_nanosleep(0);
    for (size_t i = 0; i < FORK_PAGES; i++)
        fork_view[i * PAGE + which] = (uint8_t)(which + i);
    return 0;
}

TEST(faults_of_several_threads_on_one_shared_page_lose_no_write) {
    zx_handle_t vmo = make_vmo(FORK_PAGES);
    for (unsigned round = 0; round < 20; round++) {
        thrd_t threads[FORKERS];
        EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_COMMIT, 0, FORK_PAGES * PAGE, NULL, 0));
        zx_handle_t clone = make_snapshot(vmo, FORK_PAGES);
        fork_view = map_vmo(vmo, READ_WRITE, FORK_PAGES);
        atomic_store(&fork_go, 0);
        for (uintptr_t i = 0; i < FORKERS; i++)
            REQUIRE_EQ(thrd_success, thrd_create(&threads[i], fork_pages, (void *)i));
        atomic_store(&fork_go, 1);
        for (int i = 0; i < FORKERS; i++)
            thrd_join(threads[i], NULL);
        for (size_t i = 0; i < FORK_PAGES; i++)
            for (unsigned j = 0; j < FORKERS; j++)
                REQUIRE_EQ((uint8_t)(i + j), fork_view[i * PAGE + j]);
        EXPECT_EQ(2 * FORK_PAGES, committed_pages(vmo) + committed_pages(clone));
        unmap(fork_view, FORK_PAGES);
        close_handle(clone);
        EXPECT_OK(zx_vmo_op_range(vmo, ZX_VMO_OP_ZERO, 0, FORK_PAGES * PAGE, NULL, 0));
    }
    close_handle(vmo);
}

/* --- P54: a writer on every CPU while another thread clones --- */

#define COUNT_PAGES 32
static volatile uint64_t *count_view;
static atomic_bool count_stop;
static int count_in_pages(void *argument) {
    unsigned which = (unsigned)(uintptr_t)argument;
    for (uint64_t n = 1; !atomic_load(&count_stop); n++)
        for (size_t i = 0; i < COUNT_PAGES; i++)
            count_view[i * PAGE / 8 + which] = n;
    return 0;
}

static void read_counts(zx_handle_t clone, uint64_t *out) {
    for (size_t i = 0; i < COUNT_PAGES; i++)
        EXPECT_OK(zx_vmo_read(clone, out + 4 * i, i * PAGE, 32));
}

TEST(p54_a_clone_does_not_change_while_others_write_to_the_parent) {
    zx_handle_t vmo = make_vmo(COUNT_PAGES);
    thrd_t threads[4];
    static uint64_t first[4 * COUNT_PAGES], second[4 * COUNT_PAGES];
    count_view = (volatile uint64_t *)map_vmo(vmo, READ_WRITE, COUNT_PAGES);
    atomic_store(&count_stop, false);
    for (uintptr_t i = 0; i < 4; i++)
        REQUIRE_EQ(thrd_success, thrd_create(&threads[i], count_in_pages, (void *)i));
    /* On one CPU a round takes a slice of each of them. */
    unsigned rounds = zx_system_get_num_cpus() == 1 ? 20 : 100;
    for (unsigned round = 0; round < rounds; round++) {
        zx_handle_t clone = make_snapshot(vmo, COUNT_PAGES);
        read_counts(clone, first);
        (void)zx_nanosleep(zx_deadline_after(ZX_USEC(500)));
        read_counts(clone, second);
        unsigned changed = 0;
        for (size_t i = 0; i < 4 * COUNT_PAGES; i++)
            changed += first[i] != second[i];
        EXPECT_EQ(0, changed);
        close_handle(clone);
    }
    atomic_store(&count_stop, true);
    for (int i = 0; i < 4; i++)
        thrd_join(threads[i], NULL);
    unmap(count_view, COUNT_PAGES);
    close_handle(vmo);
}

/* --- unmap and protect against running threads --- */

static volatile uint8_t *torn_view;
static zx_handle_t torn_vmo;
static atomic_bool torn_stop;
static int copy_from_torn(void *argument) {
    uint8_t wrong = 0;
    zx_handle_t sink = *(zx_handle_t *)argument;
    while (!atomic_load(&torn_stop)) {
        zx_status_t status = zx_vmo_write(sink, (const void *)(uintptr_t)torn_view, 0, 2 * PAGE);
        wrong |= status != ZX_OK && status != ZX_ERR_INVALID_ARGS;
    }
    return wrong;
}

TEST(p19_a_buffer_that_is_unmapped_during_the_call_is_an_error_only) {
    zx_handle_t sink = make_vmo(2);
    thrd_t threads[2];
    zx_info_vmar_t root;
    zx_vaddr_t got;
    int result;
    torn_vmo = make_vmo(2);
    put(torn_vmo, 0, 1);
    REQUIRE_OK(zx_object_get_info(zx_vmar_root_self(), ZX_INFO_VMAR, &root, sizeof root, NULL,
                                  NULL));
    torn_view = map_vmo(torn_vmo, READ_WRITE, 2);
    atomic_store(&torn_stop, false);
    for (int i = 0; i < 2; i++)
        REQUIRE_EQ(thrd_success, thrd_create(&threads[i], copy_from_torn, &sink));
    for (unsigned round = 0; round < 2000; round++) {
        EXPECT_OK(zx_vmar_unmap(zx_vmar_root_self(), (uintptr_t)torn_view + PAGE, PAGE));
        EXPECT_OK(zx_vmar_map(zx_vmar_root_self(), READ_WRITE | ZX_VM_SPECIFIC,
                              (uintptr_t)torn_view + PAGE - root.base, torn_vmo, PAGE, PAGE,
                              &got));
    }
    atomic_store(&torn_stop, true);
    for (int i = 0; i < 2; i++) {
        thrd_join(threads[i], &result);
        EXPECT_EQ(0, result);
    }
    unmap(torn_view, 2);
    close_handle(torn_vmo);
    close_handle(sink);
}

/* --- accesses that end the process --- */

CODE(read_code, "movb (%rsi), %al\n\tud2");
CODE(write_code, "movb $1, (%rsi)\n\tmovb $1, 1(%rsi)\n\tint3");
CODE(jump_code, "jmp *%rsi");

/*
 * A child touches 0x20000000, where a VMO with `pages` is mapped for `length` pages.
 * True if the access was good: then it went on to its last instruction, which the
 * test knows by the mark that only the write leaves.
 */
#define TARGET ((uintptr_t)0x20000000)
static int64_t touch(const char *code, const char *code_end, zx_vm_option_t perm,
                     zx_handle_t vmo, size_t length, uintptr_t address) {
    struct child child;
    zx_info_vmar_t root;
    zx_vaddr_t got;
    int64_t result = 0;
    if (child_make(&child, code, code_end)) {
        EXPECT_OK(
            zx_object_get_info(child.vmar, ZX_INFO_VMAR, &root, sizeof root, NULL, NULL));
        EXPECT_OK(zx_vmar_map(child.vmar, perm | ZX_VM_SPECIFIC | ZX_VM_ALLOW_FAULTS,
                              TARGET - root.base, vmo, 0, length * PAGE, &got));
        EXPECT_OK(child_start(&child, address));
        result = child_wait(&child);
    }
    child_end(&child);
    return result;
}

TEST(fault_that_nothing_allows_ends_the_process) {
    zx_handle_t vmo = make_resizable_vmo(1);
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL,
              touch(write_code, write_code_end, ZX_VM_PERM_READ, vmo, 1, TARGET));
    EXPECT_EQ(0, get(vmo, 0));
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL,
              touch(write_code, write_code_end, 0, vmo, 1, TARGET));
    EXPECT_EQ(0, get(vmo, 0));
    /* Past the end of the object. */
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL,
              touch(write_code, write_code_end, READ_WRITE, vmo, 2, TARGET + PAGE));
    EXPECT_EQ(0, committed_pages(vmo));
    /* Data is not code. */
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL,
              touch(jump_code, jump_code_end, READ_WRITE, vmo, 1, TARGET));
    /* The one that is allowed leaves its mark. */
    EXPECT_EQ(ZX_TASK_RETCODE_EXCEPTION_KILL,
              touch(write_code, write_code_end, READ_WRITE, vmo, 1, TARGET));
    EXPECT_EQ(1, get(vmo, 0));
    close_handle(vmo);
}

TEST(p32_a_hole_between_two_mappings_is_no_buffer) {
    zx_handle_t vmo = make_vmo(3), source = make_vmo(3);
    volatile uint8_t *view = map_vmo(vmo, READ_WRITE, 3);
    EXPECT_OK(zx_vmar_unmap(zx_vmar_root_self(), (uintptr_t)view + PAGE, PAGE));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_vmo_read(source, (void *)(uintptr_t)view, 0, 3 * PAGE));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_vmo_read(source, (void *)((uintptr_t)view + PAGE), 0, 1));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_vmo_write(source, (const void *)(uintptr_t)view, 0, 3 * PAGE));
    EXPECT_OK(zx_vmo_read(source, (void *)((uintptr_t)view + 2 * PAGE), 0, PAGE));
    unmap(view, 1);
    unmap(view + 2 * PAGE, 1);
    close_handle(vmo);
    close_handle(source);
}
