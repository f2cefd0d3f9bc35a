#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""overlay.py SOURCE: tools/kernel-overlay on small trees that are made from what its patches change. No kernel's sources
are needed: a tree holds the lines that each hunk expects, at the place where it expects them."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

SOURCE = sys.argv[1]
OVERLAY = os.path.join(SOURCE, 'tools/kernel-overlay')
PATCHES = os.path.join(SOURCE, 'ports/linux/patches')
VERSIONS = sorted(os.listdir(PATCHES), key=lambda version: [int(part) for part in version.split('.')])


def expect(condition, text):
    if not condition:
        sys.exit(f'overlay: {text}')


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


def before(patch):
    """{path: lines} of the files that a patch changes, as it wants to find them; what it does not show is filler."""
    files, lines, left = {}, None, 0
    for line in read(patch).splitlines():
        if left <= 0 and line.startswith('--- a/'):
            lines = files.setdefault(line[len('--- a/'):].split('\t')[0], [])
        hunk = re.match(r'@@ -(\d+)(?:,(\d+))? ', line) if left <= 0 else None
        if hunk:
            lines.extend(f'filler {number}' for number in range(len(lines) + 1, int(hunk.group(1))))
            left = int(hunk.group(2) or 1)
        elif left > 0 and line[:1] != '+':
            lines.append(line[1:])
            left -= 1
    return files


def merge(old, new):
    """Both patches want something of one file: filler gives way."""
    longest = max(len(old), len(new))
    pairs = zip(old + [None] * (longest - len(old)), new + [None] * (longest - len(new)))
    return [second if first is None or first.startswith('filler ') and second is not None else first
            for first, second in pairs]


def make_tree(folder, version, patches=None):
    """A tree of that version that the patches of a version fit (by default its own)."""
    major, minor = version.split('.')
    files = {}
    place = os.path.join(PATCHES, patches or version)
    for name in sorted(os.listdir(place)):
        for path, lines in before(os.path.join(place, name)).items():
            files[path] = merge(files.get(path, []), lines)
    for path in ('kernel/async.c', 'include/linux/async.h'):
        files.setdefault(path, [f'stock {path}'])
    files['Makefile'] = [f'VERSION = {major}', f'PATCHLEVEL = {minor}', 'SUBLEVEL = 0']
    for path, lines in files.items():
        write(os.path.join(folder, path), ''.join(f'{line}\n' for line in lines))
    return folder


def listing(folder):
    found = {}
    for place, folders, files in os.walk(folder):
        for name in files:
            path = os.path.join(place, name)
            found[os.path.relpath(path, folder)] = (os.lstat(path).st_ino, os.lstat(path).st_mtime_ns, read(path))
        found.update((os.path.relpath(os.path.join(place, name), folder), None) for name in folders)
    return found


