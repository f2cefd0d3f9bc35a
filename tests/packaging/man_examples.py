#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Every page of section 3, and inorder(7), has an example that compiles, runs, and prints what the page says.

usage: man_examples.py SOURCE BUILD

In EXAMPLES, a block that begins with #include is a program; a block after "It prints" is its output. One without main()
is a plug-in, which the next program of the page loads as ./NAME.so.
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

source, build = map(pathlib.Path, sys.argv[1:])
FLAGS = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-I', source / 'include']
BLOCK = re.compile(r'^\.Bd -literal[^\n]*\n(.*?)^\.Ed$', re.M | re.S)
problems = []


def compiled(code, name, *more):
    path = pathlib.Path(name + '.c')
    path.write_text(code)
    done = subprocess.run(['cc', *FLAGS, path, '-o', name, '-L', build, '-linorder', '-pthread', f'-Wl,-rpath,{build}', *more],
                          capture_output=True, text=True)
    return done.stderr if done.returncode else ''


def examples(text):
    """Pairs of a program and its output, or None, and the plug-in before it, or None."""
    section = re.search(r'^\.Sh EXAMPLES\n(.*?)(?=^\.Sh )', text, re.M | re.S)
    plugin = program = None
    for match in BLOCK.finditer(section[1] if section else ''):
        block = match[1].replace('\\e', '\\')
        if section[1][:match.start()].endswith('It prints\n'):
            yield plugin, program, block
            plugin = program = None
        elif block.startswith('#include') and 'int main(' not in block:
            plugin = block
        elif block.startswith('#include'):
            if program:
                yield plugin, program, None
                plugin = None
            program = block
    if program:
        yield plugin, program, None


def check(page):
    found = 0
    for plugin, program, output in examples(page.read_text()):
        found += 1
        error = compiled(program, 'program')
        if plugin and not error:
            error = compiled(plugin, re.search(r'"\./(\w+\.so)"', program)[1], '-shared', '-fPIC')
        if error:
            problems.append(f'{page.name}: does not compile: {error}')
            continue
        done = subprocess.run(['./program'], capture_output=True, text=True, timeout=120)
        if done.returncode:
            problems.append(f'{page.name}: ends with {done.returncode}: {done.stderr}')
        elif output is not None and done.stdout != output:
            problems.append(f'{page.name}: prints {done.stdout!r}, not {output!r}')
    if not found:
        problems.append(f'{page.name}: no example')


with tempfile.TemporaryDirectory() as scratch:
    pages = [page.resolve() for page in sorted([*(source / 'man').glob('*.3'), source / 'man/inorder.7'])]
    source, build = source.resolve(), build.resolve()
    FLAGS[-1] = source / 'include'
    os.chdir(scratch)
    for man_page in pages:
        check(man_page)
print('\n'.join(problems) or f'the examples of {len(pages)} pages work')
sys.exit(bool(problems))
