#!/usr/bin/env python3
"""run.py [NAME...]: runs the tests of tests/steps.py; `./jx test` calls it.

Without names all of them run. A name is a step, or the beginning of several; `soak`
is the long ones, which run only when asked for.
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
import time

from steps import SOAK, STEPS

TOP = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..'))
TALLY = re.compile(r'^(?:ktest: )?(\d+) passed, (\d+) failed\s*$', re.M)


def run_command(command, timeout):
    """The command's status (None: time-out) and its output; nothing it started survives."""
    child = subprocess.Popen(command, shell=True, cwd=TOP, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             start_new_session=True)
    try:
        output, _ = child.communicate(timeout=timeout)
        status = child.returncode
    except subprocess.TimeoutExpired:
        status, output = None, b''
    finally:
        try:
            os.killpg(child.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
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


def run_step(step, verbose):
    started = time.monotonic()
    sys.stderr.write(f'test: {step.name} ... ')
    sys.stderr.flush()
    status, output = 0, ''
    if step.builds:
        status, output = run_command('ninja --quiet ' + ' '.join(step.builds), 600)
    if status == 0:
        status, output = run_command(step.command, step.timeout)
        passed, failed, why = judge(step, status, output)
    else:
        passed, failed, why = 0, 1, 'the build failed'
    seconds = time.monotonic() - started
    verdict = f'FAILED: {why}' if failed else 'ok'
    count = f', {passed} tests' if step.counts else ''
    sys.stderr.write(f'{verdict} ({seconds:.1f} s{count})\n')
    if failed or verbose:
        sys.stderr.write(f'--- {step.command}\n{output.rstrip()}\n---\n')
        if failed:
            sys.stderr.write(f'again: ./jx test {step.name}\n')
    return passed, failed


def chosen(names):
    present = [step for step in STEPS if not step.wants
               or os.path.exists(os.path.join(TOP, step.wants))]
    if not names:
        return present
    present += SOAK
    steps = [step for step in present if step.name in names]
    steps = steps or [step for step in present if step.name.startswith(tuple(names))]
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
    passed = failed = 0
    flaky = []
    for step in steps:
        more = run_step(step, '-v' in words)
        if more[1] and '--again' in words:
            more = run_step(step, '-v' in words)
            flaky += [step.name] if not more[1] else []
        passed, failed = passed + more[0], failed + more[1]
    for name in flaky:
        sys.stderr.write(f'FLAKY: {name} failed once and passed once; that is a fault to mend\n')
    sys.stderr.flush()
    print(f'{passed} passed, {failed} failed')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
