/*
 * t_pressure.c - a machine without free memory: who is told, who is ended, and that
 * everything comes back (ZX-ABI.md 1.11, ABI-MORE.md S7).
 */
#include <jacinth/launch.h>
#include <jacinth/utest.h>
#include <zircon/process.h>
#include <zircon/processargs.h>
#include <zircon/syscalls.h>

#include "core-tests/support.h"

static zx_handle_t event_of(uint32_t kind) {
    zx_handle_t event = ZX_HANDLE_INVALID;
    EXPECT_OK(zx_system_get_event(zx_job_default(), kind, &event));
    return event;
}

static bool is_signaled(zx_handle_t event) {
    return zx_object_wait_one(event, ZX_EVENT_SIGNALED, 0, NULL) == ZX_OK;
}

TEST(one_event_says_how_much_memory_is_left) {
    unsigned signaled = 0;
    for (uint32_t kind = 1; kind <= 5; kind++) {
        zx_handle_t event = event_of(kind);
        signaled += is_signaled(event);
        EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_object_signal(event, 0, ZX_EVENT_SIGNALED));
        EXPECT_OK(zx_handle_close(event));
    }
    EXPECT_EQ(1, signaled);
    zx_handle_t none;
    EXPECT_EQ(ZX_ERR_INVALID_ARGS, zx_system_get_event(zx_job_default(), 6, &none));
    zx_handle_t job;
    REQUIRE_OK(zx_job_create(zx_job_default(), 0, &job));
    EXPECT_EQ(ZX_ERR_ACCESS_DENIED, zx_system_get_event(job, 1, &none));
    EXPECT_OK(zx_handle_close(job));
}

TEST(a_job_says_whether_it_may_be_ended) {
    zx_handle_t job;
    zx_info_job_t info;
    size_t value = 2;
    REQUIRE_OK(zx_job_create(zx_job_default(), 0, &job));
    EXPECT_EQ(ZX_ERR_INVALID_ARGS,
              zx_object_set_property(job, ZX_PROP_JOB_KILL_ON_OOM, &value, sizeof value));
    value = 1;
    EXPECT_OK(zx_object_set_property(job, ZX_PROP_JOB_KILL_ON_OOM, &value, sizeof value));
    EXPECT_OK(zx_object_get_info(job, ZX_INFO_JOB, &info, sizeof info, NULL, NULL));
    EXPECT(info.kill_on_oom);
    EXPECT_OK(zx_handle_close(job));
}

static uint64_t free_bytes(zx_handle_t resource) {
    zx_info_kmem_stats_t stats = {0};
    EXPECT_OK(zx_object_get_info(resource, ZX_INFO_KMEM_STATS, &stats, sizeof stats, NULL, NULL));
    return stats.free_bytes;
}

/* A child that writes to page after page of a huge mapping, in a job of its own. */
static zx_handle_t start_hog(zx_handle_t job) {
    const char *const argv[] = {"/boot/core-tests", "--hog", NULL};
    zx_handle_t process = ZX_HANDLE_INVALID;
    char error[128] = "";
    const struct jx_launch launch = {.argv = argv, .job = job};
    EXPECT_OK(jx_launch(&launch, &process, error, sizeof error));
    EXPECT_STR("", error);
    return process;
}

TEST(a_job_that_may_be_is_ended_when_memory_is_out) {
    zx_handle_t job, innocent, warning = event_of(ZX_SYSTEM_EVENT_MEMORY_PRESSURE_WARNING);
    size_t yes = 1;
    int64_t code = 0;
    REQUIRE_OK(zx_job_create(zx_job_default(), 0, &innocent));
    REQUIRE_OK(zx_job_create(zx_job_default(), 0, &job));
    REQUIRE_OK(zx_object_set_property(job, ZX_PROP_JOB_KILL_ON_OOM, &yes, sizeof yes));
    uint64_t before = free_bytes(root_resource());
    zx_handle_t hog = start_hog(job);
    EXPECT_OK(jx_wait(hog, &code));
    EXPECT_EQ(ZX_TASK_RETCODE_OOM_KILL, code);
    zx_info_job_t info;
    EXPECT_OK(zx_object_get_info(innocent, ZX_INFO_JOB, &info, sizeof info, NULL, NULL));
    EXPECT(!info.exited);
    EXPECT_OK(zx_handle_close(job));
    EXPECT_OK(zx_handle_close(innocent));
    EXPECT_OK(zx_handle_close(warning));
    /* All of it is back, but for what the kernel keeps in its caches. */
    uint64_t after = free_bytes(root_resource());
    EXPECT(after + (1 << 20) > before);
    zx_handle_t normal = event_of(ZX_SYSTEM_EVENT_MEMORY_PRESSURE_NORMAL);
    EXPECT_OK(zx_object_wait_one(normal, ZX_EVENT_SIGNALED,
                                 zx_deadline_after(ZX_SEC(5)), NULL));
    EXPECT_OK(zx_handle_close(normal));
}

TEST(of_jobs_that_may_be_ended_the_deepest_goes_first) {
    zx_handle_t outer = make_job(zx_job_default()), deep = make_job(outer), young;
    size_t yes = 1;
    int64_t code = 0;
    zx_info_job_t info = {0};
    young = make_job(zx_job_default());
    EXPECT_OK(zx_object_set_property(deep, ZX_PROP_JOB_KILL_ON_OOM, &yes, sizeof yes));
    EXPECT_OK(zx_object_set_property(young, ZX_PROP_JOB_KILL_ON_OOM, &yes, sizeof yes));
    zx_handle_t hog = start_hog(deep);
    EXPECT_OK(jx_wait(hog, &code));
    EXPECT_EQ(ZX_TASK_RETCODE_OOM_KILL, code);
    EXPECT_OK(zx_object_get_info(young, ZX_INFO_JOB, &info, sizeof info, NULL, NULL));
    EXPECT(!info.exited);
    EXPECT_OK(zx_object_get_info(outer, ZX_INFO_JOB, &info, sizeof info, NULL, NULL));
    EXPECT(!info.exited);
    close_handle(young);
    close_handle(deep);
    close_handle(outer);
}
