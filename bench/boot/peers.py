#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots one Debian system with the initramfs of inorder and of its peers, all made in a chroot from the same tree, and prints
a table: sizes, when the real init begins, when systemd reaches the login target. See docs/BOOT.md."""
import argparse
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tarfile

sys.dont_write_bytecode = True
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, 'tools'))
from bootlib import debian, disks, machine   # noqa: E402
from bootlib.common import Failure, Progress, run, warn   # noqa: E402
from bootlib.session import Session   # noqa: E402

DRIVERS = 'virtio_pci virtio_scsi sd_mod ext4 crc32c_generic'   # what this root needs; for those who are told
DRACUT = 'dracut --quiet --force --no-hostonly'
MAKE = {   # in the chroot, $1 is the image, $2 the kernel's version
    'initramfs-tools most': 'mkinitramfs -o "$1" "$2"',
    'dracut generic': f'{DRACUT} --omit systemd "$1" "$2"',
    'dracut systemd': f'{DRACUT} --add systemd "$1" "$2"',
    'dracut lean': f'{DRACUT} --modules "base rootfs-block fs-lib udev-rules kernel-modules" --drivers "{DRIVERS}" "$1" "$2"',
    'tiny-initramfs': f'mktirfs -m no -M no --include-modules={DRIVERS.replace(" ", ",")} -o "$1" "$2"',
}
DEP = 'initramfs-tools dep'   # made by the system itself, because it looks at the machine that it runs on
MAKE_DEP = (b'cp -r /etc/initramfs-tools /tmp/conf; sed -i s/^MODULES=.*/MODULES=dep/ /tmp/conf/initramfs.conf; '
            b'mkinitramfs -d /tmp/conf -o /tmp/dep && tar -cf /dev/disk/by-id/virtio-VBLK2 -C /tmp dep; '
            b'systemctl poweroff --force --force\n')
OURS = ('inorder', 'inorder serial')
KINDS = OURS + (DEP,) + tuple(MAKE)
PACKAGES = 'dracut-core tiny-initramfs-core cpio cryptsetup-bin dmsetup'
STAMP = re.compile(r'^\[ *(\d+\.\d+)\] (?:kernel: )?(.*)')


@contextlib.contextmanager
def mounted(tree):
    """/proc, /sys and /dev in the chroot, as long as programs run there."""
    places = [(name, os.path.join(tree, name)) for name in ('proc', 'sys', 'dev')]
    done = []
    try:
        for name, place in places:
            run(['mount', '--bind', f'/{name}', place], f'mount {place}')
            done.append(place)
        yield
    finally:
        for place in reversed(done):
            run(['umount', place], f'unmount {place}')


def chroot(root, say):
    """A copy of the tree with the peers' packages."""
    folder = f'{root.folder}.peers'
    tree = os.path.join(folder, 'tree')
    if not os.path.exists(os.path.join(folder, 'complete')):
        say('making the chroot')
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        run(['cp', '-a', root.tree, tree], 'copy the tree')
        for name in ('resolv.conf', 'hosts'):
            shutil.copyfile(f'/etc/{name}', os.path.join(tree, 'etc', name))
        with mounted(tree):
            for command in ('apt-get -o Acquire::Retries=5 update',
                            f'apt-get -o Acquire::Retries=5 install -y --no-install-recommends {PACKAGES}'):
                run(['chroot', tree, 'sh', '-c', f'DEBIAN_FRONTEND=noninteractive {command}'], 'install the peers')
        with open(os.path.join(folder, 'complete'), 'w', encoding='ascii'):
            pass
    return tree


def make_dep(session, root, attached, path, say):
    """The system, booted with its own initramfs, makes one and writes it to a disk."""
    say('booting the system that makes the image of ' + DEP)
    disk = disks.Disk('vblk', 2, path + '.tar')
    disks.make_empty(disk.path, 4 * disks.DISK_BYTES)
    disk.limits = ',snapshot=off'
    done = machine.run(root.kernel, root.initramfs, attached + [disk], f'root=LABEL={root.label} ro', path, 1400,
                       dialogue=(debian.LOG_IN[0], (b'# ', MAKE_DEP)))
    try:
        with tarfile.open(disk.path) as made, open(path, 'wb') as image:
            shutil.copyfileobj(made.extractfile('dep'), image)
    except tarfile.TarError as error:
        raise Failure(f'{DEP}: no image in {disk.path}: {error}. The end of the console:\n{done.tail()}') from error
    os.unlink(disk.path)


