"""build_lists.py - which files make what; tools/gen-build.py turns it into build.ninja.

To add a file, put one line into the list of its folder, and run tools/gen-build.py
(ninja does so itself). Lists are explicit, so that a stray file on disk is never
built by accident; tests/lint/named.py fails when a C file is named nowhere. Lists
are sorted, tests stand beside their code.
"""

# Portable kernel code: built for amd64 and for the host.
KERNEL_PORTABLE = {
    'kernel/lib': [
        'cpio.c',
        'cpio_test.c',
        'elf.c',
        'elf_test.c',
        'fmt.c',
        'fmt_test.c',
        'ktest.c',
        'log.c',
        'log_test.c',
        'panic.c',
        'random.c',
        'random_test.c',
        'ratio.c',
        'ratio_test.c',
        'string_copy.c',
        'string_test.c',
        'tree.c',
        'tree_test.c',
    ],
    'kernel/arch': [
        'lock_count.c',
        'lock_rank.c',
        'spinlock.c',
    ],
    'kernel/sched': [
        'mutex.c',
        'park.c',
        'sched.c',
        'thread.c',
        'timer.c',
        'waitable.c',
    ],
    'kernel/vm': [
        'aspace.c',
        'aspace_model_test.c',
        'audit.c',
        'audit_plant.c',
        'entropy.c',
        'fault.c',
        'frame_audit.c',
        'frame_audit_test.c',
        'kernel_thread.c',
        'kheap.c',
        'kheap_test.c',
        'memory_audit.c',
        'memory_audit_test.c',
        'page_map.c',
        'page_map_audit.c',
        'page_map_test.c',
        'page_map_zero.c',
        'page_source.c',
        'place.c',
        'pmm.c',
        'pmm_test.c',
        'reclaim.c',
        'region.c',
        'registry.c',
        'sched_heir_test.c',
        'sched_test.c',
        'test_crew.c',
        'test_space.c',
        'user_copy.c',
        'vm_fail_test.c',
        'vmar.c',
        'vmar_race_test.c',
        'vmar_op.c',
        'vmo.c',
        'vmo_content.c',
        'vmo_cow.c',
        'vmo_crowd_test.c',
        'vmo_family.c',
        'vmo_kinds_test.c',
        'vmo_model_test.c',
        'vmo_pager.c',
        'vmo_phys.c',
        'vmo_pin.c',
        'vmo_range.c',
        'vmo_reclaim.c',
        'vmo_rw.c',
        'vmo_smp_test.c',
        'vmo_supply.c',
    ],
    'kernel/object': [
        'channel.c',
        'channel_nest.c',
        'channel_nest_test.c',
        'channel_test.c',
        'crash_report.c',
        'clock_object.c',
        'debuglog.c',
        'deferred.c',
        'event.c',
        'eventpair.c',
        'exception.c',
        'exception_channel.c',
        'exception_object.c',
        'exception_test.c',
        'fifo.c',
        'fifo_test.c',
        'flood.c',
        'futex.c',
        'handle_table.c',
        'handle_table_test.c',
        'job.c',
        'job_policy.c',
        'job_policy_test.c',
        'kill_points.c',
        'memory_pressure.c',
        'message.c',
        'message_etc.c',
        'object.c',
        'pager.c',
        'peered.c',
        'policy.c',
        'port.c',
        'port_model_test.c',
        'port_test.c',
        'profile.c',
        'process.c',
        'resource.c',
        'socket.c',
        'socket_datagram_test.c',
        'socket_test.c',
        'stream.c',
        'stream_pager_test.c',
        'stream_test.c',
        'suspend_token.c',
        'task_info.c',
        'stay_test.c',
        'test_bytes.c',
        'timer_object.c',
        'timer_object_test.c',
        'user_thread.c',
        'vmar_object.c',
        'vmo_object.c',
        'wait.c',
        'wait_test.c',
    ],
}

