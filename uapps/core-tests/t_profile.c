/*
 * t_profile.c - profiles: what can be meant by one, and what a thread gets of it.
 */
#include <jacinth/utest.h>
#include <stdatomic.h>
#include <threads.h>

#include "core-tests/support.h"

#define PRIORITY   ZX_PROFILE_INFO_FLAG_PRIORITY
#define CPU_MASK   ZX_PROFILE_INFO_FLAG_CPU_MASK
#define DEADLINE   ZX_PROFILE_INFO_FLAG_DEADLINE
#define NO_INHERIT ZX_PROFILE_INFO_FLAG_NO_INHERIT

static zx_status_t try_create(zx_profile_info_t info) {
    zx_handle_t profile;
    zx_status_t status = zx_profile_create(zx_job_default(), 0, &info, &profile);
    if (status == ZX_OK)
        close_handle(profile);
    return status;
}
static zx_handle_t make_profile(zx_profile_info_t info) {
    zx_handle_t profile = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_profile_create(zx_job_default(), 0, &info, &profile));
    return profile;
}
static zx_profile_info_t with_deadline(uint32_t flags, int64_t capacity, int64_t deadline,
                                       int64_t period) {
    return (zx_profile_info_t){.flags = flags, .deadline_params = {capacity, deadline, period}};
}
static zx_cpu_set_t mask_of(zx_handle_t thread) {
    zx_info_thread_t info = {0};
    EXPECT_OK(zx_object_get_info(thread, ZX_INFO_THREAD, &info, sizeof info, NULL, NULL));
    return info.cpu_affinity_mask;
}

TEST(profile_create_checks_options_then_the_job_then_the_profile) {
    zx_profile_info_t info = {.flags = PRIORITY, .priority = 5};
    zx_handle_t job, profile, weak = copy_without(zx_job_default(), ZX_RIGHT_MANAGE_PROCESS);
    REQUIRE_OK(zx_job_create(zx_job_default(), 0, &job));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_profile_create(0, 1, NULL, &profile));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_profile_create(0, 0, NULL, &profile));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_profile_create(zx_process_self(), 0, NULL, &profile));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_profile_create(weak, 0, NULL, &profile));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_profile_create(job, 0, NULL, &profile));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_profile_create(zx_job_default(), 0, NULL, &profile));
    profile = make_profile(info);
    EXPECT_EQ(0x88003, rights_of(profile));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_wait_one(profile, 1, 0, NULL));
    close_handle(profile);
    close_handle(weak);
    close_handle(job);
}

TEST(a_profile_must_mean_something_and_no_two_things_at_once) {
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, try_create((zx_profile_info_t){.flags = 0}));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, try_create((zx_profile_info_t){.flags = NO_INHERIT}));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, try_create((zx_profile_info_t){.flags = CPU_MASK | 16}));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              try_create((zx_profile_info_t){.flags = PRIORITY, .priority = -1}));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              try_create((zx_profile_info_t){.flags = PRIORITY, .priority = 32}));
    EXPECT_OK(try_create((zx_profile_info_t){.flags = PRIORITY | NO_INHERIT, .priority = 31}));
    EXPECT_OK(try_create((zx_profile_info_t){.flags = CPU_MASK}));
    EXPECT_OK(try_create(with_deadline(DEADLINE, 1, 1, 1)));
    EXPECT_OK(try_create(with_deadline(DEADLINE | CPU_MASK, 1, 2, 3)));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, try_create(with_deadline(DEADLINE, 0, 1, 1)));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, try_create(with_deadline(DEADLINE, 2, 1, 3)));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, try_create(with_deadline(DEADLINE, 1, 3, 2)));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, try_create(with_deadline(DEADLINE | PRIORITY, 1, 1, 1)));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, try_create(with_deadline(DEADLINE | NO_INHERIT, 1, 1, 1)));
}

