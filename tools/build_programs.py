"""build_programs.py - which files make the user library, the user programs and the initrd; see
build_lists.py."""
from build_lists import EXAMPLES, files

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
        'channel.c',
        'crt0.S',
        'launch.c',
        'load.c',
        'loop.c',
        'message.c',
        'process.c',
        'resolve.c',
        'start.c',
        'start_message.c',
        'status.c',
        'stubs.c',
        'stubs_check.c',
        'sync.c',
        'tls.c',
    ],
}
ULIB_START = 'ulib/zx/crt0.S'

# Here each name is the C library's.
LIBRARY_WEAK = ['kernel/lib/string.c'] + [f'ulib/c/{name}.c' for name in (
    'ctype', 'environment', 'malloc', 'number', 'printf', 'sort', 'stdio', 'string', 'threads', 'time')]
# malloc.c and its callers are not compiled together: a program that has a malloc of its own
# has it in strdup too.
LIBRARY_GROUPED = [path for path in files(ULIB) if path.startswith('ulib/') and path not in (
    ULIB_START, 'ulib/zx/stubs.c', 'ulib/c/malloc.c')]

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
        'cat', 'crash', 'demand', 'dmesg', 'echo', 'handles', 'head', 'hexdump', 'jobtree',
        'kdebug', 'kill', 'ls', 'maps', 'mem',
        'objects', 'ports', 'ps', 'sleep', 'top', 'true', 'uptime', 'vmo', 'wc', 'yes')},
    'debug': ['uapps/tools/debug_main.c'] + tool('debug'),
    'edu': [
        'uapps/edu/main.c',
        'uapps/edu/pci.c',
    ] + UAPPS_COMMON,
    'false': tool('true'),
    'strace': ['uapps/tools/strace_text.c'] + tool('strace'),
    'init': [
        'uapps/init/console.c',
        'uapps/init/exec.c',
        'uapps/init/frames.c',
        'uapps/init/main.c',
        'uapps/init/report.c',
        'uapps/init/service.c',
        'uapps/init/session.c',
    ] + UAPPS_COMMON,
    'poweroff': tool('power'),
    'trace': ['uapps/tools/trace_json.c'] + tool('trace'),
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
    'bench': [
        'uapps/bench/clone.c',
        'uapps/bench/common.c',
        'uapps/bench/curve_clones.c',
        'uapps/bench/curve_faults.c',
        'uapps/bench/curve_messages.c',
        'uapps/bench/curve_wakes.c',
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
}

# Programs of the initrd that link with nothing and fit into one page of code.
PROGRAMS_BARE = {
    'bench-nothing': 'uapps/bench/nothing.c',
}

