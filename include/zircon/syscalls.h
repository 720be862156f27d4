/*
 * syscalls.h - the system calls of this kernel.
 *
 * docs/SYSCALLS.md tells what each does. A call that is not declared here does not
 * exist in this kernel. kernel/syscall/syscalls.def has the same calls with the
 * rights they need; a compile-time check compares the two.
 */
#pragma once

#include <zircon/types.h>

#include <zircon/syscalls/clock.h>
#include <zircon/syscalls/debug.h>
#include <zircon/syscalls/exception.h>
#include <zircon/syscalls/iommu.h>
#include <zircon/syscalls/log.h>
#include <zircon/syscalls/object.h>
#include <zircon/syscalls/pager.h>
#include <zircon/syscalls/policy.h>
#include <zircon/syscalls/port.h>
#include <zircon/syscalls/profile.h>
#include <zircon/syscalls/system.h>
#include <zircon/syscalls/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Handles. */
zx_status_t zx_handle_close(zx_handle_t handle);
zx_status_t zx_handle_close_many(const zx_handle_t *handles, size_t num_handles);
zx_status_t zx_handle_duplicate(zx_handle_t handle, zx_rights_t rights, zx_handle_t *out);
zx_status_t zx_handle_replace(zx_handle_t handle, zx_rights_t rights, zx_handle_t *out);

/* Any object. */
zx_status_t zx_object_wait_one(zx_handle_t handle, zx_signals_t signals, zx_time_t deadline,
                               zx_signals_t *observed);
zx_status_t zx_object_wait_many(zx_wait_item_t *items, size_t count, zx_time_t deadline);
zx_status_t zx_object_wait_async(zx_handle_t handle, zx_handle_t port, uint64_t key,
                                 zx_signals_t signals, uint32_t options);
zx_status_t zx_object_signal(zx_handle_t handle, uint32_t clear_mask, uint32_t set_mask);
zx_status_t zx_object_signal_peer(zx_handle_t handle, uint32_t clear_mask, uint32_t set_mask);
zx_status_t zx_object_get_info(zx_handle_t handle, uint32_t topic, void *buffer,
                               size_t buffer_size, size_t *actual, size_t *avail);
zx_status_t zx_object_get_child(zx_handle_t handle, uint64_t koid, zx_rights_t rights,
                                zx_handle_t *out);
zx_status_t zx_object_get_property(zx_handle_t handle, uint32_t property, void *value,
                                   size_t value_size);
zx_status_t zx_object_set_property(zx_handle_t handle, uint32_t property, const void *value,
                                   size_t value_size);

/* Time. */
zx_status_t zx_clock_get(zx_clock_t clock_id, zx_time_t *out);
zx_time_t zx_clock_get_monotonic(void);
zx_ticks_t zx_ticks_get(void);
zx_ticks_t zx_ticks_per_second(void);
zx_time_t zx_deadline_after(zx_duration_t nanoseconds);
zx_status_t zx_clock_create(uint64_t options, const void *args, zx_handle_t *out);
zx_status_t zx_clock_read(zx_handle_t handle, zx_time_t *now);
zx_status_t zx_clock_get_details(zx_handle_t handle, uint64_t options, void *details);
zx_status_t zx_clock_update(zx_handle_t handle, uint64_t options, const void *args);
zx_status_t zx_nanosleep(zx_time_t deadline);
zx_status_t zx_timer_create(uint32_t options, zx_clock_t clock_id, zx_handle_t *out);
zx_status_t zx_timer_set(zx_handle_t handle, zx_time_t deadline, zx_duration_t slack);
zx_status_t zx_timer_cancel(zx_handle_t handle);

/* Events. */
zx_status_t zx_event_create(uint32_t options, zx_handle_t *out);
zx_status_t zx_eventpair_create(uint32_t options, zx_handle_t *out0, zx_handle_t *out1);

