# SPDX-License-Identifier: MIT
"""Kernel, images and disks in a build folder, ready to boot."""
import os

from . import disks, kernel, machine
from .common import Failure, run

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DRIVERS = os.path.join(TOP, 'image/boot.modules')
# What the Debian packages have of a build.
INSTALLED = {'boot/inorder-init': '/usr/libexec/inorder/inorder-init', 'image/inorder-image': '/usr/sbin/inorder-image',
             'chart/inorder-chart': '/usr/bin/inorder-chart'}
ROOT = f'root=LABEL={disks.ROOT_LABEL} rootfstype=ext4 ro inorder.trace=/run/inorder.trace'


class Session:
    """What boots have in common. out is where they leave their files."""

    def __init__(self, build, out, say, limit_s=60, icount=False, installed=False, processor=None, cpus=machine.TWO_CPUS):
        self.build = build
        self.out = out
        self.say = say
        self.limit_s = limit_s
        self.icount = icount
        self.cpus = cpus
        self.installed = installed
        self.processor = processor
        self.folder = os.path.join(build, 'machine')
        for folder in (self.folder, out):
            os.makedirs(folder, exist_ok=True)
        self.rootinit = self.program('tools/rootinit')
        self.kernel = kernel.get(build, say)
        say(f'kernel {self.kernel.version}')
        self.disks = disks.standard(self.folder, self.rootinit)

    def program(self, path):
        """A program that the build has made, or that is installed."""
        if self.installed and path in INSTALLED:
            full = INSTALLED[path]
            if not os.access(full, os.X_OK):
                raise Failure(f"{full} is missing: make packages, then install those in out/packages")
            return full
        full = os.path.join(self.build, path)
        if not os.access(full, os.X_OK):
            raise Failure(f"{full} is missing: run 'make' (its libraries: tools/install-packages build)")
        return full

    def image(self, name='initramfs', init=None, drivers=DRIVERS, programs=('e2fsck',), options=(), tree=None):
        """Makes an initramfs and returns its path."""
        path = os.path.join(self.folder, f'{name}.img')
        command = [self.program('image/inorder-image'), '--tree', tree or self.kernel.modules, '--output', path,
                   '--init', init or self.program('boot/inorder-init'), '--modules', drivers, *options]
        for program in programs:
            command += ['--program', program]
        run(command, 'make the initramfs')
        self.say(f'{name} of {os.path.getsize(path) / 1e6:.1f} MB')
        return path

    def boot(self, name, image, arguments, attached=None, dialogue=None, **options):
        """Boots once; the files are called name.* in out. options: as machine.run() takes them."""
        options.setdefault('cpus', self.cpus)
        options['more'] = [*machine.model(self.processor), *options.get('more', ())]
        return machine.run(self.kernel, image, self.disks if attached is None else attached, arguments,
                           os.path.join(self.out, name), self.limit_s, self.icount, dialogue, **options)
