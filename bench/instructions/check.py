#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Counts the instructions that a call takes, and compares them with what is recorded.

usage: check.py PROGRAM RECORD [--record]

What is counted is the difference between two numbers of calls, so start and end do not matter. It fails when a
figure has grown by more than a tenth. --record writes the figures down instead, for a change that is worth them.
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

FEW, MANY = 4000, 12000
MOST = 1.10
SKIP = 77
SUBMITTER, WORKER = 1, 2  # threads in the order in which they are made
KINDS = "plain", "ordered", "waits"


def fail(text):
    print(f"instructions: {text}", file=sys.stderr)
    sys.exit(1)


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=300,
                          env={**{k: v for k, v in os.environ.items() if not k.startswith(("INORDER_", "MALLOC_"))}, "LC_ALL": "C"})
    if done.returncode:
        fail(f"{' '.join(command)} ended with {done.returncode}: {done.stderr.strip()[-500:]}")
    return done.stderr


def with_perf(command, thread):
    """All threads: what the others do is little, since it depends on time and not on calls."""
    text = run(["perf", "stat", "-x,", "-e", "instructions:u", *command])
    found = re.search(r"^(\d+),[^,]*,instructions:u", text, re.M)
    return int(found[1]) if found else None


def with_valgrind(command, thread):
    """One thread: under valgrind time passes so slowly that the others would count."""
    with tempfile.TemporaryDirectory() as folder:
        run(["valgrind", "--tool=callgrind", "--separate-threads=yes", f"--callgrind-out-file={folder}/out", *command])
        path = f"{folder}/out-{thread:02}"
        if not os.path.exists(path):
            return None
        with open(path, encoding="utf-8", errors="replace") as file:
            found = re.findall(r"^(?:totals|summary): (\d+)", file.read(), re.M)
    return int(found[-1]) if found else None


def choose(program):
    """perf counts what really ran, but few virtual machines let it."""
    if shutil.which("perf"):
        try:
            if with_perf([program, "plain", "1"], SUBMITTER):
                return "perf", with_perf
        except (OSError, SystemExit):
            pass
    if shutil.which("valgrind"):
        return "valgrind", with_valgrind
    print("instructions: neither perf with instructions:u nor valgrind is there, so nothing was counted")
    sys.exit(SKIP)


def measure(program, tool, count):
    def slope(mode, thread):
        few, many = count([program, mode, str(FEW)], thread), count([program, mode, str(MANY)], thread)
        if few is None or many is None:
            fail(f"{tool} gave no count for {mode}")
        return (many - few) / (MANY - FEW)

    figures = {}
    for kind in KINDS:
        figures[f"{kind}-schedule"] = slope(f"schedule-{kind}", SUBMITTER)
        figures[f"{kind}-run"] = slope(kind, WORKER)
        if tool == "perf":
            figures[f"{kind}-run"] -= figures[f"{kind}-schedule"]
    return figures


def read(path):
    with open(path, encoding="utf-8") as file:
        lines = [line.split() for line in file if line.strip() and not line.startswith("#")]
    return {(tool, name): float(value) for tool, name, value in lines}


def write(path, recorded):
    with open(path, "w", encoding="utf-8") as file:
        file.write("# SPDX-License-Identifier: MIT\n"
                   "# Instructions a call, gcc -O2: tool, figure, count. Written by check.py --record.\n")
        for (tool, name), value in sorted(recorded.items()):
            file.write(f"{tool:9} {name:17} {value:.1f}\n")


def compare(tool, figures, recorded):
    grown = 0
    for name, value in figures.items():
        before = recorded.get((tool, name))
        if before is None:
            fail(f"{name} is not recorded for {tool}; run check.py with --record")
        print(f"instructions: {name:17} {value:7.1f}, recorded {before:7.1f}, {100 * (value / before - 1):+.1f} %")
        grown += value > before * MOST
    if grown:
        fail(f"{grown} of {len(figures)} figures have grown by more than {100 * (MOST - 1):.0f} %; "
             "if that is worth it, run check.py with --record and say why in the commit")


def main():
    if len(sys.argv) not in (3, 4) or sys.argv[3:] not in ([], ["--record"]):
        sys.exit(__doc__)
    program, path = sys.argv[1:3]
    tool, count = choose(program)
    figures = measure(program, tool, count)
    recorded = read(path) if os.path.exists(path) else {}
    if sys.argv[3:]:
        recorded.update({(tool, name): value for name, value in figures.items()})
        write(path, recorded)
        print(f"instructions: written to {path}")
    elif not any(key[0] == tool for key in recorded):
        print(f"instructions: nothing is recorded for {tool}, so nothing was compared")
        sys.exit(SKIP)
    else:
        compare(tool, figures, recorded)


if __name__ == "__main__":
    main()
