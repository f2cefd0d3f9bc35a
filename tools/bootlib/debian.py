# SPDX-License-Identifier: MIT
"""Debian's own systems, as roots of machines: made by debootstrap with systemd, their kernel and their initramfs."""
import fcntl
import glob
import os
import re
import shutil
import subprocess
import tempfile

from . import disks, kernel, machine
from .common import Failure, Progress, is_newer, run
from .package import mirror

SUITES = ('bookworm', 'trixie')
PACKAGES = ('systemd-sysv', 'udev', 'dbus', 'kmod', 'login', 'passwd', 'initramfs-tools', 'busybox', 'zstd', 'e2fsprogs',
            'ifupdown', 'iproute2', 'linux-image-amd64')
ROOT_MIB = 2048
LOOPBACK = 'auto lo\niface lo inet loopback\n'
SCRIPTS = [os.path.join(os.path.dirname(os.path.abspath(__file__)), name) for name in ('debian-report', 'debian-busy')]
LOG_IN = ((b' login: ', b'root\n'), (b'# ', b'exec debian-report\n'))


class Missing(Failure):
    """This machine cannot make such a root: debootstrap, root's rights or the network are not there."""


class Root:
    """What a suite gave, in build/debian/SUITE: the tree, its kernel, its own initramfs, its image."""

    def __init__(self, folder):
        self.folder = folder
        self.suite = os.path.basename(folder)
        self.tree = os.path.join(folder, 'tree')
        self.image = os.path.join(folder, 'root.img')
        self.label = label(self.suite)
        self.kernel = kernel.Kernel(self.tree)
        self.kernel.vmlinux = os.path.join(folder, 'vmlinux')
        self.initramfs = os.path.join(self.tree, 'boot', f'initrd.img-{self.kernel.version}')

    def disk(self, bus, number, path=None, fstab='', interfaces=''):
        """The root as a disk of a machine; with a path it is a copy there, with more lines for /etc/fstab and interfaces."""
        if path:
            run(['cp', '--sparse=always', self.image, path], 'copy the root')
            put(path, '/etc/fstab', root_line(self.suite) + fstab)
            put(path, '/etc/network/interfaces', LOOPBACK + interfaces)
        return disks.Disk(bus, number, path or self.image)


def label(suite):
    return f'debian-{suite}'


def root_line(suite):
    return f'LABEL={label(suite)} / ext4 errors=remount-ro 0 1\n'


def put(image, path, text):
    """Replaces a file in an ext4 that is not mounted."""
    with tempfile.NamedTemporaryFile('w', encoding='utf-8') as file:
        file.write(text)
        file.flush()
        said = subprocess.run(['debugfs', '-w', '-f', '-', image], input=f'rm {path}\nwrite {file.name} {path}\n',
                              check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding='utf-8').stdout
    if 'Allocated inode' not in said:
        raise Failure(f'debugfs cannot write {path} in {image}:\n{said}')


def get(build, suite, say=Progress(True).say):
    """The root of a suite; made the first time, by one process even if several ask."""
    place = os.path.join(os.path.abspath(build), 'debian')
    folder = os.path.join(place, suite)
    os.makedirs(place, exist_ok=True)
    with open(f'{folder}.lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(folder):
            make(folder, suite, say)
        refresh(folder)
    return Root(folder)


def make(folder, suite, say):
    """The tree and what it needs to boot; folder appears when it is complete."""
    if os.geteuid():
        raise Missing('only root can make a Debian system (debootstrap)')
    if not shutil.which('debootstrap'):
        raise Missing('debootstrap is missing: install it (tools/install-packages boot)')
    work = f'{folder}.new'
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    tree = os.path.join(work, 'tree')
    bootstrap(suite, tree, say)
    shutil.rmtree(os.path.join(tree, 'var/cache/apt/archives'), ignore_errors=True)
    configure(tree, suite)
    with open(glob.glob(os.path.join(tree, 'boot/vmlinuz-*'))[0], 'rb') as packed:
        image = kernel.decompress(packed.read())
    with open(os.path.join(work, 'vmlinux'), 'wb') as vmlinux:
        vmlinux.write(image)
    os.rename(work, folder)


def bootstrap(suite, tree, say):
    source = mirror()
    say(f'making a Debian {suite} from {source}')
    command = ['debootstrap', '--variant=minbase', f'--include={",".join(PACKAGES)}', suite, tree, source]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False,
                          encoding='utf-8', errors='replace')
    if not done.returncode:
        return
    text = f'debootstrap failed ({done.returncode}):\n' + '\n'.join(done.stdout.splitlines()[-15:])
    if re.search("Failed getting release file|Couldn't download|Couldn't find these debs|Cannot mount", done.stdout):
        raise Missing(text)
    raise Failure(text)


def configure(tree, suite):
    """What an installation leaves: a name, fstab, a root who logs in without a password."""
    texts = {'etc/hostname': f'{suite}\n', 'etc/hosts': f'127.0.0.1 localhost {suite}\n',
             'etc/fstab': root_line(suite), 'etc/network/interfaces': LOOPBACK}
    for path, text in texts.items():
        with open(os.path.join(tree, path), 'w', encoding='utf-8') as file:
            file.write(text)
    run(['chroot', tree, 'passwd', '-d', 'root'], 'take the password of root away')
    for name in ('ahci', 'nvme', 'usb'):
        os.makedirs(os.path.join(tree, 'srv', name))


def refresh(folder):
    """The image, made again when our scripts have changed."""
    tree, image = os.path.join(folder, 'tree'), os.path.join(folder, 'root.img')
    if is_newer(image, *SCRIPTS):
        return
    for script in SCRIPTS:
        place = os.path.join(tree, 'usr/local/sbin', os.path.basename(script))
        shutil.copyfile(script, place)
        os.chmod(place, 0o755)
    disks.make_ext4(image, label(os.path.basename(folder)), tree, ROOT_MIB * disks.MIB)


class Report:
    """What debian-report has told, by parts."""

    def __init__(self, boot):
        self.path = boot.files['log']
        self.parts = {}
        name = None
        for line in re.sub(r'\x1b\[[0-9;]*m', '', boot.read('log')).splitlines():   # journalctl colours lines
            if line.startswith('== '):
                name = line[3:]
                self.parts[name] = []
            elif name:
                self.parts[name].append(line)
        if 'end' not in self.parts:
            raise Failure(f'{self.path}: the system has not told all that came up. The end of its console, '
                          f'{boot.files["console"]}:\n{boot.tail()}')

    def seconds(self, what):
        """From the kernel's start to a unit, or to what else is in the part times."""
        return int(dict(line.split('=') for line in self.parts['times'])[what]) / 1e6


def boot(root, initramfs, attached, prefix, words='', limit_s=1400, **options):
    """Boots the system to the login, logs in and has it report. attached: its disks, the root among them."""
    line = f'root=UUID={disks.identity(root.label)} ro {words}'.rstrip()
    done = machine.run(root.kernel, initramfs, attached, line, prefix, limit_s, dialogue=LOG_IN, **options)
    if done.stopped:
        raise Failure(f'the machine was still on after {limit_s} s. The end of its console, '
                      f'{done.files["console"]}:\n{done.tail()}')
    return Report(done)
