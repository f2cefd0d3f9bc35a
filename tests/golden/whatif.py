#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What-if against programs that were really changed: whatif.py CHART PLANS"""
import lzma
import os
import re
import subprocess
import sys
import tempfile

CHART, PLANS = (os.path.abspath(argument) for argument in sys.argv[1:3])
HERE = os.path.dirname(os.path.abspath(__file__))
TOLERANCE = 0.05
DISKS = "call:sda:50 call:sdb:30 call:sdc:80"
# The program, the change, the program really changed.
CASES = [
    # the longest call; another one becomes critical
    (f"step:proc:20 {DISKS} wait step:root:10", "faster=sdc,4", "step:proc:20 call:sda:50 call:sdb:30 call:sdc:20 wait step:root:10"),
    # a call that is not critical: nothing is gained
    (f"step:proc:20 {DISKS} wait step:root:10", "faster=sda,2", "step:proc:20 call:sda:25 call:sdb:30 call:sdc:80 wait step:root:10"),
    # a step before the wait: then the calls end after it
    (f"{DISKS} step:udev:100 wait step:root:10", "faster=udev,10", f"{DISKS} step:udev:10 wait step:root:10"),
    # slower
    (f"step:proc:20 {DISKS} wait step:root:10", "faster=sdb,0.25", "step:proc:20 call:sda:50 call:sdb:120 call:sdc:80 wait step:root:10"),
    # a step beside the calls
    (f"{DISKS} step:fsck:60 wait step:root:10", "async=fsck", f"{DISKS} call:fsck:60 wait step:root:10"),
    # a step beside the step after it
    ("step:scan:70 step:keys:40 wait step:root:10", "async=scan", "call:scan:70 step:keys:40 wait step:root:10"),
    # a step that all the rest has come after
    ("step:scan:30 call:sda:90 wait step:root:10", "async=scan", "call:scan:30 call:sda:90 wait step:root:10"),
    # a call before the steps that it stands behind
    ("step:proc:40 step:keys:20 call:sda:90 wait step:root:10", "earlier=sda", "call:sda:90 step:proc:40 step:keys:20 wait step:root:10"),
    # a retire step in order
    ("ordered:sda:60:20 ordered:sdb:10:30 ordered:sdc:20:40 wait step:root:10", "faster=sda,3",
     "ordered:sda:20:7 ordered:sdb:10:30 ordered:sdc:20:40 wait step:root:10"),
    # calls behind a slow one wait for their turn
    ("ordered:sda:10:20 ordered:sdb:90:30 ordered:sdc:20:40 wait step:root:10", "faster=sdb,3",
     "ordered:sda:10:20 ordered:sdb:30:10 ordered:sdc:20:40 wait step:root:10"),
    # a call that schedules another
    ("nest:bus:60:disk:50 call:net:70 wait step:root:10", "faster=bus,6", "nest:bus:10:disk:50 call:net:70 wait step:root:10"),
    # the child, which is no longer critical
    ("nest:bus:60:disk:50 call:net:70 wait step:root:10", "faster=disk,5", "nest:bus:60:disk:10 call:net:70 wait step:root:10"),
    # one processor more for what shares one; one less; more than there is work for
    (f"cpus:1 step:proc:20 {DISKS} wait step:root:10", "processors=2,1", f"cpus:2 step:proc:20 {DISKS} wait step:root:10"),
    (f"cpus:2 step:proc:20 {DISKS} wait step:root:10", "processors=1,2", f"cpus:1 step:proc:20 {DISKS} wait step:root:10"),
    (f"cpus:1 {DISKS} step:udev:100 wait step:root:10", "processors=8,1", f"cpus:8 {DISKS} step:udev:100 wait step:root:10"),
    # not all of the time is work for all of them: calls that schedule others, calls in order, two waits
    ("cpus:1 nest:bus:60:disk:50 call:net:70 wait step:root:10", "processors=2,1",
     "cpus:2 nest:bus:60:disk:50 call:net:70 wait step:root:10"),
    ("cpus:2 ordered:sda:60:20 ordered:sdb:10:30 ordered:sdc:20:40 step:keys:50 wait step:root:10", "processors=3,2",
     "cpus:3 ordered:sda:60:20 ordered:sdb:10:30 ordered:sdc:20:40 step:keys:50 wait step:root:10"),
    ("cpus:3 call:sda:50 call:sdb:90 step:keys:20 wait call:net:40 step:mount:70 wait step:root:10", "processors=1,3",
     "cpus:1 call:sda:50 call:sdb:90 step:keys:20 wait call:net:40 step:mount:70 wait step:root:10"),
    # two waits
    ("call:sda:50 step:keys:20 wait call:net:40 step:mount:70 wait step:root:10", "faster=mount,7",
     "call:sda:50 step:keys:20 wait call:net:40 step:mount:10 wait step:root:10"),
]


