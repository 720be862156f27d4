#!/usr/bin/env python3
"""run.py [NAME...]: runs the tests of tests/steps.py; `./jx test` calls it.

Without names all of them run. A name is a step, or the beginning of several; `soak`
is the long ones, which run only when asked for.
As many steps run at a time as the cores carry, in the order of the list where it may be.
Progress goes to standard error; a failed step shows its output. The last line is
`N passed, N failed`, and the exit status is 0 only if nothing failed.
  --list   names the steps       -v   shows the output of passed steps too
  --again  runs a failed step once more, and names it as flaky if it passes then
"""
import os
import re
import signal
import subprocess
import sys
import threading
import time

from steps import ALL_CORES, SOAK, STEPS

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
TALLY = re.compile(r'^(?:ktest: )?(\d+) passed, (\d+) failed\s*$', re.M)


running = set()  # the children


def kill_all_of(child):
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def run_command(command, timeout):
    """The command's status (None: time-out) and its output; nothing it started survives."""
    child = subprocess.Popen(command, shell=True, cwd=TOP, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             start_new_session=True, env=dict(os.environ, JX_BUILT='1'))
    running.add(child)
    try:
        output, _ = child.communicate(timeout=timeout)
        status = child.returncode
    except subprocess.TimeoutExpired:
        status, output = None, b''
    finally:
        kill_all_of(child)
        running.discard(child)
    if status is None:
        output, _ = child.communicate()
    return status, output.decode(errors='replace')


def judge(step, status, output):
    """(passed, failed, why): the status and the tally must agree."""
    if status is None:
        return 0, 1, f'no end after {step.timeout} s'
    tallies = TALLY.findall(output)
    if not step.counts:
        return (1, 0, '') if status == 0 else (0, 1, f'status {status}')
    if not tallies:
        return 0, 1, f'no result line (status {status})'
    passed, failed = map(int, tallies[-1])
    if (status == 0) != (failed == 0) or passed + failed == 0:
        return passed, failed + 1, f'status {status} does not agree with the result line'
    return passed, failed, f'{failed} failed' if failed else ''


NINJA = threading.Lock()  # one build at a time


def run_step(step, verbose):
    started = time.monotonic()
    status, output = 0, ''
    if step.builds:
        with NINJA:
            status, output = run_command('ninja --quiet ' + ' '.join(step.builds), 600)
    if status == 0:
        status, output = run_command(step.command, step.timeout)
        passed, failed, why = judge(step, status, output)
    else:
        passed, failed, why = 0, 1, 'the build failed'
    seconds = time.monotonic() - started
    verdict = f'FAILED: {why}' if failed else 'ok'
    count = f', {passed} tests' if step.counts else ''
    report = f'test: {step.name} ... {verdict} ({seconds:.1f} s{count})\n'
    if failed or verbose:
        report += f'--- {step.command}\n{output.rstrip()}\n---\n'
        if failed:
            report += f'again: ./jx test {step.name}\n'
    sys.stderr.write(report)
    sys.stderr.flush()
    return passed, failed


class Cores:
    """How many cores are free; a step that wants more than there are gets all of them."""

    def __init__(self, count):
        self.count = self.free = count
        self.changed = threading.Condition()

    def wanted_by(self, step):
        return self.count if step.cores == ALL_CORES else min(step.cores, self.count)

    def take_for_one_of(self, steps):
        """The first of the steps for which there are cores, when there are."""
        with self.changed:
            self.changed.wait_for(lambda: self.first_that_fits(steps))
            step = self.first_that_fits(steps)
            self.free -= self.wanted_by(step)
        return step

    def first_that_fits(self, steps):
        return next((step for step in steps if self.wanted_by(step) <= self.free), None)

    def give_back(self, step):
        with self.changed:
            self.free += self.wanted_by(step)
            self.changed.notify_all()


def next_steps(steps):
    """Those that may be begun: none passes a step that wants all cores."""
    for i, step in enumerate(steps):
        if step.cores == ALL_CORES:
            return steps[:i] or [step]
    return steps


class Total:
    """What the steps that have ended found."""

    def __init__(self):
        self.passed = self.failed = 0
        self.flaky = []
        self.lock = threading.Lock()

    def add(self, step, passed, failed, is_flaky):
        with self.lock:
            self.passed, self.failed = self.passed + passed, self.failed + failed
            self.flaky += [step.name] if is_flaky else []


def run_steps(steps, verbose, again):
    cores, total, threads = Cores(os.cpu_count() or 1), Total(), []

    def run(step):
        passed, failed, is_flaky = 0, 1, False  # if the lines below end in an exception
        try:
            passed, failed = run_step(step, verbose)
            if failed and again:
                passed, failed = run_step(step, verbose)
                is_flaky = not failed
        finally:
            total.add(step, passed, failed, is_flaky)
            cores.give_back(step)

    steps = list(steps)
    while steps:
        step = cores.take_for_one_of(next_steps(steps))
        steps.remove(step)
        threads.append(threading.Thread(target=run, args=(step,)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return total


def chosen(names):
    if not names:
        return STEPS
    every = STEPS + SOAK
    steps = [step for step in every if step.name in names]
    steps = steps or [step for step in every if step.name.startswith(tuple(names))]
    if not steps:
        sys.exit(f'jx test: no step {" ".join(names)}; ./jx test --list names them')
    if 'build' not in [step.name for step in steps]:
        steps.insert(0, next(step for step in STEPS if step.name == 'build'))
    return steps


def main():
    words = sys.argv[1:]
    if '--help' in words or '-h' in words:
        print(__doc__)
        return 0
    steps = chosen([word for word in words if not word.startswith('-')])
    if '--list' in words:
        print('\n'.join(step.name for step in steps))
        return 0
    try:
        total = run_steps(steps, '-v' in words, '--again' in words)
    except KeyboardInterrupt:
        for child in list(running):
            kill_all_of(child)
        sys.stderr.write('\njx test: interrupted\n')
        os._exit(130)  # the threads have nothing to say any more
    for name in total.flaky:
        sys.stderr.write(f'FLAKY: {name} failed once and passed once; that is a fault to mend\n')
    sys.stderr.flush()
    print(f'{total.passed} passed, {total.failed} failed')
    return 1 if total.failed or not total.passed else 0


if __name__ == '__main__':
    sys.exit(main())