# Built for amd64 only.
KERNEL_AMD64 = {
    'kernel': [
        'main.c',
    ],
    'kernel/arch/amd64': [
        'ap_start.S',
        'apic.c',
        'boot.c',
        'boot_multiboot2.c',
        'boot_option.c',
        'boot_pvh.c',
        'boot_ranges.c',
        'clock.c',
        'context.S',
        'context.c',
        'cpu.c',
        'cpu_test.c',
        'crash.c',
        'entry.S',
        'init.c',
        'irq_meter.c',
        'layout_check.c',
        'mmu.c',
        'mmu_kernel.c',
        'mmu_test.c',
        'power.c',
        'registers.c',
        'smp.c',
        'start.S',
        'tables.c',
        'trap.c',
        'trap_dump.c',
        'uart.c',
        'user_copy.S',
        'user_copy.c',
    ],
    'kernel/lib': [
        'string.c',
    ],
    'kernel/dev': [
        'acpi.c',
        'acpi_test.c',
        'console_dev.c',
    ],
    'kernel/object': [
        'bootstrap.c',
        'process_test.c',
    ],
    'kernel/syscall': [
        'alloc_storm.c',
        'dispatch.c',
        'sys_bytes.c',
        'sys_channel.c',
        'sys_channel_etc.c',
        'sys_debug.c',
        'sys_exception.c',
        'sys_fifo.c',
        'sys_futex.c',
        'sys_clock.c',
        'sys_handle.c',
        'sys_info.c',
        'sys_info_list.c',
        'sys_log.c',
        'sys_pager.c',
        'sys_profile.c',
        'sys_property.c',
        'sys_socket.c',
        'sys_stream.c',
        'sys_system.c',
        'sys_task.c',
        'sys_time.c',
        'sys_util.c',
        'sys_vm.c',
        'sys_wait.c',
    ],
    'kernel/vdso': [
        'vdso_image.S',
    ],
    'kernel/vm': [
        'tlb_test.c',
    ],
}

# Files of KERNEL_AMD64 that the host builds as well (parsers, mostly).
KERNEL_ALSO_ON_HOST = [
    'kernel/arch/amd64/boot_multiboot2.c',
    'kernel/arch/amd64/boot_option.c',
    'kernel/arch/amd64/boot_pvh.c',
    'kernel/arch/amd64/boot_ranges.c',
    'kernel/dev/acpi.c',
    'kernel/dev/acpi_test.c',
    'kernel/dev/console_dev.c',
    'kernel/syscall/alloc_storm.c',
    'kernel/syscall/dispatch.c',
    'kernel/syscall/sys_bytes.c',
    'kernel/syscall/sys_channel.c',
    'kernel/syscall/sys_channel_etc.c',
    'kernel/syscall/sys_debug.c',
    'kernel/syscall/sys_exception.c',
    'kernel/syscall/sys_fifo.c',
    'kernel/syscall/sys_futex.c',
    'kernel/syscall/sys_clock.c',
    'kernel/syscall/sys_handle.c',
    'kernel/syscall/sys_info.c',
    'kernel/syscall/sys_info_list.c',
    'kernel/syscall/sys_log.c',
    'kernel/syscall/sys_pager.c',
    'kernel/syscall/sys_profile.c',
    'kernel/syscall/sys_property.c',
    'kernel/syscall/sys_socket.c',
    'kernel/syscall/sys_stream.c',
    'kernel/syscall/sys_system.c',
    'kernel/syscall/sys_task.c',
    'kernel/syscall/sys_time.c',
    'kernel/syscall/sys_util.c',
    'kernel/syscall/sys_vm.c',
    'kernel/syscall/sys_wait.c',
]

# The kernel image links with this script; empty as long as there is none.
KERNEL_LINKER_SCRIPT = 'kernel/arch/amd64/kernel.ld'