/* Channels. */
zx_status_t zx_channel_create(uint32_t options, zx_handle_t *out0, zx_handle_t *out1);
zx_status_t zx_channel_read(zx_handle_t handle, uint32_t options, void *bytes,
                            zx_handle_t *handles, uint32_t num_bytes, uint32_t num_handles,
                            uint32_t *actual_bytes, uint32_t *actual_handles);
zx_status_t zx_channel_read_etc(zx_handle_t handle, uint32_t options, void *bytes,
                                zx_handle_info_t *handles, uint32_t num_bytes,
                                uint32_t num_handles, uint32_t *actual_bytes,
                                uint32_t *actual_handles);
zx_status_t zx_channel_write(zx_handle_t handle, uint32_t options, const void *bytes,
                             uint32_t num_bytes, const zx_handle_t *handles,
                             uint32_t num_handles);
zx_status_t zx_channel_write_etc(zx_handle_t handle, uint32_t options, const void *bytes,
                                 uint32_t num_bytes, zx_handle_disposition_t *handles,
                                 uint32_t num_handles);
zx_status_t zx_channel_call(zx_handle_t handle, uint32_t options, zx_time_t deadline,
                            const zx_channel_call_args_t *args, uint32_t *actual_bytes,
                            uint32_t *actual_handles);
zx_status_t zx_channel_call_etc(zx_handle_t handle, uint32_t options, zx_time_t deadline,
                                const zx_channel_call_etc_args_t *args, uint32_t *actual_bytes,
                                uint32_t *actual_handles);

/* Sockets. */
zx_status_t zx_socket_create(uint32_t options, zx_handle_t *out0, zx_handle_t *out1);
zx_status_t zx_socket_read(zx_handle_t handle, uint32_t options, void *buffer, size_t buffer_size,
                           size_t *actual);
zx_status_t zx_socket_write(zx_handle_t handle, uint32_t options, const void *buffer,
                            size_t buffer_size, size_t *actual);
zx_status_t zx_socket_set_disposition(zx_handle_t handle, uint32_t disposition,
                                      uint32_t disposition_peer);

/* FIFOs. */
zx_status_t zx_fifo_create(size_t elem_count, size_t elem_size, uint32_t options,
                           zx_handle_t *out0, zx_handle_t *out1);
zx_status_t zx_fifo_read(zx_handle_t handle, size_t elem_size, void *data, size_t count,
                         size_t *actual_count);
zx_status_t zx_fifo_write(zx_handle_t handle, size_t elem_size, const void *data, size_t count,
                          size_t *actual_count);

/* Streams. */
zx_status_t zx_stream_create(uint32_t options, zx_handle_t vmo, zx_off_t seek, zx_handle_t *out);
zx_status_t zx_stream_readv(zx_handle_t handle, uint32_t options, zx_iovec_t *vector,
                            size_t vector_count, size_t *actual);
zx_status_t zx_stream_readv_at(zx_handle_t handle, uint32_t options, zx_off_t offset,
                               zx_iovec_t *vector, size_t vector_count, size_t *actual);
zx_status_t zx_stream_writev(zx_handle_t handle, uint32_t options, const zx_iovec_t *vector,
                             size_t vector_count, size_t *actual);
zx_status_t zx_stream_writev_at(zx_handle_t handle, uint32_t options, zx_off_t offset,
                                const zx_iovec_t *vector, size_t vector_count, size_t *actual);
zx_status_t zx_stream_seek(zx_handle_t handle, zx_stream_seek_origin_t whence, int64_t offset,
                           zx_off_t *out_seek);

/* Ports. */
zx_status_t zx_port_create(uint32_t options, zx_handle_t *out);
zx_status_t zx_port_queue(zx_handle_t handle, const zx_port_packet_t *packet);
zx_status_t zx_port_wait(zx_handle_t handle, zx_time_t deadline, zx_port_packet_t *packet);
zx_status_t zx_port_cancel(zx_handle_t handle, zx_handle_t source, uint64_t key);

/* Interrupts. */
zx_status_t zx_interrupt_create(zx_handle_t src_obj, uint32_t src_num, uint32_t options,
                                zx_handle_t *out_handle);
