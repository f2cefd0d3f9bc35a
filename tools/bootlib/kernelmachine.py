# SPDX-License-Identifier: MIT
"""The machines that boot the kernels of linux.py: QEMU with many disks, and User-mode Linux."""
import os
import re
import shutil

from . import cpio, disks, machine, package, report
from .common import Failure, run, written
from .linux import TOP

INIT = os.path.join(TOP, 'tools/kernel/init')
MODPROBE = os.path.join(TOP, 'tools/kernel/modprobe')
BUSYBOX = '/bin/busybox'
FOLDERS = ('bin', 'dev', 'modules', 'proc', 'run', 'sbin', 'sys')
SCSI_DEBUG = 'scsi_debug.add_host=4'
NO_TIMER_CHECK = 'no_timer_check'   # on a busy host QEMU's timer can be too late for the kernel, which would panic
LOG = ('initcall_debug', 'dyndbg="file async.c +p"')
# what a kernel says when something is wrong with it
TROUBLE = re.compile(r'^.*(?:BUG:|kernel BUG at|BUG \S+ \(|invalid opcode|divide error|WARNING:|Oops|general protection'
                     r'|possible .* detected|locking correctness validator|self-detected stall|detected stalls|soft lockup'
                     r'|blocked for more than|Kernel panic|scheduling while atomic).*$', re.M)
FIRST = re.compile(report.STAMP + r'calling  \S+ @ 1$', re.M)
CHECK = re.compile(report.STAMP + r'inorder-check: (.*)$', re.M)
LIMIT_S = 120


def is_static(program):
    return ' INTERP ' not in run(['readelf', '-lW', program], f'read {program}')


def static_busybox(folder, say):
    """A busybox that needs no libraries: the machine's, or, where that one does (Debian's package busybox), one that is
    unpacked in folder and not installed."""
    if os.access(BUSYBOX, os.X_OK) and is_static(BUSYBOX):
        return BUSYBOX
    try:
        program = package.unpacked('busybox-static', 'bin/busybox', folder, say)
    except Failure as failure:
        raise Failure(f'{BUSYBOX} is missing or needs shared libraries, which /init of a kernel under test has not, and '
                      f'busybox-static cannot be fetched: {failure}. Install it: apt-get install busybox-static') from failure
    if not is_static(program):
        raise Failure(f'{program} needs shared libraries, which /init of a kernel under test has not: remove it and '
                      'install busybox-static')
    return program