# Built for the host only: the arch layer of the host and the test main.
HOST_ONLY = {
    'kernel/arch/host': [
        'boot.c',
        'clock.c',
        'console.c',
        'context.c',
        'cpu.c',
        'doors.c',
        'memory.c',
        'mmu.c',
        'tlb.c',
    ],
    'uapps/init': [
        'frames.c',
        'frames_test.c',
    ],
    'uapps/shell': [
        'arena.c',
        'edit.c',
        'edit_test.c',
        'expand.c',
        'parse.c',
        'parse_test.c',
    ],
    'tests/host': [
        'boot_tables.c',
        'boot_tables_test.c',
        'fmt_compare_test.c',
        'machine.c',
        'main.c',
        'play.c',
        'play_test.c',
        'ulib_test.c',
        'ulib_under_test.c',
        'vdso_test.c',
    ],
}

# The models of uapps/model as host code.
HOST_MODELS = [
    'tests/host/model_machine.c',
    'tests/host/user.c',
    'tests/host/user_calls.c',
    'uapps/model/lockstep.c',
    'uapps/model/space_model.c',
    'uapps/model/space_world.c',
    'uapps/model/vmo_model.c',
    'uapps/model/world.c',
    'uapps/model/world_check.c',
    'uapps/model/world_view.c',
    'uapps/stress/stress.c',
]

# name: its sources. Each links with all host objects except tests/host/main.c.
HOST_PROGRAMS = {
    'model': ['tests/host/model.c'] + HOST_MODELS,
}

# The same, for libFuzzer.
FUZZERS = {
    'f_acpi': ['tests/fuzz/f_acpi.c'],
    'f_boot': ['tests/fuzz/f_boot.c'],
    'f_cpio': ['tests/fuzz/f_cpio.c'],
    'f_elf': ['tests/fuzz/f_elf.c'],
    'f_fault': ['tests/fuzz/f_fault.c', 'tests/fuzz/play_model.c'] + HOST_MODELS,
    'f_page_map': ['tests/fuzz/f_page_map.c'],
    'f_shell': ['tests/fuzz/f_shell.c'],
    'f_syscalls': ['tests/fuzz/f_syscalls.c'],
    'f_vmar': ['tests/fuzz/f_vmar.c', 'tests/fuzz/play_model.c'] + HOST_MODELS,
    'f_vmo': ['tests/fuzz/f_vmo.c', 'tests/fuzz/play_model.c'] + HOST_MODELS,
}

# Small host programs of one file each, built with the host compiler.
HOST_TOOLS = {
    'mksyscalls': 'tools/mksyscalls.c',
}

# The vDSO image, linked into one small shared object and embedded in the kernel.
VDSO = {
    'kernel/vdso': [
        'calls.c',
        'entry.c',
        'find.c',
    ],
}
VDSO_LINKER_SCRIPT = 'kernel/vdso/vdso.ld'

# The native user library (libzx.a), and the object every program starts with.
ULIB = {
    'kernel/lib': [
        'cpio.c',
        'elf.c',
        'fmt.c',
        'string.c',
    ],
    'ulib': [
        'utest.c',
    ],
    'ulib/c': [
        'ctype.c',
        'environment.c',
        'exit.c',
        'fail.c',
        'heap_pages.c',
        'lock.c',
        'malloc.c',
        'number.c',
        'printf.c',
        'sort.c',
        'stack_check.c',
        'stdio.c',
        'stream.c',
        'string.c',
        'threads.c',
        'time.c',
    ],
    'ulib/zx': [
        'archive.c',
        'crt0.S',
        'launch.c',
        'load.c',
        'message.c',
        'process.c',
        'resolve.c',
        'start.c',
        'start_message.c',
        'status.c',
        'stubs.c',
        'stubs_check.c',
        'tls.c',
    ],
}
ULIB_START = 'ulib/zx/crt0.S'

# What the shell and the tools share; each program links what it needs of it.
UAPPS_COMMON = [
    'uapps/common/archive.c',
    'uapps/common/authority.c',
    'uapps/common/file.c',
    'uapps/common/inspect.c',
    'uapps/common/process_list.c',
    'uapps/common/show.c',
    'uapps/common/socket.c',
    'uapps/common/system.c',
    'uapps/common/tasks.c',
    'uapps/common/tool.c',
]


def tool(source):
    """A tool of one file."""
    return [f'uapps/tools/{source}.c'] + UAPPS_COMMON


