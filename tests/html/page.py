#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The HTML output as its reader uses it, in a headless Chromium: page.py CHART GOLDEN-DIRECTORY BUILD-DIRECTORY"""
import base64
import json
import lzma
import os
import subprocess
import sys

sys.dont_write_bytecode = True
from browser import Browser   # noqa: E402

CHART, GOLDEN, BUILD = (os.path.abspath(argument) for argument in sys.argv[1:4])
SHIFT = 8


def make(name, *arguments):
    path = os.path.join(BUILD, name)
    subprocess.run([CHART, "--html", "-o", path, *arguments], cwd=GOLDEN, check=True)
    return path


def span_of(page, name, kind=0):
    """The number of the first span of that name, and where its middle is in the window."""
    return page.run(f"""(() => {{
        const model = view.models[0], box = canvas.getBoundingClientRect();
        const span = [...model.spans.kind.keys()].find(i => model.spans.kind[i] === {kind} && nameOf(model, i) === '{name}');
        return [span, box.x + (xOf(model.spans.begin_ns[span]) + xOf(model.spans.end_ns[span])) / 2,
            box.y + middleOf(model, span)];
    }})()""")


def colors(page):
    """How many pixels of the canvas have each colour, the most frequent first."""
    return page.run("""(() => {
        const pixels = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer);
        const counts = new Map();
        for (const pixel of pixels)
            counts.set(pixel, (counts.get(pixel) || 0) + 1);
        return [...counts].sort((a, b) => b[1] - a[1]).slice(0, 50);
    })()""")


def range_of(page):
    return page.run("[view.from, view.to]")


def check_load(page):
    assert page.run("document.title").startswith("demo: "), page.run("document.title")
    assert page.run("view.models[0].spans.count") > 5
    assert len(colors(page)) > 8, "nothing is painted"
    assert [url for url in page.requests if not url.startswith("file://")] == [], page.requests
    assert len(page.requests) == 1, page.requests


def check_zoom(page):
    length = page.run("view.length")
    box = page.run("[canvas.getBoundingClientRect().x, canvas.getBoundingClientRect().y]")
    x, y = box[0] + 600, box[1] + 200
    under = page.run("timeAt(600)")
    page.mouse("mouseWheel", x, y, deltaX=0, deltaY=-400)
    begin, end = range_of(page)
    assert end - begin < length / 2, "the wheel does not zoom"
    assert abs(page.run("timeAt(600)") - under) < length / 1000, "what is under the pointer moves"
    page.mouse("mousePressed", x, y, button="left", buttons=1, clickCount=1)
    page.mouse("mouseMoved", x - 100, y, button="left", buttons=1)
    page.mouse("mouseReleased", x - 100, y, button="left")
    dragged, _ = range_of(page)
    assert abs(page.run("timeAt(500)") - under) < length / 1000, "a drag does not pan"
    page.key("ArrowRight")
    assert range_of(page)[0] > dragged, "keys do not pan"
    page.key("+")
    assert range_of(page)[1] - range_of(page)[0] < end - begin, "keys do not zoom"
    page.key("0")
    assert range_of(page) == [0, length], "0 does not show all"


def check_hover(page):
    span, x, y = span_of(page, "probe sda")
    page.mouse("mouseMoved", x, y)
    tip = page.run("tip.hidden ? '' : tip.textContent")
    for words in ("probe sda", "running 4.60 ms", "scheduled at", "waited for a thread", "waited for its turn", "retired", "completed at"):
        assert words in tip, f"{words}: {tip}"
    wait = page.run("[...view.models[0].spans.kind].findIndex((kind, i) => kind === WAIT && view.models[0].spans.awaited[i] >= 0)")
    assert page.run(f"tipLines({{model: view.models[0], span: {wait}}}).join()").count("ended with"), "a wait does not say what ended it"
    page.mouse("mouseMoved", 5, 5)
    page.click(x, y)
    assert page.run("view.chosen && view.chosen.span") == span, "a click chooses nothing"
    page.key("Escape")
    assert page.run("view.chosen") is None


