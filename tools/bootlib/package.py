# SPDX-License-Identifier: MIT
"""Debian packages that are downloaded and unpacked, but not installed."""
import glob
import os
import re
import tempfile

from .common import Failure, run

APT = ['apt-get', '-o', 'Acquire::Retries=5']   # a connection may break


def fetch(name, folder, say, apt=APT):
    """Has apt put the package into folder; returns its path."""
    say(f'downloading {name}')
    # as root apt would read files as a user who may not enter the build folder
    run([*apt, '-o', 'APT::Sandbox::User=root', 'download', name], f'download {name}', cwd=folder)
    debs = glob.glob(os.path.join(folder, f'{name}_*.deb'))
    if len(debs) != 1:
        raise Failure(f'apt left {len(debs)} files named {name}_*.deb in {folder}, not one')
    return debs[0]


def download(name, folder, say):
    """As fetch(); name may be a function that looks it up. If apt's lists are missing or too old, they are fetched
    first, which needs root."""
    find = name if callable(name) else lambda: name
    try:
        return fetch(find(), folder, say)
    except Failure:
        if os.geteuid():
            raise
    say('fetching the lists of packages')
    run([*APT, 'update'], 'fetch the lists of packages')
    return fetch(find(), folder, say)


def download_of_suites(name, suites, private, folder, say):
    """As fetch(), from suites that the machine's apt does not know: by a configuration of our own in private/apt."""
    place = os.path.join(private, 'apt')
    for part in ('lists/partial', 'cache/archives/partial'):
        os.makedirs(os.path.join(place, part), exist_ok=True)
    sources = os.path.join(place, 'sources.list')
    with open(sources, 'w', encoding='ascii') as file:
        file.writelines(f'deb {mirror()} {suite} main\n' for suite in suites)
    # nothing of the machine's is read or written but its keys
    options = {'Dir::Etc::SourceList': sources, 'Dir::Etc::SourceParts': '/dev/null',
               'Dir::State::Lists': os.path.join(place, 'lists'), 'Dir::State::status': '/dev/null',
               'Dir::Cache': os.path.join(place, 'cache'), 'Acquire::Languages': 'none',
               'APT::Sandbox::User': 'root' if os.geteuid() == 0 else ''}
    apt = APT + [word for option in options.items() for word in ('-o', '='.join(option))]
    say(f'fetching the lists of {", ".join(suites)}')
    run([*apt, 'update'], f'fetch the lists of {", ".join(suites)}')
    return fetch(name, folder, say, apt)


def unpacked(name, path, folder, say):
    """A file of a package that is not installed, by its path there: the package is unpacked into folder, once."""
    found = os.path.join(folder, name, path)
    if not os.path.exists(found):
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as work:
            run(['dpkg-deb', '-x', download(name, work, say), os.path.join(work, 'files')], f'unpack {name}')
            os.rename(os.path.join(work, 'files'), os.path.join(folder, name))
    if not os.path.exists(found):
        raise Failure(f'the package {name} has no {path}')
    return found


def mirror():
    """Where the machine's apt has Debian from."""
    text = run(['apt-get', 'indextargets', '--format', '$(REPO_URI)'], "list apt's sources")
    found = [line.rstrip('/') for line in text.splitlines() if re.search(r'/debian/?$', line)]
    if not found:
        raise Failure("apt's sources name no mirror of Debian (…/debian): add one to /etc/apt")
    return found[0]
