#!/usr/bin/env python3
"""bench.py: the rows of the measured table that are at their targets stay there.

Under -icount the figures are the same in every run, so a row above its target is a
change that made it slower.
"""
import os
import subprocess
import sys

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
HELD = '''null_syscall clock_get_vdso clock_get_syscall handle_dup_close event_create_close
channel_create_close vmo_create_close_4k map_unmap_1page map_touch_unmap_1page vmo_read_4k
vmo_write_4k fault_touch fault_committed commit unmap_committed vmo_clone_16MiB
vmo_clone_1GiB_mapped cow_write cow_write_sparse cow_reuse channel_same_thread_64B
channel_same_thread_64B_1handle port_signal_wait thread_create_join process_spawn_exit
boot'''.split()


def main():
    run = subprocess.run([os.path.join(TOP, 'jx'), 'bench', '--tsv'] + HELD, check=False,
                         stdout=subprocess.PIPE, text=True, env=dict(os.environ, JX_BUILT='1'))
    rows = dict(line.split('\t', 1) for line in run.stdout.splitlines())
    failed = 0
    for name in HELD:
        figure, target = map(int, rows.get(name, '999999999\t0').split('\t'))
        if figure > target:
            failed += 1
            print(f'{name}: {figure}, target {target}')
    print(f'{len(HELD) - failed} passed, {failed} failed')
    return failed > 0


if __name__ == '__main__':
    sys.exit(main())
