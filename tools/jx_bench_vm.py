"""jx_bench_vm.py - curves of memory objects: `./jx bench vm`.

The program `bench` of the image measures them, as the first process of a machine, so that
it may ask what memory is in use. It prints `curve.figure<TAB>x<TAB>value`. Instructions are
counted by -icount. Only how often two CPUs meet at a lock is counted in a machine whose
CPUs truly run at once; that figure depends on the computer and is never the same twice.
"""
import os
import re
import subprocess
import sys

import jx_bench
import jx_exec
import machine
import svg_plot

HELP = """usage: ./jx bench vm [--short] [--tsv] [--plot] [--linux] [--mem M]

Measures what clones of memory objects cost against their size, the generations before
them, and their siblings; faults on clones at 1, 2 and 4 CPUs; and the memory all this takes.
  --short  fewer points
  --tsv    curve.figure<TAB>x<TAB>value, one figure a line
  --plot   also writes the curves as build/vm-*.svg
  --linux  also measures fork in Debian's Linux, at the same sizes
  --mem M  memory of the machine (2048M): sizes that do not fit are committed sparsely
Ends with status 1 when a curve is not flat.
"""
CURVES = ['size', 'generations', 'siblings', 'depth', 'memory']
CPUS = [1, 2, 4]

# ---- What flat means ----

# Each point may cost 1.3 times the first one and this much more: a level or two of the
# page map (a look-up visits a node in about ten instructions), never a share of x.
SLACK = 100
FLAT = ['size.clone', 'size.close', 'size.kernel_bytes', 'faults.instructions'] + [
    f'{curve}.{figure}' for curve in ('generations', 'siblings', 'depth')
    for figure in ('clone', 'close', 'read', 'write', 'kernel_bytes')] + [
    'siblings.parent_write', 'depth.parent_write']
# A clone of a mapped object takes write permission from each directory entry (2 MiB); in
# the tables at the two edges of the mapping, which may serve others too, from each page.
MAPPED_PER_ENTRY, MAPPED_PER_EDGE_PAGE, EDGE_PAGES = 16, 5, 2 * 511
# Contended lock acquisitions stay under one for each 100 faults.
CONTENDED_PER_MILLION = 10_000


def allowed(name, x, first):
    """The most that a point may be; None when there is no bound."""
    if name in FLAT:
        return first * 1.3 + SLACK
    if name == 'size.clone_close_mapped':
        return (first * 1.3 + SLACK + MAPPED_PER_EDGE_PAGE * min(x >> 12, EDGE_PAGES)
                + MAPPED_PER_ENTRY * (x >> 21))
    return {'faults.contended_per_million': CONTENDED_PER_MILLION,
            'generations.kernel_bytes_left': 0, 'siblings.kernel_bytes_left': 0,
            'depth.kernel_bytes_left': 0}.get(name)


def above(figures, allowed):
    """A line for each point that is above what it may be: allowed(name, x, value of the first)."""
    for name, points in figures.items():
        first = points[min(points)]
        for x, value in sorted(points.items()):
            most = allowed(name, x, first)
            if most is not None and value > most:
                yield f'{name} at {x}: {value}, at most {most:.0f}'


# ---- Measuring ----

def measure(words, memory, smp=1, icount=True):
    """{curve.figure: {x: value}} of one machine."""
    command_line = ['log=debug', 'ktest=off', 'init=/bin/bench',
                    'init.args=' + ','.join(words)]
    if not icount:
        command_line.append('debug.syscalls=1')  # tells contended locks, at a cost
    options = machine.Options(cpu=jx_bench.CPU, memory=memory, smp=smp, icount=icount,
                              words=command_line)
    run = jx_bench.Capture(jx_exec.Arguments(['--init', 'bench'] + words), options)
    code, reason = jx_exec.run_for(600, run)
    text = run.output.decode(errors='replace')
    if code:
        sys.stderr.write(run.log.decode(errors='replace') + text)
        machine.fail(f'bench vm: {" ".join(words)}: {reason}', 1)
    figures = {}
    for name, x, value in re.findall(r'^(\w+\.\w+)\t(\d+)\t(-?\d+)\r?$', text, re.M):
        figures.setdefault(name, {})[int(x)] = int(value)
    return figures


