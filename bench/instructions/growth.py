#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What a wait costs does not grow with the number of waits: growth.py PROGRAM.

Counts the library's own instructions for three numbers of waits, each twice the one before. What twice as many add has to
be about twice what those before added. The monitor is left out: it looks from time to time, and valgrind makes time long.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

KINDS = 'nest', 'single', 'up', 'turn', 'same', 'ring'
SIZES = 100, 200, 400
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


def main():
    if not shutil.which('valgrind'):
        print('growth: skipped: there is no valgrind here')
        return SKIP
    failed = 0
    for kind in sys.argv[2:] or KINDS:
        few, more, most = (count(sys.argv[1], kind, size) for size in SIZES)
        ratio = (most - more) / (more - few)
        print(f'growth: {kind:7} {few:9} {more:9} {most:9} instructions for {SIZES} calls, growth {ratio:.2f}')
        if ratio > MOST.get(kind, LINEAR):
            print(f'growth: {kind}: twice as many calls add {ratio:.2f} times as much: that is not in proportion')
            failed = 1
    return failed


if __name__ == '__main__':
    sys.exit(main())