TEST(object_set_profile_checks_options_thread_profile_and_life) {
    zx_profile_info_t info = {.flags = PRIORITY, .priority = ZX_PRIORITY_DEFAULT};
    zx_handle_t profile = make_profile(info), self = zx_thread_self(), thread;
    zx_handle_t weak_thread = copy_without(self, ZX_RIGHT_MANAGE_THREAD);
    zx_handle_t weak_profile = copy_without(profile, ZX_RIGHT_APPLY_PROFILE);
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_object_set_profile(0, 0, 1));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_object_set_profile(0, profile, 0));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_object_set_profile(zx_process_self(), profile, 0));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_set_profile(weak_thread, profile, 0));
    EXPECT_EQ(ZX_ERR_BAD_HANDLE, zx_object_set_profile(self, 0, 0));
    EXPECT_EQ(ZX_ERR_WRONG_TYPE, zx_object_set_profile(self, self, 0));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_set_profile(self, weak_profile, 0));
    EXPECT_OK(zx_object_set_profile(self, profile, 0));
    REQUIRE_OK(zx_thread_create(zx_process_self(), "new", 3, 0, &thread));
    EXPECT_OK(zx_object_set_profile(thread, profile, 0));
    close_handle(thread);
    close_handle(weak_profile);
    close_handle(weak_thread);
    close_handle(profile);
}

TEST(a_mask_of_cpus_is_shown_and_a_new_thread_has_all) {
    zx_profile_info_t info = {.flags = CPU_MASK};
    zx_handle_t thread;
    info.cpu_affinity_mask.mask[0] = UINT64_MAX - 1;
    info.cpu_affinity_mask.mask[3] = 5;
    REQUIRE_OK(zx_thread_create(zx_process_self(), "new", 3, 0, &thread));
    EXPECT_EQ(UINT64_MAX, mask_of(thread).mask[0]);
    EXPECT_EQ(UINT64_MAX, mask_of(thread).mask[7]);
    zx_handle_t profile = make_profile(info);
    EXPECT_OK(zx_object_set_profile(thread, profile, 0));
    EXPECT_EQ((1ull << zx_system_get_num_cpus()) - 2, mask_of(thread).mask[0]);
    EXPECT_EQ(0, mask_of(thread).mask[3]);
    close_handle(profile);
    close_handle(thread);
}

/* --- what a priority does --- */

static atomic_bool stop, ran;

static int spin(void *argument) {
    zx_handle_t profile = *(zx_handle_t *)argument;
    EXPECT_OK(zx_object_set_profile(zx_thread_self(), profile, 0));
    while (!atomic_load(&stop)) {
    }
    return 0;
}
static int say_so(void *argument) {
    atomic_store(&ran, true);
    return 0;
}

/* As many threads as CPUs spin at a low priority; one of the default goes before them. */
TEST(a_thread_of_higher_priority_runs_before_all_others) {
    zx_handle_t low = make_profile((zx_profile_info_t){.flags = PRIORITY, .priority = 4});
    zx_handle_t lowest = make_profile((zx_profile_info_t){.flags = PRIORITY, .priority = 0});
    uint32_t count = zx_system_get_num_cpus();
    thrd_t spinners[8], other;
    for (uint32_t i = 0; i < count && i < 8; i++)
        REQUIRE_EQ(thrd_success, thrd_create(&spinners[i], spin, &low));
    for (int i = 0; i < 20; i++)
        EXPECT_OK(zx_thread_legacy_yield(0));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_thread_legacy_yield(1));
    REQUIRE_EQ(thrd_success, thrd_create(&other, say_so, NULL));
    thrd_join(other, NULL);
    EXPECT(atomic_load(&ran));
    atomic_store(&stop, true);
    for (uint32_t i = 0; i < count && i < 8; i++)
        thrd_join(spinners[i], NULL);
    /* The lowest gets on as soon as nobody else wants to. */
    zx_handle_t normal = make_profile((zx_profile_info_t){.flags = PRIORITY, .priority = 16});
    EXPECT_OK(zx_object_set_profile(zx_thread_self(), lowest, 0));
    (void)zx_nanosleep(zx_deadline_after(ZX_MSEC(1)));
    EXPECT_OK(zx_object_set_profile(zx_thread_self(), normal, 0));
    close_handle(normal);
    close_handle(lowest);
    close_handle(low);
}
