"""steps.py - the list of what `./jx test` runs, in order.

To add a test, add a line: a name, the command, and what differs from the default.
The command runs in the top folder; status 0 is a pass. With counts=True its last
line `N passed, N failed` is added to the total, and must agree with the status.
`builds` are ninja targets that must be there first. Steps run side by side while there are
`cores` for them: two where the name has 2cpu, 4cpu or 8cpu in it, else one.
"""
import re
from dataclasses import dataclass, field, replace

ALL_CORES = 0


@dataclass
class Step:
    name: str
    command: str
    counts: bool = False
    timeout: int = 120
    builds: list = field(default_factory=list)
    cores: int = None

    def __post_init__(self):
        if self.cores is None:
            self.cores = 2 if re.search('[248]cpu', self.name) else 1


def ktest(kernel, smp, suites='all', extra=''):
    """The kernel's own tests in a machine."""
    return Step(f'ktest-{kernel}-{smp}cpu', counts=True, timeout=180,
                command=f'tests/qemu/ktest.py --kernel {kernel} --smp {smp} {extra} {suites}')


def shell(boot, smp=1, times=1):
    """Commands typed at the shell, by one way to boot."""
    # Booting again and again keeps one CPU busy; the others look on.
    return Step(f'shell-{boot}-{smp}cpu' + ('' if times == 1 else f'-{times}-times'), timeout=180,
                cores=1 if times > 1 else None,
                command=f'tests/qemu/transcript.py --boot {boot} --smp {smp} --times {times} '
                        'tests/qemu/shell.transcript README.md')


def core(name, kernel, smp, builds=()):
    """Tests that are a user program: the first process, so that it has every authority."""
    return Step(name, counts=True, timeout=180, builds=['build/symbols/core-tests', *builds],
                command=f'JX_KERNEL={kernel} ./jx exec --init --smp {smp} '
                        f'--timeout 150 --append debug.syscalls=1 build/symbols/core-tests')


def user_tests(name, smp, program, kernel='build/debug/kernel.elf', seconds=100, options=''):
    """Tests that are a user program of their own, as the first process."""
    return Step(name, counts=True, timeout=seconds + 30, builds=[program],
                command=f'JX_KERNEL={kernel} ./jx exec --init --smp {smp} '
                        f'--timeout {seconds} {options} {program}')


def proofs(name, smp, kernel='build/debug/kernel.elf', seconds=300, options=''):
    """What only a program of its own shows; it starts core-tests, too."""
    tests = 'build/symbols/core-tests'
    step = user_tests(name, smp, 'build/symbols/proofs', kernel, seconds,
                      f'--add {tests} --append debug.syscalls=1 {options}')
    return replace(step, builds=[*step.builds, tests])


def races(smp):
    """What happens at the same time, in every order that comes on so many CPUs."""
    return user_tests(f'races-{smp}cpu', smp, 'build/symbols/races',
                      options='--append debug.syscalls=1')


def edu(smp, boot='pvh', by=''):
    """The driver of QEMU's device for education, which has all that a driver needs."""
    option = f' --{by}' if by else ''
    return Step(f'edu-{by or boot}-{smp}cpu', timeout=90, builds=['build/symbols/edu'],
                command=f'JX_KERNEL=build/debug/kernel.elf ./jx exec --init --smp {smp} --timeout 60 '
                        f'--boot {boot} --device edu build/symbols/edu{option}')


def stress(program, smp, words, seconds, name='', kernel='build/debug/kernel.elf', memory='256M',
           options=''):
    """A stress program or model as the first process; it prints the seed it began with."""
    return Step(name or f'{program}-{smp}cpu', timeout=seconds + 30,
                builds=[f'build/symbols/{program}'],
                command=f'JX_KERNEL={kernel} ./jx exec --init --smp {smp} --mem {memory} '
                        f'--timeout {seconds} --append debug.syscalls=1 {options}'
                        f'build/symbols/{program} {words}')


