#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The colours of the kinds can be told apart by the colour-blind: colors.py CHART-DIRECTORY

Simulates protanopia, deuteranopia (Vienot, Brettel and Mollon 1999) and tritanopia (the same method, a plane through
blue's opposite), and takes the distance of each pair in CIE L*a*b*.
"""
import itertools
import os
import re
import sys

HERE = sys.argv[1]
LEAST = 8.0   # a just noticeable difference is 2.3
KINDS = ["run", "step", "retire", "wait", "turn", "failed"]
TO_LMS = [[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]]
FROM_LMS = [[0.0809444479, -0.130504409, 0.116721066], [-0.0102485335, 0.0540193266, -0.113614708],
            [-0.000365296938, -0.00412161469, 0.693511405]]
SIGHTS = {"all cones": [[1, 0, 0], [0, 1, 0], [0, 0, 1]], "protanopia": [[0, 2.02344, -2.52581], [0, 1, 0], [0, 0, 1]],
          "deuteranopia": [[1, 0, 0], [0.494207, 0, 1.24827], [0, 0, 1]],
          "tritanopia": [[1, 0, 0], [0, 1, 0], [-0.395913, 0.801109, 0]]}
TO_XYZ = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]


def times(matrix, vector):
    return [sum(a * b for a, b in zip(row, vector)) for row in matrix]


def linear(text):
    values = [int(text[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    return [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]


def lab(rgb):
    x, y, z = (value / white for value, white in zip(times(TO_XYZ, rgb), (0.9505, 1, 1.089)))
    fx, fy, fz = (value ** (1 / 3) if value > 0.008856 else 7.787 * value + 16 / 116 for value in (x, y, z))
    return 116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)


def seen(text, sight):
    return lab([min(max(value, 0), 1) for value in times(FROM_LMS, times(SIGHTS[sight], times(TO_LMS, linear(text))))])


def check(where, colors):
    failed = 0
    for sight in SIGHTS:
        for a, b in itertools.combinations(KINDS, 2):
            distance = sum((x - y) ** 2 for x, y in zip(seen(colors[a], sight), seen(colors[b], sight))) ** 0.5
            if distance < LEAST:
                print(f"{where}, {sight}: {a} {colors[a]} and {b} {colors[b]} are {distance:.1f} apart, less than {LEAST}")
                failed += 1
    return failed


def read(name):
    with open(os.path.join(HERE, name), encoding="utf-8") as file:
        return file.read()


def svg_colors():
    text = read("draw.c")
    colors = dict(re.findall(r"rect\.(\w+) { fill: (#\w{6})", text))
    colors["wait"] = re.search(r'svg_stripes\(svg, "stripes", "(#\w{6})"', text)[1]
    return colors


light, dark = read("page/page.css").split(":root.dark")
sys.exit(1 if sum(check(where, colors) for where, colors in (
    ("SVG", svg_colors()), ("page", dict(re.findall(r"--(\w+): (#\w{6})", light))),
    ("dark page", dict(re.findall(r"--(\w+): (#\w{6})", dark))))) else 0)
