#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""docs/ORDERING.md and the code agree: ordering.py SOURCE.

Every operation with an order in core/ and ports/posix is tagged with its pair of the ledger, O1 and so on, in a comment on its
line or right above it; every one without an order has such a comment, "no order: why". Every pair has both sides in the code,
a row, a section, a litmus test that tools/litmus accepts, and mutations that are in tests/*/*.mutations.
"""
import pathlib
import re
import subprocess
import sys

sys.dont_write_bytecode = True

# What each operation does by its name: the sides of its pair that it is.
SIDES = {
    'release': r'port_\w+_release|port_name_store|port_unpark|memory_order_release|__ATOMIC_RELEASE|port_thread_start',
    'acquire': r'port_\w+_acquire|port_name_load|port_park|memory_order_acquire|__ATOMIC_ACQUIRE',
    'both': r'port_\w+_acq_rel|memory_order_(?:acq_rel|seq_cst)|__ATOMIC_(?:ACQ_REL|SEQ_CST)|atomic_thread_fence|__sync_\w+|'
            r'pthread_create',
    'none': r'port_\w+_relaxed|memory_order_relaxed|__ATOMIC_RELAXED',
}
OPERATION = re.compile('|'.join(rf'\b(?P<{side}>{names})\b' for side, names in SIDES.items()))
TAG = re.compile(r'\bO\d+\b')
# Functions that are an operation, or one with little around it: the comment above them counts.
WRAPPER = re.compile(OPERATION.pattern + r'|port_(?:un)?lock')
WHY = re.compile(r'\b[Nn]o order: \w')


def uncommented(text):
    """The text with its comments and preprocessor lines blanked, so that positions stay."""
    blank = lambda match: re.sub(r'[^\n]', ' ', match.group(0))  # noqa: E731
    return re.sub(r'/\*.*?\*/|^#[^\n]*(?:\\\n[^\n]*)*', blank, text, flags=re.M | re.S)


def comments_at(text, code, start):
    """The comments of the statement that is there: on its lines, and the one that ends on the line above."""
    before = code[:start].rstrip('\t ').rfind('\n') + 1
    while not re.search(r'[;{}:]\s*$', code[:before]):
        before = code.rfind('\n', 0, before - 1) + 1
    begin = before
    end = text.index('\n', start)
    above = text.rfind('/*', 0, begin) if text[:begin].endswith('*/\n') else begin
    if text[text.rfind('\n', 0, above) + 1:above].strip():
        above = begin  # that comment is the end of another statement's line
    return ' '.join(re.findall(r'/\*.*?\*/', text[above:end], re.S))


def operations(source, c_source):
    """Every operation of the code: (file, line, name, side, the comments that tag it, whether it makes an operation of a port)."""
    for path in sorted(p for folder in ('core', 'ports/posix') for p in (source / folder).glob('*.[ch]')):
        text = path.read_text(encoding='utf-8')
        code = uncommented(text)
        functions = list(c_source.functions(text))
        for match in OPERATION.finditer(code):
            name, begin = next(((n, b) for n, b, e in functions if b <= match.start() < e), (None, 0))
            wraps = WRAPPER.fullmatch(name or '')
            if name is None or name == match.group(0) or (wraps and match.lastgroup == 'none'):
                continue  # a declaration; a definition's own name; what the name says already
            tagged = text[begin:text.index('\n{', begin)] if wraps else comments_at(text, code, match.start())
            makes = OPERATION.fullmatch(name) and re.match('memory_order|__ATOMIC', match.group(0))
            yield (str(path.relative_to(source)), code.count('\n', 0, match.start()) + 1, match.group(0), match.lastgroup, tagged,
                   makes)


def check_code(source, c_source, problems):
    """Every operation has its tag, or the reason why it needs no order. Returns (tag, side) of all, and how many there are."""
    sides, counts = set(), {'ordered': 0, 'relaxed': 0}
    for file, line, name, side, comments, makes in operations(source, c_source):
        tags = set(TAG.findall(comments))
        if side == 'none':
            counts['relaxed'] += 1
            if not WHY.search(comments):
                problems.append(f'{file}:{line}: no comment says "no order: why" at {name}')
            continue
        counts['ordered'] += 1
        sides |= {(tag, side) for tag in tags if not makes}
        if not tags:
            problems.append(f'{file}:{line}: no comment names the pair of docs/ORDERING.md that {name} is of')
    return sides, counts


def check_pairs(ledger, sides, mutations, problems):
    """Sections, their litmus tests and mutations."""
    numbers = sorted({number for number, _ in sides}, key=lambda n: int(n[1:]))
    rows = re.findall(r'^\| (O\d+) \|', ledger, re.M)
    if sorted(rows) != sorted(numbers):
        problems.append(f'docs/ORDERING.md: its pairs are {", ".join(rows)}, those of the code {", ".join(numbers)}')
    for number in numbers:
        for side in ('release', 'acquire'):
            if not sides & {(number, side), (number, 'both')}:
                problems.append(f'docs/ORDERING.md: {number} has no {side} side in the code')
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
    sides, counts = check_code(source, c_source, problems)
    check_pairs(ledger, sides, mutations, problems)
    check_litmus(source, problems)
    print('\n'.join(problems) or '{ordered} operations with an order and {relaxed} without, all tagged'.format(**counts))
    return 1 if problems or not counts['ordered'] else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