# What the stress programs and models share.
STRESS_COMMON = ['uapps/stress/stress.c', 'uapps/stress/stress_machine.c'] + UAPPS_COMMON

# User programs: name -> sources. Each becomes bin/NAME in the initrd.
PROGRAMS = {
    **{name: tool(name) for name in (
        'cat', 'crash', 'demand', 'dmesg', 'echo', 'handles', 'head', 'hexdump', 'kdebug',
        'kill', 'ls', 'maps', 'mem',
        'objects', 'ps', 'sleep', 'true', 'uptime', 'vmo', 'wc', 'yes')},
    'debug': ['uapps/tools/debug_main.c'] + tool('debug'),
    'false': tool('true'),
    'init': [
        'uapps/init/console.c',
        'uapps/init/exec.c',
        'uapps/init/frames.c',
        'uapps/init/main.c',
        'uapps/init/report.c',
        'uapps/init/service.c',
        'uapps/init/session.c',
    ] + UAPPS_COMMON,
    'model': [
        'uapps/model/lockstep.c',
        'uapps/model/lockstep_machine.c',
        'uapps/model/main.c',
        'uapps/model/vmo_model.c',
        'uapps/model/world.c',
        'uapps/model/world_check.c',
        'uapps/model/world_view.c',
    ] + STRESS_COMMON,
    'model-vmar': [
        'uapps/model/lockstep.c',
        'uapps/model/lockstep_machine.c',
        'uapps/model/space_main.c',
        'uapps/model/space_model.c',
        'uapps/model/space_world.c',
    ] + STRESS_COMMON,
    'poweroff': tool('power'),
    'reboot': tool('power'),
    'sh': [
        'uapps/shell/arena.c',
        'uapps/shell/builtin.c',
        'uapps/shell/edit.c',
        'uapps/shell/expand.c',
        'uapps/shell/input.c',
        'uapps/shell/job.c',
        'uapps/shell/main.c',
        'uapps/shell/parse.c',
        'uapps/shell/run.c',
        'uapps/shell/typing.c',
        'uapps/shell/vars.c',
    ] + UAPPS_COMMON,
    'stress-clone': ['uapps/stress/clone.c'] + STRESS_COMMON,
    'stress-fault': ['uapps/stress/fault.c'] + STRESS_COMMON,
    'stress-memory': ['uapps/stress/memory.c'] + STRESS_COMMON,
    'stress-vmar': ['uapps/stress/vmar.c'] + STRESS_COMMON,
    'bench': [
        'uapps/bench/clone.c',
        'uapps/bench/common.c',
        'uapps/bench/curve_clones.c',
        'uapps/bench/curve_faults.c',
        'uapps/bench/handles.c',
        'uapps/bench/ipc.c',
        'uapps/bench/machine.c',
        'uapps/bench/main.c',
        'uapps/bench/measure.c',
        'uapps/bench/partner.c',
        'uapps/bench/threads.c',
        'uapps/bench/time.c',
        'uapps/bench/vm.c',
    ],
    'core-tests': [
        'uapps/core-tests/calls.c',
        'uapps/core-tests/debuggee.c',
        'uapps/core-tests/main.c',
        'uapps/core-tests/roles.c',
        'uapps/core-tests/support.c',
        'uapps/core-tests/t_channel.c',
        'uapps/core-tests/t_clone_list.c',
        'uapps/core-tests/t_channel_etc.c',
        'uapps/core-tests/t_debug.c',
        'uapps/core-tests/t_clock.c',
        'uapps/core-tests/t_debuglog.c',
        'uapps/core-tests/t_discardable.c',
        'uapps/core-tests/t_event.c',
        'uapps/core-tests/t_exception.c',
        'uapps/core-tests/t_fault.c',
        'uapps/core-tests/t_fifo.c',
        'uapps/core-tests/t_futex.c',
        'uapps/core-tests/t_handle.c',
        'uapps/core-tests/t_info.c',
        'uapps/core-tests/t_job.c',
        'uapps/core-tests/t_libc.c',
        'uapps/core-tests/t_needs.c',
        'uapps/core-tests/t_pager.c',
    'uapps/core-tests/t_pointers.c',
        'uapps/core-tests/t_policy.c',
        'uapps/core-tests/t_port.c',
        'uapps/core-tests/t_pressure.c',
        'uapps/core-tests/t_profile.c',
        'uapps/core-tests/t_properties.c',
        'uapps/core-tests/t_process.c',
        'uapps/core-tests/t_refused.c',
        'uapps/core-tests/t_socket.c',
        'uapps/core-tests/t_start.c',
        'uapps/core-tests/t_stream.c',
        'uapps/core-tests/t_suspend.c',
        'uapps/core-tests/t_thread.c',
        'uapps/core-tests/t_thread_state.c',
        'uapps/core-tests/t_threads.c',
        'uapps/core-tests/t_timer.c',
        'uapps/core-tests/t_vmar.c',
        'uapps/core-tests/t_vmar_list.c',
        'uapps/core-tests/t_vmo.c',
        'uapps/core-tests/t_vmo_alias.c',
        'uapps/core-tests/t_vmo_clone.c',
        'uapps/core-tests/t_wait.c',
    ],
}