zx_status_t zx_interrupt_bind(zx_handle_t handle, zx_handle_t port_handle, uint64_t key,
                              uint32_t options);
zx_status_t zx_interrupt_wait(zx_handle_t handle, zx_time_t *out_timestamp);
zx_status_t zx_interrupt_ack(zx_handle_t handle);
zx_status_t zx_interrupt_destroy(zx_handle_t handle);
zx_status_t zx_interrupt_trigger(zx_handle_t handle, uint32_t options, zx_time_t timestamp);
zx_status_t zx_msi_allocate(zx_handle_t handle, uint32_t count, zx_handle_t *out_allocation);
zx_status_t zx_msi_create(zx_handle_t handle, uint32_t options, uint32_t msi_id, zx_handle_t vmo,
                          size_t vmo_offset, zx_handle_t *out_interrupt);

/* Tasks. */
zx_status_t zx_process_create(zx_handle_t job, const char *name, size_t name_size,
                              uint32_t options, zx_handle_t *proc_handle,
                              zx_handle_t *vmar_handle);
zx_status_t zx_process_start(zx_handle_t handle, zx_handle_t thread, zx_vaddr_t entry,
                             zx_vaddr_t stack, zx_handle_t arg1, uintptr_t arg2);
void zx_process_exit(int64_t retcode) __attribute__((noreturn));
zx_status_t zx_process_read_memory(zx_handle_t handle, zx_vaddr_t vaddr, void *buffer,
                                   size_t buffer_size, size_t *actual);
zx_status_t zx_process_write_memory(zx_handle_t handle, zx_vaddr_t vaddr, const void *buffer,
                                    size_t buffer_size, size_t *actual);
zx_status_t zx_thread_create(zx_handle_t process, const char *name, size_t name_size,
                             uint32_t options, zx_handle_t *out);
zx_status_t zx_thread_start(zx_handle_t handle, zx_vaddr_t thread_entry, zx_vaddr_t stack,
                            uintptr_t arg1, uintptr_t arg2);
void zx_thread_exit(void) __attribute__((noreturn));
zx_status_t zx_task_kill(zx_handle_t handle);
zx_status_t zx_task_suspend(zx_handle_t handle, zx_handle_t *token);
zx_status_t zx_thread_read_state(zx_handle_t handle, uint32_t kind, void *buffer,
                                 size_t buffer_size);
zx_status_t zx_thread_write_state(zx_handle_t handle, uint32_t kind,
                                  const void *buffer, size_t buffer_size);
zx_status_t zx_task_create_exception_channel(zx_handle_t handle, uint32_t options,
                                             zx_handle_t *out);
zx_status_t zx_exception_get_thread(zx_handle_t handle, zx_handle_t *out);
zx_status_t zx_exception_get_process(zx_handle_t handle, zx_handle_t *out);
zx_status_t zx_job_set_policy(zx_handle_t handle, uint32_t options, uint32_t topic,
                              const void *policy, uint32_t count);
zx_status_t zx_thread_legacy_yield(uint32_t options);
zx_status_t zx_profile_create(zx_handle_t root_job, uint32_t options,
                              const zx_profile_info_t *profile, zx_handle_t *out);
zx_status_t zx_object_set_profile(zx_handle_t handle, zx_handle_t profile, uint32_t options);
zx_status_t zx_job_create(zx_handle_t parent_job, uint32_t options, zx_handle_t *out);
/* options: 0, or ZX_JOB_CRITICAL_PROCESS_RETCODE_NONZERO */
zx_status_t zx_job_set_critical(zx_handle_t job, uint32_t options, zx_handle_t process);

/* Memory objects. */
zx_status_t zx_vmo_create(uint64_t size, uint32_t options, zx_handle_t *out);
zx_status_t zx_vmo_read(zx_handle_t handle, void *buffer, uint64_t offset, size_t buffer_size);
zx_status_t zx_vmo_write(zx_handle_t handle, const void *buffer, uint64_t offset,
                         size_t buffer_size);
