/*
 * call_objects.c - see call_objects.h.
 */
#include "core-tests/call_objects.h"

#include <jacinth/utest.h>

#include "core-tests/calls.h"

#define MADE_MAX 12
static zx_handle_t made[MADE_MAX];
static int made_count;

zx_handle_t keep(zx_handle_t handle) {
    made[made_count++] = handle;
    return handle;
}

zx_handle_t some_event(void) {
    zx_handle_t handle = 0;
    EXPECT_OK(zx_event_create(0, &handle));
    return keep(handle);
}
zx_handle_t some_vmo(void) { return keep(make_vmo(1)); }
zx_handle_t some_port(void) {
    zx_handle_t handle = 0;
    EXPECT_OK(zx_port_create(0, &handle));
    return keep(handle);
}
/* Regions live without handles, so what is made in this one is ended with it. */
static zx_handle_t scene_region = ZX_HANDLE_INVALID;
zx_handle_t some_region(void) {
    zx_vaddr_t address;
    EXPECT_OK(zx_vmar_allocate(zx_vmar_root_self(), ZX_VM_CAN_MAP_READ, 0, 4 * PAGE, &scene_region,
                               &address));
    return keep(scene_region);
}
zx_handle_t dead_region(void) {
    zx_handle_t handle = some_region();
    EXPECT_OK(zx_vmar_destroy(handle));
    scene_region = ZX_HANDLE_INVALID;
    return handle;
}
zx_handle_t channel_with_message(bool with_handle) {
    zx_handle_t one = 0, other = 0, inside = some_event();
    EXPECT_OK(zx_channel_create(0, &one, &other));
    EXPECT_OK(zx_channel_write(one, 0, "message", 8, &inside, with_handle));
    keep(one);
    return keep(other);
}
zx_handle_t socket_with_bytes(void) {
    zx_handle_t one = 0, other = 0;
    EXPECT_OK(zx_socket_create(0, &one, &other));
    EXPECT_OK(zx_socket_write(one, 0, "12345678", 8, NULL));
    keep(one);
    return keep(other);
}

/* A child that stands still: suspended in its loop, or in an exception. */
static struct child scene_child;
CODE(loop_code, "1:\tpause\n\tjmp 1b");
CODE(fault_code, "ud2");
zx_handle_t stopped_thread(void) {
    zx_handle_t token = 0;
    if (child_make(&scene_child, loop_code, loop_code_end) &&
        child_start(&scene_child, 0) == ZX_OK) {
        EXPECT_OK(zx_task_suspend(scene_child.process, &token));
        keep(token);
        EXPECT_OK(zx_object_wait_one(scene_child.thread, ZX_THREAD_SUSPENDED,
                                     zx_deadline_after(ZX_SEC(10)), NULL));
    }
    return scene_child.thread;
}
zx_handle_t faulting_thread(void) {
    zx_exception_info_t info;
    zx_handle_t channel = 0, exception = 0;
    if (!child_make(&scene_child, fault_code, fault_code_end))
        return 0;
    EXPECT_OK(zx_task_create_exception_channel(scene_child.process, 0, &channel));
    keep(channel);
    EXPECT_OK(child_start(&scene_child, 0));
    EXPECT_OK(zx_object_wait_one(channel, ZX_CHANNEL_READABLE, zx_deadline_after(ZX_SEC(10)),
                                 NULL));
    EXPECT_OK(zx_channel_read(channel, 0, &info, &exception, sizeof info, 1, NULL, NULL));
    return keep(exception);
}
zx_handle_t fifo_with_elements(void) {
    zx_handle_t one = 0, other = 0;
    EXPECT_OK(zx_fifo_create(16, 8, 0, &one, &other));
    EXPECT_OK(zx_fifo_write(one, 8, "elementsentire", 1, NULL));
    keep(one);
    return keep(other);
}

zx_handle_t some_stream(void) {
    zx_handle_t handle = 0;
    EXPECT_OK(
        zx_stream_create(ZX_STREAM_MODE_READ | ZX_STREAM_MODE_WRITE, some_vmo(), 0, &handle));
    return keep(handle);
}

zx_handle_t some_clock(void) {
    zx_handle_t handle = 0;
    EXPECT_OK(zx_clock_create(0, NULL, &handle));
    return keep(handle);
}

zx_handle_t idle_process(void) {
    zx_handle_t process = 0, vmar = 0;
    EXPECT_OK(zx_process_create(zx_job_default(), "p", 1, 0, &process, &vmar));
    keep(vmar);
    return keep(process);
}

zx_handle_t some_profile(void) {
    const zx_profile_info_t info = {.flags = ZX_PROFILE_INFO_FLAG_PRIORITY,
                                    .priority = ZX_PRIORITY_DEFAULT};
    zx_handle_t handle = 0;
    EXPECT_OK(zx_profile_create(zx_job_default(), 0, &info, &handle));
    return keep(handle);
}

zx_handle_t some_pager(void) {
    zx_handle_t handle = 0;
    EXPECT_OK(zx_pager_create(0, &handle));
    return keep(handle);
}

void pager_scene(uint64_t *pager_argument, uint64_t *vmo_argument) {
    zx_handle_t made_vmo = 0;
    *pager_argument = some_pager();
    EXPECT_OK(zx_pager_create_vmo((zx_handle_t)*pager_argument, 0, some_port(), 0, PAGE,
                                  &made_vmo));
    *vmo_argument = keep(made_vmo);
}

zx_handle_t some_interrupt(void) {
    zx_handle_t handle = 0;
    EXPECT_OK(zx_interrupt_create(0, 0, ZX_INTERRUPT_VIRTUAL, &handle));
    return keep(handle);
}

zx_handle_t interrupt_port(void) {
    zx_handle_t handle = 0;
    EXPECT_OK(zx_port_create(ZX_PORT_BIND_TO_INTERRUPT, &handle));
    return keep(handle);
}

zx_handle_t some_iommu(void) {
    static const zx_iommu_desc_dummy_t dummy;
    zx_handle_t handle = 0;
    EXPECT_OK(zx_iommu_create(root_resource(), ZX_IOMMU_TYPE_DUMMY, &dummy, 1, &handle));
    return keep(handle);
}
zx_handle_t some_device(void) {
    zx_handle_t handle = 0;
    EXPECT_OK(zx_bti_create(some_iommu(), 0, 0, &handle));
    return keep(handle);
}

void drop(zx_handle_t handle) {
    zx_info_handle_basic_t info = {0};
    EXPECT_OK(zx_object_get_info(handle, ZX_INFO_HANDLE_BASIC, &info, sizeof info, NULL, NULL));
    if (info.type == ZX_OBJ_TYPE_PMT)
        EXPECT_OK(zx_pmt_unpin(handle));
    else
        close_handle(handle);
}

void call_tidy(void) {
    if (scene_child.process != ZX_HANDLE_INVALID)
        child_end(&scene_child);
    if (scene_region != ZX_HANDLE_INVALID)
        EXPECT_OK(zx_vmar_destroy(scene_region));
    scene_region = ZX_HANDLE_INVALID;
    for (int i = 0; i < made_count; i++) {
        if (zx_object_get_info(made[i], ZX_INFO_HANDLE_VALID, NULL, 0, NULL, NULL) == ZX_OK)
            drop(made[i]);
    }
    made_count = 0;
}
