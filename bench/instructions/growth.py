#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a wait costs does not grow with the number of waits: growth.py PROGRAM.

Counts the library's own instructions for three numbers of waits, each twice the one before. What twice as many add has to
be about twice what those before added. Then for 1,000 and 100,000 calls that are pending at once: what one costs must not grow.
The monitor is left out: it looks from time to time, and valgrind makes time long.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

KINDS = 'nest', 'single', 'up', 'turn', 'all', 'same', 'ring'
SIZES = 100, 200, 400
MANY = 'queue', 'retire', 'cancel', 'domains'
MANY_SIZES = 1000, 100000
FLAT = 4.0  # a call among most of them, to one among fewer: quadratic would be 100
FLAT_OF = {'queue': 10.0}  # short calls are claimed one by one or 64 at a time, as it comes: 200 to 1,300 instructions
MOST = {'ring': 5.0}  # a deadlock is misuse, and may be quadratic in its calls (4); cubic would be 8
LINEAR = 3.0  # linear: 2, quadratic: 4
# The monitor; and what spins: the look for the turn stands in wait_below().
LEFT_OUT = re.compile(r'monitor|watchdog|look|sleeps|park|spin|turn_has_come|wait_below|linger|lock_slow')
SKIP = 77


def counted(path):
    """The self cost of the library's functions in a file of callgrind's."""
    names, total, objects = {}, 0, {}
    inside = called = False
    with open(path, encoding='utf-8', errors='replace') as file:
        for line in file:
            match = re.match(r'(fn|ob)=\((\d+)\)(?: (.*))?', line)
            if match:
                known = names if match[1] == 'fn' else objects
                if match[3]:
                    known[match[2]] = match[3]
                if match[1] == 'ob':
                    library = 'libinorder' in known[match[2]]
                else:
                    inside = library and not LEFT_OUT.search(known[match[2]])
                continue
            match = re.match(r'c(fn|ob)=\((\d+)\) (.*)', line)
            if match:
                (names if match[1] == 'fn' else objects)[match[2]] = match[3]
            elif line.startswith('calls='):
                called = True
            elif re.match(r'[+\-*\d]', line):
                total += 0 if called or not inside else int(line.split()[1])
                called = False
    return total


def count(program, kind, size):
    environment = {key: value for key, value in os.environ.items() if not key.startswith('INORDER_')}
    with tempfile.TemporaryDirectory() as folder:
        command = ['valgrind', '--tool=callgrind', '--max-threads=2000', f'--callgrind-out-file={folder}/out',
                   program, kind, str(size)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=environment, check=False)
        if done.returncode:
            sys.exit(f'growth: {kind} {size} ended with {done.returncode}: {done.stderr[-500:]}')
        return counted(f'{folder}/out')


def is_flat(program, kind):
    """Whether a call costs the same among many."""
    each = [count(program, kind, size) / size for size in MANY_SIZES]
    print(f'growth: {kind:7}', *(f'{cost:9.0f}' for cost in each), f'instructions a call of {MANY_SIZES}')
    if each[-1] <= FLAT_OF.get(kind, FLAT) * each[0]:
        return True
    print(f'growth: {kind}: a call among {MANY_SIZES[-1]} costs {each[-1] / each[0]:.1f} times as much as among {MANY_SIZES[0]}')
    return False


def main():
    if not shutil.which('valgrind'):
        print('growth: skipped: there is no valgrind here')
        return SKIP
    failed = 0
    kinds = sys.argv[2:] or KINDS + MANY
    for kind in kinds:
        if kind in MANY:
            failed |= not is_flat(sys.argv[1], kind)
            continue
        few, more, most = (count(sys.argv[1], kind, size) for size in SIZES)
        ratio = (most - more) / (more - few)
        print(f'growth: {kind:7} {few:9} {more:9} {most:9} instructions for {SIZES} calls, growth {ratio:.2f}')
        if ratio > MOST.get(kind, LINEAR):
            print(f'growth: {kind}: twice as many calls add {ratio:.2f} times as much: that is not in proportion')
            failed = 1
    return int(failed)


if __name__ == '__main__':
    sys.exit(main())