zx_status_t zx_vmo_get_size(zx_handle_t handle, uint64_t *size);
zx_status_t zx_vmo_set_size(zx_handle_t handle, uint64_t size);
zx_status_t zx_vmo_op_range(zx_handle_t handle, uint32_t op, uint64_t offset, uint64_t size,
                            void *buffer, size_t buffer_size);
zx_status_t zx_vmo_create_child(zx_handle_t handle, uint32_t options, uint64_t offset,
                                uint64_t size, zx_handle_t *out);
zx_status_t zx_vmo_replace_as_executable(zx_handle_t handle, zx_handle_t vmex, zx_handle_t *out);
zx_status_t zx_vmo_set_cache_policy(zx_handle_t handle, uint32_t cache_policy);
zx_status_t zx_vmo_create_physical(zx_handle_t resource, zx_paddr_t paddr, size_t size,
                                   zx_handle_t *out);
zx_status_t zx_vmo_create_contiguous(zx_handle_t bti, size_t size, uint32_t alignment_log2,
                                     zx_handle_t *out);

/* Devices that reach memory. */
zx_status_t zx_ioports_request(zx_handle_t resource, uint16_t io_addr, uint32_t len);
zx_status_t zx_iommu_create(zx_handle_t resource, uint32_t type, const void *desc,
                            size_t desc_size, zx_handle_t *out);
zx_status_t zx_bti_create(zx_handle_t iommu, uint32_t options, uint64_t bti_id, zx_handle_t *out);
zx_status_t zx_bti_pin(zx_handle_t handle, uint32_t options, zx_handle_t vmo, uint64_t offset,
                       uint64_t size, zx_paddr_t *addrs, size_t addrs_count, zx_handle_t *pmt);
zx_status_t zx_bti_release_quarantine(zx_handle_t handle);
zx_status_t zx_pmt_unpin(zx_handle_t handle);

/* Pagers. */
zx_status_t zx_pager_create(uint32_t options, zx_handle_t *out);
zx_status_t zx_pager_create_vmo(zx_handle_t pager, uint32_t options, zx_handle_t port,
                                uint64_t key, uint64_t size, zx_handle_t *out);
zx_status_t zx_pager_detach_vmo(zx_handle_t pager, zx_handle_t pager_vmo);
zx_status_t zx_pager_supply_pages(zx_handle_t pager, zx_handle_t pager_vmo, uint64_t offset,
                                  uint64_t length, zx_handle_t aux_vmo, uint64_t aux_offset);
zx_status_t zx_pager_op_range(zx_handle_t pager, uint32_t op, zx_handle_t pager_vmo,
                              uint64_t offset, uint64_t length, uint64_t data);
zx_status_t zx_pager_query_dirty_ranges(zx_handle_t pager, zx_handle_t pager_vmo, uint64_t offset,
                                        uint64_t length, void *buffer, size_t buffer_size,
                                        size_t *actual, size_t *avail);
zx_status_t zx_pager_query_vmo_stats(zx_handle_t pager, zx_handle_t pager_vmo, uint32_t options,
                                     void *buffer, size_t buffer_size);

/* Address regions. */
zx_status_t zx_vmar_allocate(zx_handle_t parent_vmar, zx_vm_option_t options, size_t offset,
                             size_t size, zx_handle_t *child_vmar, zx_vaddr_t *child_addr);
zx_status_t zx_vmar_map(zx_handle_t handle, zx_vm_option_t options, size_t vmar_offset,
                        zx_handle_t vmo, uint64_t vmo_offset, size_t len,
                        zx_vaddr_t *mapped_addr);
zx_status_t zx_vmar_unmap(zx_handle_t handle, zx_vaddr_t addr, size_t len);
zx_status_t zx_vmar_protect(zx_handle_t handle, zx_vm_option_t options, zx_vaddr_t addr,
                            size_t len);
