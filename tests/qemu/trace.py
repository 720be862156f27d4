#!/usr/bin/env python3
"""trace.py: what `./jx trace` writes is well formed, and tells what a known program did.

The program is tests/programs/steps.c.
"""
import collections
import json
import os
import subprocess
import sys
import tempfile
import unittest

import tally

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '../..'))
JX = os.path.join(TOP, 'jx')
FOLDER = tempfile.TemporaryDirectory(prefix='jx-test-')
ENVIRONMENT = dict(os.environ, JX_BUILT='1')
CPUS = 1      # the process of the CPUs' tracks
ROUNDS = 20   # of steps.c
SLACK = 50.0  # microseconds that the clocks of two CPUs may differ by under emulation


def program():
    out = os.path.join(FOLDER.name, 'steps')
    if not os.path.exists(out):
        subprocess.run([JX, 'cc', '--native', os.path.join(TOP, 'tests/programs/steps.c'),
                        '-o', out], check=True, env=ENVIRONMENT)
    return out


def trace(*words):
    """The process's result, and the parsed file."""
    path = os.path.join(FOLDER.name, 'trace.json')
    if os.path.exists(path):
        os.unlink(path)
    result = subprocess.run([JX, 'trace', '-o', path] + list(words), capture_output=True,
                            env=ENVIRONMENT, timeout=100, check=False)
    with open(path, encoding='ascii') as file:
        return result, json.load(file)


def names(events, kind):
    """Names by (pid, tid)."""
    return {(e['pid'], e['tid']): e['args']['name'] for e in events
            if e['ph'] == 'M' and e['name'] == kind}


def tracks(events):
    """Slices by (pid, tid)."""
    table = collections.defaultdict(list)
    for event in events:
        if event['ph'] == 'X':
            table[event['pid'], event['tid']].append(event)
    return table


def end_of(event):
    return round(event['ts'] + event['dur'], 3)


class Trace(unittest.TestCase):
    def check_nesting(self, slices, slack):
        """Each slice lies in the one that it begins in."""
        around = []
        for event in sorted(slices, key=lambda e: (e['ts'], -e['dur'])):
            while around and end_of(around[-1]) <= event['ts'] + slack:
                around.pop()
            if around:
                self.assertLessEqual(end_of(event), end_of(around[-1]) + slack, (event, around[-1]))
            around.append(event)

    def check_cpus(self, events, cpus):
        """Who runs on a CPU runs alone, in the order of time; a thread runs in one place."""
        runs = [e for e in events if e.get('cat') == 'sched' and e['ph'] == 'X']
        self.assertTrue(runs)
        by_thread, by_cpu = collections.defaultdict(list), collections.defaultdict(list)
        for event in runs:
            self.assertEqual(CPUS, event['pid'])
            self.assertIn(event['tid'], range(1, cpus + 1))
            by_thread[event['args']['thread']].append(event)
            by_cpu[event['tid']].append(event)
        for one in by_cpu.values():
            for before, after in zip(one, one[1:]):
                self.assertLessEqual(end_of(before), after['ts'])
        for koid, one in by_thread.items():
            one.sort(key=lambda e: e['ts'])
            for before, after in zip(one, one[1:]):
                if koid > 1: # 1 stands for all of the kernel's own
                    self.assertLessEqual(end_of(before), after['ts'] + SLACK)

    def check_program(self, events):
        """What steps.c must have done is there."""
        processes = names(events, 'process_name')
        pid = next(pid for (pid, _), name in processes.items() if name == 'steps')
        threads = {name: tid for (process, tid), name in names(events, 'thread_name').items()
                   if process == pid}
        self.assertIn('the "first" one', threads)
        self.assertEqual(2, len(threads))
        calls = collections.Counter()
        for event in events:
            if event['pid'] == pid and event.get('cat') == 'syscall':
                self.assertIn(event['tid'], threads.values())
                calls[event['tid'], event['name']] += 1
        first = threads['the "first" one']
        other = next(tid for tid in threads.values() if tid != first)
        self.assertGreaterEqual(calls[first, 'zx_object_signal'], 2 * ROUNDS)
        self.assertGreaterEqual(calls[first, 'zx_object_wait_one'], ROUNDS)
        self.assertEqual(2 * ROUNDS, calls[other, 'zx_object_signal'])
        self.assertEqual(ROUNDS, calls[other, 'zx_object_wait_one'])
        self.assertGreaterEqual(calls[first, 'zx_vmo_create'], 1)
        ends = [e['args']['result'] for e in events if e['pid'] == pid
                and e['name'] in ('zx_process_exit', 'zx_thread_exit',
                                  'zx_futex_wake_handle_close_thread_exit')]
        self.assertIn('the thread ended', ends)
        pages = {int(e['args']['address'], 16) // 4096 for e in events
                 if e['name'] == 'page fault' and e['tid'] == first}
        self.assertTrue(any(all(page + i in pages for i in range(ROUNDS)) for page in pages))
        wakes = [e for e in events if e['name'] == 'wake' and e['args']['of'] in (first, other)]
        self.assertGreaterEqual(len(wakes), ROUNDS)
        ran = {e['args']['thread'] for e in events if e.get('cat') == 'sched' and e['ph'] == 'X'}
        self.assertTrue({first, other} <= ran)

    def check(self, cpus):
        result, parsed = trace('--smp', str(cpus), program())
        self.assertEqual((7, b'20 rounds\n'), (result.returncode, result.stdout), result.stderr)
        events = parsed['traceEvents']
        self.assertEqual({'cpus': cpus, 'lost': 0}, parsed['otherData'])
        for event in events:
            self.assertGreaterEqual(event.get('ts', 0), 0)
        for track, slices in tracks(events).items():
            self.check_nesting(slices, 0 if cpus == 1 or track[0] == CPUS else SLACK)
        self.check_cpus(events, cpus)
        self.check_program(events)
        self.assertTrue(any(e['name'] == 'interrupt' for e in events))

    def test_one_cpu(self):
        self.check(1)

    def test_four_cpus(self):
        self.check(4)

    def test_a_full_buffer_counts_what_it_lost_and_keeps_the_first_or_the_last(self):
        begins = []
        for words in ([], ['-l']):
            result, parsed = trace('--buffer', '1', '-g', 'syscall', *words, program(), '500')
            self.assertGreater(parsed['otherData']['lost'], 0, result.stderr)
            calls = [e['name'] for e in parsed['traceEvents'] if e.get('cat') == 'syscall']
            self.assertLessEqual(len(calls), 1700)
            begins.append('zx_process_start' in calls)
        self.assertEqual([True, False], begins)  # the call that started the program

    def test_only_the_groups_that_were_asked_for_are_there(self):
        _, parsed = trace('-g', 'vm,tasks', program())
        found = {e['cat'] for e in parsed['traceEvents'] if e['ph'] != 'M'}
        self.assertEqual({'vm', 'tasks'}, found)

    def test_wrong_usage(self):
        for words, code in (([], 2), (['--buffer', 'x', 'wc'], 2), (['-x', 'wc'], 2)):
            result = subprocess.run([JX, 'trace'] + words, capture_output=True, env=ENVIRONMENT,
                                    timeout=100, check=False, cwd=FOLDER.name)
            self.assertEqual(code, result.returncode, words)


if __name__ == '__main__':
    sys.exit(tally.run_tests(Trace, sys.argv[1:]))