def image_of(session, root, attached, kind, say):
    if kind in OURS:
        return session.image(f'peers-{root.suite}', tree=root.kernel.modules)
    if kind == DEP:
        path = os.path.join(session.folder, f'peers-{root.suite}-dep.img')
        if not os.path.exists(path):
            make_dep(session, root, attached, path, say)
        return path
    tree = chroot(root, say)
    place = f'/boot/{kind.replace(" ", "-")}.img'
    path = tree + place
    if not os.path.exists(path):
        say(f'making the image of {kind}')
        with mounted(tree):
            run(['chroot', tree, 'sh', '-e', '-c', MAKE[kind], 'sh', place, root.kernel.version], f'make {kind}')
    return path


class Row:
    """The figures of a boot."""

    def __init__(self, kind, image, report):
        self.kind, self.mb = kind, os.path.getsize(image) / 1e6
        lines = [(float(found.group(1)), found.group(2)) for found in map(STAMP.match, report.parts['journal']) if found]
        self.start = next(time for time, text in lines if text.startswith('Run /init as init process'))
        self.init = report.seconds('UserspaceTimestampMonotonic')
        self.login = report.seconds('multi-user.target')
        self.state = report.parts['state'][0]
        self.path = longest(lines, self.start, self.init)

    def print(self):
        print(f'| {self.kind} | {self.mb:.1f} | {self.start:.2f} | {self.init - self.start:.2f} | '
              f'{self.login - self.init:.2f} | {self.login:.2f} | {self.path} |', flush=True)


def longest(lines, since, until):
    """The longest silences of the kernel's log between two times, and what ended them."""
    times = [(since, '')] + [each for each in lines if since < each[0] < until] + [(until, 'the real init')]
    gaps = sorted(((after[0] - before[0], after[1]) for before, after in zip(times, times[1:])), reverse=True)[:3]
    return '; '.join(f'{gap:.2f} s to "{re.sub(r"[|]|  +", " ", text)[:40]}"' for gap, text in gaps)


def path_of_ours(session, prefix):
    text = subprocess.run([session.program('chart/inorder-chart'), '--text', f'{prefix}.trace'], stdout=subprocess.PIPE,
                          encoding='utf-8', check=True).stdout
    return re.search('^in short: (.*)', text, re.M).group(1)


def main():
    parser = argparse.ArgumentParser(prog='peers.py', description=__doc__)
    parser.add_argument('--build', default=os.path.join(TOP, 'build'), metavar='DIR', help='Meson\'s build folder')
    parser.add_argument('--out', default=os.path.join(TOP, 'out', 'peers'), metavar='DIR', help='where reports go')
    parser.add_argument('--suite', default='bookworm', choices=debian.SUITES)
    parser.add_argument('--cpus', type=int, metavar='N', help='real time with N processors; else instructions are counted')
    parser.add_argument('--processor', metavar='MODEL', help='QEMU\'s model of a processor; else qemu64, its own choice')
    parser.add_argument('kinds', nargs='*', metavar='KIND', help='of ' + ', '.join(KINDS) + '; else all')
    options = parser.parse_intermixed_args()
    machine.exit_on_signals()
    say = Progress().say
    root = debian.get(options.build, options.suite, say)
    session = Session(options.build, options.out, say)
    attached = [root.disk('virtio', 1) if disk.serial == disks.ROOT_SERIAL else disk for disk in session.disks]
    more = {'cpus': machine.processors(options.cpus)} if options.cpus else {'icount': True}
    more['more'] = machine.model(options.processor)
    print('| initramfs | MB | kernel to /init | /init to init | init to login | kernel to login | path of the initramfs |\n'
          '|---|---|---|---|---|---|---|')
    for kind in options.kinds or KINDS:
        image = image_of(session, root, attached, kind, say)
        prefix = os.path.join(options.out, f'{options.suite}-{kind.replace(" ", "-")}')
        words = 'inorder.trace=/run/inorder.trace' if kind in OURS else ''
        row = Row(kind, image, debian.boot(root, image, attached, prefix,
                                           words + (' inorder.serial' if 'serial' in kind else ''), **more))
        if kind in OURS:
            row.path = path_of_ours(session, prefix)
        row.print()
    return 0


if __name__ == '__main__':
    try:
        sys.exit(main())
    except Failure as failure:
        warn(failure, 'peers.py')
        sys.exit(1)
    except KeyboardInterrupt:
        warn('interrupted', 'peers.py')
        sys.exit(130)
