# SPDX-License-Identifier: MIT
"""c_source: finds functions in C files of this tree's style (the name at the start of a line, braces in the first column)."""
import re


def function_span(text, name):
    """Where a function's definition stands, as (start, end), or None; a macro's if there is no such function."""
    pattern = rf'^[A-Za-z_][^\n;]*\b{re.escape(name)}\([^;{{}}]*\)\n\{{\n.*?^\}}'
    match = re.search(pattern, text, re.M | re.S)
    if not match:
        match = re.search(rf'^#define {re.escape(name)}\b(?:[^\n]*\\\n)*[^\n]*', text, re.M)
    return match.span() if match else None


def functions(text):
    """Every function definition: yields (name, start, end); the comment right above belongs to it."""
    for match in re.finditer(r'^[A-Za-z_][^\n;]*?\b(\w+)\([^;{}]*\)\n\{\n.*?^\}', text, re.M | re.S):
        yield match.group(1), comment_start(text, match.start()), match.end()


def comment_start(text, position):
    """Where the comment begins that ends right above a position; the position itself if there is none."""
    before = text[:position]
    if not before.rstrip(' \t').endswith('*/\n'):
        return position
    return before.rfind('/*')
