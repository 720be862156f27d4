#!/usr/bin/env python3
"""bench_messages.py: messages and wakes cost what their contents cost, not what else there is.

A short run of `./jx bench messages` must end well: it judges its own curves. That it can
judge is tested with curves that rise.
"""
import os
import subprocess
import sys
import unittest

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
sys.path.insert(0, os.path.join(TOP, 'tools'))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import jx_bench_messages
import jx_bench_vm  # noqa: E402
import tally  # noqa: E402
from bench_vm import figures_of  # noqa: E402


class ShortRun(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.run_ = subprocess.run(
            [os.path.join(TOP, 'jx'), 'bench', 'messages', '--short', '--tsv'], check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            env=dict(os.environ, JX_BUILT='1'))
        cls.figures = figures_of(cls.run_.stdout) if cls.run_.returncode in (0, 1) else {}

    def test_no_curve_rises_more_than_it_may(self):
        self.assertEqual(0, self.run_.returncode, self.run_.stderr)

    def test_every_curve_was_measured_from_end_to_end(self):
        ends = {'bytes.write_read': {0, 65536}, 'handles.write_read': {0, 64},
                'waiters.wake_all_each': {1, 100}, 'waiters.round_trip': {1, 100},
                'packets.signal_each': {1, 10000}, 'timers.set_cancel': {1, 100000},
                'timers.fire': {1, 100000}, 'calls.instructions': {1, 4},
                'calls.contended_per_million': {1, 4}}
        for name, points in ends.items():
            self.assertLessEqual(points, set(self.figures.get(name, {})), name)


class Judge(unittest.TestCase):
    def wrong(self, name, points):
        return list(jx_bench_vm.above({name: points}, jx_bench_messages.allowed))

    def test_a_wake_that_looks_at_all_waiters_is_seen(self):
        self.assertEqual([], self.wrong('waiters.round_trip', {1: 1640, 1000: 2200}))
        self.assertEqual(1, len(self.wrong('waiters.round_trip', {1: 1640, 1000: 2640})))
        self.assertEqual(1, len(self.wrong('packets.signal_each', {1: 600, 10000: 1600})))

    def test_timers_may_cost_their_logarithm(self):
        self.assertEqual([], self.wrong('timers.fire', {1: 1000, 100000: 1560}))
        self.assertEqual(1, len(self.wrong('timers.fire', {1: 1000, 100000: 1570})))

    def test_bytes_and_handles_may_cost_their_share(self):
        self.assertEqual([], self.wrong('bytes.write_read', {0: 500, 65536: 40000}))
        self.assertEqual(1, len(self.wrong('bytes.write_read', {0: 500, 65536: 70000})))
        self.assertEqual([], self.wrong('handles.write_read', {0: 500, 64: 15000}))
        self.assertEqual(1, len(self.wrong('handles.write_read', {0: 500, 64: 16000})))

    def test_locks_that_pairs_share_are_seen(self):
        self.assertEqual([], self.wrong('calls.contended_per_million', {1: 0, 4: 3000}))
        self.assertEqual(1, len(self.wrong('calls.contended_per_million', {1: 0, 4: 3001})))


if __name__ == '__main__':
    sys.exit(tally.run_tests(sys.modules[__name__]))
