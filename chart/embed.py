#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The page around the data, as C: embed.py OUTPUT PAGE.html STYLE.css SCRIPT.js..."""
import sys


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def array(name, text):
    numbers = [str(byte) for byte in text.encode("utf-8") + b"\0"]
    lines = [", ".join(numbers[i:i + 24]) for i in range(0, len(numbers), 24)]
    return f"const unsigned char {name}[] = {{\n\t" + ",\n\t".join(lines) + "\n};\n"


def main():
    output, page, style, *scripts = sys.argv[1:]
    script = "".join(read(path) for path in scripts)
    for word in ("</script", "</style", "<!--"):
        if word in script or word in read(style):
            sys.exit(f"embed.py: {word} would end the element that it stands in")
    head, tail = read(page).split("@DATA@")
    text = array("page_head", head.replace("@STYLE@", read(style))) + array("page_tail", tail.replace("@SCRIPT@", script))
    with open(output, "w", encoding="utf-8") as file:
        file.write('#include "page.h"\n' + text)


main()
