#!/usr/bin/env python3
"""bench_vm.py: what clones cost does not grow with their size, history or relatives.

A short run of `./jx bench vm` must end well: it judges its own curves. That it can
judge is tested with curves that rise.
"""
import os
import subprocess
import sys
import unittest
import xml.etree.ElementTree

import tally

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
sys.path.insert(0, os.path.join(TOP, 'tools'))
import jx_bench_vm  # noqa: E402
import svg_plot  # noqa: E402

PLOT_MAX = 20000  # bytes


def figures_of(text):
    figures = {}
    for line in text.splitlines():
        name, x, value = line.split('\t')
        figures.setdefault(name, {})[int(x)] = int(value)
    return figures


class ShortRun(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.run_ = subprocess.run(
            [os.path.join(TOP, 'jx'), 'bench', 'vm', '--short', '--tsv', '--plot'], check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            env=dict(os.environ, JX_BUILT='1'))
        cls.figures = figures_of(cls.run_.stdout) if cls.run_.returncode in (0, 1) else {}

    def test_every_curve_is_flat(self):
        self.assertEqual(0, self.run_.returncode, self.run_.stderr)

    def test_every_curve_was_measured(self):
        for name in jx_bench_vm.FLAT + ['size.clone_close_mapped', 'generations.kernel_bytes_left',
                                        'siblings.kernel_bytes_left', 'depth.kernel_bytes_left']:
            self.assertLess(1, len(self.figures.get(name, {})), name)
        self.assertEqual({4096, 16 << 20, 4 << 30}, set(self.figures['size.clone']))
        self.assertEqual({1, 100, 10000}, set(self.figures['siblings.clone']))

    def test_clones_that_fault_at_once_rarely_meet_at_a_lock(self):
        found = self.figures.get('faults.contended_per_million', {})
        self.assertEqual({1, 4}, set(found))
        self.assertLess(found[4], jx_bench_vm.CONTENDED_PER_MILLION)

    def test_maps_of_pages_stay_small(self):
        self.assertLess(self.figures['memory.bytes_for_1000_pages'][256 << 20], 10000)
        self.assertLess(self.figures['memory.bytes_for_a_page_alone'][4096], 4096)

    def test_plots_are_small_and_well_formed(self):
        names = list(jx_bench_vm.plots(self.figures))
        self.assertEqual(['size', 'memory', 'faults', 'generations', 'depth', 'siblings', 'locks'],
                         names)
        for path in [f'build/vm-{name}.svg' for name in names] + \
                [f'docs/plots/vm-{name}.svg' for name in names]:
            with open(os.path.join(TOP, path), encoding='utf-8') as file:
                text = file.read()
            self.assertLess(len(text), PLOT_MAX, path)
            self.assertIn('polyline', text, path)
            xml.etree.ElementTree.fromstring(text)


class Judge(unittest.TestCase):
    def wrong(self, name, points):
        return list(jx_bench_vm.above({name: points}, jx_bench_vm.allowed))

    def test_a_curve_that_rises_is_not_flat(self):
        self.assertEqual([], self.wrong('size.clone', {4096: 1000, 1 << 32: 1400}))
        self.assertEqual(1, len(self.wrong('size.clone', {4096: 1000, 1 << 32: 1401})))
        self.assertEqual(1, len(self.wrong('siblings.read', {1: 900, 100: 9000, 10000: 900})))
        self.assertEqual(1, len(self.wrong('faults.instructions', {1: 1500, 4: 2100})))

    def test_a_mapped_object_may_cost_its_directory_entries_only(self):
        name = 'size.clone_close_mapped'
        self.assertEqual([], self.wrong(name, {4096: 3500, 1 << 30: 17900}))
        self.assertEqual(1, len(self.wrong(name, {4096: 3500, 1 << 30: 18000})))

    def test_lost_memory_and_many_meetings_are_seen(self):
        self.assertEqual(1, len(self.wrong('generations.kernel_bytes_left', {1: 0, 100: 64})))
        self.assertEqual([], self.wrong('faults.contended_per_million', {1: 0, 4: 10000}))
        self.assertEqual(1, len(self.wrong('faults.contended_per_million', {1: 0, 4: 10001})))


class Plots(unittest.TestCase):
    def test_a_point_lies_where_its_value_says(self):
        plot = svg_plot.Plot('t', 'x', 'y', {'a': [(1, 10), (100, 1000)]}, log_y=True)
        self.assertEqual([10, 100, 1000], plot.y_ticks)
        middle = (plot.x_at(1) + plot.x_at(100)) / 2
        self.assertAlmostEqual(middle, plot.x_at(10))
        self.assertAlmostEqual((plot.y_at(10) + plot.y_at(1000)) / 2, plot.y_at(100))

    def test_a_flat_axis_begins_at_zero_and_holds_every_value(self):
        plot = svg_plot.Plot('t', 'x', 'y', {'a': [(1, 910), (10, 2304)]})
        self.assertEqual(0, plot.y_ticks[0])
        self.assertLess(2304, plot.y_ticks[-1])

    def test_one_point_and_all_zero_are_no_trouble(self):
        xml.etree.ElementTree.fromstring(svg_plot.Plot('<&>', 'x', 'y', {'a': [(1, 0)]}).svg())


if __name__ == '__main__':
    sys.exit(tally.run_tests(sys.modules[__name__]))
