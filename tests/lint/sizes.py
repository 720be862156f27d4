#!/usr/bin/env python3
"""sizes.py: the images stay as small as promised."""
import os
import sys

LIMITS = {'build/kernel.elf': 512 << 10, 'build/jacinth.iso': 6 << 20}


def main():
    bad = 0
    for path, limit in LIMITS.items():
        size = os.path.getsize(path)
        print(f'{path}: {size >> 10} KiB of {limit >> 10} KiB')
        bad += size >= limit
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
