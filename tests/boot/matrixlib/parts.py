# SPDX-License-Identifier: MIT
"""Partition tables of disks that are made for tests."""
import struct
import uuid
import zlib

SECTOR = 512
FIRST = 2048                                            # of the first partition
LINUX = uuid.UUID('0fc63daf-8483-4772-8e79-3d69d8477de4')
NAMESPACE = uuid.UUID('6b1d6c62-6f72-4465-a272-64697363306f')
ENTRIES, ENTRY_BYTES = 128, 128


def write(disk, wanted):
    """wanted: 'gpt NAME:MIB NAME:MIB' (ids are deduced from the names), 'mbr ID MIB MIB', or None."""
    if wanted:
        kind, *words = wanted.split()
        {'gpt': write_gpt, 'mbr': write_mbr}[kind](disk, words)


def partuuid(name):
    return uuid.uuid5(NAMESPACE, name)


def write_mbr(disk, words):
    ident, *sizes = words
    first, table = FIRST, b''
    for size in sizes:
        count = int(size) * 2048
        table += struct.pack('<B3sB3sII', 0, b'\xfe\xff\xff', 0x83, b'\xfe\xff\xff', first, count)
        first += count
    disk.seek(440)
    disk.write(struct.pack('<IH', int(ident, 16), 0) + table.ljust(64, b'\0') + b'\x55\xaa')


def header(entries, here, other, table, last):
    head = struct.pack('<8sIIIIQQQQ16sQIII', b'EFI PART', 0x10000, 92, 0, 0, here, other, 34, last - 33,
                       partuuid('disk').bytes_le, table, ENTRIES, ENTRY_BYTES, zlib.crc32(entries))
    return head[:16] + struct.pack('<I', zlib.crc32(head)) + head[20:]


def write_gpt(disk, words):
    last = disk.seek(0, 2) // SECTOR - 1
    first, entries = FIRST, b''
    for word in words:
        name, _, size = word.partition(':')
        count = int(size) * 2048
        entries += struct.pack('<16s16sQQQ72s', LINUX.bytes_le, partuuid(name).bytes_le, first, first + count - 1, 0,
                               name.replace('_', ' ').encode('utf-16-le'))
        first += count
    entries = entries.ljust(ENTRIES * ENTRY_BYTES, b'\0')
    disk.seek(0)
    disk.write(struct.pack('<446xB3sB3sII48x2s', 0, b'\0\2\0', 0xee, b'\xff\xff\xff', 1, last, b'\x55\xaa'))
    disk.write(header(entries, 1, last, 2, last))
    disk.seek(2 * SECTOR)
    disk.write(entries)
    disk.seek((last - 32) * SECTOR)
    disk.write(entries)
    disk.seek(last * SECTOR)
    disk.write(header(entries, last, 1, last - 32, last))
