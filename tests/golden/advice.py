#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Advice for models, written by hand, of which the right one is known: advice.py CHART"""
import json
import os
import subprocess
import sys

CHART = os.path.abspath(sys.argv[1])


def ask(text, *options):
    return subprocess.run([CHART, *options, "-"], input=text, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          encoding="utf-8")


def advice(text):
    """(gain, total, change, what is critical next) of each line, without the first, which changes nothing."""
    done = ask(text, "--advise")
    assert done.returncode == 0, done
    lines = [line.split(None, 2) for line in done.stdout.splitlines() if "; then " in line][1:]
    return [(float(gain), float(total), *rest.split("; then ")) for gain, total, rest in lines]


def check(text, *wanted):
    got = [f"{gain:.0f} {total:.0f} {change}; {following}" for gain, total, change, following in advice(text)]
    assert got == [f"{line} is most of the path" for line in wanted], "\n".join(["got:", *got, "wanted:", *wanted])
    short = ask(text, "--text").stdout.splitlines()[2]  # the sentence has one opinion with --advise
    best = wanted[0].split("; ")[0].split(" ", 2)[2] + " would shorten it most, by " if wanted else "no change that is known of would"
    assert f"; {best}" in short, short


def trace(*events, processors=0):
    events = [event(0, 9, "start", inorder=2, **({"processors": processors} if processors else {})), *events]
    return "".join(json.dumps({"t_ns": 1000000000 + ms * 1000000, "pid": 9, **rest}) + "\n" for ms, rest in events)


def event(ms, tid, ev, **rest):
    return ms, {"tid": tid, "ev": ev, **rest}


def call(cookie, name, tid, scheduled, started, completed, domain="d"):
    return [event(scheduled, 9, "scheduled", cookie=cookie, name=name, domain=domain),
            event(started, tid, "started", cookie=cookie, domain=domain),
            event(completed, tid, "completed", cookie=cookie, domain=domain)]


def ordered(*events):
    return sorted((one for some in events for one in some), key=lambda one: one[0])


# Initcalls, one after the other, one with a probe in it. What cannot be changed (the kernel's own begin and end, which
# are most of the time) is not proposed.
check("""\
[    0.000000] Linux version 6.1.0
[    1.000000] calling  a_init+0x0/0x10 @ 1
[    1.300000] initcall a_init+0x0/0x10 returned 0 after 300000 usecs
[    1.300000] calling  b_init+0x0/0x10 @ 1
[    1.600000] probe of b.0 returned 0 after 200000 usecs
[    1.800000] initcall b_init+0x0/0x10 returned 0 after 500000 usecs
[    2.400000] Run /init as init process
""",
      "500 1900 b_init asynchronous; start_kernel (1000.000 ms)", "300 2100 a_init asynchronous; start_kernel (1000.000 ms)",
      "200 2200 b.0 asynchronous; start_kernel (1000.000 ms)", "150 2250 a_init 2 times as fast; start_kernel (1000.000 ms)",
      "150 2250 b_init 2 times as fast; start_kernel (1000.000 ms)", "100 2300 b.0 2 times as fast; start_kernel (1000.000 ms)")

# Units: c comes after a target, a and its device. Targets and devices do nothing themselves; without its device c is nothing.
UNIT = "Id={}\nNames={}\nAfter={}\nActiveState=active\nInactiveExitTimestampMonotonic={}\nActiveEnterTimestampMonotonic={}\n\n"
check("Version=252\nFirmwareTimestampMonotonic=3000000\nLoaderTimestampMonotonic=1000000\nKernelTimestampMonotonic=0\n"
      "UserspaceTimestampMonotonic=1000000\nUnitsLoadStartTimestampMonotonic=1000000\nUnitsLoadFinishTimestampMonotonic=1200000\n\n" +
      UNIT.format("a.service", "a.service", "", 1200000, 2200000) + UNIT.format("b.service", "b.service", "", 1200000, 1700000) +
      UNIT.format("dev-sda.device", "dev-sda.device", "", 2000000, 2000000) +
      UNIT.format("s.mount", "s.mount", "dev-sda.device", 2000000, 2100000) +
      UNIT.format("c.service", "c.service", "a.service b.service s.mount", 2200000, 2900000) +
      UNIT.format("done.target", "done.target default.target", "c.service", 2900000, 2900000),
      "350 5550 c.service 2 times as fast; firmware (2000.000 ms)", "100 5800 a.service 2 times as fast; firmware (2000.000 ms)",
      "100 5800 c.service not after a.service; firmware (2000.000 ms)")

# A device was there when the kernel's step before it had found it: that twice as fast, and all after it is as much earlier.
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "units.log"), encoding="utf-8") as file:
    assert advice(file.read())[0] == (400, 5350, "usb_storage_init 2 times as fast", "usb_storage_init (400.000 ms) is most of the path")

