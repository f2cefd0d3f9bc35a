#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""JSON and trace events as an independent parser reads them: outputs.py CHART DIRECTORY"""
import json
import os
import resource
import subprocess
import sys
import tempfile

CHART, HERE = os.path.abspath(sys.argv[1]), sys.argv[2]
CASES = ["ordered.trace", "names.trace", "processes.trace", "kernel.log", "broken.trace", "crashed.trace", "boots.trace", "units.log"]
TYPES = {"M": {"name", "pid", "args"}, "X": {"name", "cat", "pid", "tid", "ts", "dur", "args"},
         "C": {"name", "pid", "ts", "args"}, "s": {"name", "cat", "pid", "tid", "ts", "id"},
         "f": {"name", "cat", "pid", "tid", "ts", "id", "bp"}}


def read(option, name):
    done = subprocess.run([CHART, option, os.path.join(HERE, name)], stdout=subprocess.PIPE,
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


def check_events(name, spans):
    events = read("--perfetto", name)["traceEvents"]
    for event in events:
        assert set(event) - {"ph", "tid"} == TYPES[event["ph"]] - {"tid"}, event
        assert event["ph"] == "M" or event["ts"] >= 0, event
    kept = [span for span in spans if span["kind"] != "turn"]
    assert sum(event["ph"] == "X" for event in events) == len(kept)
    arrows = [{e["id"]: e["ts"] for e in events if e["ph"] == end} for end in "sf"]
    assert arrows[0].keys() == arrows[1].keys()
    assert all(arrows[0][i] <= arrows[1][i] for i in arrows[0])
    last = {}
    for event in events:
        if event["ph"] == "C":
            assert event["ts"] > last.get("ts", -1), event
            last = event
            assert event["args"]["running"] >= 0 and event["args"]["pending"] >= 0, event
    assert not last or last["args"] == {"running": 0, "pending": 0}, last
    return arrows[0]


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
    """10^6 events in 10^4 threads fit into 500 MB, as page and as picture."""
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
        for option in ("--html", "--width=1400"):
            subprocess.run([CHART, option, "-o", os.path.join(folder, "out"), path], check=True)
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    assert most < 500000, f"{most} KB"


for case in CASES:
    arrow_count = len(check_events(case, check_model(case)[1]))
    assert arrow_count or case != "ordered.trace", "no arrow"
check_long()
check_memory()
