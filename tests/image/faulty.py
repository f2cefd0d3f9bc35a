#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""A file system that fails, in user space: faulty.py BACKING MOUNT. What is in it is in BACKING; the first folder of a path
says what does not work there: no-read, late-read (from LATE bytes on), no-write (likewise), no-fsync, no-space. Ends when it
is unmounted. Debian's python3-fusepy is not for every python3, hence the first line."""
import errno
import os
import sys

from fusepy import FUSE, FuseOSError, Operations

LATE = 65536


class Faulty(Operations):
    """All calls go to BACKING, but for those that fail."""

    def __init__(self, backing):
        self.backing = backing

    def full(self, path):
        return self.backing + path

    @staticmethod
    def fail(path, fault, error=errno.EIO):
        if path.split('/')[1] == fault:
            raise FuseOSError(error)

    def getattr(self, path, fh=None):
        found = os.lstat(self.full(path))
        return {key: getattr(found, key) for key in ('st_atime', 'st_ctime', 'st_gid', 'st_mode', 'st_mtime', 'st_nlink',
                                                     'st_size', 'st_uid')}

    def readdir(self, path, fh):
        return ['.', '..', *os.listdir(self.full(path))]

    def readlink(self, path):
        return os.readlink(self.full(path))

    def open(self, path, flags):
        return os.open(self.full(path), flags)

    def create(self, path, mode, fi=None):
        return os.open(self.full(path), os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)

    def read(self, path, size, offset, fh):
        self.fail(path, 'no-read')
        if offset >= LATE:
            self.fail(path, 'late-read')
        return os.pread(fh, size, offset)

    def write(self, path, data, offset, fh):
        if offset >= LATE:
            self.fail(path, 'no-write')
            self.fail(path, 'no-space', errno.ENOSPC)
        return os.pwrite(fh, data, offset)

    def fsync(self, path, datasync, fh):
        self.fail(path, 'no-fsync')

    def release(self, path, fh):
        os.close(fh)

    def truncate(self, path, length, fh=None):
        os.truncate(self.full(path), length)

    def unlink(self, path):
        os.unlink(self.full(path))

    def rename(self, old, new):
        os.rename(self.full(old), self.full(new))

    def chmod(self, path, mode):
        os.chmod(self.full(path), mode)


if __name__ == '__main__':
    # nothing is remembered of what BACKING was: tests change it
    FUSE(Faulty(os.path.abspath(sys.argv[1])), sys.argv[2], foreground=True, nothreads=True, max_read=4096, big_writes=True,
         attr_timeout=0, entry_timeout=0)
