"""jx_bench_messages.py - curves of messages and wakes: `./jx bench messages`.

The program `bench` of the image measures them as the first process of a machine. As in
jx_bench_vm.py instructions are counted by -icount, and only how often CPUs meet at a
lock is counted in a machine whose CPUs truly run at once.
"""
import math
import sys

import jx_bench_vm
import machine

HELP = """usage: ./jx bench messages [--short] [--tsv]

Measures a message against its bytes (0 to 65,536) and handles (0 to 64); waking against the
number of waiters (to 1,000), of registrations at a port (to 10,000) and of armed timers (to
100,000); and calls between pairs of processes, one for each CPU, at 1, 2 and 4 CPUs.
  --short  fewer points
  --tsv    curve.figure<TAB>x<TAB>value, one figure a line
Ends with status 1 when a curve rises more than it may.
"""
CURVES = ['bytes', 'handles', 'waiters', 'packets', 'timers']
CPUS = [1, 2, 4]

# ---- What may rise, and how much ----

# As in jx_bench_vm: each point may cost 1.3 times the first one, and this much more.
SLACK = jx_bench_vm.SLACK
FLAT = ['waiters.wake_all_each', 'waiters.round_trip', 'packets.signal_each', 'calls.instructions']
# Two copies of eight bytes an instruction, and pages of user memory to find, per byte; a handle
# leaves a table and joins one, and the first of them has a fixed price.
PER_BYTE, PER_HANDLE, FIRST_HANDLE = 0.6, 220, 600
# Timers are in a tree: what each doubling of their number may add.
PER_LEVEL = 10
# At locks that do not belong to one pair alone.
CONTENDED_PER_MILLION = 3000


def allowed(name, x, first):
    """The most that a point may be; None when there is no bound."""
    flat = first * 1.3 + SLACK
    if name in FLAT:
        return flat
    return {'bytes.write_read': flat + PER_BYTE * x,
            'handles.write_read': flat + (FIRST_HANDLE + PER_HANDLE * x if x else 0),
            'timers.set_cancel': flat + PER_LEVEL * math.log2(max(x, 1)),
            'timers.fire': flat + PER_LEVEL * math.log2(max(x, 1)),
            'calls.contended_per_million': CONTENDED_PER_MILLION}.get(name)


# ---- Measuring ----

def measure_calls(words, cpus):
    """Instructions with -icount, what CPUs do to each other without."""
    figures = {}
    for smp in cpus:
        counted = jx_bench_vm.measure(['calls'] + words, '512M', smp)
        at_once = jx_bench_vm.measure_at_once(['calls'] + words, '512M', smp,
                                              'calls.contended_per_million')
        for name, points in {**at_once, 'calls.instructions': counted['calls.instructions']}.items():
            figures.setdefault(name, {}).update(points)
    return figures


def measure(short):
    words = ['short'] if short else []
    figures = jx_bench_vm.measure(CURVES + words, '1024M')
    figures.update(measure_calls(words, [1, 4] if short else CPUS))
    return figures


# ---- Showing ----

TABLES = [
    ('A message, written and read by one thread; bytes', '{:,}'.format, [
        ('bytes.write_read', 'instructions')]),
    ('A message of 64 bytes; handles', str, [('handles.write_read', 'instructions')]),
    ('One signal and the threads that wait for it; threads', '{:,}'.format, [
        ('waiters.wake_all_each', 'for each'), ('waiters.round_trip', 'another wake')]),
    ('One signal and its registrations at a port; registrations', '{:,}'.format, [
        ('packets.signal_each', 'for each')]),
    ('One timer among others that are armed; timers', '{:,}'.format, [
        ('timers.set_cancel', 'set + cancel'), ('timers.fire', 'fire')]),
    ('Calls, a pair of processes for each CPU; CPUs', str, [
        ('calls.instructions', 'instructions'), ('calls.contended_per_million', 'contended/10^6'),
        ('calls.own_contended_per_million', 'in the pair'),
        ('calls.ipis_per_thousand', 'IPIs/10^3')]),
]


def show(figures):
    print('Guest instructions.')
    for table in TABLES:
        jx_bench_vm.show_table(figures, *table)


def main(words):
    options = set()
    for word in words:
        if word in ('--help', '-h'):
            sys.stdout.write(HELP)
            return 0
        if word not in ('--short', '--tsv'):
            machine.fail(f'bench messages: what is {word}? see ./jx bench messages --help')
        options.add(word)
    figures = measure('--short' in options)
    (jx_bench_vm.show_tsv if '--tsv' in options else show)(figures)
    above = list(jx_bench_vm.above(figures, allowed))
    for text in above:
        sys.stderr.write(f'jx: too high: {text}\n')
    return 1 if above else 0