def model(smp, steps, seconds, name=''):
    """The model of memory objects, with a display whose memory is device memory to it."""
    return stress('model', smp, f'--device 1 --steps {steps}', seconds, name,
                  options='--device bochs-display ')


# KTESTs of more than a twentieth of a second: 100 times each of them would take minutes.
SLOW_KTESTS = ','.join([
    'ulib.malloc_keeps_blocks_apart_through_a_long_random_life',
    'channel.a_chain_of_100000_ends_does_not_eat_the_stack',
    'pmm.P03_all_free_pages_come_out_once_and_go_back',
    'pmm.P03_random_runs_never_overlap',
    'handle_table.P51_a_full_table_refuses_more_and_still_tells_old_values_apart',
    'handle_table.P51_a_closed_value_is_not_accepted_again',
    'fmt.random_number_formats_agree_with_the_c_library',
    'fmt.random_string_formats_agree_with_the_c_library',
    'page_map.sparse_maps_agree_with_the_model',
    'page_map.dense_maps_agree_with_the_model',
    'kheap.P04_several_threads_share_the_heap',
    'kheap.P04_random_blocks_keep_their_bytes',
    'aspace.regions_agree_with_an_array',
    'vmo.P53_objects_and_views_agree_with_the_model',
    'vmo.P54_a_family_stands_eight_threads',
    'vmo.P54_a_reader_never_sees_what_a_clone_writes',
    'vm.P53_each_operation_without_memory_changes_nothing',
    'play.P20_random_programs_leave_nothing_behind',
    'page_map.P40_a_clone_costs_the_same_for_any_number_of_pages',
])

MODELS = ['build/host/model', 'build/small/model', 'build/tsan/model']