class Machine:
    """A folder with disks and images; boots leave their files in out."""

    def __init__(self, build, out, say, limit_s=LIMIT_S):
        self.folder = os.path.join(build, 'linux/machine')
        self.out = out
        self.say = say
        self.limit_s = limit_s
        for folder in (self.folder, out):
            os.makedirs(folder, exist_ok=True)
        self.rootinit = os.path.join(build, 'tools/rootinit')
        if not os.access(self.rootinit, os.X_OK):
            raise Failure(f"{self.rootinit} is missing: run 'make'")
        self.disks = [disks.Disk(bus, number, os.path.join(self.folder, f'{bus}{number}.img'))
                      for bus, count in (('ahci', 12), ('virtio', 4), ('nvme', 4), ('vblk', 6)) for number in range(count)]
        for disk in self.disks:
            if not os.path.exists(disk.path):
                disks.make_empty(disk.path)

    def others(self):
        """QEMU's options for two hosts of MMC with a card each, two CD drives: devices whose names are checked."""
        options = []
        for number in range(2):
            path = os.path.join(self.folder, f'mmc{number}.img')
            if not os.path.exists(path):
                disks.make_empty(path)
            options += ['-device', f'sdhci-pci,id=sdhci{number}',
                        '-drive', f'if=none,id=mmc{number},file={machine.escape(path)},format=raw,cache=unsafe',
                        '-device', f'sd-card,drive=mmc{number},bus=pcie.0/sdhci{number}/sd-bus',
                        '-device', f'scsi-cd,bus=scsi.0,scsi-id={10 + number}']
        return options

    @staticmethod
    def cards():
        """QEMU's options for two network cards beside those that every machine has: two of each of two drivers."""
        options = []
        for number, kind in enumerate(('e1000', 'virtio-net-pci'), 2):
            options += ['-netdev', f'hubport,id=net{number},hubid=0',
                        '-device', f'{kind},netdev=net{number},mac=52:54:00:00:00:0{number + 1}']
        return options

    def image(self, name, modules, script=''):
        """An initramfs of that name with these modules, by their paths, and a script for /init; returns its path."""
        path = os.path.join(self.folder, f'{name.replace("/", "-")}.cpio')
        sources = {'init': INIT, 'bin/busybox': static_busybox(os.path.dirname(self.folder), self.say),
                   'sbin/rootinit': self.rootinit, 'sbin/modprobe': MODPROBE}
        sources.update((f'modules/{os.path.basename(module)}', module) for module in modules)
        files = {'script': script.encode()} if script else {}
        for target, source in sources.items():
            with open(source, 'rb') as file:
                files[target] = file.read()
        with written(path) as new, open(new, 'wb') as file:
            file.write(cpio.archive(FOLDERS, files, {'bin/sh': 'busybox'}))
        return path

    def boot(self, kernel, image, name, arguments='', limit_s=None, **how):
        """Boots in QEMU once and returns the log; fails unless /init came to its end."""
        boot = self.start(kernel, image, name, arguments, limit_s, **how)
        if boot.stopped:
            raise Failure(f'{kernel.name} ({name}) was still on after {limit_s or self.limit_s} s and was stopped. '
                          f'The end of {boot.files["console"]}:\n{boot.tail()}')
        log = Log(boot.files['log'])
        if 'end' not in log.said:
            raise Failure(f'{kernel.name} ({name}) did not come to its end. The end of {boot.files["console"]}:\n'
                          f'{boot.tail()}')
        return log

    def start(self, kernel, image, name, arguments='', limit_s=None, attached=None, lines=True, **how):
        """attached: the disks, by default all; lines: whether the log has one for each call. See machine.run()."""
        attached = self.disks if attached is None else attached
        words = [*(LOG if lines else ()), SCSI_DEBUG if attached else 'scsi_debug.add_host=0', NO_TIMER_CHECK, arguments]
        return machine.run(kernel, image, attached, ' '.join(words), os.path.join(self.out, name),
                           limit_s or self.limit_s, **how)

    def user_mode(self, kernel, image, name, arguments=''):
        """Boots User-mode Linux whose time is the CPU's alone; returns its log."""
        folder = os.path.join(self.folder, 'uml')
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        # without random addresses, on which the kernel's idea of its memory depends
        command = ['setarch', '-R', kernel.vmlinux, 'mem=256M', f'initrd={image}', 'time-travel=inf-cpu',
                   'time-travel-start=1000000000000000', f'uml_dir={folder}', 'umid=inorder', 'con=null', 'ssl=null',
                   'con0=null,fd:1', 'console=tty0', 'panic=-1', 'quiet', 'printk.devkmsg=on', 'log_buf_len=8M',
                   SCSI_DEBUG, *LOG, *arguments.split()]
        path = os.path.join(self.out, f'{name}.log')
        with open(path, 'wb') as file, machine.started(command) as process:
            if machine.attend(process, [], self.limit_s, file) is None:
                raise Failure(f'{kernel.name} ({name}) was still on after {self.limit_s} s and was stopped; see {path}')
        log = Log(path)
        if 'end' not in log.said:
            raise Failure(f'{kernel.name} ({name}) did not come to its end. The end of {path}:\n{log.tail()}')
        return log


class Log:
    """What a kernel's log says."""

    def __init__(self, path):
        self.path = path
        with open(path, encoding='utf-8', errors='replace', newline='') as file:
            self.text = file.read().replace('\r\n', '\n')
        self.said = [text for _, text in CHECK.findall(self.text)]

    def tail(self, lines=30):
        return '\n'.join(self.text.rstrip().splitlines()[-lines:])

    def seconds(self):
        """From the first initcall to the start of /init."""
        first, end = FIRST.search(self.text), report.START.search(self.text)
        if not first or not end:
            raise Failure(f'{self.path} does not show both the first initcall and the start of /init')
        return float(end.group(1)) - float(first.group(1))

    def trouble(self, allowed=()):
        """Lines in which the kernel complains, but for those that match what is allowed."""
        return [line for line in TROUBLE.findall(self.text) if not any(re.search(each, line) for each in allowed)]

    def failures(self):
        return [text for text in self.said if 'FAILED' in text]

    def disks(self):
        """The names of the disks by their serial numbers."""
        return report.disks_of(self.text, self.path)

    def places(self):
        """Which device of the drivers without disks got which name."""
        return sorted(text for text in self.said if text.startswith('place '))

    def turns(self):
        return [text for text in self.said if text.startswith('turns: ')]

    def line(self, beginning):
        """The last thing that /init said which begins so."""
        found = [text for text in self.said if text.startswith(beginning)]
        if not found:
            raise Failure(f'{self.path}: /init does not say "{beginning}..."')
        return found[-1]

    def milliseconds(self, module):
        """How long a module took to load."""
        return int(self.line(f'load {module}: ').split()[-2])
