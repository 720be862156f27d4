"""jx_bench.py - the measured table: `./jx bench`.

The program `bench` of the image measures; with one argument it measures that row
alone, with `--list` it names its rows. It prints `row<TAB>instructions`, the median
of one operation. Under -icount one instruction is one nanosecond of guest time, so
the figures repeat exactly. The row `boot` comes from the kernel's log:
`boot: N ticks to the first user instruction`, without the waits for its clocks.
"""
import os
import re
import subprocess
import sys

import jx_exec
import machine

HELP = """usage: ./jx bench [--tsv] [--linux] [ROW...]
       ./jx bench vm [--short] [--tsv] [--plot] [--linux] [--mem M]
       ./jx bench messages [--short] [--tsv]

Measures the primitive operations in guest instructions, next to their targets.
  --tsv    row<TAB>instructions<TAB>target, one row a line
  --linux  measures Debian's Linux in the same way and shows it beside; the first time
           this fetches its kernel with apt-get download. Takes half a minute

`./jx bench vm` measures what clones cost against size, generations and siblings, and faults
on several CPUs; `./jx bench messages` what messages cost against what is in them, and wakes
against how many wait. Both tell more with `--help`.
"""
# Instructions per operation that the first complete version must reach.
TARGETS = {
    'null_syscall': 80,
    'clock_get_vdso': 40,
    'clock_get_syscall': 120,
    'handle_dup_close': 400,
    'event_create_close': 700,
    'channel_create_close': 1600,
    'vmo_create_close_4k': 1100,
    'map_unmap_1page': 1600,
    'map_touch_unmap_1page': 3500,
    'vmo_read_4k': 900,
    'vmo_write_4k': 1000,
    'fault_touch': 1300,
    'fault_committed': 120,
    'commit': 750,
    'unmap_committed': 10,
    'vmo_clone_16MiB': 1500,
    'vmo_clone_1GiB_mapped': 12000,
    'cow_write': 1500,
    'cow_write_sparse': 2300,
    'cow_reuse': 600,
    'channel_same_thread_64B': 900,
    'channel_same_thread_64B_1handle': 1300,
    'channel_call_threads_64B': 1600,
    'channel_call_processes_64B': 1700,
    'event_pingpong_processes': 2000,
    'port_signal_wait': 1200,
    'futex_pingpong_threads': 1400,
    'thread_create_join': 4500,
    'process_spawn_exit': 40000,
    'boot': 2000000,
}
# Measured with more memory, in a machine of their own.
BIG_ROWS = {'vmo_clone_1GiB_mapped': '2048M'}
CPU = 'max,-erms,-la57'
# Rows of tests/linux-peer that do the like: the least of several counts, and how many
# of its operations are one of ours.
LINUX = {
    'null_syscall': ('null_syscall', 1),
    'clock_get_vdso': ('clock_get_vdso', 1),
    'clock_get_syscall': ('clock_get_syscall', 1),
    'handle_dup_close': ('handle_dup_close', 1),
    'event_create_close': ('event_create_close', 1),
    'channel_create_close': ('ipc_create_close', 1),
    'vmo_create_close_4k': ('memobj_create_close_4k', 1),
    'map_unmap_1page': ('map_unmap_1page', 1),
    'map_touch_unmap_1page': ('map_touch_unmap_1page', 1),
    'vmo_read_4k': ('memobj_read_4k', 1),
    'vmo_write_4k': ('memobj_write_4k', 1),
    'fault_touch': ('fault_touch_16MiB', 1),
    'unmap_committed': ('unmap_16MiB_committed', 1),
    'vmo_clone_16MiB': ('cow_clone_16MiB', 1),
    'vmo_clone_1GiB_mapped': ('cow_clone_16MiB', 64),
    'cow_write': ('cow_write_fault', 1),
    'cow_write_sparse': ('cow_write_fault', 1),
    'cow_reuse': ('cow_reuse_fault', 1),
    'channel_same_thread_64B': ('ipc_same_thread_64B', 1),
    'channel_same_thread_64B_1handle': ('ipc_same_thread_64B_1handle', 1),
    'channel_call_threads_64B': (
        'ipc_pingpong_threads_64B ipc_pingpong_processes_64B_pipe', 1),
    'channel_call_processes_64B': (
        'ipc_pingpong_processes_64B ipc_pingpong_processes_64B_pipe', 1),
    'event_pingpong_processes': ('ipc_pingpong_processes_8B_eventfd', 1),
    'port_signal_wait': ('wait_multiplex', 1),
    'futex_pingpong_threads': ('futex_pingpong_threads', 1),
    'thread_create_join': ('thread_create_join', 1),
    'process_spawn_exit': ('process_spawn_exit process_vfork_exec_exit', 1),
}