def measure_at_once(words, memory, smp, judged):
    """The same of a machine whose CPUs truly run at once: of three runs the one with the least
    of the figure `judged`, since a CPU that the host stops while it holds a lock adds to it."""
    runs = [measure(words, memory, smp, icount=False) for _ in range(1 if smp == 1 else 3)]
    return min(runs, key=lambda figures: max(figures[judged].values()))


def measure_faults(words, cpus):
    """Instructions with -icount, contended locks without."""
    figures = {'faults.instructions': {}, 'faults.contended_per_million': {}}
    for smp in cpus:
        counted = measure(['faults'] + words, '512M', smp)
        at_once = measure_at_once(['faults'] + words, '512M', smp, 'faults.contended_per_million')
        for name, found in zip(figures, (counted, at_once)):
            figures[name].update(found[name])
    return figures


def measure_linux():
    """{linux.fork, linux.write, linux.fork_bytes: {size: value}}"""
    command = [os.path.join(machine.TOP, 'tests/linux-peer/run.sh'), '--icount', '1', '--cpu',
               jx_bench.CPU, '--mem', '1536', '--only', 'fork_by_size']
    environment = dict(os.environ, LINUX_PEER_BUILD=machine.built('linux-peer'))
    run = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL,
                         capture_output=True, text=True, check=False)
    if run.returncode:
        sys.stderr.write(run.stderr)
        machine.fail('bench vm: the Linux machine gave no figures', 1)
    figures = {}
    for kib, what, value in re.findall(r'^fork_by_size_(\d+)_(\w+)\t([\d.]+)', run.stdout, re.M):
        figures.setdefault(f'linux.{what}', {})[int(kib) << 10] = round(float(value))
    return figures


# ---- Showing ----

# Title, name of x, columns (figure, heading).
TABLES = [
    ('A clone of a whole memory object, against its size', svg_plot.size_name, [
        ('size.committed', 'pages'), ('size.clone', 'clone'), ('size.close', 'close'),
        ('size.clone_close_mapped', 'mapped'), ('size.kernel_bytes', 'bytes'),
        ('linux.fork', 'Linux fork'), ('linux.bytes', 'its bytes')]),
    ('The last of a chain, each parent dropped (16 MiB)', '{:,}'.format, [
        ('generations.' + name, head) for name, head in (
            ('clone', 'clone'), ('close', 'close'), ('read', 'read 4k'), ('write', 'write 4k'),
            ('kernel_bytes', 'bytes in all'))]),
    ('The last of a chain, each parent kept (16 MiB)', '{:,}'.format, [
        ('depth.' + name, head) for name, head in (
            ('clone', 'clone'), ('close', 'close'), ('read', 'read 4k'), ('write', 'write 4k'),
            ('parent_write', 'in the first'), ('kernel_bytes', 'bytes each'))]),
    ('The last of many siblings (16 MiB)', '{:,}'.format, [
        ('siblings.' + name, head) for name, head in (
            ('clone', 'clone'), ('close', 'close'), ('read', 'read 4k'), ('write', 'write 4k'),
            ('parent_write', 'in the parent'), ('kernel_bytes', 'bytes each'))]),
    ('Eight processes that fault, each on a clone of its own; CPUs', str, [
        ('faults.instructions', 'instructions'),
        ('faults.contended_per_million', 'contended/10^6')]),
    ("Linux: a child's first write to a page, against the process's size", svg_plot.size_name, [
        ('linux.write', 'per page')]),
]


def cell(name, value):
    if value is None:
        return '-'
    if name == 'size.committed':
        return 'all' if value else 'sparse'
    return f'{value:,}'


