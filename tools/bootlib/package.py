# SPDX-License-Identifier: MIT
"""Debian packages that are downloaded and unpacked, but not installed."""
import glob
import os

from .common import Failure, run

APT = ['apt-get', '-o', 'Acquire::Retries=5']   # a connection may break


def fetch(name, folder, say):
    """Has apt put the package into folder; returns its path."""
    say(f'downloading {name}')
    # as root apt would read files as a user who may not enter the build folder
    run([*APT, '-o', 'APT::Sandbox::User=root', 'download', name], f'download {name}', cwd=folder)
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
