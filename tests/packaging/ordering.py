#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/ORDERING.md and the code agree: ordering.py SOURCE.

Every operation with an order in core/ and ports/posix is in the ledger's table, with its function and its pair, and the
function cites that pair; every one without an order is in the second table; what the tables name exists. Every pair has
both sides, a litmus test that tools/litmus accepts, and mutations that are in tests/*/*.mutations.
"""
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True

ORDERED = re.compile(r'\bport_\w+_(?:acquire|release|acq_rel)\b|\bport_name_(?:load|store)\b|\bport_(?:un)?park\b|'
                     r'\bmemory_order_(?:acquire|release|acq_rel|seq_cst)\b|\b__ATOMIC_(?:ACQUIRE|RELEASE|ACQ_REL|SEQ_CST)\b|'
                     r'\batomic_thread_fence\b|\b__sync_\w+\b|\bport_thread_start\b|\bpthread_create\b')
RELAXED = re.compile(r'\bport_\w+_relaxed\b|\bmemory_order_relaxed\b|\b__ATOMIC_RELAXED\b')
ROW = re.compile(r'^\| (O\d+) \| (release|acquire|both) \| `(\w+)\(\)` \| ([\w./]+) \| `(\w+)` \|$', re.M)
RELAXED_ROW = re.compile(r'^\| `(\w+)\(\)` \| ([\w./]+) \| `(\w+)` \| (.+) \|$', re.M)


def uncommented(text):
    """The text with its comments and preprocessor lines blanked, so that positions stay."""
    blank = lambda match: re.sub(r'[^\n]', ' ', match.group(0))  # noqa: E731
    return re.sub(r'/\*.*?\*/|^#[^\n]*(?:\\\n[^\n]*)*', blank, text, flags=re.M | re.S)


def uses(source, c_source, pattern):
    """Where the code has such operations: {(function, file, operation): the function's text with its comment}."""
    found = {}
    paths = sorted(p for folder in ('core', 'ports/posix') for p in (source / folder).glob('*.[ch]'))
    for path in paths:
        text = path.read_text(encoding='utf-8')
        code = uncommented(text)
        inside = list(c_source.functions(text))
        for match in pattern.finditer(code):
            name, begin, end = next(((n, b, e) for n, b, e in inside if b <= match.start() < e), (None, 0, 0))
            if code[match.end():match.end() + 1] == '(' and name == match.group(0):
                continue  # its own definition
            if name is None and re.search(r';', code[match.start():].split('\n', 1)[0]):
                continue  # a declaration
            where = (name, str(path.relative_to(source)), match.group(0))
            found[where] = text[begin:end]
    return found


def check_table(ledger, code, problems):
    """The operations with an order."""
    rows = [(number, side, (function, file, operation)) for number, side, function, file, operation in ROW.findall(ledger)]
    listed = {where for _, _, where in rows}
    for where in code:
        if where not in listed:
            problems.append(f'{where[1]}: {where[0]}() uses {where[2]}, and no pair of docs/ORDERING.md names it')
    for number, _, where in rows:
        if where not in code:
            problems.append(f'docs/ORDERING.md: {number}: {where[0]}() of {where[1]} has no {where[2]}')
        elif not re.search(rf'\b{number}\b', code[where]):
            problems.append(f'{where[1]}: {where[0]}() uses {where[2]} and does not cite {number}')
    return {(number, side) for number, side, _ in rows}


def check_relaxed(ledger, code, problems):
    """The operations without an order."""
    rows = {(function, file, operation) for function, file, operation, _ in RELAXED_ROW.findall(ledger)}
    for where in code:
        if where not in rows:
            problems.append(f'{where[1]}: {where[0]}() uses {where[2]}; docs/ORDERING.md does not say why it needs no order')
    problems += [f'docs/ORDERING.md: {function}() of {file} has no {operation}'
                 for function, file, operation in sorted(rows - set(code), key=str)]


def check_pairs(ledger, sides, mutations, problems):
    """Sections, their litmus tests and mutations."""
    numbers = sorted({number for number, _ in sides}, key=lambda n: int(n[1:]))
    for number in numbers:
        for side in ('release', 'acquire'):
            if not sides & {(number, side), (number, 'both')}:
                problems.append(f'docs/ORDERING.md: {number} has no {side} side')
        section = re.search(rf'^## {number}:(.*?)(?=^## |\Z)', ledger, re.M | re.S)
        if not section:
            problems.append(f'docs/ORDERING.md: {number} has no section')
            continue
        if f'```\nC {number}\n' not in section.group(1):
            problems.append(f'docs/ORDERING.md: {number} has no litmus test')
        if not re.search(r'\*[\w-]+\*', section.group(1)):
            problems.append(f'docs/ORDERING.md: {number} names no mutation')
        for name in sorted(mutations):
            if re.search(rf'\b{number}-', name) and f'*{name}*' not in section.group(1):
                problems.append(f'docs/ORDERING.md: {number} does not name the mutation {name}')
    for number in set(re.findall(r'^## (O\d+):', ledger, re.M)) - set(numbers):
        problems.append(f'docs/ORDERING.md: {number} has no place in the code')
    prose = re.sub(r'```.*?```', '', ledger, flags=re.S)
    for name in sorted(set(re.findall(r'(?<!\*)\*([\w-]+)\*(?!\*)', prose)) - mutations):
        problems.append(f'docs/ORDERING.md names the mutation {name}, which is in no tests/*/*.mutations')


def check_litmus(source, problems):
    """tools/litmus accepts the ledger's programs, and knows the answers of the field's well-known ones."""
    tool = [sys.executable, source / 'tools/litmus']
    done = subprocess.run([*tool, source / 'docs/ORDERING.md'], capture_output=True, text=True)
    if done.returncode:
        problems.append((done.stdout + done.stderr).strip())
    shapes = subprocess.run([*tool, '--states', source / 'tests/packaging/shapes.md'], capture_output=True, text=True)
    lines = shapes.stdout.splitlines()
    for line in lines:
        name, _, answer = line.partition(': ')
        if not name.endswith(answer.lower()):
            problems.append(f'tools/litmus: {line}')
    if len(lines) < 10:
        problems.append('tools/litmus: ' + shapes.stdout + shapes.stderr)


def main(source):
    source = pathlib.Path(source)
    sys.path.insert(0, str(source / 'tools'))
    import c_source
    ledger = (source / 'docs/ORDERING.md').read_text(encoding='utf-8')
    mutations = {name for path in source.glob('tests/*/*.mutations')
                 for name in re.findall(r'^== (\S+)', path.read_text(encoding='utf-8'), re.M)}
    problems = []
    ordered, relaxed = uses(source, c_source, ORDERED), uses(source, c_source, RELAXED)
    sides = check_table(ledger, ordered, problems)
    check_relaxed(ledger, relaxed, problems)
    check_pairs(ledger, sides, mutations, problems)
    check_litmus(source, problems)
    print('\n'.join(problems) or f'{len(ordered)} operations with an order and {len(relaxed)} without, all in the ledger')
    return 1 if problems or not ordered else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