def show_table(figures, title, x_name, columns):
    columns = [column for column in columns if column[0] in figures]
    xs = sorted({x for name, _ in columns for x in figures[name]})
    if not xs:
        return
    print(f'\n{title}')
    print(f'{"":10}' + ''.join(f'{heading:>15}' for _, heading in columns))
    for x in xs:
        cells = (cell(name, figures[name].get(x)) for name, _ in columns)
        print(f'{x_name(x):>10}' + ''.join(f'{text:>15}' for text in cells))


def show(figures):
    print('Guest instructions, and bytes of kernel memory without page tables.')
    for table in TABLES:
        show_table(figures, *table)
    dense = figures['memory.bytes_for_1000_pages'][256 << 20] / 1000
    alone = figures['memory.bytes_for_a_page_alone'][4096]
    print(f'\nA page map takes {dense:.1f} bytes for each page when all are there,\nand a memory '
          f'object of 2^47 bytes with one page at its end {alone:,} bytes in all.')


def show_tsv(figures):
    for name, points in figures.items():
        for x, value in sorted(points.items()):
            print(f'{name}\t{x}\t{value}')


def line(figures, name, scale=1.0):
    return sorted((x, value * scale) for x, value in figures.get(name, {}).items())


def plots(figures):
    """{name: Plot}"""
    per_member = 'guest instructions'
    table = {
        'size': svg_plot.Plot('Clone against size', 'size of the memory object', per_member, {
            'clone': line(figures, 'size.clone'),
            'clone + close, mapped': line(figures, 'size.clone_close_mapped'),
            'fork in Linux': line(figures, 'linux.fork')}, True, svg_plot.size_name),
        'memory': svg_plot.Plot('Memory of a clone', 'size of the memory object', 'bytes', {
            'clone': line(figures, 'size.kernel_bytes'),
            'forked process in Linux': line(figures, 'linux.bytes')}, True, svg_plot.size_name),
        'faults': svg_plot.Plot('Faults on clones, 8 processes', 'CPUs', 'instructions per fault', {
            'copying fault': line(figures, 'faults.instructions')}),
    }
    for name, title, x_label in (
            ('generations', 'The end of a chain, parents dropped', 'generations'),
            ('depth', 'The end of a chain, parents kept', 'generations'),
            ('siblings', 'One of many siblings', 'siblings')):
        table[name] = svg_plot.Plot(title, x_label, per_member, {
            'write 4 KiB': line(figures, name + '.write'), 'clone': line(figures, name + '.clone'),
            'read 4 KiB': line(figures, name + '.read'), 'close': line(figures, name + '.close')})
    if figures['faults.contended_per_million']:
        table['locks'] = svg_plot.Plot('Locks that were not free at once', 'CPUs',
                                       'per 1,000 faults', {
            'the bound': [(cpus, 10) for cpus in sorted(figures['faults.instructions'])],
            'measured': line(figures, 'faults.contended_per_million', 0.001)})
    return table


def write_plots(figures):
    for name, plot in plots(figures).items():
        path = machine.built(f'vm-{name}.svg')
        with open(path, 'w', encoding='utf-8') as file:
            file.write(plot.svg())
        sys.stderr.write(f'jx: {os.path.relpath(path)}\n')


def main(words):
    memory, options, words = '2048M', set(), list(words)
    while words:
        word = words.pop(0)
        if word == '--mem' and words and re.fullmatch(r'[1-9][0-9]*[MG]', words[0]):
            memory = words.pop(0)
        elif word in ('--short', '--tsv', '--plot', '--linux'):
            options.add(word)
        elif word in ('--help', '-h'):
            sys.stdout.write(HELP)
            return 0
        else:
            machine.fail(f'bench vm: what is {word}? see ./jx bench vm --help')
    short = ['short'] if '--short' in options else []
    figures = measure(CURVES + short, memory)
    figures.update(measure_faults(short, [1, 4] if short else CPUS))
    if '--linux' in options:
        figures.update(measure_linux())
    (show_tsv if '--tsv' in options else show)(figures)
    if '--plot' in options:
        write_plots(figures)
    too_high = list(above(figures, allowed))
    for text in too_high:
        sys.stderr.write(f'jx: not flat: {text}\n')
    return 1 if too_high else 0
