# SPDX-License-Identifier: MIT
"""Which core sources a build was made of, by the compiler's own lists of what it read, with their checksums."""
import glob
import hashlib
import os
import re

from .common import Failure, run


def digest(path):
    with open(path, 'rb') as file:
        return hashlib.sha256(file.read()).hexdigest()


def add(found, path, built):
    name, sum_ = os.path.basename(path), digest(path)
    if found.setdefault(name, sum_) != sum_:
        raise Failure(f'{built} is made of two different files {name}')


def of_meson(build, target):
    """What ninja knows of a target's objects: name of a core's file, checksum."""
    core = os.path.realpath(os.path.join(os.path.dirname(__file__), '../../core'))
    found, ours = {}, False
    for line in run(['ninja', '-C', build, '-t', 'deps'], f'ask ninja what {target} is made of').splitlines():
        if not line.startswith(' '):
            ours = os.path.dirname(line.split(':')[0]) == f'{target}.p'
        elif ours:
            path = os.path.realpath(os.path.join(build, line.strip()))
            if os.path.dirname(path) == core:
                add(found, path, target)
    if not found:
        raise Failure(f"{build} has no {target} that is made of the core: run 'ninja -C {build}'")
    return found


def of_kernel(kernel, folder):
    """The same of kernel objects: folder is where the overlay has put the core."""
    core = os.path.realpath(os.path.join(kernel.tree, folder))
    found = {}
    for command in glob.glob(os.path.join(kernel.folder, 'kernel/**/.*.o.cmd'), recursive=True):
        with open(command, encoding='utf-8', errors='replace') as file:
            text = file.read()
        for path in re.findall(rf'\S*{re.escape(folder)}/\S+\.[ch]\b', text):
            path = os.path.realpath(os.path.join(kernel.folder, path))
            if os.path.dirname(path) == core:
                add(found, path, kernel.name)
    if not found:
        raise Failure(f'{kernel.name} is not made of the core')
    return found


def compare(builds):
    """Fails unless all builds, a dictionary by name, are made of the same sources; returns how many. A header that
    only some of them need is no difference, another text under the same name is."""
    all_sums = {}
    for sums in builds.values():
        for name, sum_ in sums.items():
            all_sums.setdefault(name, set()).add(sum_)
    wrong = [name for name, sums in all_sums.items() if len(sums) > 1]
    for built, sums in builds.items():
        wrong += [f'{name} (not in {built})' for name in all_sums if name.endswith('.c') and name not in sums]
    if wrong:
        raise Failure(f'{", ".join(builds)} are not made of the same core: {", ".join(sorted(set(wrong)))}')
    return len(all_sums)