zx_status_t zx_vmar_destroy(zx_handle_t handle);
/* ZX_VMAR_OP_COMMIT, DECOMMIT (WRITE), MAP_RANGE, and two hints. buffer is NULL, its size 0. */
zx_status_t zx_vmar_op_range(zx_handle_t handle, uint32_t op, zx_vaddr_t address, size_t size,
                             void *buffer, size_t buffer_size);
zx_status_t zx_vmar_unmap_handle_close_thread_exit(zx_handle_t vmar, zx_vaddr_t addr, size_t size,
                                                   zx_handle_t close_handle);

/* Futexes. */
zx_status_t zx_futex_wait(const zx_futex_t *value_ptr, zx_futex_storage_t current_value,
                          zx_handle_t new_futex_owner, zx_time_t deadline);
zx_status_t zx_futex_wake(const zx_futex_t *value_ptr, uint32_t wake_count);
zx_status_t zx_futex_wake_single_owner(const zx_futex_t *value_ptr);
zx_status_t zx_futex_requeue(const zx_futex_t *value_ptr, uint32_t wake_count,
                             zx_futex_storage_t current_value, const zx_futex_t *requeue_ptr,
                             uint32_t requeue_count, zx_handle_t new_requeue_owner);
zx_status_t zx_futex_requeue_single_owner(const zx_futex_t *value_ptr,
                                          zx_futex_storage_t current_value,
                                          const zx_futex_t *requeue_ptr, uint32_t requeue_count,
                                          zx_handle_t new_requeue_owner);
zx_status_t zx_futex_get_owner(const zx_futex_t *value_ptr, zx_koid_t *koid);
void zx_futex_wake_handle_close_thread_exit(const zx_futex_t *value_ptr, uint32_t wake_count,
                                            int32_t new_value, zx_handle_t close_handle)
    __attribute__((noreturn));

/* The system. */
void zx_cprng_draw(void *buffer, size_t buffer_size);
zx_status_t zx_cprng_add_entropy(const void *buffer, size_t buffer_size);
zx_status_t zx_debug_read(zx_handle_t handle, char *buffer, size_t buffer_size, size_t *actual);
zx_status_t zx_debug_send_command(zx_handle_t resource, const char *buffer, size_t length);
zx_status_t zx_debug_write(const char *buffer, size_t buffer_size);
zx_status_t zx_ktrace_control(zx_handle_t handle, uint32_t action, uint32_t options, void *ptr);
zx_status_t zx_ktrace_read(zx_handle_t handle, void *data, uint32_t offset, size_t size,
                           size_t *actual);
zx_status_t zx_ktrace_write(zx_handle_t handle, uint32_t id, uint32_t arg0, uint32_t arg1);
zx_status_t zx_debuglog_create(zx_handle_t resource, uint32_t options, zx_handle_t *out);
zx_status_t zx_debuglog_read(zx_handle_t handle, uint32_t options, void *buffer,
                             size_t buffer_size);
zx_status_t zx_debuglog_write(zx_handle_t handle, uint32_t options, const void *buffer,
                              size_t buffer_size);
zx_status_t zx_resource_create(zx_handle_t parent_rsrc, uint32_t options, uint64_t base,
                               size_t size, const char *name, size_t name_size,
                               zx_handle_t *resource_out);
uint32_t zx_system_get_num_cpus(void);
uint64_t zx_system_get_physmem(void);
uint32_t zx_system_get_page_size(void);
zx_status_t zx_system_get_version(char *version, size_t version_size);
zx_status_t zx_system_get_features(uint32_t kind, uint32_t *features);
/* root_job: the root job. The event has WAIT, DUPLICATE and TRANSFER, and is always the same. */
zx_status_t zx_system_get_event(zx_handle_t root_job, zx_system_event_type_t kind,
                                zx_handle_t *event);
zx_status_t zx_system_powerctl(zx_handle_t resource, uint32_t cmd,
                               const zx_system_powerctl_arg_t *arg);

#ifdef __cplusplus
}
#endif