# One thread for three calls: a thread for every call gains most, then that the processor is not alone; the longest call is next.
QUEUE = ordered(call(1, "x", 10, 0, 0, 32), call(2, "y", 10, 0, 32, 92), call(3, "z", 10, 0, 92, 112),
                [event(0, 9, "waiting", **{"for": 0}), event(112, 9, "continued", **{"for": 0})])
check(trace(*QUEUE), "52 60 a thread for every call; y (60.000 ms)", "30 82 y 2 times as fast; x (32.000 ms)",
      "16 96 x 2 times as fast; y (60.000 ms)", "10 102 z 2 times as fast; y (60.000 ms)")

# Two calls that share the only processor; each has worked half of the time.
SHARED = ordered(call(1, "x", 10, 0, 0, 60), call(2, "y", 11, 0, 0, 80),
                 [event(0, 9, "waiting", **{"for": 0}), event(80, 9, "continued", **{"for": 0})])
check(trace(*SHARED, processors=1), "30 50 2 processors instead of 1; y (50.000 ms)", "20 60 y 2 times as fast; x (60.000 ms)")

# A wait for one call is for that alone, though a lower one is slower; one for all domains leaves exclusive ones out.
for end in ({"for": 2, "one": True}, {"for": 0}):
    slow = call(1, "slow", 10, 0, 0, 60, domain="a")
    if not end["for"]:
        slow[0][1]["exclusive"] = True
    waits = [event(0, 9, "waiting", **end), event(100, 9, "continued", **end), event(100, 9, "calling", name="rest"),
             event(150, 9, "called", name="rest")]
    done = ask(trace(*ordered(slow, call(2, "awaited", 11, 0, 0, 100, domain="b"), waits)), "--what-if", "faster=awaited,4")
    assert done.stdout.splitlines()[-1].split()[1] == "75.000", (end, done)

# A step that a call does, made asynchronous, is over when the call is.
INNER = ordered(call(1, "bus", 10, 0, 0, 100), [event(0, 10, "calling", name="reset"), event(60, 10, "called", name="reset"),
                                                 event(0, 9, "waiting", **{"for": 0}), event(100, 9, "continued", **{"for": 0})])
check(trace(*INNER), "40 60 reset asynchronous; reset (60.000 ms)", "30 70 reset 2 times as fast; bus (40.000 ms)",
      "20 80 bus 2 times as fast; reset (60.000 ms)")

# What stands for all that was done at a time cannot be changed.
KERNEL = "[    0.000000] Linux version 6.1.0\n[    1.000000] calling  a_init+0x0/0x10 @ 1\n" \
         "[    1.300000] initcall a_init+0x0/0x10 returned 0 after 300000 usecs\n[    2.000000] Run /init as init process\n"
for change in ("async=start_kernel", "faster=kernel_init,2"):
    done = ask(KERNEL, "--what-if", change)
    assert done.returncode == 2 and "stands for all that was done then" in done.stderr, done

# A call of which the trace lacks that it returned is complete once, though it has a run and a retire step.
LOST = [event(0, 9, "scheduled", cookie=1, name="x", domain="d"), event(0, 10, "started", cookie=1, domain="d"),
        event(0, 9, "waiting", **{"for": 0}), event(30, 11, "retiring", cookie=1, domain="d"),
        event(60, 11, "completed", cookie=1, domain="d"), event(60, 9, "continued", **{"for": 0}),
        event(60, 9, "calling", name="rest"), event(80, 9, "called", name="rest")]
done = ask(trace(*LOST), "--to", "rest", "--what-if", "threads")
assert [line.split()[1] for line in done.stdout.splitlines()[2:]] == ["80.000", "80.000"], done

# Calls that are scheduled at times of their own: none of them holds anything up, though they are all of the path.
check(trace(*ordered(call(1, "x", 10, 0, 0, 95), call(2, "y", 11, 100, 100, 195),
                     [event(299, 9, "waiting", **{"for": 0}), event(300, 9, "continued", **{"for": 0})])))

# What a call that has not ended would take is not known: it is named, and no change of it proposed.
HANGS = trace(event(0, 9, "scheduled", cookie=1, name="slow", domain="d"), event(0, 10, "started", cookie=1, domain="d"),
              event(0, 9, "waiting", **{"for": 0}), event(500, 9, "phase", name="later"))
assert "slow is most of the path and has not ended" in ask(HANGS, "--advise").stdout, ask(HANGS, "--advise")
assert "; slow has not ended: what would shorten it is not known" in ask(HANGS, "--text").stdout, ask(HANGS, "--text")

# Nothing to gain is an answer.
done = ask(trace(event(0, 9, "calling", name="only"), event(0, 9, "called", name="only"), event(50, 9, "phase", name="end")), "--advise")
assert "no change that is known of would gain anything" in done.stdout, done
