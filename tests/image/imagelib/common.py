# SPDX-License-Identifier: MIT
"""What the tests of inorder-image share: calling it, reading what it makes."""
import os
import shutil
import subprocess
import sys

from bootlib.common import Failure

SOURCE, BUILD = (os.path.abspath(path) for path in sys.argv[2:4])
IMAGE = os.path.join(BUILD, 'image/inorder-image')
INIT = '/bin/true'


def call(tree, *arguments, code=0, **environment):
    """Runs inorder-image; returns what it printed, on either stream."""
    command = [IMAGE, '--tree', tree, '--init', INIT, *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          env={**os.environ, **environment})
    if done.returncode != code:
        raise Failure(f'{" ".join(command)}: exit code {done.returncode}, not {code}:\n{done.stderr}')
    return done.stdout if code == 0 else done.stderr


def must(condition, expected):
    if not condition:
        raise Failure(f'expected: {expected}')


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def paths(listing):
    return [line.split(None, 1)[1] for line in listing.splitlines()]


def write(path, data=b'', mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
        file.write(data)
    os.chmod(path, mode)


def tool(*arguments, code=0, data=None):
    """Runs a command that looks at images; returns its output, or what it said if it failed."""
    done = subprocess.run([IMAGE, *arguments], input=data, stdin=None if data else subprocess.DEVNULL,
                          capture_output=True, check=False)
    must(done.returncode == code, f'exit code {code} of {arguments}, not {done.returncode}: {done.stderr.decode()}')
    return done.stdout if not done.stderr else done.stderr.decode()


class Machine:
    """A made-up machine: the parts of /sys, /proc and /etc that are read of it."""

    def __init__(self, root):
        self.root = root

    def write(self, path, text):
        write(os.path.join(self.root, path), text.encode())

    def link(self, path, target):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(os.path.relpath(os.path.join(self.root, target), os.path.dirname(path)), path)

    def block(self, name, place, number, slaves=(), **attributes):
        """A block device whose folder is at that place below /sys/devices."""
        there = f'sys/devices/{place}/{name}'
        self.write(f'{there}/dev', number + '\n')
        self.link(f'sys/class/block/{name}', there)
        self.link(f'sys/dev/block/{number}', there)
        self.write(f'dev/{name}', '')
        for slave in slaves:
            self.link(f'{there}/slaves/{slave}', f'sys/class/block/{slave}')
        for path, text in attributes.items():
            self.write(f'{there}/{path.replace("__", "/")}', text + '\n')

    def disk(self):
        """A SATA disk with two partitions; beside it a sound card and a USB controller that the root does not need."""
        pci = 'sys/devices/pci0000:00/0000:00:'
        self.write(f'{pci}1f.2/modalias', 'pci:v00008086d00002922sv0sd0bc01sc06i01\n')
        self.write(f'{pci}1f.3/modalias', 'pci:v00008086d00002930sv0sd0bc0Csc05i00\n')
        self.write(f'{pci}1b.0/modalias', 'pci:v00008086d00002668sv0sd0bc04sc03i00\n')
        self.write(f'{pci}14.0/modalias', 'pci:v00001B36d0000000Dsv0sd0bc0Csc03i30\n')
        target = 'pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0'
        self.write(f'sys/devices/{target}/modalias', 'scsi:t-0x00\n')
        self.block('sda', f'{target}/block', '8:0')
        self.block('sda1', f'{target}/block/sda', '8:1', partition='1')
        self.block('sda2', f'{target}/block/sda', '8:2', partition='2')

    def mounted(self, number, kind, source):
        self.write('proc/self/mountinfo', f'22 1 {number} / / rw - {kind} {source} rw\n')


def modules_of(listing):
    return {os.path.basename(path) for path in paths(listing) if path.endswith('.ko')}


class Setup:
    """image-setup on a made-up machine with a kernel. GRUB's programs note what they are asked for."""

    def __init__(self, tree, folder):
        self.machine = Machine(os.path.join(folder, 'root'))
        self.machine.disk()
        self.machine.mounted('8:1', 'ext4', '/dev/sda1')
        self.version = os.path.basename(tree)
        self.machine.write(f'boot/vmlinuz-{self.version}', 'a kernel')
        self.machine.write(f'boot/initrd.img-{self.version}', "the distribution's")
        for name in ('etc/kernel/postinst.d', 'etc/grub.d', 'etc/systemd/system', 'lib/modules', 'var/lib', 'boot/grub'):
            os.makedirs(os.path.join(self.machine.root, name))
        os.symlink(tree, os.path.join(self.machine.root, 'lib/modules', self.version))
        self.asked = os.path.join(folder, 'asked')
        for name, script in (('grub-reboot', f'echo "$1" >>{self.asked}; : >{self.machine.root}/boot/grub/grubenv'),
                             ('grub-editenv', f'[ "$2" != unset ] || echo none >>{self.asked}'), ('update-grub', ':'),
                             ('grub-probe', 'case $1 in *=fs) echo ext2 ;; esac'),
                             ('bootctl', f'case $1 in --p*) echo /efi ;; set-oneshot) echo "${{2:-none}}" >>{self.asked} ;; esac')):
            write(f'{folder}/bin/{name}', f'#!/bin/sh\n{script}\n'.encode(), 0o755)
        write(f'{folder}/bin/image', f'#!/bin/sh\nexec {IMAGE} "$@" --init {INIT} --compress none\n'.encode(), 0o755)
        self.setup = os.path.join(BUILD, 'image/image-setup')
        self.environment = {**os.environ, 'INORDER_ROOT': self.machine.root, 'INORDER_IMAGE': f'{folder}/bin/image',
                            'INORDER_SETUP': self.setup, 'PATH': f'{folder}/bin:{os.environ["PATH"]}'}

    def run(self, *command, code=0):
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        must(done.returncode == code, f'exit code {code} of {command}, not {done.returncode}: {done.stderr}')
        return done.stdout + done.stderr

    def call(self, *words, code=0):
        return self.run(self.setup, *words, code=code)

    def path(self, name):
        return os.path.join(self.machine.root, name)

    def hook(self, name, version):
        return self.run(self.path(f'etc/kernel/{name}.d/inorder-image'), version)

    def kernel(self, version):
        """A second kernel, with the modules of the first."""
        self.machine.write(f'boot/vmlinuz-{version}', 'a kernel')
        shutil.copytree(self.path(f'lib/modules/{self.version}'), self.path(f'lib/modules/{version}'), copy_function=os.link)

    def with_grub(self, folder):
        """What grub-mkconfig gives to the scripts that it runs."""
        write(f'{folder}/grub/grub-mkconfig_lib', b'[ "$no_such_variable" ] || grub=yes\n'
              b'prepare_grub_to_access_device() { echo "search $1"; }\nmake_system_path_relative_to_its_root() { echo "$1"; }\n')
        self.environment |= {'pkgdatadir': f'{folder}/grub', 'GRUB_DEVICE': '/dev/sda1', 'GRUB_DEVICE_UUID': 'ab-1',
                             'GRUB_DEVICE_BOOT': '/dev/sda1', 'GRUB_CMDLINE_LINUX': 'console=ttyS0'}

    def boots(self, text=''):
        """A boot with that command line that reaches the login."""
        self.machine.write('proc/cmdline', text)
        return self.call('good')

    def chosen(self):
        """The entries chosen since the last call."""
        asked = read(self.asked).decode().split() if os.path.exists(self.asked) else []
        if asked:
            os.unlink(self.asked)
        return asked
