#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The files of a folder form layers, those that docs/ARCHITECTURE.md states: layers.py SOURCE BUILD [--write].

An arrow goes from a file to another that defines a function or variable which the first one uses. It is taken from the
objects of the build, or from the sources where a folder is not built here. In the document a block that begins with
"layers of FOLDER" lists the files bottom up: those of a line use only files of the lines above it. Lines "may use"
state the arrows between folders. --write puts the layers as they are into the page.
"""
import pathlib
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True

# Where the objects of a folder are, below the build directory, and what stands before a file's name there.
OBJECTS = {
    'core': ('libinorder.so.*.p', 'core_'),
    'ports/posix': ('libinorder.so.*.p', 'ports_posix_'),
    'startup': ('libinorder.so.*.p', 'startup_'),
    'image': ('image/inorder-image.p', ''),
    'boot': ('boot/inorder-init.p', ''),
    'chart': ('chart/*.p', ''),
    'ports/linux': None,
}
BLOCK = re.compile(r'^```\nlayers of (\S+)\n(.*?)^```$', re.M | re.S)
ARROW = re.compile(r'^([\w/]+) may use (.+)$', re.M)
SKIP = 77


def symbols_of(path):
    """What an object defines for other files, and what it leaves undefined."""
    defines, uses = set(), set()
    for line in subprocess.run(['nm', path], capture_output=True, text=True, check=True).stdout.splitlines():
        kind, name = line.split()[-2:]
        if kind in 'TDBRVWC':
            defines.add(name)
        elif kind == 'U':
            uses.add(name)
    return defines, uses


def from_objects(source, build, folder):
    """{file: (defines, uses)} of a folder, or {} if it is not built. Objects of files that are gone may be left there."""
    pattern, prefix = OBJECTS[folder]
    found = {}
    for path in sorted(build.glob(pattern + '/' + prefix + '*.c.o')):
        stem = path.name[len(prefix):-len('.c.o')]
        if (source / folder / f'{stem}.c').exists():
            found[stem] = symbols_of(path)
    return found


def code_of(path):
    """A file without its comments, texts and preprocessor lines."""
    other = r'/\*.*?\*/|"(?:\\.|[^"\\\n])*"|^#[^\n]*(?:\\\n[^\n]*)*'
    return re.sub(other, ' ', path.read_text(encoding='utf-8'), flags=re.M | re.S)


def from_sources(folder, c_source):
    """The same from the sources. A name in capitals or of a static function counts for nothing."""
    found = {}
    inline = {}  # functions of headers: what they use, whoever calls them uses
    for path in folder.glob('*.h'):
        text = code_of(path)
        inline.update((name, set(re.findall(r'\b[a-z_]\w*\b', text[begin:end])))
                      for name, begin, end in c_source.functions(text))
    for path in sorted(folder.glob('*.c')):
        text = code_of(path)
        static = set(re.findall(r'^static\b[^\n;=]*?\b(\w+)(?:\(|\[|;| =)', text, re.M))
        defines = {name for name, _, _ in c_source.functions(text)} - static
        defines |= set(re.findall(r'^(?!static|extern|typedef|return)[a-z][\w *]*?\b(\w+)(?:\[\w*\])?(?: = [^;]*)?;$',
                                  text, re.M))
        uses, more = set(), set(re.findall(r'\b[a-z_]\w*\b', text))
        while more:
            uses |= more
            more = set().union(*(inline.get(name, set()) for name in more)) - uses
        uses -= defines | static
        found[path.stem] = defines, uses
    return found


def arrows_of(files):
    """{file: {used file: a symbol}} within a folder."""
    home = {name: stem for stem, (defines, _) in files.items() for name in defines}
    return {stem: {home[name]: name for name in sorted(uses) if home.get(name, stem) != stem}
            for stem, (_, uses) in files.items()}


def floors_of(arrows):
    """The lowest floors possible, bottom up, and what is left: files in circles, or on top of one."""
    floors, done = [], set()
    while True:
        floor = sorted(stem for stem in arrows if stem not in done and set(arrows[stem]) <= done)
        if not floor:
            return floors, sorted(set(arrows) - done)
        floors.append(floor)
        done |= set(floor)


def check_folder(folder, arrows, stated):
    """Complaints about one folder."""
    level = {stem: number for number, floor in enumerate(stated) for stem in floor}
    wrong = [f'{folder}: {stem} is in no layer: add it to docs/ARCHITECTURE.md, or run layers.py with --write'
             for stem in arrows if stem not in level]
    wrong += [f'{folder}: there is no {stem}' for stem in level if stem not in arrows]
    wrong += [f'{folder}: {stem} is named twice' for stem in level if sum(floor.count(stem) for floor in stated) > 1]
    _, circle = floors_of(arrows)
    if circle:
        wrong.append(f'{folder}: a circle among ' + ' '.join(circle))
    for stem, used in sorted(arrows.items()):
        for other, symbol in sorted(used.items()):
            if level.get(other, -1) >= level.get(stem, len(stated)):
                wrong.append(f'{folder}: {stem} uses {symbol} of {other}, which is not below it')
    return wrong


def check_between(all_files, allowed, public):
    """Complaints about arrows from folder to folder; whoever stands above the library may use its public calls."""
    wrong = []
    for folder, files in all_files.items():
        for other, others in all_files.items():
            if other == folder or other in allowed.get(folder, ()) or 'ports/linux' in (folder, other):
                continue
            home = {name: stem for stem, (defines, _) in others.items() for name in defines - {'main'} - public}
            wrong += [f'{folder}/{stem} uses {name} of {other}/{home[name]}, and {folder} may not use {other}'
                      for stem, (_, uses) in files.items() for name in uses if name in home]
    return wrong


def write(page, arrows):
    """Puts the layers as they are into the page's blocks."""
    failed = 0
    text = page.read_text(encoding='utf-8')
    for folder in filter(arrows.get, arrows):
        floors, circle = floors_of(arrows[folder])
        for stem in circle:
            print(f'{folder}: {stem} is in a circle or above one:', *sorted(set(arrows[folder][stem]) & set(circle)))
            failed = 1
        lines = ''.join(' '.join(floor) + '\n' for floor in floors)
        text = re.sub(rf'^```\nlayers of {folder}\n.*?^```$', f'```\nlayers of {folder}\n{lines}```', text,
                      flags=re.M | re.S)
    page.write_text(text, encoding='utf-8')
    return failed