def trace(folder, plan):
    path = os.path.join(folder, f"{len(os.listdir(folder))}.trace")
    subprocess.run([PLANS, path, *plan.split()], check=True, timeout=300)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:   # when the process started is of the real clock
        file.write(re.sub(r'"(started_ns|processors)":\d+,', "", text))
    return path


def totals(path, *options):
    done = subprocess.run([CHART, *options, path], stdout=subprocess.PIPE, check=True, encoding="utf-8")
    return [float(line.split()[1]) for line in done.stdout.splitlines() if re.match(r" +-?[0-9.]+ +[0-9.]+  ", line)]


def check(folder, before, change, after):
    base, predicted = totals(trace(folder, before), "--what-if", change)
    real = totals(trace(folder, after), "--what-if", "threads")[0]
    assert abs(predicted - real) <= TOLERANCE * real, f"{before}, {change}: predicted {predicted} of {base}, really {real}"
    print(f"{base:9.3f} {predicted:9.3f} {real:9.3f}  {change}")


# Boots in counted time, really changed: the boot, the change, the boot really changed.
BOOTS = [
    # a unit that slept 3 s sleeps 0.5 s (with what systemd adds, it takes a 3.893th), and another one becomes critical; and back
    ("unit-sleeps-3.xz", "faster=slow1.service,3.893", "unit-sleeps-half.xz"),
    ("unit-sleeps-half.xz", "faster=slow1.service,0.25688", "unit-sleeps-3.xz"),
    # with what units computed, on the only processor: one that slept 3 s sleeps 1 s, another one comes after it; and back (the
    # number of processes that work beside others was chosen with these two; the boots below were not known then)
    ("chain-3.xz", "faster=slow1.service,2.7862", "chain-1.xz"),
    ("chain-1.xz", "faster=slow1.service,0.35891", "chain-3.xz"),
    # the other one does not come after it
    ("chain-3.xz", "earlier=slow3.service", "apart-3.xz"),
    # a unit that computes has half as much to do; and back
    ("burn-whole.xz", "faster=burn.service,2", "burn-half.xz"),
    ("burn-half.xz", "faster=burn.service,0.5", "burn-whole.xz"),
]
ASSUMED = "assumed: units take as long beside others as alone"


def unpack(folder, name):
    path = os.path.join(folder, name + ".log")
    with lzma.open(os.path.join(HERE, "boots", name)) as packed, open(path, "wb") as file:
        file.write(packed.read())
    return path


def check_boot(folder, before, change, after):
    base, predicted = totals(unpack(folder, before), "--what-if", change)
    real = totals(unpack(folder, after), "--what-if", "threads")[0]
    assert abs(predicted - real) <= TOLERANCE * real, f"{before}, {change}: predicted {predicted} of {base}, really {real}"
    assert abs(base - real) > abs(predicted - real), f"{before}, {change}: as good a prediction is that nothing changes"
    print(f"{base:9.3f} {predicted:9.3f} {real:9.3f}  {before}: {change}")