def overlay(*words):
    done = subprocess.run([OVERLAY, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


def expect_refused(words, *texts):
    status, said = overlay(*words)
    expect(status == 1 and all(text in said for text in texts),
           f'{" ".join(words)} ended with {status} and does not say {texts}:\n{said}')


def options_of(version):
    names = sorted(name[:-len('.patch')] for name in os.listdir(os.path.join(PATCHES, version)))
    return [f'--{name}' for name in names if name != 'build']


def check_kbuild(folder):
    """Kbuild builds every file of core and port, and no other; module.c and builtin.c are for one build each."""
    kbuild = read(os.path.join(folder, 'Kbuild'))
    for variable, place in (('core-y', 'core'), ('port-y', '.')):
        built = re.search(rf'^{variable} := ((?:.*\\\n)*.*)', kbuild, re.M).group(1)
        objects = set(re.findall(r'([\w-]+)\.o', built)) | ({'module', 'builtin'} if place == '.' else set())
        sources = {name[:-2] for name in os.listdir(os.path.join(folder, place)) if name.endswith('.c')}
        expect(objects == sources, f'{variable} of ports/linux/Kbuild and the files differ in {sorted(objects ^ sources)}')


def fields(header, name):
    """The fields of a public structure, by name."""
    body = re.search(rf'^struct {name} {{\n(.*?)^}};', read(os.path.join(SOURCE, header)), re.M | re.S).group(1)
    return re.findall(r'(\w+)(?:\[\d+\])?;', body)


def test_port_keeps_up():
    """What the core asks of a port, this one has: nothing here compiles it, since that takes a kernel's sources."""
    unused = {'async_domain': ('name', 'reserved'), 'async_entry': (), 'async_owner': ('reserved',)}   # by the core
    for name in unused:
        wanted, there = (fields(header, name) for header in ('include/inorder/async.h',
                                                             'ports/linux/include/linux/async_inorder.h'))
        expect([field for field in wanted if field not in unused[name]] == there,
               f'struct {name} of the kernel has {there}, the library has {wanted}')
    core, port = (''.join(read(os.path.join(SOURCE, folder, name)) for name in sorted(os.listdir(os.path.join(
        SOURCE, folder))) if name.endswith(('.c', '.h'))) for folder in ('core', 'ports/linux'))
    port += read(os.path.join(SOURCE, 'ports/posix/report.c'))     # the kernel's build has it, too
    asked = set(re.findall(r'\bport_\w+(?=\()', core)) - {'port_exit'}     # how userspace ends
    missing = {name for name in asked if not re.search(rf'\b{name}\b', port)}
    expect(asked and not missing, f'the core calls {sorted(missing)}, which ports/linux has not')


def test_in_and_out(folder, version):
    """Checked, put there, put there again, taken out: the tree is as before."""
    make_tree(folder, version)
    first = listing(folder)
    words = options_of(version)
    status, said = overlay('--check', *words, folder)
    expect(not status and f'patches for {version} fit' in said, f'--check of {version}: {said}')
    expect(listing(folder) == first, f'--check of {version} has changed the tree')
    status, said = overlay(*words, folder)
    expect(not status, f'{version} was refused: {said}')
    expect('inorder/' in read(os.path.join(folder, 'kernel/Makefile')), f'{version}: kernel/Makefile was not patched')
    expect(os.path.exists(os.path.join(folder, 'kernel/async.c')), f'{version}: CONFIG_ASYNC_INORDER=n has no async.c')
    check_kbuild(os.path.join(folder, 'kernel/inorder'))
    second = listing(folder)
    status, said = overlay(*words, folder)
    expect(not status and ' 0 were changed' in said and listing(folder) == second, f'{version}, once more: {said}')
    status, said = overlay('--remove', folder)
    expect(not status and listing(folder) == first, f'{version} was not restored: {said}')


def test_unknown_version(folder):
    """A version without patches is refused with the known ones; --any-version tries them, newest first."""
    make_tree(folder, '6.99', VERSIONS[0])
    first = listing(folder)
    expect_refused([folder], 'Linux 6.99', *VERSIONS)
    expect_refused(['--check', folder], 'Linux 6.99')
    expect(listing(folder) == first, 'a tree that was refused is not as before')
    status, said = overlay('--check', '--any-version', *options_of(VERSIONS[0]), folder)
    expect(not status and f'patches for {VERSIONS[0]} fit' in said, f'--any-version does not find the patches: {said}')
    write(os.path.join(folder, 'kernel/Makefile'), 'nothing that a patch knows\n')
    expect_refused(['--any-version', folder], 'no patches fit', *(f'of {version}' for version in VERSIONS))


def test_misfit(folder, version):
    """A tree that a patch does not fit is refused and stays as it was, as is one that is none."""
    make_tree(folder, version)
    write(os.path.join(folder, 'init/Kconfig'), 'changed by its owner\n')
    first = listing(folder)
    expect_refused([folder], 'build.patch', 'init/Kconfig')
    expect_refused(['--remove', folder], 'has no overlay')
    expect(listing(folder) == first, 'a tree that was refused is not as before')
    os.unlink(os.path.join(folder, 'kernel/async.c'))
    expect_refused([folder], 'does not look like', 'kernel/async.c')


def test_change_of_others(folder, version):
    """What someone has changed since is neither overwritten nor taken out."""
    make_tree(folder, version)
    overlay(folder)
    write(os.path.join(folder, 'include/linux/async.h'), 'changed by its owner\n')
    for words in ([folder], ['--remove', folder], ['--check', folder]):
        expect_refused(words, 'include/linux/async.h', 'changed')


def main():
    if not shutil.which('patch'):
        print('patch is missing: skipped')
        sys.exit(77)
    test_port_keeps_up()
    with tempfile.TemporaryDirectory() as work:
        for version in VERSIONS:
            test_in_and_out(os.path.join(work, version), version)
            test_misfit(os.path.join(work, f'misfit-{version}'), version)
        test_unknown_version(os.path.join(work, 'unknown'))
        test_change_of_others(os.path.join(work, 'changed'), VERSIONS[-1])


if __name__ == '__main__':
    main()