def main():
    source, build = (pathlib.Path(argument).resolve() for argument in sys.argv[1:3])
    if not shutil.which('nm'):
        print('skipped: there is no nm here')
        return SKIP
    sys.path.insert(0, str(source / 'tools'))
    import c_source  # pylint: disable=import-outside-toplevel
    all_files = {folder: from_objects(source, build, folder) if OBJECTS[folder] else from_sources(source / folder, c_source)
                 for folder in OBJECTS}
    page = source / 'docs/ARCHITECTURE.md'
    if '--write' in sys.argv:
        return write(page, {folder: arrows_of(files) for folder, files in all_files.items()})
    text = page.read_text(encoding='utf-8')
    stated = {folder: [line.split() for line in lines.splitlines()] for folder, lines in BLOCK.findall(text)}
    allowed = {folder: others.split() for folder, others in ARROW.findall(text)}
    public = set(re.findall(r'\b[a-z]\w+(?=;)', (source / 'inorder.map').read_text(encoding='utf-8')))
    wrong = [f'docs/ARCHITECTURE.md has no layers of {folder}' for folder in OBJECTS if folder not in stated]
    for folder, floors in stated.items():
        if all_files.get(folder):
            wrong += check_folder(folder, arrows_of(all_files[folder]), floors)
        elif folder in ('core', 'startup', 'ports/posix', 'ports/linux'):
            wrong.append(f'{folder}: nothing found')
    wrong += check_between(all_files, allowed, public)
    print(*wrong, sep='\n')
    return 1 if wrong else 0


if __name__ == '__main__':
    sys.exit(main())
