#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every public call has a doc comment with all its parts, and a manual page that names it; every "make …" that a document or
make help names is a target: docs.py SOURCE PAGE:NAMES...

PAGE:NAMES says for each page of section 3 under which names it is installed, as "async_owner.3:async_owner ...".
"""
import pathlib
import re
import sys

PARTS = ("Return:", "Context:", "Ordering:", "Source:")
PRIVATE = {"initcalls_note", "initcalls_forget"}  # exported for the macros of a header, and for no one else
CALL = re.compile(r"INORDER_API\s+([^;(]*?[ *])(\w+)\(([^;]*)\);", re.DOTALL)
PARAMETER = re.compile(r"(\w+)\)?(?:\([^()]*\))?$")


def parameters(text):
    """The names of a prototype's parameters."""
    text = re.sub(r"\s+", " ", text.strip())
    if text == "void":
        return []
    depth, part, parts = 0, "", []
    for char in text:
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            parts.append(part)
            part = ""
        else:
            part += char
    parts.append(part)
    return [PARAMETER.search(part.strip()).group(1) for part in parts]


def comment_before(text, position):
    """The doc comment that ends right before a position, or an empty string."""
    before = text[:position].rstrip()
    start = before.rfind("/**")
    return before[start:] if before.endswith("*/") and start >= 0 and "*/" not in before[start:-2] else ""


def check_header(path, problems):
    """Returns the calls that a header declares; adds what is wrong with their comments."""
    text = path.read_text(encoding="utf-8")
    names = []
    for match in CALL.finditer(text):
        name = match.group(2)
        names.append(name)
        if name in PRIVATE:
            continue
        comment = comment_before(text, match.start())
        wanted = [f"* {name}() - "] + [f"@{p}:" for p in parameters(match.group(3))] + list(PARTS)
        if re.search(r"\bvoid $", match.group(1)):
            wanted.remove("Return:")
        problems += [f"{path.name}: {name}(): the comment lacks '{w}'" for w in wanted if w not in comment]
    if text.count("INORDER_API ") - text.count("define INORDER_API ") != len(names):
        problems.append(f"{path.name}: a declaration with INORDER_API is not understood")
    return names


def names_of_page(page):
    """What the NAME section of an mdoc page names."""
    section = page.read_text(encoding="utf-8").split(".Sh NAME", 1)[1].split(".Sh", 1)[0]
    return {word for line in re.findall(r"^\.Nm (.*)$", section, re.M) for word in line.replace(",", " ").split()}


def check_references(man, names, problems):
    """A page refers only to pages that are there, as far as ours are concerned."""
    names = names | {page.stem for page in man.glob("*.[1578]")}
    for page in sorted(man.glob("*.[0-9]")):
        for name in re.findall(r"^\.Xr (\S+) ", page.read_text(encoding="utf-8"), re.M):
            if re.match("async_|inorder|initcall|plugin", name) and name not in names:
                problems.append(f"man/{page.name} refers to {name}, which has no page")


def check_pages(man, listed, calls, types, problems):
    """Each call is named by one page, and what a page names is a call, a type or its own subject."""
    seen = {}
    for page, links in listed.items():
        names = names_of_page(man / page)
        if names != links:
            problems.append(f"man/{page} names {sorted(names - links)} that meson.build does not link, "
                            f"and lacks {sorted(links - names)}")
        for name in links:
            if name in seen:
                problems.append(f"{name} is in {page} and in {seen[name]}")
            seen[name] = page
    problems += [f"no manual page for {name}()" for name in sorted(set(calls) - set(seen) - PRIVATE)]
    problems += [f"{seen[name]} documents {name}, which no header declares"
                 for name in sorted(set(seen) - set(calls) - types) if seen[name] != f"{name}.3"]
    check_references(man, set(seen), problems)
    unlisted = {page.name for page in man.glob("*.3")} - set(listed)
    problems += [f"man/{page} is not installed" for page in sorted(unlisted)]


def check_targets(source, problems):
    """What documents and make help tell to make, the Makefile makes; and what it makes, make help tells."""
    makefile = (source / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):", makefile, re.M))
    told = set(re.findall(r"@echo 'make ([a-z][a-z-]*)", makefile))
    for page in [*source.glob("*.md"), *(source / "docs").glob("*.md")]:
        for name in re.findall(r"(?:`|^)make ([a-z][a-z-]*)", page.read_text(encoding="utf-8"), re.M):
            if name not in targets:
                problems.append(f"{page.name}: make {name}: the Makefile has no such target")
    problems += [f"make help: make {name}: the Makefile has no such target" for name in sorted(told - targets)]
    problems += [f"make help does not name {name}" for name in sorted(targets - told - {"all", "help"})]


def main(source, *pages):
    source = pathlib.Path(source)
    problems, calls, types = [], [], set()
    check_targets(source, problems)
    for header in sorted((source / "include" / "inorder").glob("*.h")):
        calls += check_header(header, problems)
        types |= set(re.findall(r"^struct (\w+) {", header.read_text(encoding="utf-8"), re.M))
    listed = {page: set(names.split()) for page, _, names in (text.partition(":") for text in pages)}
    check_pages(source / "man", listed, calls, types, problems)
    print("\n".join(problems) or f"{len(calls)} calls, all documented")
    return 1 if problems or not calls else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