# Programs of the initrd that link with nothing and fit into one page of code.
PROGRAMS_BARE = {
    'bench-nothing': 'uapps/bench/nothing.c',
}

# User programs that are built but stay out of the initrd.
PROGRAMS_OUTSIDE = {
    'depths': [
        'uapps/core-tests/support.c',
        'uapps/depths/main.c',
    ],
    'deaths': [
        'uapps/core-tests/support.c',
        'uapps/deaths/main.c',
    ],
    'proofs': [
        'uapps/core-tests/calls.c',
        'uapps/core-tests/debuggee.c',
        'uapps/core-tests/support.c',
        'uapps/proofs/counters.c',
        'uapps/proofs/kill_points.c',
        'uapps/proofs/main.c',
        'uapps/proofs/storm.c',
    ],
}

# Other files of the initrd: path in the image -> path in the tree.
INITRD_FILES = {
}

# What a file needs besides what its own text includes (.incbin is not seen by
# the compiler's dependency output).
EXTRA_INPUTS = {
    'kernel/vdso/vdso_image.S': ['build/vdso/vdso.img'],
    'tests/host/vdso_test.c': ['build/vdso/vdso.img'],
}

# Flags for single files.
EXTRA_FLAGS = {
    **{source: '-Iuapps' for name in PROGRAMS for source in PROGRAMS[name]},
    'uapps/core-tests/calls.c': '-Iuapps -Ikernel',
    'uapps/proofs/counters.c': '-Iuapps',
    'uapps/proofs/kill_points.c': '-Iuapps',
    'uapps/proofs/main.c': '-Iuapps',
    'uapps/proofs/storm.c': '-Iuapps -Ikernel',
    'uapps/deaths/main.c': '-Iuapps',
    'uapps/depths/main.c': '-Iuapps',
    'uapps/core-tests/t_pointers.c': '-Iuapps -Ikernel',
    'uapps/core-tests/support.c': '-Iuapps -Iulib -Ikernel',
    'uapps/bench/nothing.c': '-Ikernel',
    'uapps/common/archive.c': '-Iuapps -Ikernel',
    **{source: '-Iuapps' for source in HOST_MODELS},
    'tests/host/model.c': '-Iuapps',
    **{f'tests/fuzz/{name}.c': '-Iuapps' for name in (
        'f_fault', 'f_shell', 'f_vmar', 'f_vmo', 'play_model')},
    'uapps/init/frames_test.c': '-Iuapps',
    'uapps/shell/edit_test.c': '-Iuapps',
    'uapps/shell/parse_test.c': '-Iuapps',
    'uapps/core-tests/t_needs.c': '-Ikernel -Iuapps',
    'tests/host/ulib_test.c': '-Itests -Iulib',
    'tests/host/ulib_under_test.c': '-Itests -Iulib',
}