class Capture(jx_exec.Run):
    """A run whose output and log are kept."""

    def __init__(self, arguments, options):
        super().__init__(arguments, options)
        self.output, self.log = b'', b''
        self.input_open = False

    def on_output(self, data):
        self.output += data

    def log_line(self, line):
        self.log += line + b'\n'
        if b'jx-result:' in line:
            super().log_line(line)


def measure(words, memory):
    """{row: instructions} of one machine."""
    arguments = jx_exec.Arguments(['bench'] + words)
    command_line = ['log=debug', 'ktest=off', 'boot.ticks', 'exec=/bin/bench']
    if words:
        command_line.append('exec.args=' + ','.join(map(jx_exec.escape, words)))
    options = machine.Options(cpu=CPU, memory=memory, icount=True, words=command_line)
    run = Capture(arguments, options)
    code, reason = jx_exec.run_for(600, run)
    if code:
        sys.stderr.write(run.log.decode(errors='replace') + run.output.decode(errors='replace'))
        machine.fail(f'bench {" ".join(words)}: {reason}', 1)
    rows = dict(re.findall(r'^(\w+)\t(\d+)\r?$', run.output.decode(errors='replace'), re.M))
    boot = re.search(rb'boot: (\d+) ticks', run.log)
    if boot:
        rows['boot'] = boot.group(1)
    return {row: int(value) for row, value in rows.items()}


def measure_linux():
    """{row: instructions} of Linux, by the medians of tests/linux-peer."""
    command = [os.path.join(machine.TOP, 'tests/linux-peer/run.sh'), '--icount', '1',
               '--cpu', CPU]
    environment = dict(os.environ, LINUX_PEER_BUILD=machine.built('linux-peer'))
    run = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL,
                         capture_output=True, text=True, check=False)
    if run.returncode:
        sys.stderr.write(run.stderr)
        machine.fail('bench: the Linux machine gave no figures', 1)
    fields = [line.split('\t') for line in run.stdout.splitlines()[1:]]
    medians = {field[0]: float(field[5]) for field in fields}
    return {row: round(min(medians[name] for name in names.split()) * count)
            for row, (names, count) in LINUX.items()}


def show_beside(figures, linux):
    print(f'{"row":34} {"instructions":>12} {"target":>10} {"Linux":>12}')
    for row in TARGETS:
        if row in figures:
            peer = f'{linux[row]:,}' if row in linux else '-'
            print(f'{row:34} {figures[row]:12,} {TARGETS[row]:10,} {peer:>12}')


def show(figures, tsv):
    names = [row for row in TARGETS if row in figures]
    names += [row for row in figures if row not in TARGETS]
    if not tsv:
        print(f'{"row":34} {"instructions":>12} {"target":>10}')
    for row in names:
        target = TARGETS.get(row)
        if tsv:
            print(f'{row}\t{figures[row]}\t{target if target is not None else "-"}')
        else:
            verdict = '' if target is None or figures[row] <= target else '  above'
            print(f'{row:34} {figures[row]:12,} {target or 0:10,}{verdict}')


def main(words):
    machine.die_with_signals()
    if words and words[0] == 'vm':
        import jx_bench_vm
        return jx_bench_vm.main(words[1:])
    if words and words[0] == 'messages':
        import jx_bench_messages
        return jx_bench_messages.main(words[1:])
    tsv = '--tsv' in words
    linux = '--linux' in words
    chosen = [word for word in words if word not in ('--tsv', '--linux')]
    if '--help' in chosen or '-h' in chosen:
        sys.stdout.write(HELP)
        return 0
    unknown = [word for word in chosen if word not in TARGETS]
    if unknown:
        machine.fail(f'bench: no such row: {unknown[0]}')
    figures = {}
    small = [row for row in chosen if row not in BIG_ROWS and row != 'boot']
    if small or not chosen or 'boot' in chosen:
        figures.update(measure(small or (['null_syscall'] if chosen else []), '256M'))
    for row, memory in BIG_ROWS.items():
        if not chosen or row in chosen:
            figures[row] = measure([row], memory)[row]
    if chosen:
        figures = {row: value for row, value in figures.items() if row in chosen}
    if linux and not tsv:
        show_beside(figures, measure_linux())
    else:
        show(figures, tsv)
    return 0
