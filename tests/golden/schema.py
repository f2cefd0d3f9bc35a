#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Trace events are what the format's document says, by an independent checker: schema.py CHART DIRECTORY"""
import json
import lzma
import os
import subprocess
import sys

try:
    import jsonschema
except ImportError:
    print("skipped: there is no jsonschema for Python (Debian: python3-jsonschema)")
    sys.exit(77)

CHART, HERE = os.path.abspath(sys.argv[1]), sys.argv[2]
CASES = ("ordered.trace", "names.trace", "processes.trace", "kernel.log", "broken.trace", "crashed.trace", "boots.trace",
         "own-waits.trace", "units.log", "debian12.log.xz")
# Each breaks the first event of that kind.
WRONG = (("X", "dur", -1), ("X", "ts", "1"), ("X", "tid", None), ("C", "args", {}), ("C", "args", {"calls": "many"}),
         ("s", "id", None), ("f", "bp", "x"), ("M", "args", {}), ("M", "name", "thread"), ("X", "ph", "Y"), ("X", "name", ""))


def events_of(name):
    with (lzma.open if name.endswith(".xz") else open)(os.path.join(HERE, name), "rb") as file:
        done = subprocess.run([CHART, "--perfetto", "-"], input=file.read(), stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
    assert done.returncode in (0, 3), f"{name}: exit status {done.returncode}"
    return json.loads(done.stdout)


def main():
    with open(os.path.join(HERE, "trace-events.schema.json"), encoding="utf-8") as file:
        schema = json.load(file)
    jsonschema.Draft7Validator.check_schema(schema)
    checker = jsonschema.Draft7Validator(schema)
    for name in CASES:
        for error in checker.iter_errors(events_of(name)):
            sys.exit(f"schema: {name}: {list(error.absolute_path)}: {error.message[:300]}")
    trace = events_of("ordered.trace")
    for kind, key, value in WRONG:
        broken = json.loads(json.dumps(trace))
        event = next(event for event in broken["traceEvents"] if event["ph"] == kind)
        event.pop(key, None)
        if value is not None:
            event[key] = value
        assert not checker.is_valid(broken), f"schema: takes {key} {value!r} of {kind}"
    print(f"{len(CASES)} charts fit, {len(WRONG)} broken ones do not")


main()
