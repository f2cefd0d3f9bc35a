#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""series.py SOURCE BUILD: tools/kernel-series writes patches that git applies, one after the other, and what comes of
them is what tools/kernel-overlay puts there. The trees are those of overlay.py; checkpatch runs on the patches of
one version where its sources are in BUILD."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True   # nothing is left in the source tree
from overlay import SOURCE, VERSIONS, expect, make_tree, options_of, overlay, read, write

BUILD = sys.argv[2]
SERIES = os.path.join(SOURCE, 'tools/kernel-series')
DEFAULT = '6.1'
IDENTITY = {f'GIT_{who}_{what}': value for who in ('AUTHOR', 'COMMITTER')
            for what, value in (('NAME', 'A U Thor'), ('EMAIL', 'author@example.org'))}
# the only one that has all that is needed for commits
ALONE = {'HOME': '/nonexistent', 'GIT_CONFIG_NOSYSTEM': '1', 'GIT_CONFIG_GLOBAL': '/dev/null'}


def command(*words, folder=None, expected=0, **variables):
    done = subprocess.run(words, cwd=folder, env={**os.environ, **ALONE, **variables}, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True, check=False)
    expect(done.returncode == expected, f'{" ".join(words)} ended with {done.returncode}:\n{done.stdout}')
    return done.stdout


def make_sources(folder, version):
    """What the series changes beside the overlay, and the layout that it takes over."""
    make_tree(folder, version)
    write(os.path.join(folder, 'MAINTAINERS'), 'Maintainers List\n----------------\n\n'
          'AARDVARK\nM:\tA <a@example.org>\n\nZEBRA\nM:\tZ <z@example.org>\n')
    write(os.path.join(folder, 'Documentation/core-api/index.rst'), '.. toctree::\n\n   kobject\n   workqueue\n')
    write(os.path.join(folder, '.clang-format'), "ForEachMacros:\n  - 'list_for_each_entry_safe'\n")
    return folder


def as_words(text):
    """A file without its layout (comments move before their line), and without the core's names of types."""
    text = re.sub(r'(?<!\w)u?int(\d+)_t\b|\b[su](\d+)\b', r'int\1\2', text)
    text = re.sub(r'\bunsigned int\b', 'unsigned', text)
    return sorted(word for word in re.findall(r'\w+|[^\w\s]', text) if word not in '/*\\')


def files(folder):
    return {os.path.relpath(os.path.join(place, name), folder) for place, _, names in os.walk(folder) for name in names
            if not os.path.relpath(place, folder).startswith(('.git', '.inorder-overlay'))}


def expect_complete(folder):
    """Kbuild and Kconfig of what was applied so far name no file that only a later patch brings."""
    place = os.path.join(folder, 'kernel/inorder')
    if 'inorder/' not in read(os.path.join(folder, 'kernel/Makefile')):
        return
    kbuild = read(os.path.join(place, 'Kbuild'))
    for name in re.findall(r'^core-y := .*\n(?:\t.*\n)*|^port-y.*', kbuild, re.M):
        where = 'core' if name.startswith('core') else '.'
        for each in re.findall(r'(\w+)\.o', name):
            expect(os.path.exists(os.path.join(place, where, f'{each}.c')), f'Kbuild builds {each}, which is not there')
    tests = os.path.isdir(os.path.join(place, 'test'))
    expect(tests == ('KUNIT_TEST' in read(os.path.join(place, 'Kconfig'))) == ('KUNIT_TEST' in kbuild),
           'the option for the tests does not come with them')


def test_series(work, version):
    sources = make_sources(os.path.join(work, version), version)
    out = os.path.join(work, f'out-{version}')
    command(SERIES, version, '--source', sources, '--out', out, '--build', BUILD, **IDENTITY)
    patches = sorted(os.path.join(out, name) for name in os.listdir(out))
    expect('0000-cover-letter' in patches[0] and '*** ' not in read(patches[0]), 'the cover letter has no text')
    plain = os.path.join(work, f'plain-{version}')
    shutil.copytree(sources, plain)
    status, said = overlay(*options_of(version), plain)
    expect(not status, said)

    git = ['git', '-c', 'core.autocrlf=false']
    command(*git, 'init', '-q', folder=sources)
    command(*git, 'add', '-A', folder=sources)
    command(*git, 'commit', '-qm', 'base', folder=sources, **IDENTITY)
    for patch in patches[1:]:
        command(*git, 'am', '-q', patch, folder=sources, **IDENTITY)
        expect_complete(sources)
        expect('Signed-off-by: A U Thor' in read(patch), f'{patch} is not signed off')
    own = {'Documentation/core-api/async.rst'}
    expect(files(sources) == files(plain) | own, f'series and overlay differ in {files(sources) ^ files(plain) ^ own}')
    for name in files(plain) - {'MAINTAINERS', 'Documentation/core-api/index.rst'}:
        expect(as_words(read(os.path.join(sources, name))) == as_words(read(os.path.join(plain, name))),
               f'{version}: {name} of the series is not that of the overlay')
    expect(read(os.path.join(sources, 'MAINTAINERS')).index('ASYNCHRONOUS') < read(os.path.join(
        sources, 'MAINTAINERS')).index('ZEBRA'), 'the entry of MAINTAINERS is not in its order')


def test_refused(work):
    """No one to sign off; sources of another version; sources without what is changed."""
    sources = make_sources(os.path.join(work, 'refused'), DEFAULT)
    words = [SERIES, DEFAULT, '--out', os.path.join(work, 'none'), '--build', BUILD, '--source']
    said = command(*words, sources, expected=1, GIT_CONFIG_COUNT='1', GIT_CONFIG_KEY_0='user.useConfigOnly',
                   GIT_CONFIG_VALUE_0='true')
    expect('user.name' in said, f'without an author: {said}')
    write(os.path.join(sources, 'Makefile'), 'VERSION = 6\nPATCHLEVEL = 99\n')
    expect('6.99' in command(*words, sources, expected=1, **IDENTITY), 'another version is not named')
    os.unlink(os.path.join(sources, 'MAINTAINERS'))
    expect('MAINTAINERS' in command(*words, sources, expected=1, **IDENTITY), 'a file that is missing is not named')


def test_checkpatch(work, version):
    """With a kernel's sources: --strict finds nothing."""
    sources = os.path.join(BUILD, 'linux', '' if version == DEFAULT else version, 'stock')
    if not os.path.exists(os.path.join(sources, 'scripts/checkpatch.pl')) or not shutil.which('perl'):
        print(f'no sources of Linux {version} in {BUILD}: checkpatch was not run on its patches')
        return
    command(SERIES, version, '--source', sources, '--out', os.path.join(work, f'checked-{version}'), '--build', BUILD,
            '--check', **IDENTITY)


def main():
    for tool in ('git', 'patch', 'clang-format'):
        if not shutil.which(tool):
            print(f'{tool} is missing: skipped')
            sys.exit(77)
    with tempfile.TemporaryDirectory() as work:
        for version in VERSIONS:
            test_series(work, version)
        test_checkpatch(work, DEFAULT)     # the others by kernel-series --check: each takes a minute on a busy machine
        test_refused(work)


if __name__ == '__main__':
    main()