def check_search(page):
    page.key("/")
    assert page.run("document.activeElement.id") == "search", "/ does not go to the search"
    page.call("Input.insertText", text="PROBE SD")
    assert page.run("document.getElementById('found').textContent") != "0 found"
    found = page.run("found.map(({model, span}) => nameOf(model, span))")
    assert found and all("probe sd" in name for name in found), found
    page.key("Enter")
    assert page.run("document.getElementById('found').textContent") == f"1 of {len(found)}"
    begin, end = range_of(page)
    assert end - begin < page.run("view.length"), "the search does not jump"
    assert page.run("nameOf(view.chosen.model, view.chosen.span)") == found[0]
    page.key("Enter", SHIFT)
    assert page.run("document.getElementById('found').textContent") == f"{len(found)} of {len(found)}"
    page.call("Input.insertText", text="no such name")
    assert page.run("document.getElementById('found').textContent") == "0 found"
    page.key("Escape")
    page.key("0")


def check_fold(page):
    heights = "view.models[0].rows.map(row => rowHeight(row))"
    high = page.run(heights)
    page.key("f")
    assert page.run(heights) == [5] * len(high), "f does not fold"
    page.key("f")
    on_path = page.run("view.models[0].rows.map(row => row.onPath)")
    assert page.run(heights) == [height if on else 5 for height, on in zip(high, on_path)]
    page.key("f")
    assert page.run(heights) == high
    y = page.run("canvas.getBoundingClientRect().y + laneY(view.models[0].rows[0], 0) + 5")
    page.click(page.run("canvas.getBoundingClientRect().x") + 40, y)
    assert page.run(heights) == [5] + high[1:], "a click on its name does not fold a row"
    page.click(page.run("canvas.getBoundingClientRect().x") + 40, y - 3)
    assert page.run(heights) == high


def check_path(page):
    entries = page.run("document.querySelectorAll('#panel li').length")
    assert entries == page.run("view.models[0].path.length + view.models[0].gaps.length") > 2, entries
    longest = page.run("""(() => {
        const entries = [...document.querySelectorAll('#panel li:not(.gap)')];
        entries[1].click();
        return entries[1].querySelector('.name').textContent;
    })()""")
    assert longest.endswith(page.run("nameOf(view.chosen.model, view.chosen.span)")), longest
    link = page.run("view.models[0].path[1]")
    begin, end = range_of(page)
    assert begin <= link["begin_ns"] and link["end_ns"] <= end and end - begin < page.run("view.length")
    page.key("Escape")
    page.key("0")


def check_dark(page):
    light = colors(page)[0][0]
    assert light == 0xffffffff, hex(light)
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    assert colors(page)[0][0] == 0xff1d1814, "the system's dark is not followed"
    page.save(os.path.join(BUILD, "page-dark.png"))
    page.key("d")
    assert colors(page)[0][0] == light, "d does not change to light"
    page.key("d")
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
    assert colors(page)[0][0] == light


def check_print(page):
    page.key("d")
    page.run("""window.beforePrintHeight = 0, window.printRatio = 0,
        window.addEventListener('beforeprint', () => [beforePrintHeight, printRatio] = [canvas.height, view.ratio])""")
    with open(os.path.join(BUILD, "page.pdf"), "wb") as file:
        file.write(base64.b64decode(page.call("Page.printToPDF", printBackground=True)["data"]))
    assert page.run("beforePrintHeight >= Math.min(view.bottom, PRINT_MOST)"), "rows are cut off in print"
    assert page.run("printRatio") == 2, "print is no finer than a screen"
    assert page.run("view.ratio") == 1, "print's ratio stays"
    assert page.run("isDark()"), "the theme does not come back"
    page.key("d")


def check_one(page):
    page.open(make("page.html", "ordered.trace"))
    for check in (check_load, check_zoom, check_hover, check_search, check_fold, check_path, check_dark, check_print):
        check(page)
        assert not page.errors, f"{check.__name__}: {page.errors}"
    page.save(os.path.join(BUILD, "page.png"))


def check_debian(page):
    """Kernel, inorder-init and systemd up to the login, of a real Debian."""
    log = os.path.join(BUILD, "debian12.log")
    with lzma.open(os.path.join(GOLDEN, "debian12.log.xz")) as packed, open(log, "wb") as file:
        file.write(packed.read())
    page.open(make("debian.html", log))
    assert "to graphical.target, 97." in page.run("document.title"), page.run("document.title")
    for name in ("acpi_init", "sd_mod", "systemd-journald.service"):
        page.key("/")
        page.call("Input.insertText", text=name)
        assert page.run("document.getElementById('found').textContent") != "0 found", name
        page.key("Enter")
        assert name in page.run("nameOf(view.chosen.model, view.chosen.span)"), name
        page.key("Escape")
    page.key("0")
    last = page.run("nameOf(view.models[0], view.models[0].path.at(-1).span)")
    assert last == "graphical.target", last
    assert len(colors(page)) > 8, "nothing is painted"
    check_short_parts(page)
    page.save(os.path.join(BUILD, "debian.png"))
    check_telephone(page)