def check_assumed(folder):
    """Without processor times or the number of processors units keep their lengths, and the output says so."""
    path = unpack(folder, "chain-3.xz")
    with open(path, encoding="utf-8") as file:
        told = file.read()
    whole = totals(path, "--what-if", "faster=slow1.service,2.7862")
    for left_out in ("smp: Brought up", "CPUUsageNSec="):
        with open(path, "w", encoding="utf-8") as file:
            file.writelines(line for line in told.splitlines(True) if left_out not in line)
        done = subprocess.run([CHART, "--what-if", "faster=slow1.service,2.7862", path], stdout=subprocess.PIPE, check=True,
                              encoding="utf-8")
        assert ASSUMED in done.stdout, f"without {left_out}: {done.stdout}"
        assert totals(path, "--what-if", "faster=slow1.service,2.7862")[1] < whole[1] - 500, f"without {left_out}"
    for figure, wrong in (("[not set]", False), ("18446744073709551615", False), ("many", True), ("-1", True)):
        with open(path, "w", encoding="utf-8") as file:
            file.write(re.sub(r"CPUUsageNSec=.*", f"CPUUsageNSec={figure}", told))
        done = subprocess.run([CHART, "--what-if", "threads", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              encoding="utf-8")
        assert ASSUMED in done.stdout and ("no number of nanoseconds" in done.stderr) == wrong, f"{figure}: {done}"


def check_own_wait():
    """A wait that the program traces itself, for a disk here, takes its time as a step does."""
    base, predicted = totals(os.path.join(HERE, "own-waits.trace"), "--what-if", "faster=disk sda,8")
    assert abs(base - predicted - 70) < 0.01, f"{base} {predicted}"
    done = subprocess.run([CHART, "--advise", os.path.join(HERE, "own-waits.trace")], stdout=subprocess.PIPE, check=True,
                          encoding="utf-8")
    assert "process fsck 2 times as fast" in done.stdout and "disk sda 2 times as fast" in done.stdout, done.stdout


def check_advice(folder):
    """The best advice comes first, and says what is critical then."""
    path = trace(folder, "step:proc:20 call:sda:50 call:sdc:80 wait step:root:10")
    done = subprocess.run([CHART, "--advise", path], stdout=subprocess.PIPE, check=True, encoding="utf-8")
    first = done.stdout.splitlines()[3]
    assert re.match(r" +30\.000 +80\.000  sdc 2 times as fast; then sda \(50\.000 ms\) is most", first), done.stdout


def check_processors(folder):
    """A trace tells how many there were."""
    path = trace(folder, "cpus:1 call:sda:50 call:sdb:30 wait")
    told = totals(path, "--what-if", "processors=2,1")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace('"ev":"start",', '"ev":"start","processors":1,', 1))
    assert totals(path, "--what-if", "processors=2") == told and told[0] > told[1], told


def check_refused(folder):
    path = trace(folder, "step:proc:20 call:sda:50 wait")
    for change, words in (("faster=sdx", "no call or step is called sdx"), ("async=sda", "no synchronous step is called sda"),
                          ("earlier=proc", "no call or unit is called proc"), ("sooner=sda", "faster=NAME"), ("faster", "faster=NAME"),
                          ("faster=sda,0", "faster=NAME"), ("threads=7", "faster=NAME"),
                          ("processors=2", "does not tell how many there were"), ("processors=0,1", "faster=NAME"),
                          ("processors=2,x", "faster=NAME"), ("processors=2,0", "faster=NAME"), ("processors", "faster=NAME")):
        done = subprocess.run([CHART, "--what-if", change, path], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL,
                              check=False, encoding="utf-8")
        assert done.returncode == 2 and words in done.stderr, f"{change}: {done}"


with tempfile.TemporaryDirectory() as scratch:
    for case in CASES:
        check(scratch, *case)
    for case in BOOTS:
        check_boot(scratch, *case)
    check_assumed(scratch)
    check_own_wait()
    check_processors(scratch)
    check_advice(scratch)
    check_refused(scratch)
