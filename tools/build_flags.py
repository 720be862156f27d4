"""build_flags.py - what a source file has of its own in the build: flags, and its group."""
from build_groups import GROUPS
from build_lists import EXAMPLES

# What a file needs besides what its own text includes (.incbin is not seen by
# the compiler's dependency output).
EXTRA_INPUTS = {
    'kernel/vdso/vdso_image.c': ['build/vdso/vdso.img'],
    'tests/host/vdso_test.c': ['build/vdso/vdso.img'],
}

# Kernels have these, and their tests, for size, not for speed: they run at boot, when something
# goes wrong, or so rarely that nobody measures it.
RARELY_RUN = {
    'kernel/arch/amd64/apic.c',
    'kernel/arch/amd64/boot.c',
    'kernel/arch/lock_count.c',
    'kernel/object/eventpair.c',
    'kernel/object/socket.c',
    'kernel/object/timer_object.c',
    'kernel/syscall/sys_socket.c',
    'kernel/arch/lock_rank.c',
    'kernel/vm/entropy.c',
    'kernel/arch/amd64/boot_multiboot2.c',
    'kernel/arch/amd64/boot_option.c',
    'kernel/arch/amd64/boot_pvh.c',
    'kernel/arch/amd64/boot_ranges.c',
    'kernel/arch/amd64/cpu.c',
    'kernel/arch/amd64/crash.c',
    'kernel/arch/amd64/init.c',
    'kernel/arch/amd64/io_map.c',
    'kernel/arch/io_ports.c',
    'kernel/arch/irq.c',
    'kernel/vm/aspace_io.c',
    'kernel/arch/amd64/mmu_kernel.c',
    'kernel/arch/amd64/power.c',
    'kernel/arch/amd64/registers.c',
    'kernel/arch/amd64/smp.c',
    'kernel/arch/amd64/tables.c',
    'kernel/arch/amd64/trap_dump.c',
    'kernel/arch/amd64/uart.c',
    'kernel/dev/acpi.c',
    'kernel/dev/console_dev.c',
    'kernel/lib/cpio.c',
    'kernel/lib/elf.c',
    'kernel/lib/fmt.c',
    'kernel/lib/ktest.c',
    'kernel/lib/log.c',
    'kernel/lib/panic.c',
    'kernel/lib/random.c',
    'kernel/main.c',
    'kernel/object/bootstrap.c',
    'kernel/object/bti.c',
    'kernel/object/channel_nest.c',
    'kernel/object/clock_object.c',
    'kernel/object/crash_report.c',
    'kernel/object/debuglog.c',
    'kernel/object/exception.c',
    'kernel/object/exception_channel.c',
    'kernel/object/exception_object.c',
    'kernel/object/fifo.c',
    'kernel/object/flood.c',
    'kernel/object/interrupt.c',
    'kernel/object/job.c',
    'kernel/object/job_policy.c',
    'kernel/object/kill_points.c',
    'kernel/object/ktrace.c',
    'kernel/sched/trace.c',
    'kernel/object/memory_pressure.c',
    'kernel/object/message_etc.c',
    'kernel/object/msi.c',
    'kernel/vm/device_map.c',
    'kernel/object/pager.c',
    'kernel/object/policy.c',
    'kernel/object/profile.c',
    'kernel/object/resource.c',
    'kernel/object/stream.c',
    'kernel/object/suspend_token.c',
    'kernel/object/task_info.c',
    'kernel/object/test_bytes.c',
    'kernel/syscall/alloc_storm.c',
    'kernel/syscall/sys_bytes.c',
    'kernel/syscall/sys_channel_etc.c',
    'kernel/syscall/sys_clock.c',
    'kernel/syscall/sys_debug.c',
    'kernel/syscall/sys_device.c',
    'kernel/syscall/sys_exception.c',
    'kernel/syscall/sys_fifo.c',
    'kernel/syscall/sys_futex.c',
    'kernel/syscall/sys_info.c',
    'kernel/syscall/sys_info_list.c',
    'kernel/syscall/sys_interrupt.c',
    'kernel/syscall/sys_ktrace.c',
    'kernel/syscall/sys_log.c',
    'kernel/syscall/sys_pager.c',
    'kernel/syscall/sys_profile.c',
    'kernel/syscall/sys_property.c',
    'kernel/syscall/sys_stream.c',
    'kernel/syscall/sys_system.c',
    'kernel/syscall/sys_task.c',
    'kernel/vm/audit.c',
    'kernel/vm/audit_plant.c',
    'kernel/vm/frame_audit.c',
    'kernel/vm/kernel_thread.c',
    'kernel/vm/memory_audit.c',
    'kernel/vm/page_map_audit.c',
    'kernel/vm/page_map_share.c',
    'kernel/vm/page_map_zero.c',
    'kernel/vm/page_source.c',
    'kernel/vm/pmm_start.c',
    'kernel/vm/reclaim.c',
    'kernel/vm/registry.c',
    'kernel/vm/test_crew.c',
    'kernel/vm/test_cut.c',
    'kernel/vm/test_space.c',
    'kernel/vm/vmar_op.c',
    'kernel/vm/vmo_content.c',
    'kernel/vm/vmo_pager.c',
    'kernel/vm/vmo_phys.c',
    'kernel/vm/vmo_pin.c',
    'kernel/vm/vmo_reclaim.c',
    'kernel/vm/vmo_supply.c',
}

