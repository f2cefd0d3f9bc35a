#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Texts of a picture neither touch each other nor leave it, and the longest calls are named: labels.py CHART DIRECTORY WIDTH.C PICTURES"""
import itertools
import json
import lzma
import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

CHART, HERE, PICTURES = os.path.abspath(sys.argv[1]), sys.argv[2], sys.argv[4]
LONGEST = 20
SVG = "{http://www.w3.org/2000/svg}"
with open(sys.argv[3], encoding="utf-8") as source:
    PERCENTS = [int(number) for number in re.findall(r"\d+", re.search(r"percents\[\] = \{(.*?)\}", source.read(), re.S)[1])]


def width_of(text):
    return sum(PERCENTS[ord(c) - 32] if 32 <= ord(c) < 127 else 100 for c in text) / 100


def boxes(element, y=0.0, size=11.0, found=None):
    """(left, top, right, bottom, text) of all texts."""
    found = [] if found is None else found
    y += float(re.search(r"\(0 (\S+)\)", element.get("transform", "(0 0)"))[1])
    size = float(element.get("font-size", size))
    if element.tag == SVG + "text" and element.text:
        size = 19.0 if element.get("class") == "title" else size
        width = width_of(element.text) * size * (0.88 if element.get("class") == "title" else 1)
        x = float(element.get("x")) - {"start": 0, "middle": width / 2, "end": width}[element.get("text-anchor", "start")]
        base = y + float(element.get("y"))
        found.append((x, base - 0.7 * size, x + width, base, element.text))
    for child in element:
        boxes(child, y, size, found)
    return found


def run(*arguments):
    done = subprocess.run([CHART, *arguments], cwd=HERE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    assert done.returncode in (0, 3), arguments
    return done.stdout.decode("utf-8")


def longest(path):
    """The names of the calls and steps that took longest, until the end of the path."""
    model = json.loads(run("--json", path))
    spans = [dict(zip(model["spans"]["columns"], row)) for row in model["spans"]["rows"]]
    spans = [span for span in spans if span["kind"] in ("run", "step", "retire") and span["begin_ns"] <= model["path_end_ns"]]
    spans.sort(key=lambda span: span["begin_ns"] - span["end_ns"])
    column = model["calls"]["columns"].index("name")
    return [span["name"] or model["calls"]["rows"][span["call"]][column] for span in spans[:LONGEST] if span["end_ns"] > span["begin_ns"]]


def check_boxes(path, root):
    found = boxes(root)
    for left, top, right, bottom, text in found:
        assert left >= 0 and top >= 0 and right <= float(root.get("width")) and bottom <= float(root.get("height")), \
            f"{path}: {text!r} is cut off: {left:.0f} to {right:.0f}"
    for a, b in itertools.combinations(sorted(found), 2):
        touch = a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
        assert not touch, f"{path}: {a[4]!r} and {b[4]!r} overlap"
    return found


def check(path, *options):
    root = ElementTree.fromstring(run(*options, path))
    found = check_boxes(" ".join((*options, path)), root)
    words = "\n".join(box[4] for box in found)
    for name in longest(path) if not options else []:
        assert name[:30] in words, f"{path}: {name} is one of the longest, and has no name"
    return root, words


def write(folder, name, events):
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        for t_ns, tid, ev, cookie in events:
            file.write(f'{{"t_ns":{t_ns},"pid":500,"tid":{tid},"ev":"{ev}","cookie":{cookie},"name":"call number {cookie}"}}\n')
    return path


def calls(count, threads, length):
    """count calls in threads; every 97th takes longer, the later ones more."""
    for i in range(1, count + 1):
        t, tid = 1000000 + i * 4000, 500 + i % threads
        yield t, 500, "scheduled", i
        yield t + 1000, tid, "started", i
        yield t + length + (i if i % 97 == 0 else 0), tid, "completed", i


def deep(count):
    """Calls that each run the next one inline."""
    for i in range(1, count + 1):
        yield i * 100000, 500, "scheduled", i
        yield i * 100000 + 10, 500, "started", i
    for i in range(count, 0, -1):
        yield (2 * count - i + 2) * 100000, 500, "completed", i


def main():
    for name in os.listdir(PICTURES):   # real boots
        check_boxes(name, ElementTree.parse(os.path.join(PICTURES, name)).getroot())
    with tempfile.TemporaryDirectory() as folder:
        for name in ("ordered.trace", "names.trace", "processes.trace", "kernel.log", "broken.trace", "crashed.trace",
                     "boots.trace", "both.log"):
            check(name)
        check("ordered.trace", "--width=600")
        debian = os.path.join(folder, "debian12.log")   # kernel, inorder-init and systemd
        with lzma.open(os.path.join(HERE, "debian12.log.xz")) as packed, open(debian, "wb") as file:
            file.write(packed.read())
        _, words = check(debian)
        assert "to graphical.target, 97." in words and "phases of Linux" in words, words[:500]
        check("ordered.trace", "--compare", "both.trace")
        check(write(folder, "one.trace", sorted(calls(4000, 1, 2000))))   # stripes: no bar has room for a name
        check(write(folder, "few.trace", sorted(calls(4000, 40, 90000))))
        root, words = check(write(folder, "deep.trace", deep(40)))
        assert "24 calls and steps lie deeper" in words, words[:500]
        assert float(root.get("height")) < 1500, root.get("height")
        root, words = check(write(folder, "many.trace", sorted(calls(4000, 1000, 3900000))))
        assert "900 threads have no row of their own" in words, words[:500]
        assert "900 threads without a row" in words
        assert float(root.get("height")) < 4000, root.get("height")


main()