def check_short_parts(page):
    """Of a path of many parts, the list has those that matter, and the others together."""
    parts = page.run("view.models[0].path.length + view.models[0].gaps.length")
    names = page.run("[...document.querySelectorAll('#panel li')].map(one => one.querySelector('.name').textContent)")
    joined = [int(name.split()[0]) for name in names if name.endswith(" short parts")]
    assert parts > 500 and len(names) < 300 and len(names) - len(joined) + sum(joined) == parts, (parts, len(names))
    jumped = page.run("""(() => {
        document.querySelector('#panel li.short').click();
        return view.to - view.from < view.length / 2;
    })()""")
    assert jumped, "an entry of short parts does not jump"
    x, y = span_of(page, "probe_virtio", 1)[1:]
    page.key("0")
    page.run("search('probe_virtio')")
    page.run("goFound(1)")
    x, y = span_of(page, "probe_virtio", 1)[1:]
    page.mouse("mouseMoved", x, y)
    words = page.run("document.getElementById('tip').textContent").split()
    begin, end = words[words.index("from") + 1], words[words.index("to") + 1]
    assert begin != end, "a tip does not tell the begin from the end"
    page.key("Escape")
    page.key("0")
    assert "would shorten it most" in page.run("document.getElementById('panel').textContent")


def check_telephone(page):
    """All is in a narrow window: the chart above, the path below, nothing beside it."""
    page.call("Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=2, mobile=True)
    page.open(os.path.join(BUILD, "debian.html"))
    wide, chart, panel = page.run("""[document.documentElement.scrollWidth, document.getElementById('stage'),
        document.getElementById('panel')].map(one => one.getBoundingClientRect ? one.getBoundingClientRect().toJSON() : one)""")
    assert wide <= 390, wide
    assert chart["width"] == 390 and chart["height"] > 250, chart
    assert panel["width"] == 390 and panel["height"] > 150 and panel["top"] >= chart["bottom"], panel
    assert panel["bottom"] <= 844, panel
    page.save(os.path.join(BUILD, "telephone.png"))
    page.call("Emulation.clearDeviceMetricsOverride")


def check_late(page):
    """What begins a day after the boot does not stretch the axis: a mark on it tells."""
    page.open(make("late.html", "late-event.log"))
    assert range_of(page)[1] < 1.1e9, range_of(page)
    assert page.run("view.late").startswith("1 later, from 86400"), page.run("view.late")
    page.run("show(0, view.length)")
    assert range_of(page)[1] > 8e13 and page.run("view.late") == "", "it cannot be reached"
    page.key("0")
    assert range_of(page)[1] < 1.1e9, "0 shows a day"


def check_compare(page):
    before = os.path.join(BUILD, "before.trace")
    with open(os.path.join(GOLDEN, "ordered.trace"), encoding="utf-8") as file:
        lines = [json.loads(line) for line in file if line.startswith("{")]
    first = lines[0]["t_ns"]
    with open(before, "w", encoding="utf-8") as file:
        for line in lines:   # twice as slow
            for key in ("t_ns", "since_ns"):
                if key in line:
                    line[key] = first + 2 * (line[key] - first)
            file.write(json.dumps(line) + "\n")
    page.open(make("compare.html", "--compare", before, "ordered.trace"))
    assert page.run("view.models.map(model => model.label)") == ["before", "after"]
    assert page.run("view.length") == page.run("view.models[0].length"), "not on one axis"
    table = page.run("[...document.querySelectorAll('#moves tbody tr')].map(row => [...row.cells].map(cell => cell.textContent))")
    assert table and all(row[3].startswith("-") for row in table), table
    assert len({row[0] for row in table}) > 3, table
    page.run("document.querySelector('#moves tbody tr').click()")
    assert range_of(page)[1] - range_of(page)[0] < page.run("view.length")
    page.key("0")
    page.save(os.path.join(BUILD, "compare.png"))
    assert not page.errors, page.errors


def check_hostile(page):
    """Names that would be markup or script are text."""
    path = os.path.join(BUILD, "hostile.trace")
    with open(path, "w", encoding="utf-8") as file:
        for ev, t_ns in (("scheduled", 1000), ("started", 2000), ("completed", 900000)):
            file.write(json.dumps({"t_ns": t_ns, "pid": 7, "tid": 7, "ev": ev, "cookie": 1,
                                   "name": "</script><script>window.hurt = 1</script><img src=x onerror='window.hurt = 1'>"}) + "\n")
    page.open(make("hostile.html", "--title", "<b>bold</b>", path))
    assert page.run("window.hurt") is None
    assert page.run("document.querySelector('h1').children.length") == 0
    assert "</script><script>" in page.run("document.querySelector('#panel li:not(.gap) .name').textContent")
    assert not page.errors, page.errors


def pixel(page, x, y):
    """The colour at a place of the canvas, as #rrggbb."""
    return page.run(f"""(() => {{
        const [r, g, b] = canvas.getContext('2d').getImageData({x} * view.ratio, {y} * view.ratio, 1, 1).data;
        return '#' + [r, g, b].map(value => value.toString(16).padStart(2, '0')).join('');
    }})()""")


def check_hidden(page):
    """A long call that begins in the pixel in which a short one ends is painted, and the strip shows the path."""
    path = os.path.join(BUILD, "hidden.trace")
    with open(path, "w", encoding="utf-8") as file:
        for cookie, begin, end in ((1, 1000000, 1010000), (2, 1020000, 500000000), (3, 500010000, 900000000)):
            for ev, t_ns in (("scheduled", begin - 1000), ("started", begin), ("completed", end)):
                file.write(f'{{"t_ns":{t_ns},"pid":7,"tid":7,"ev":"{ev}","cookie":{cookie},"name":"call {cookie}"}}\n')
    page.open(make("hidden.html", path))
    x = page.run("(xOf(0) + xOf(400e6)) / 2")
    y = page.run("laneY(view.models[0].rows[0], 0) + LANE - 6")
    assert pixel(page, x, y) == page.run("view.colors.run"), pixel(page, x, y)
    strip = page.run("view.items.find(item => item.type === 'path').y - view.scroll + PHASES / 2")
    over = page.run(f"(found => found && labelOfSpan(found.model, found.span))(spanAt({x}, {strip}))")
    assert over == "call 2", over
    assert pixel(page, x, strip + 6) == page.run("view.colors.run")
    assert not page.errors, page.errors


def check_long(page):
    """100,000 calls in 300 threads: a frame looks at what is seen only, however long the trace is."""
    path = os.path.join(BUILD, "long.trace")
    with open(path, "w", encoding="utf-8") as file:
        for i in range(1, 100001):
            t, tid = 1000000 + i * 4000, 500 + i % 300
            for ev, after, who in (("scheduled", 0, 500), ("started", 1000, tid), ("completed", 900000, tid)):
                file.write(f'{{"t_ns":{t + after},"pid":500,"tid":{who},"ev":"{ev}","cookie":{i},"name":"call {i}"}}\n')
    page.open(make("long.html", path))
    os.unlink(path)
    bars = """(() => {
        let bars = 0;
        const fill = CanvasRenderingContext2D.prototype.fillRect;
        CanvasRenderingContext2D.prototype.fillRect = function (...box) { bars++; fill.apply(this, box); };
        paint(canvas);
        CanvasRenderingContext2D.prototype.fillRect = fill;
        return bars;
    })()"""
    assert page.run("view.models[0].calls.count") == 100000
    assert page.run("view.models[0].rows.every(row => row.folded)"), "many rows are not folded"
    width = page.run("view.width")
    assert 300 < page.run(bars) < 50 * width, page.run(bars)
    page.call("Input.insertText", text="")
    page.run("search('call 77777')")
    page.run("goFound(1)")
    assert page.run("nameOf(view.chosen.model, view.chosen.span)") == "call 77777"
    assert page.run("xOf(view.models[0].spans.end_ns[view.chosen.span]) - xOf(view.models[0].spans.begin_ns[view.chosen.span])") > 100
    page.save(os.path.join(BUILD, "long.png"))
    os.unlink(os.path.join(BUILD, "long.html"))
    assert not page.errors, page.errors


def main():
    os.makedirs(BUILD, exist_ok=True)
    page = Browser()
    try:
        for check in (check_one, check_debian, check_late, check_compare, check_hostile, check_hidden, check_long):
            check(page)
    finally:
        page.close()


main()
