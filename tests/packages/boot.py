#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A machine with the packages: boot.py [--resume] SUITE PACKAGES TESTS BUILD.

Debian of that suite in QEMU, started by GRUB. PACKAGES has the folders before and now with packages; the first are installed, the
second upgrade them, TESTS/boot of autopkgtest boots with them, and a purge leaves the system as it was. BUILD keeps the system.
The machine is saved after each step: --resume goes on after the last one, with the same packages.
"""
import os
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(TESTS, 'image'))
import debian as installed   # noqa: E402
from bootlib import disks, machine   # noqa: E402
from bootlib.common import Failure, Progress   # noqa: E402

NAMES = ('libinorder0', 'inorder-initramfs')
# What autopkgtest puts into the machine: the test goes on after a boot with that mark.
REBOOT = '#!/bin/sh\necho "$1" >/run/mark\n'


class PackageTry(installed.Try):
    def __init__(self, lab, suite):
        super().__init__(lab, f'{suite}-grub-pc')
        self.state = f'packages-{suite}'

    def comes_up(self, version):
        super().comes_up(version)
        self.mounts()

    def mounts(self):
        self.run('mkdir -p /run/programs && mount -o ro /dev/vdc /run/programs')

    def resumed(self):
        """The disk with the packages was made again: nothing of the old one may be in memory."""
        self.run('umount /run/programs && blockdev --flushbufs /dev/vdc')
        self.mounts()
        self.version = self.run('uname -r').strip()

    def install(self, kind):
        """Installs packages; returns when the image of this kernel was made."""
        self.say(f'installing {kind}')
        said = self.run(f'DEBIAN_FRONTEND=noninteractive dpkg -i {self.files(kind)}')
        self.must('the images are as they were' not in said, f'images to be made:\n{said}')

    @staticmethod
    def files(kind):
        return ' '.join(f'/run/programs/{kind}/{name}_*.deb' for name in NAMES)

    def identity(self):
        return self.run(f'stat -c %i.%Y.%s /boot/inorder-{self.version}.img')

    def upgraded(self):
        """What was asked for stays, and the images have the new /init."""
        self.install('before')
        self.run('inorder-image status', code=3)   # nothing changes until it is asked for
        self.run('inorder-image install')
        old = self.identity()
        self.install('now')
        self.must(self.identity() != old, 'an image that the upgrade has made again')
        self.status('hooks: installed')
        self.run('inorder-image uninstall')

    def autopkgtest(self):
        mark = ''
        for entry in (self.version, ''):
            self.say(f'debian/tests/boot {mark}')
            self.run('cp /run/programs/autopkgtest-reboot /tmp/ && cd /run && '
                     f'AUTOPKGTEST_REBOOT_MARK={mark} /run/programs/tests/boot')
            mark = self.run('cat /run/mark').strip()
            self.console.reboot()
            self.comes_up(entry)
        self.run(f'cd /run && AUTOPKGTEST_REBOOT_MARK={mark} /run/programs/tests/boot')

    def purged(self):
        """The package goes while its image is the default and has booted the running system."""
        self.run('inorder-image install --default')
        self.console.reboot()
        self.comes_up(self.version)
        self.say('purging')
        self.run(f'DEBIAN_FRONTEND=noninteractive dpkg --purge {" ".join(reversed(NAMES))}')
        self.run(installed.MANIFEST + 'after')
        self.run('diff /var/tmp/before /var/tmp/after')
        self.say('the system is as it was before; its own start')
        self.console.reboot()
        self.comes_up('')
        self.console.power_off()

    def started(self):
        self.comes_up('')
        self.version = self.run('uname -r').strip()
        self.run('mkdir -p /etc/inorder && echo compress gzip >/etc/inorder/image.conf')   # quick on an emulated processor
        self.run(installed.MANIFEST + 'before')

    STEPS = (started, upgraded, autopkgtest, purged)


def main():
    suite, packages, tests, build = sys.argv[-4:]
    machine.exit_on_signals()
    lab = installed.Lab(build, installed.EMULATED, Progress().say)
    with tempfile.TemporaryDirectory(dir=lab.folder) as folder:
        for kind in ('before', 'now'):
            shutil.copytree(os.path.join(packages, kind), os.path.join(folder, kind),
                            ignore=lambda _, names: [name for name in names if not name.startswith(tuple(f'{known}_' for known in NAMES))])
        shutil.copytree(tests, os.path.join(folder, 'tests'))
        with open(os.path.join(folder, 'autopkgtest-reboot'), 'w', encoding='ascii') as script:
            script.write(REBOOT)
            os.fchmod(script.fileno(), 0o755)
        lab.programs = os.path.join(lab.folder, f'packages-{suite}.disk')
        disks.make_ext4(lab.programs, 'programs', folder, 128 * disks.MIB)
    trial = PackageTry(lab, suite)
    trial.boots('--resume' in sys.argv[:-4])
    trial.say('passed')


if __name__ == '__main__':
    try:
        main()
    except (Failure, subprocess.CalledProcessError) as failure:
        sys.exit(f'boot.py: {failure}')
