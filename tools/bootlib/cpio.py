# SPDX-License-Identifier: MIT
"""Archives that the kernel unpacks as its first file system (cpio, format newc)."""
import stat


def entry(name, mode, data, number):
    path = name.encode() + b'\0'
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
    head = b'070701' + b''.join(b'%08X' % field for field in fields) + path
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def archive(folders, files, links=()):
    """folders: names; files: name -> contents, executable if they begin as a program does; links: name -> target."""
    entries = [(name, stat.S_IFDIR | 0o755, b'') for name in folders]
    entries += [(name, stat.S_IFREG | (0o755 if data[:4] == b'\x7fELF' or data[:2] == b'#!' else 0o644), data)
                for name, data in files.items()]
    entries += [(name, stat.S_IFLNK | 0o777, target.encode()) for name, target in dict(links).items()]
    image = b''.join(entry(*each, number) for number, each in enumerate(entries, 1))
    return image + entry('TRAILER!!!', 0, b'', 0)
