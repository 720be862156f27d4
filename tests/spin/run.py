#!/usr/bin/env python3
"""run.py [MODEL...]: the kernel's protocols as Spin models, in every order of their steps.

A model is a NAME.pml of this folder (park.pml is what they share). It must have no violated
assertion, no invalid end state, and hold its LTL formulas with a scheduler that is fair; every
state of it must be reached, but for those whose line says `never`. A list of faults stands before
its `#define THREADS` (`#define NAME NUMBER /* ... */`); with each of them something must be found.
The last line is `N passed, N failed`. Everything is made in build/spin.
"""
import glob
import os
import re
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.normpath(os.path.join(HERE, '../..'))
OUT = os.path.join(TOP, 'build/spin')
COMPILER = 'clang-19'
DEPTH = 20000  # the deepest search needs 8000
SLOTS = 21     # of the hash table: 2 to this power
LIMITS = ['-DMEMLIM=1200', '-DNFAIR=3']  # MB; NFAIR: fairness for up to 14 processes
TIMEOUT = 100  # seconds, for one search
FAULT = re.compile(r'^#define (\w+) +(\d+) /\*', re.M)
FORMULA = re.compile(r'^ltl (\w+) ', re.M)
SAFETY = ['-DSAFETY', '-DNOCLAIM']
SHARED = 'park'


class Broken(Exception):
    """Not a finding: the tools did not do what they should."""


def call(words, folder, timeout=TIMEOUT):
    try:
        done = subprocess.run(words, cwd=folder, timeout=timeout, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, encoding='utf-8', errors='replace')
    except subprocess.TimeoutExpired as error:
        raise Broken(f'{words[0]}: no end after {timeout} s') from error
    return done.returncode, done.stdout


def generate(name, fault):
    """The folder with the checker's source of a model with one fault; 0: none."""
    folder = os.path.join(OUT, f'{name}-{fault}')
    os.makedirs(folder, exist_ok=True)
    for path in glob.glob(os.path.join(HERE, '*.pml')):
        target = os.path.join(folder, os.path.basename(path))
        with open(path, encoding='utf-8') as file, open(target, 'w', encoding='utf-8') as copy:
            copy.write(file.read())
    code, text = call(['spin', f'-P{COMPILER} -E -x c', f'-DFAULT={fault}', '-a', f'{name}.pml'],
                      folder)
    if code or 'Error' in text:
        raise Broken(f'spin -a:\n{text}')
    return folder


def search(folder, options, words, optimize='-O2'):
    """What the checker says; it has looked at everything, or at enough to find an error."""
    code, text = call([COMPILER, '-w', optimize, *LIMITS, *options, '-o', 'pan', 'pan.c'], folder)
    if code:
        raise Broken(f'{COMPILER}:\n{text}')
    _, text = call(['./pan', f'-m{DEPTH}', f'-w{SLOTS}', *words], folder)
    found = re.search(r'errors: (\d+)', text)
    if not found:
        raise Broken(f'pan:\n{text}')
    if found.group(1) == '0' and re.search('max search depth too small|Search not completed', text):
        raise Broken(f'the search was cut off:\n{text}')
    return int(found.group(1)), text


def states(text):
    return int(re.search(r'(\d+) states, stored', text).group(1))


def unreached(text):
    """Lines of states that no run comes to, but for what may not be reached."""
    lines = []
    for path, number, what in re.findall(r'^\t(\S+\.pml):(\d+), state \d+, "(.*)"$', text, re.M):
        with open(os.path.join(HERE, os.path.basename(path)), encoding='utf-8') as file:
            source = file.read().split('\n')[int(number) - 1]
        if what != '-end-' and 'never' not in source:
            lines.append(f'{os.path.basename(path)}:{number}: never reached: {what}')
    return lines


def why(text):
    """The finding in a few words."""
    found = re.search(r'^pan:\d+: (.*?) \(at depth', text, re.M)
    return found.group(1)[:90] if found else 'found'


class Tally:
    def __init__(self):
        self.passed = self.failed = 0

    def say(self, good, title, text, started):
        self.passed, self.failed = self.passed + good, self.failed + (not good)
        print(f'{"ok    " if good else "FAILED"} {title}: {text} '
              f'({time.monotonic() - started:.1f} s)', flush=True)


def check_sound(name, source, tally):
    """The model as it is: safety, reachability, then its formulas."""
    folder = generate(name, 0)
    started = time.monotonic()
    errors, text = search(folder, SAFETY, [])
    dead = unreached(text)
    tally.say(not errors and not dead, name,
              f'{states(text)} states, ' + (why(text) if errors else 'no error'), started)
    if dead:
        print('\n'.join(dead))
    if errors:
        show_trail(folder, name, 0)
    for formula in FORMULA.findall(source):
        started = time.monotonic()
        errors, text = search(folder, [], ['-a', '-f', '-N', formula])
        tally.say(not errors, f'{name}, ltl {formula}',
                  f'{states(text)} states, ' + (why(text) if errors else 'holds'), started)
        if errors:
            show_trail(folder, name, 0)


def show_trail(folder, name, fault):
    """The last steps of the run that went wrong."""
    _, text = call(['spin', f'-P{COMPILER} -E -x c', f'-DFAULT={fault}', '-t', '-p', '-k',
                    f'{name}.pml.trail', f'{name}.pml'], folder)
    print('\n'.join(text.split('\n')[-120:]))


def check_fault(name, source, fault, title, tally):
    """With the fault in it something must be found: in safety, or else by a formula."""
    started = time.monotonic()
    folder = generate(name, fault)
    errors, text = search(folder, SAFETY, [], '-O0')
    for formula in FORMULA.findall(source):
        if not errors:
            errors, text = search(folder, [], ['-a', '-f', '-N', formula], '-O0')
    tally.say(bool(errors), f'{name}, {title}',
              f'red: {why(text)}' if errors else 'GREEN: the fault is not found', started)


def check(name, tally):
    with open(os.path.join(HERE, f'{name}.pml'), encoding='utf-8') as file:
        source = file.read()
    faults = FAULT.findall(source.split('#define THREADS')[0])
    if not faults:
        raise Broken(f'{name}.pml names no fault')
    check_sound(name, source, tally)
    for title, fault in faults:
        check_fault(name, source, fault, title, tally)


def main():
    every = sorted(os.path.basename(path)[:-4] for path in glob.glob(os.path.join(HERE, '*.pml')))
    every.remove(SHARED)
    names = sys.argv[1:] or every
    tally = Tally()
    for name in names:
        started = time.monotonic()
        try:
            check(name, tally)
        except Broken as error:
            tally.say(False, name, str(error), started)
    print(f'{tally.passed} passed, {tally.failed} failed')
    return 1 if tally.failed or not tally.passed else 0


if __name__ == '__main__':
    sys.exit(main())
