#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""JSON and trace events as an independent parser reads them: outputs.py CHART DIRECTORY"""
import json
import lzma
import os
import resource
import subprocess
import sys
import tempfile

CHART, HERE = os.path.abspath(sys.argv[1]), sys.argv[2]
CASES = ["ordered.trace", "names.trace", "processes.trace", "kernel.log", "broken.trace", "crashed.trace", "boots.trace", "units.log",
         "debian12.log.xz"]
PATH_TID = 9999999
TYPES = {"M": {"name", "pid", "args"}, "X": {"name", "cat", "pid", "tid", "ts", "dur", "args"},
         "C": {"name", "pid", "ts", "args"}, "s": {"name", "cat", "pid", "tid", "ts", "id"},
         "f": {"name", "cat", "pid", "tid", "ts", "id", "bp"}}


def read(option, name):
    path = os.path.join(HERE, name)
    packed = lzma.open(path).read() if name.endswith(".xz") else None
    done = subprocess.run([CHART, option, "-" if packed else path], stdout=subprocess.PIPE, input=packed,
                          stderr=subprocess.DEVNULL, check=False)
    assert done.returncode in (0, 3), f"{option} {name}: exit status {done.returncode}"
    assert b"<" not in done.stdout, "a text could end the script element that the data is put into"
    return json.loads(done.stdout.decode("utf-8"))


def rows(model, table):
    columns = model[table]["columns"]
    for row in model[table]["rows"]:
        assert len(row) == len(columns), f"{table}: {row}"
    return [dict(zip(columns, row)) for row in model[table]["rows"]]


def check_model(name):
    model = read("--json", name)
    assert model["inorder_chart"] == 1 and model["title"]
    threads, calls, spans = rows(model, "threads"), rows(model, "calls"), rows(model, "spans")
    for span in spans:
        assert 0 <= span["begin_ns"] <= span["end_ns"] <= model["length_ns"], span
        assert span["thread"] < len(threads)
        assert span["call"] is None or calls[span["call"]]["name"], span
    for join in rows(model, "joins"):
        assert spans[join["after"]]["end_ns"] <= spans[join["span"]]["begin_ns"], join
    assert bool(model["joins"]["rows"]) == any(process["units"] for process in rows(model, "processes"))
    for call in calls:
        assert call["run"] is None or spans[call["run"]]["kind"] == "run", call
    for link in rows(model, "path"):
        assert link["begin_ns"] < link["end_ns"], link
        assert spans[link["span"]]["kind"] != "turn", link
        if link["what"] in ("queued", "defer"):
            assert link["end_ns"] <= spans[link["span"]]["begin_ns"], link
        else:
            assert link["what"] == "span" and spans[link["span"]]["begin_ns"] <= link["begin_ns"], link
    return calls, spans


def nanoseconds(microseconds):
    return round(microseconds * 1000)


def check_tracks(name, events):
    """What Perfetto's importer needs and drops events without: slices of a track nest, ends of arrows lie in slices."""
    tracks = {}
    for event in events:
        if event["ph"] == "X":
            begin = nanoseconds(event["ts"])
            tracks.setdefault((event["pid"], event["tid"]), []).append((begin, begin + nanoseconds(event["dur"])))
    for track, slices in tracks.items():
        slices.sort(key=lambda one: (one[0], -one[1]))
        stack = []
        for begin, end in slices:
            while stack and stack[-1] <= begin:
                stack.pop()
            assert not stack or end <= stack[-1], f"{name}: {track}: {begin} to {end} is cut by the end of {stack[-1]}"
            stack.append(end)
    for event in events:
        if event["ph"] in "sf":
            at = nanoseconds(event["ts"])
            assert any(begin <= at <= end for begin, end in tracks[event["pid"], event["tid"]]), f"{name}: {event}"


def check_counters(name, events):
    last = {}
    for event in events:
        if event["ph"] != "C":
            continue
        before = last.get(event["name"])
        assert before is None or event["ts"] > before["ts"], event
        assert all(value >= 0 for value in event["args"].values()), f"{name}: {event}"
        last[event["name"]] = event
    for event in last.values():
        assert not any(event["args"].values()), f"{name}: does not come back to nothing: {event}"
    assert {"threads"} <= set(last), f"{name}: {set(last)}"
    threads = [event["args"] for event in events if event["ph"] == "C" and event["name"] == "threads"]
    assert max(one["at work"] for one in threads) >= 1