# Flags for single files; those of user programs, below uapps, have -Iuapps besides.
EXTRA_FLAGS = {
    'uapps/core-tests/call_arguments.c': '-Ikernel',
    'uapps/core-tests/call_objects.c': '-Ikernel',
    'uapps/core-tests/calls.c': '-Ikernel',
    'uapps/core-tests/t_needs.c': '-Ikernel',
    'uapps/core-tests/t_pointers.c': '-Ikernel',
    'uapps/core-tests/support.c': '-Iulib -Ikernel',
    'uapps/proofs/storm.c': '-Ikernel',
    'uapps/tools/strace_text.c': '-Ikernel',
    'uapps/tools/trace_json.c': '-Ikernel',
    'uapps/bench/nothing.c': '-Ikernel',
    'uapps/common/archive.c': '-Ikernel',
    'uapps/common/inspect.c': '-Ikernel',
    EXAMPLES: '-Iuapps',
    'tests/host/model.c': '-Iuapps',
    'tests/host/model_machine.c': '-Iuapps',
    'tests/host/ulib_test.c': '-Itests -Iulib',
    'tests/host/ulib_under_test.c': '-Itests -Iulib',
    **{f'tests/fuzz/{name}.c': '-Iuapps' for name in (
        'f_fault', 'f_shell', 'f_vmar', 'f_vmo', 'play_model')},
}

# -Oz calls a helper for shifts of 128 bits, which there is none of.
SHIFTS_128 = ('kernel/arch/amd64/cpu_test.c', 'kernel/lib/ratio_test.c')
# The test kernel with moved numbers has another one of these.
REPLACED = ('kernel/syscall/dispatch.c',)


def own_flags(variant, source):
    """The flags that this source has besides its variant's."""
    flags = ['-Iuapps'] if source.startswith('uapps/') else []
    flags += [EXTRA_FLAGS[source]] if source in EXTRA_FLAGS else []
    if variant in ('debug', 'release'):
        rare = source.endswith('_test.c') or source in RARELY_RUN
        flags += ['-Oz'] if rare and source not in SHIFTS_128 else []
        if variant == 'debug' and source.endswith('_test.c'):
            flags.append('-gline-tables-only')  # half of the kernel's lines, for whoever builds
    return ' '.join(flags)


def joined(group):
    """The file that includes a group's files, for the compiler."""
    return f'build/joined/{group[0]}'


def unit_of(source):
    """What the compiler is given in an image: the file, or what its group is joined in."""
    return next((joined(group) for group in GROUPS if source in group), source)


def never_grouped(source):
    return source.startswith('build/') or source in EXTRA_INPUTS or source in REPLACED