STEPS = [
    # What can be seen without running anything.
    Step('build', 'ninja --quiet images test-programs tools', timeout=600, cores=ALL_CORES),
    Step('lint-layers', 'tests/lint/layers.py'),
    Step('lint-checklists', 'tests/lint/checklists.py'),
    # Images are made from groups of files; each must compile by itself, too.
    Step('lint-alone', 'ninja --quiet alone', timeout=300),
    Step('lint-named', 'tests/lint/named.py'),
    Step('lint-generated', 'python3 tools/gen-build.py --check'),
    Step('lint-frames', 'tests/lint/frames.sh'),
    Step('lint-no-float', 'tests/lint/no_float.py build/debug/kernel.elf build/release/kernel.elf'),
    Step('lint-sizes', 'tests/lint/sizes.py'),
    Step('lint-reproducible', 'tests/lint/reproducible.sh', timeout=300, cores=ALL_CORES),
    Step('lint-claims', 'tests/lint/claims.py'),
    # P41: one table makes numbers, stubs, the dispatch, tests and this document; no call of it
    # is without a text, its errors and an example (examples-1cpu runs these).
    Step('lint-syscalls', 'build/tools/mksyscalls | diff docs/SYSCALLS.md -',
         builds=['build/tools/mksyscalls']),
    Step('tools', 'tests/tools/selftest.py', counts=True, builds=['build/tools/mksyscalls']),

    # The kernel as a host program.
    Step('host-ktest', 'build/host/ktest all', counts=True, timeout=300,
         builds=['build/host/ktest']),
    Step('host-tsan', 'build/tsan/ktest all --cpus 4', counts=True, timeout=300, cores=2,
         builds=['build/tsan/ktest']),
    Step('host-4cpu', 'build/host/ktest all --cpus 4 --preempt 10', counts=True, timeout=300,
         builds=['build/host/ktest']),
    # P20: each KTEST 100 times; blocks, pages and objects are the same after each.
    Step('host-100-times', f'build/host/ktest all --repeat 100 --skip {SLOW_KTESTS}', counts=True,
         timeout=300, builds=['build/host/ktest']),
    Step('host-alloc-fail', 'build/host/ktest all --alloc-fail', counts=True, timeout=300,
         builds=['build/host/ktest']),
    # Every order of small cases, up to a number of preemptions (tests/host/orders.h).
    Step('host-orders', 'build/orders/orders', counts=True, timeout=200,
         builds=['build/orders/orders']),
    # A million steps in lock step with the models, deep page maps with a fan-out of two, and the
    # same with allocations that fail.
    Step('host-models', 'tests/host/models.sh', counts=True, timeout=400, builds=MODELS,
         cores=2),
    Step('host-small', 'for suite in page_map vmo vm aspace; do build/small/ktest $suite || exit 1; '
         'done', timeout=300, builds=['build/small/ktest']),
    # Protocols of the kernel as models, in every order of their steps; each with faults to find.
    Step('spin', 'tests/spin/run.py', counts=True, timeout=300),
    Step('mutants', 'tests/host/mutants.py', counts=True, timeout=900, cores=2,
         builds=['build/host/ktest', 'build/host/model', 'build/orders/orders',
                 'build/tsan/ktest']),
    Step('fuzz', 'tests/fuzz/run.sh 5', counts=True, timeout=300, builds=['fuzzers']),

    # The kernel in a machine.
    ktest('debug', 1),
    ktest('debug', 4),
    ktest('release', 1),

    # Programs on the kernel. The last one has other call numbers than they were built with.
    core('core-debug-1cpu', 'build/debug/kernel.elf', 1),
    core('core-debug-4cpu', 'build/debug/kernel.elf', 4),
    core('core-release-4cpu', 'build/kernel.elf', 4),
    core('core-moved-numbers', 'build/moved/kernel.elf', 1, ['build/moved/kernel.elf']),

    user_tests('examples-1cpu', 1, 'build/symbols/examples', options='--append debug.syscalls=1'),

    shell('pvh'),
    shell('microvm'),
    shell('bios'),
    shell('uefi'),
    shell('pvh', 4),
    shell('bios', 4),
    shell('pvh', 4, 20),
    Step('tools-1cpu', 'tests/qemu/transcript.py --kernel debug tests/qemu/tools.transcript'),
    Step('debug-1cpu', 'tests/qemu/transcript.py --kernel debug --append debug.syscalls=1 '
         'tests/qemu/debug.transcript'),
    Step('debug-4cpu', 'tests/qemu/transcript.py --smp 4 --append debug.syscalls=1 '
         'tests/qemu/debug.transcript'),
    Step('tools-4cpu', 'tests/qemu/transcript.py --smp 4 tests/qemu/tools.transcript'),
    # The kernel's own report of a crash goes elsewhere: it may come in the middle of a program's.
    Step('debugger-1cpu', 'tests/qemu/transcript.py --kernel debug --append log=debug '
         '--add build/symbols/core-tests tests/qemu/debugger.transcript',
         builds=['build/symbols/core-tests']),
    Step('debugger-4cpu', 'tests/qemu/transcript.py --smp 4 --append log=debug '
         '--add build/symbols/core-tests tests/qemu/debugger.transcript',
         builds=['build/symbols/core-tests']),
    Step('keys-1cpu', 'tests/qemu/shell.py', counts=True, timeout=180),
    Step('keys-4cpu', 'tests/qemu/shell.py --smp 4', counts=True, timeout=180, cores=1),
    Step('bench', 'tests/qemu/bench.py', counts=True, timeout=180),
    # P40: what a clone costs, against size, generations, siblings and CPUs.
    Step('bench-vm', 'tests/qemu/bench_vm.py', counts=True, timeout=240),
    # What messages cost against what is in them, and wakes against how many wait.
    Step('bench-messages', 'tests/qemu/bench_messages.py', counts=True, timeout=240),
    Step('exec', 'tests/qemu/exec.py', counts=True, timeout=300),  # much of it is waiting
    Step('trace', 'tests/qemu/trace.py', counts=True, timeout=200, cores=2),
    Step('same', 'tests/qemu/same.py', counts=True, timeout=200, cores=2),
    Step('latency', 'tests/qemu/latency.py', counts=True, timeout=240,
         builds=['build/symbols/core-tests', 'build/symbols/deaths']),
    Step('crashes', 'tests/qemu/crashes.py', counts=True, timeout=200, cores=2,
         builds=['build/symbols/core-tests']),
    Step('mutants-qemu', 'tests/qemu/mutants.py', counts=True, timeout=400,
         builds=['test-programs']),
    # A driver: ports, registers, messages and pinned memory of one device; nobody else may. P21:
    # it compares the device's address at the end with the one that the firmware gave it.
    edu(1),
    edu(4),
    edu(1, 'bios'),
    edu(4, 'uefi'),
    edu(1, by='line'),
    edu(4, 'bios', by='line'),
    Step('edu-denied', 'JX_KERNEL=build/debug/kernel.elf ./jx exec --device edu edu 2>&1 | '
         "grep 'edu: this needs the root resource'", timeout=90),
    user_tests('depths-1cpu', 1, 'build/symbols/depths'),
    user_tests('depths-4cpu', 4, 'build/symbols/depths'),
    user_tests('deaths-1cpu', 1, 'build/symbols/deaths'),
    user_tests('deaths-4cpu', 4, 'build/symbols/deaths'),
    proofs('proofs-1cpu', 1, options='--append kill.points=1 --append utest=p47,p55'),
    # Ten runs of core-tests; the release kernel counts the same, in half the time.
    proofs('counters-1cpu', 1, 'build/kernel.elf', options='--append utest=p20'),
    proofs('alloc-storm', 1, seconds=100, options='--append alloc.storm=1 --append utest=storm'),
    proofs('proofs-4cpu', 4, options='--append kill.points=1'),
    proofs('kill-points-8cpu', 8, seconds=100, options='--append kill.points=1 --append utest=p47_points'),

    races(1),
    races(2),
    races(4),
    races(8),

    Step('documents', 'env -u JX_BUILT tests/qemu/documents.py', counts=True, timeout=300,
         cores=ALL_CORES),
    Step('boots', 'tests/qemu/boots.py', counts=True, timeout=300),

    # Memory objects and regions in lock step with models, and under stress; see SOAK below.
    model(1, 250000, 90),
    model(4, 200000, 150),
    stress('model-vmar', 1, '--steps 250000', 90),
    stress('model-vmar', 4, '--steps 200000', 150),
    stress('stress-clone', 1, '--seconds 8', 60),
    stress('stress-clone', 4, '--seconds 12', 60),
    stress('stress-vmar', 4, '--seconds 12', 60),
    stress('stress-fault', 1, '--seconds 6', 60),
    stress('stress-fault', 4, '--seconds 12', 60),
    stress('stress-memory', 1, '--seconds 3', 100, memory='48M'),
]

# What only `./jx test soak` runs: the same for longer.
SOAK = [
    Step('soak-host-models', 'tests/host/models.sh 10', counts=True, timeout=1800, builds=MODELS),
    model(1, 5000000, 600, name='soak-model-1cpu'),
    model(4, 2000000, 900, name='soak-model-4cpu'),
    stress('model-vmar', 1, '--steps 5000000', 600, name='soak-model-vmar-1cpu'),
    stress('model-vmar', 4, '--steps 2000000', 900, name='soak-model-vmar-4cpu'),
    stress('stress-clone', 4, '--seconds 600', 660, name='soak-clone-4cpu'),
    stress('stress-vmar', 4, '--seconds 600', 660, name='soak-vmar-4cpu'),
    stress('stress-fault', 4, '--seconds 600', 660, name='soak-fault-4cpu'),
    user_tests('soak-races-4cpu', 4, 'build/symbols/races', seconds=900,
               options='--append debug.syscalls=1 --append races.times=50'),
    stress('stress-memory', 4, '--seconds 300', 460, name='soak-memory-4cpu', memory='64M'),
]
