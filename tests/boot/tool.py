#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tools/boot itself: tool.py CASE SOURCE BUILD. /init is cat here, which waits for input that never comes: it hangs."""
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
SOURCE, BUILD = (os.path.abspath(path) for path in sys.argv[2:4])
sys.path.insert(0, os.path.join(SOURCE, 'tools'))
from bootlib import disks   # noqa: E402
from bootlib.common import Failure   # noqa: E402

BOOT = os.path.join(SOURCE, 'tools/boot')


def must(condition, expected):
    if not condition:
        raise Failure(f'expected: {expected}')


def machines(folder):
    """The command lines of the running QEMUs that write to a folder of ours."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        try:
            with open(f'/proc/{pid}/cmdline', encoding='utf-8', errors='replace') as file:
                words = file.read()
        except OSError:
            continue
        if words.startswith('qemu-system') and folder in words:
            found.append(words.replace('\0', ' '))
    return found


def start(folder, limit_s):
    return subprocess.Popen([BOOT, '--build', BUILD, '--out', folder, '--init', '/bin/cat', '--names', '1',
                             '--limit', str(limit_s)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)


def case_limit(folder):
    process = start(folder, 6)
    said, _ = process.communicate()
    must(process.returncode == 1, f'exit code 1, not {process.returncode}')
    must('still on after 6 s and was stopped' in said and 'after.1.console' in said, f'what happened in: {said}')
    must(not machines(folder), 'no machine left')


def interrupt(folder, number, wanted):
    """Sends a signal as soon as the machine is there; returns exit code and output."""
    process = start(folder, 60)
    while not machines(folder):
        must(process.poll() is None, f'a machine before the end ({process.returncode})')
    process.send_signal(number)
    said, _ = process.communicate()
    must(process.returncode == wanted, f'exit code {wanted}, not {process.returncode}: {said}')
    return said


def case_interrupt(folder):
    """Signals end the machine too: those that can be caught before the end of tools/boot, SIGKILL with it."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        must('interrupted' in interrupt(folder, number, 130), 'that it was interrupted')
        must(not machines(folder), f'no machine left after {number.name}')
    interrupt(folder, signal.SIGKILL, -signal.SIGKILL)
    while machines(folder):   # for ever, if SIGKILL leaves one
        time.sleep(0.1)


def case_mirror(folder):
    """Our RAID superblocks are what mdadm understands."""
    paths = [os.path.join(folder, name) for name in 'ab']
    disks.make_mirror(paths, 'mirror', os.path.join(BUILD, 'tools/rootinit'), 'mirror')
    for number, path in enumerate(paths):
        said = subprocess.run(['mdadm', '--examine', path], capture_output=True, text=True, check=True).stdout
        for text in ('Raid Level : raid1', 'Version : 1.2', ' - correct', f'Active device {number}', 'AA'):
            must(text in said, f"'{text}' in: {said}")
    block = bytearray(disks.md_superblock('mirror', 0, 2, 2048))
    must(struct.unpack_from('<I', block, 216)[0] != 0, 'a checksum')


CASES = {name[5:]: function for name, function in globals().items() if name.startswith('case_')}


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in CASES:
        sys.exit(f'usage: tool.py {"|".join(CASES)} SOURCE BUILD')
    with tempfile.TemporaryDirectory() as folder:
        CASES[sys.argv[1]](folder)


if __name__ == '__main__':
    try:
        main()
    except Failure as failure:
        sys.exit(f'FAILED: {failure}')
