# SPDX-License-Identifier: MIT
"""The machine's disks: sparse files, some with an ext4, and one with the root."""
import os
import shutil
import struct
import tempfile
import uuid

from .common import is_newer, run, written

MIB = 1 << 20
DISK_BYTES = 32 * MIB
ROOT_BYTES = 64 * MIB
ROOT_LABEL = 'inorder-root'
ROOT_SERIAL = 'VIRTIO1'
NAMESPACE = uuid.UUID('6b1d6c62-6f72-4465-a272-64697363306e')

MD_MAGIC = 0xa92b4efc
MD_SUPER_OFFSET = 4096       # of format 1.2
MD_DATA_SECTORS = 2048       # what stands before the data


class Disk:
    """A file that a machine gets as a disk; what says how it is attached (see machine.py)."""

    def __init__(self, bus, number, path):
        self.bus = bus
        self.path = path
        self.serial = f'{bus.upper()}{number}'
        self.limits = ''   # more options of the drive, throttling.iops-total= for a slow one
        self.place = ''    # more options of the device, its address for example

    def slow(self, reads_per_second):
        """The first read is answered at once, the others so many a second."""
        self.limits = f',throttling.iops-total={reads_per_second}'
        return self


def make_empty(path, size=DISK_BYTES):
    with written(path) as new, open(new, 'wb') as disk:
        disk.truncate(size)


def identity(label):
    """The UUID of a file system that is made here."""
    return str(uuid.uuid5(NAMESPACE, label))


def make_ext4(path, label, content=None, size=DISK_BYTES, options=()):
    """An ext4 with what the folder content holds; the same each time."""
    environment = dict(os.environ, E2FSPROGS_FAKE_TIME='1704067200')
    with written(path) as new:
        with open(new, 'wb') as disk:
            disk.truncate(size)
        command = ['mke2fs', '-q', '-F', '-t', 'ext4', '-L', label, '-U', identity(label), '-E',
                   f'hash_seed={identity(label)},root_owner=0:0', *options]
        if content:
            command += ['-d', content]
        run(command + [new], f'make the file system {label}', env=environment)


def make_root(path, init, label=ROOT_LABEL, options=()):
    """The root file system: rootinit as /sbin/init, and the folders that switch_root needs."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ('dev', 'etc', 'proc', 'run', 'sbin', 'sys', 'tmp'):
            os.mkdir(os.path.join(folder, name), 0o755)
        os.chmod(folder, 0o755)
        shutil.copyfile(init, os.path.join(folder, 'sbin/init'))
        os.chmod(os.path.join(folder, 'sbin/init'), 0o755)
        make_ext4(path, label, folder, ROOT_BYTES, options)


def md_superblock(name, number, members, data_sectors):
    """The superblock (format 1.2) of member number of a clean RAID1."""
    block = bytearray(256 + 2 * members)
    struct.pack_into('<IIII16s32sQIIQII', block, 0, MD_MAGIC, 1, 0, 0, uuid.uuid5(NAMESPACE, name).bytes,
                     name.encode(), 1704067200, 1, 0, data_sectors, 0, members)
    struct.pack_into('<QQQQII16s', block, 128, MD_DATA_SECTORS, data_sectors, MD_SUPER_OFFSET // 512, 0, number, 0,
                     uuid.uuid5(NAMESPACE, f'{name}{number}').bytes)
    struct.pack_into('<QQQII', block, 192, 1704067200, 1, (1 << 64) - 1, 0, members)
    for member in range(members):
        struct.pack_into('<H', block, 256 + 2 * member, member)
    struct.pack_into('<I', block, 216, md_checksum(block))
    return bytes(block)


def md_checksum(block):
    """As the kernel's calc_sb_1_csum(): the sum of all words, the carry folded in once. The field itself is 0 here."""
    words = len(block) // 4
    total = sum(struct.unpack_from(f'<{words}I', block))
    if len(block) % 4 == 2:
        total += struct.unpack_from('<H', block, words * 4)[0]
    return ((total & 0xffffffff) + (total >> 32)) & 0xffffffff


def make_mirror(paths, name, init, label):
    """A RAID1 over paths with a root file system on it."""
    with tempfile.TemporaryDirectory() as folder:
        root = os.path.join(folder, 'root')
        make_root(root, init, label)
        with open(root, 'rb') as file:
            content = file.read()
    for number, path in enumerate(paths):
        with written(path) as new, open(new, 'wb') as disk:
            disk.truncate(MD_DATA_SECTORS * 512 + ROOT_BYTES)
            disk.seek(MD_SUPER_OFFSET)
            disk.write(md_superblock(name, number, len(paths), ROOT_BYTES // 512))
            disk.seek(MD_DATA_SECTORS * 512)
            disk.write(content)


def make_broken(path, label):
    """A disk that has the label of a root, but whose file system nothing can mount or repair."""
    make_ext4(path, label)
    size = os.path.getsize(path)
    with open(path, 'r+b') as disk:
        disk.truncate(2048)          # the first superblock ends here: no backup, no folder is left
        disk.truncate(size)


def standard(folder, init):
    """The machine of docs/BOOT.md; root is on VIRTIO1."""
    os.makedirs(folder, exist_ok=True)
    disks = []
    for bus, count in (('ahci', 5), ('virtio', 4), ('vblk', 2), ('nvme', 1), ('usb', 1)):
        for number in range(count):
            disk = Disk(bus, number, os.path.join(folder, f'{bus}{number}.img'))
            disks.append(disk)
            if disk.serial == ROOT_SERIAL:
                if not is_newer(disk.path, init):
                    make_root(disk.path, init)
            elif os.path.exists(disk.path):
                continue
            elif disk.serial in ('AHCI1', 'AHCI3'):
                make_ext4(disk.path, f'data{number}')
            else:
                make_empty(disk.path)
    return disks
