# SPDX-License-Identifier: MIT
"""Debian's stock kernel: its package is downloaded once, unpacked, not installed."""
import fcntl
import glob
import lzma
import os
import re
import shutil
import struct
import subprocess

from .common import Failure, run, written
from .package import download

META_PACKAGE = 'linux-image-amd64'


class Kernel:
    """An unpacked kernel: its version, the file that QEMU starts, its modules."""

    def __init__(self, folder):
        trees = glob.glob(os.path.join(folder, 'lib/modules/*'))
        if len(trees) != 1:
            raise Failure(f'{folder} holds {len(trees)} kernels, not one: remove the folder and try again')
        self.modules = trees[0]
        self.version = os.path.basename(trees[0])
        self.vmlinux = os.path.join(folder, 'vmlinux')


def package_name():
    """The package of the kernel that Debian's meta package stands for."""
    listing = run(['apt-cache', 'depends', META_PACKAGE], 'look up the kernel package')
    found = re.search(r'Depends: (linux-image-\d\S*-amd64)$', listing, re.M)
    if not found:
        raise Failure(f"apt knows no {META_PACKAGE}: run 'apt-get update' as root")
    return found.group(1)


def decompress(image):
    """The ELF kernel inside a bzImage: payload_offset and payload_length stand in the boot protocol's header."""
    if image[0x202:0x206] != b'HdrS':
        raise Failure('the kernel is no bzImage')
    sectors = image[0x1f1] or 4
    offset, length = struct.unpack_from('<II', image, 0x248)
    start = (sectors + 1) * 512 + offset
    payload = image[start:start + length]
    if payload[:6] == b'\xfd7zXZ\0':     # Debian 12
        return lzma.LZMADecompressor().decompress(payload)
    if payload[:4] == b'\x28\xb5\x2f\xfd':   # Debian 13; the size that follows is not part of the frame
        return subprocess.run(['zstd', '-dc'], input=payload[:-4], stdout=subprocess.PIPE, check=True).stdout
    raise Failure("the kernel is compressed neither with xz, as Debian 12's is, nor with zstd, as Debian 13's")


def unpack(package, folder):
    """Unpacks into folder, with the kernel decompressed and the indexes of its modules made."""
    run(['dpkg-deb', '-x', package, folder], f'unpack {package}')
    if not os.path.exists(os.path.join(folder, 'lib')):
        os.symlink('usr/lib', os.path.join(folder, 'lib'))   # as on a system of Debian 13
    images = glob.glob(os.path.join(folder, 'boot/vmlinuz-*'))
    if len(images) != 1:
        raise Failure(f'{package} holds {len(images)} kernels, not one')
    with open(images[0], 'rb') as image, written(os.path.join(folder, 'vmlinux')) as path:
        with open(path, 'wb') as vmlinux:
            vmlinux.write(decompress(image.read()))
    kernel = Kernel(folder)
    run(['depmod', '-b', folder, kernel.version], 'index the modules of the kernel')


def get(build, say):
    """The kernel in build/kernel; made there the first time, by one process even if several ask."""
    folder = os.path.join(build, 'kernel')
    with open(f'{folder}.lock', 'w', encoding='ascii') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not os.path.isdir(folder):
            make(folder, say)
    return Kernel(folder)


def make(folder, say):
    """Downloads and unpacks; folder appears when it is complete."""
    work = f'{folder}.new'
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(os.path.join(work, 'tree'))
    try:
        package = download(package_name, work, say)
        say('unpacking the kernel')
        unpack(package, os.path.join(work, 'tree'))
        os.rename(os.path.join(work, 'tree'), folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