# Tests that are user programs; they are not in the initrd, and `ninja` alone does not build them.
TEST_PROGRAMS = {
    'stress-clone': ['uapps/stress/clone.c'] + STRESS_COMMON,
    'stress-fault': ['uapps/stress/fault.c'] + STRESS_COMMON,
    'stress-memory': ['uapps/stress/memory.c'] + STRESS_COMMON,
    'stress-vmar': ['uapps/stress/vmar.c'] + STRESS_COMMON,
    'model': [
        'uapps/edu/pci.c',
        'uapps/model/device_model.c',
        'uapps/model/lockstep.c',
        'uapps/model/lockstep_machine.c',
        'uapps/model/main.c',
        'uapps/model/pager_model.c',
        'uapps/model/vmo_model.c',
        'uapps/model/world.c',
        'uapps/model/world_check.c',
        'uapps/model/world_companion.c',
        'uapps/model/world_device.c',
        'uapps/model/world_machine.c',
        'uapps/model/world_pager.c',
        'uapps/model/world_pin.c',
        'uapps/model/world_view.c',
    ] + STRESS_COMMON,
    'model-vmar': [
        'uapps/model/lockstep.c',
        'uapps/model/lockstep_machine.c',
        'uapps/model/space_check.c',
        'uapps/model/space_main.c',
        'uapps/model/space_model.c',
        'uapps/model/space_world.c',
    ] + STRESS_COMMON,
    'core-tests': [
        'uapps/core-tests/call_arguments.c',
        'uapps/core-tests/call_objects.c',
        'uapps/core-tests/calls.c',
        'uapps/core-tests/debuggee.c',
        'uapps/core-tests/main.c',
        'uapps/core-tests/paged.c',
        'uapps/core-tests/place.c',
        'uapps/core-tests/roles.c',
        'uapps/core-tests/scene.c',
        'uapps/core-tests/support.c',
        'uapps/core-tests/t_bti.c',
        'uapps/core-tests/t_channel.c',
        'uapps/core-tests/t_clone_list.c',
        'uapps/core-tests/t_channel_etc.c',
        'uapps/core-tests/t_debug.c',
        'uapps/core-tests/t_clock.c',
        'uapps/core-tests/t_debuglog.c',
        'uapps/core-tests/t_device.c',
        'uapps/core-tests/t_discardable.c',
        'uapps/core-tests/t_event.c',
        'uapps/core-tests/t_exception.c',
        'uapps/core-tests/t_exception_order.c',
        'uapps/core-tests/t_exception_start.c',
        'uapps/core-tests/t_fault.c',
        'uapps/core-tests/t_fifo.c',
        'uapps/core-tests/t_forbidden.c',
        'uapps/core-tests/t_futex.c',
        'uapps/core-tests/t_handle.c',
        'uapps/core-tests/t_huge.c',
        'uapps/core-tests/t_info.c',
        'uapps/core-tests/t_info_new.c',
        'uapps/core-tests/t_inherit.c',
        'uapps/core-tests/t_interrupt.c',
        'uapps/core-tests/t_interrupt_line.c',
        'uapps/core-tests/t_ioports.c',
        'uapps/core-tests/t_job.c',
        'uapps/core-tests/t_ktrace.c',
        'uapps/core-tests/t_libc.c',
        'uapps/core-tests/t_msi.c',
        'uapps/core-tests/t_needs.c',
        'uapps/core-tests/t_order.c',
        'uapps/core-tests/t_pager.c',
        'uapps/core-tests/t_pager_clone.c',
        'uapps/core-tests/t_pager_dirty.c',
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
        'uapps/core-tests/t_suspend_calls.c',
        'uapps/core-tests/t_thread.c',
        'uapps/core-tests/t_thread_state.c',
        'uapps/core-tests/t_thread_steps.c',
        'uapps/core-tests/t_threads.c',
        'uapps/core-tests/t_timer.c',
        'uapps/core-tests/t_ulib_channel.c',
        'uapps/core-tests/t_ulib_loop.c',
        'uapps/core-tests/t_ulib_sync.c',
        'uapps/core-tests/t_vmar.c',
        'uapps/core-tests/t_vmar_edge.c',
        'uapps/core-tests/t_vmar_list.c',
        'uapps/core-tests/t_vmar_map.c',
        'uapps/core-tests/t_vmo.c',
        'uapps/core-tests/t_vmo_alias.c',
        'uapps/core-tests/t_vmo_clone.c',
        'uapps/core-tests/t_wait.c',
    ],
    'examples': [
        EXAMPLES,
        'uapps/examples/main.c',
    ],
    'depths': [
        'uapps/core-tests/support.c',
        'uapps/depths/main.c',
    ],
    'deaths': [
        'uapps/core-tests/support.c',
        'uapps/deaths/main.c',
    ],
    'proofs': [
        'uapps/core-tests/call_arguments.c',
        'uapps/core-tests/call_objects.c',
        'uapps/core-tests/calls.c',
        'uapps/core-tests/debuggee.c',
        'uapps/core-tests/support.c',
        'uapps/proofs/counters.c',
        'uapps/proofs/kill_points.c',
        'uapps/proofs/main.c',
        'uapps/proofs/storm.c',
    ],
    'races': [
        'uapps/core-tests/debuggee.c',
        'uapps/core-tests/support.c',
        'uapps/proofs/counters.c',
        'uapps/races/blocking.c',
        'uapps/races/blocking_waits.c',
        'uapps/races/caller.c',
        'uapps/races/main.c',
        'uapps/races/race.c',
        'uapps/races/t_futex.c',
        'uapps/races/t_handle.c',
        'uapps/races/t_interrupt.c',
        'uapps/races/t_peer.c',
        'uapps/races/t_signal.c',
        'uapps/races/t_stop.c',
        'uapps/races/t_task.c',
        'uapps/races/t_timer.c',
    ],
}

# Other files of the initrd: path in the image -> path in the tree.
INITRD_FILES = {
}