def check_events(name, spans):
    trace = read("--perfetto", name)
    events = trace["traceEvents"]
    assert "explained by the critical path" in trace["otherData"]["title"], trace["otherData"]
    for event in events:
        assert set(event) - {"ph", "tid"} == TYPES[event["ph"]] - {"tid"}, event
        assert event["ph"] == "M" or event["ts"] >= 0, event
    kept = [span for span in spans if span["kind"] != "turn"]
    slices = [event for event in events if event["ph"] == "X"]
    path = [event for event in slices if event["tid"] == PATH_TID]
    assert len(slices) == len(kept) + len(path)
    assert sum(nanoseconds(event["dur"]) for event in path) == trace["otherData"]["path_ns"]
    assert sum(nanoseconds(event["dur"]) for event in path if event["cat"] != "gap") == trace["otherData"]["explained_ns"]
    arrows = [{e["id"]: e["ts"] for e in events if e["ph"] == end} for end in "sf"]
    assert arrows[0].keys() == arrows[1].keys()
    assert all(arrows[0][i] <= arrows[1][i] for i in arrows[0])
    check_tracks(name, events)
    check_counters(name, events)
    return arrows[0]


def check_domain():
    """Its name, where it has one; every output has the same."""
    calls, _ = check_model("ordered.trace")
    events = read("--perfetto", "ordered.trace")["traceEvents"]
    slices = [event for event in events if event["ph"] == "X" and event["args"].get("cookie") == 1]
    assert calls[0]["domain"] == "all disks" and slices[0]["args"]["domain"] == "all disks", (calls[0], slices[0])
    assert calls[1]["domain"] == "disks", calls[1]


def check_long():
    """10,000 calls with names that JSON must escape."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "long.trace")
        with open(path, "w", encoding="utf-8") as file:
            for i in range(1, 10001):
                for ev, t_ns, tid in (("scheduled", 0, 7), ("started", 1000, 8 + i % 9), ("completed", 90000, 8 + i % 9)):
                    file.write(json.dumps({"t_ns": i * 1000000 + t_ns, "pid": 7, "tid": tid, "ev": ev, "cookie": i,
                                           "name": f'"</script>\\ é {i}'}) + "\n")
        calls, spans = check_model(path)
        assert calls[-1]["name"] == '"</script>\\ é 10000', calls[-1]
        check_events(path, spans)


def check_memory():
    """10^6 events in 10^4 threads fit into 500 MB, as page, as picture, as trace events and as advice."""
    with open(CHART, "rb") as file:
        if b"__asan_init" in file.read():
            return   # keeps what was freed
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "long.trace")
        with open(path, "w", encoding="utf-8") as file:
            for i in range(1, 250001):
                t, tid = 1000000 + i * 4000, 500 + i % 10000
                for ev, after, who in (("scheduled", 0, 500), ("started", 1000, tid), ("returned", 500000, tid),
                                       ("completed", 900000, tid)):
                    file.write(f'{{"t_ns":{t + after},"pid":500,"tid":{who},"ev":"{ev}","cookie":{i},'
                               f'"domain":"/usr/bin/demo+0x40a0","name":"call {i}"}}\n')
        for option in ("--html", "--width=1400", "--advise", "--perfetto"):
            subprocess.run([CHART, option, "-o", os.path.join(folder, "out"), path], check=True)
        with open(os.path.join(folder, "out"), encoding="utf-8") as file:   # of --perfetto: an event a line
            lines = file.read().splitlines()
        assert len(lines) > 1000000 and lines[-1].endswith("}]}") and all(line[0] == "{" for line in lines), len(lines)
        for line in lines[1:-1:997]:
            assert json.loads(line.rstrip(",")).keys(), line
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert most < 500000, f"{most} KB"


for case in CASES:
    arrow_count = len(check_events(case, check_model(case)[1]))
    assert arrow_count or case not in ("ordered.trace", "units.log"), "no arrow"
check_domain()
check_long()
check_memory()
