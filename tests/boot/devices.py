#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots in which devices or modules do what is not usual: devices.py CASE SOURCE BUILD, as boot.py."""
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from boot import BUILD, ROOT, check, check_fails, check_reaches, disks, machine   # noqa: E402
from bootlib.common import Failure, Progress, run   # noqa: E402
from bootlib.monitor import Monitor   # noqa: E402
from bootlib.session import Session   # noqa: E402


def configured(session, name, lines, **options):
    """An image with a file in modprobe.d, which libkmod reads before modules.softdep: the first answer counts."""
    path = os.path.join(session.out, f'{name}.conf')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(lines) + '\n')
    return session.image(name, options=['--file', f'{path}:/etc/modprobe.d/00-{name}.conf'], **options)


def broken_tree(session, path):
    """The kernel's modules, one of which the kernel refuses to load."""
    tree = os.path.join(session.out, 'lib/modules', session.kernel.version)
    run(['rm', '-rf', tree], 'remove an old tree')
    os.makedirs(os.path.dirname(tree), exist_ok=True)
    run(['cp', '-al', session.kernel.modules, tree], 'link the modules')
    path = os.path.join(tree, 'kernel', path)
    with open(path, 'rb') as file:
        module = file.read()
    os.unlink(path)
    with open(path, 'wb') as file:
        file.write(module.replace(b'vermagic=6', b'vermagic=0'))
    return tree


def check_order(boot, *patterns):
    """Lines of the kernel's log that must be there in this order."""
    log, at = boot.read('log'), 0
    for pattern in patterns:
        found = re.compile(pattern, re.M).search(log, at)
        check(found, boot, f"'{pattern}' in the log, after the ones before of {patterns}")
        at = found.end()


def case_soft_dependencies(session):
    """A module is loaded when its soft dependencies are; one that fails is no error."""
    image = configured(session, 'soft', ['softdep ext4 pre: raid0 raid456'],
                       tree=broken_tree(session, 'drivers/md/raid0.ko'))
    boot = session.boot('soft', image, ROOT + ' initcall_debug')
    check_reaches(boot)
    check_order(boot, r'initcall \S+ \[raid456\] returned 0', r'calling  \S+ \[ext4\]')
    check_order(boot, r'inorder-init: module raid0: cannot load', r'calling  \S+ \[ext4\]')


def case_soft_circle(session):
    """Soft dependencies in circles, among themselves and with real ones: all is loaded all the same."""
    image = configured(session, 'circle', ['softdep ext4 pre: raid456', 'softdep raid456 pre: ext4',
                                           'softdep md_mod pre: ext4', 'softdep jbd2 pre: ext4',
                                           'softdep scsi_mod pre: sd_mod', 'softdep virtio pre: virtio_scsi'])
    boot = session.boot('circle', image, ROOT + ' initcall_debug')
    check_reaches(boot)
    check_order(boot, r'initcall \S+ \[raid456\] returned 0', r'calling  \S+ \[ext4\]')
    check_order(boot, r'initcall \S+ \[scsi_mod\] returned 0', r'calling  \S+ \[sd_mod\]')


def case_need_fails(session):
    """The console names the module that failed, not only the one that needs it."""
    boot = session.boot('need-fails', session.image('need-fails', tree=broken_tree(session, 'fs/jbd2/jbd2.ko')), ROOT)
    check_fails(boot, r'inorder-init: .*ext4 .*jbd2, which ext4 needs: ')


def case_medium(session):
    """A drive that cannot be opened at first is looked at again when it says that something has changed."""
    path = os.path.join(session.out, 'medium.img')
    disks.make_root(path, session.rootinit, options=('-b', '4096'))   # a sector has 2048
    monitor = Monitor()

    def insert():
        monitor.execute('blockdev-change-medium', id='drive', filename=path, format='raw', read_only_mode='read-only')

    boot = session.boot('medium', session.image('names'),
                        f'{ROOT} rootwait block.events_dfl_poll_msecs=200 loglevel=7', [],
                        [(b'cannot read /dev/sr0', insert)], monitor=monitor,
                        more=['-device', 'scsi-cd,bus=scsi.0,id=drive'])
    check_reaches(boot)


CASES = {name[5:]: function for name, function in globals().items() if name.startswith('case_')}


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in CASES:
        sys.exit(f'usage: devices.py {"|".join(CASES)} SOURCE BUILD')
    machine.exit_on_signals()
    out = os.path.join(BUILD, 'machine', 'tests', sys.argv[1])
    CASES[sys.argv[1]](Session(BUILD, out, Progress().say, limit_s=250))


if __name__ == '__main__':
    try:
        main()
    except Failure as failure:
        sys.exit(f'FAILED: {failure}')
