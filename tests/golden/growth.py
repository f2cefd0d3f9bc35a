#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""No output takes more than its trace is long, nor twice as much as jq for the same file: growth.py CHART

Counts instructions, which no load of the machine changes, for traces each twice as long as the one before and with
twice as many threads, in which calls wait for each other.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

CHART = os.path.abspath(sys.argv[1])
SIZES = 200, 400, 800
LINEAR = 2.6   # what twice as many add: linear 2, with its logarithm 2.2, quadratic 4
# --json and --html write what outputs.py and schema.py read; --perfetto goes through the same model.
OPTIONS = "--text", "--width=1400", "--perfetto", "--what-if=processors=4,2"
SKIP = 77
os.environ.pop("MALLOC_PERTURB_", None)   # meson has freed memory filled, which is no work of ours


def counted(folder, command):
    out = os.path.join(folder, "counts")
    done = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *command],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False, encoding="utf-8")
    if done.returncode:
        sys.exit(f"{command}: exit status {done.returncode}: {done.stderr[-500:]}")
    with open(out, encoding="utf-8", errors="replace") as file:
        return int(re.findall(r"^(?:totals|summary): (\d+)", file.read(), re.M)[-1])


def write(folder, count):
    path = os.path.join(folder, f"{count}.trace")
    lines = []
    for i in range(1, count + 1):
        t, who = 1000000 + i * 4000, f'"pid":500,"tid":{500 + i % (count // 10)},"cookie":{i},'
        lines += [(t, f'"pid":500,"tid":500,"cookie":{i},"ev":"scheduled","name":"a call of some name, {i}"'),
                  (t + 1000, who + '"ev":"started"'), (t + 2000, who + f'"ev":"waiting","for":{max(1, i - count // 20)}'),
                  (t + 200000, who + f'"ev":"continued","since_ns":{t + 2000}'), (t + 201000, who + '"ev":"completed"')]
    with open(path, "w", encoding="utf-8") as file:
        for t_ns, rest in sorted(lines):
            file.write(f'{{"t_ns":{t_ns},{rest}}}\n')
    return path


def main():
    if not shutil.which("valgrind"):
        print("growth: skipped: there is no valgrind here")
        return SKIP
    with open(CHART, "rb") as file:
        if b"__asan_init" in file.read():
            print("growth: skipped: valgrind does not run what is built with AddressSanitizer")
            return SKIP
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        paths = [write(folder, size) for size in SIZES]
        most = counted(folder, ["jq", ".", paths[-1]]) * 2 if shutil.which("jq") else None
        for option in OPTIONS:
            counts = [counted(folder, [CHART, option, path]) for path in paths]
            ratio = (counts[2] - counts[1]) / (counts[1] - counts[0])
            print(f"growth: {option:24} {counts} instructions, growth {ratio:.2f}, jq's limit {most}")
            failed += ratio > LINEAR or (most is not None and counts[2] > most)
        # How many changes are tried depends on the trace: up to 24.
        advice = counted(folder, [CHART, "--advise", paths[-1]])
        print(f"growth: --advise {advice} instructions, jq's limit {most}")
        failed += most is not None and advice > most
    return 1 if failed else 0


sys.exit(main())
