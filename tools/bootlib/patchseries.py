# SPDX-License-Identifier: MIT
"""A series of patches, built patch by patch as User-mode Linux; then what it adds, with make W=1 and sparse."""
import os
import re
import shutil

from . import linux
from .common import Failure, run

KIND = 'uml'
ADDED = ('kernel/inorder/', 'drivers/base/device_turn.o', 'drivers/base/device_shutdown.o')
COMPLAINT = re.compile(r'^.*\b(?:warning|error): .*$', re.M | re.I)


def write_series(kernels, folder):
    """The patches, without the cover letter."""
    author = {f'GIT_{who}_{what}': value for who in ('AUTHOR', 'COMMITTER')
              for what, value in (('NAME', 'inorder'), ('EMAIL', 'inorder@localhost.localdomain'))}
    run([os.path.join(linux.TOP, 'tools/kernel-series'), kernels.version, '--source', kernels.stock, '--out', folder],
        'write the series', env={**os.environ, **author})
    return [os.path.join(folder, name) for name in sorted(os.listdir(folder))[1:]]


def make_tree(kernels, built, patches):
    """The stock sources, and the objects of a kernel with the overlay; what patches change is newer than these."""
    tree = os.path.join(kernels.folder, 'series')
    shutil.rmtree(tree, ignore_errors=True)
    linux.link_tree(kernels.stock, tree)
    run(['cp', '-aT', built.folder, os.path.join(tree, KIND)], f'copy {built.folder}')
    for name in {name for patch in patches for name in re.findall(r'^--- a/(\S+)', linux.read(patch), re.M)}:
        path = os.path.join(tree, name)
        if os.path.exists(path):                # not one that an earlier patch brings
            shutil.copyfile(path, f'{path}.new')
            shutil.copymode(path, f'{path}.new')
            os.rename(f'{path}.new', path)      # the file of the stock tree stays as it is
    return linux.Build(tree, KIND)


def build_each(kernels, built, say):
    """Returns how many patches there are. No step may fail, or have the compiler, modpost or sparse complain."""
    patches = write_series(kernels, os.path.join(kernels.folder, 'series-patches'))
    kernel = make_tree(kernels, built, patches)
    try:
        for number, patch in enumerate(patches, 1):
            run(['patch', '-p1', '-s', '-f', '--no-backup-if-mismatch', '-i', patch], f'apply {patch}', cwd=kernel.tree)
            linux.configure(kernel, partly=True)
            kernels.make(kernel, ['linux'], f'build the kernel with {patch}')
            expect_silence(kernels, kernel, patch)
            say(f'  {number} of {len(patches)} builds: {os.path.basename(patch)}')
        kernels.make(kernel, ['W=1', 'C=1', *ADDED], 'build what the series adds with W=1 and sparse')
        expect_silence(kernels, kernel, 'W=1 C=1')
    finally:
        shutil.rmtree(kernel.tree, ignore_errors=True)
    return len(patches)


def expect_silence(kernels, kernel, what):
    found = COMPLAINT.findall(linux.read(kernels.log(kernel)))
    if found:
        raise Failure(f'{what}:\n' + '\n'.join(found[:20]))
