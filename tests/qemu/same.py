#!/usr/bin/env python3
"""same.py: equal seeds give equal boots, and every seed boots (P09).

Under -icount, with QEMU's random numbers seeded, a boot with the quick tests must
print the same log each time, times included; then other seeds must all pass.
"""
import multiprocessing.pool
import re
import sys

import run

SAME, SEEDS = 20, 20
AT_ONCE = 2 # machines; under -icount the load of the host does not show
RESULT = re.compile(r'ktest: (\d+) passed, 0 failed')


def boot(seed):
    """The log of one boot; a failure if it did not pass."""
    extra = ['-seed', str(seed), '-rtc', 'base=2026-01-01T00:00:00,clock=vm']
    with run.Shell('pvh', icount=True, extra=extra,
                   words=['log=debug', 'ktest=quick', 'ktest.exit']) as shell:
        status = shell.wait_end(30)
        log = bytes(shell.log).decode(errors='replace')
        if status != run.machine.STATUS_OK or not RESULT.search(log):
            shell.fail(f'seed {seed}: QEMU ended with status {status}')
        return log


def try_boot(seed):
    """Seed, log, and what was wrong."""
    try:
        return seed, boot(seed), None
    except run.Failure as failure:
        return seed, None, str(failure)


def difference(first, log):
    """Where two logs part."""
    at = next((i for i, (a, b) in enumerate(zip(first, log)) if a != b),
              min(len(first), len(log)))
    return (f'a boot is not like the first one:\n{first[max(0, at - 100):at + 100]}\n---\n'
            f'{log[max(0, at - 100):at + 100]}')


def main():
    run.machine.die_with_signals()
    passed = failed = 0
    first = None
    with multiprocessing.pool.ThreadPool(AT_ONCE) as pool:
        for seed, log, complaint in pool.imap(try_boot, [1] * SAME + list(range(2, 2 + SEEDS))):
            first = first or log
            if seed == 1 and log and log != first:
                complaint = difference(first, log)
            passed += complaint is None
            failed += complaint is not None
            if complaint:
                print(complaint)
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
