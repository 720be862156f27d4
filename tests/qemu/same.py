#!/usr/bin/env python3
"""same.py: equal seeds give equal boots, and every seed boots (P09).

Under -icount, with QEMU's random numbers seeded, a boot with the quick tests must
print the same log each time, times included; then other seeds must all pass.
"""
import re
import sys

import run

SAME, SEEDS = 4, 5
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


def main():
    run.machine.die_with_signals()
    passed = failed = 0
    try:
        first = boot(1)
        for again in range(1, SAME):
            log = boot(1)
            if log != first:
                differ = next(i for i, (a, b) in enumerate(zip(first, log)) if a != b)
                raise run.Failure(f'boot {again} is not the first one:\n'
                                  f'{first[differ - 100:differ + 100]}\n---\n'
                                  f'{log[differ - 100:differ + 100]}')
            passed += 1
        for seed in range(2, 2 + SEEDS):
            boot(seed)
            passed += 1
    except run.Failure as failure:
        failed += 1
        print(failure)
    print(f'{passed} passed, {failed} failed')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
