#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""inorder-image on real Debian systems in QEMU, from installation to removal: debian.py [--only REGEX] [--again | --resume]
SOURCE BUILD.

Debian 12 and 13, started by GRUB from a BIOS (MBR) and from UEFI (GPT), and by systemd-boot. A system that has passed
with the same programs is not tried again (unless --again). After each step the machine is saved: --resume goes on after
the last step that went well, with the programs as they are now. Needs root, the network, and some minutes for each boot.
"""
import argparse
import contextlib
import glob
import hashlib
import os
import re
import select
import shutil
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), 'tools'))
from bootlib import debian, disks, machine   # noqa: E402
from bootlib.common import Failure, Progress, run, written   # noqa: E402
from bootlib.monitor import Monitor   # noqa: E402
from bootlib.package import mirror   # noqa: E402

SYSTEMS = [f'{suite}-{loader}' for suite in debian.SUITES for loader in ('grub-pc', 'grub-efi', 'systemd-boot')]
# What is installed beside the system, by folder on the disk of packages; the last one is the kernel of an upgrade.
PACKAGES = {
    'common': ('libarchive13', 'libjson-c5', 'libblkid1', 'libmount1', 'libkmod2', 'fdisk', 'console-setup', 'kbd'),
    'grub-pc': ('grub-pc',),
    'grub-efi': ('grub-efi-amd64',),
    'systemd-boot': ('systemd-boot',),
    'kernel': ('linux-image-cloud-amd64',),
}
TOOLS = ('debootstrap', 'apt-get', 'mke2fs', 'mkfs.vfat', 'mcopy', 'sfdisk', 'losetup', 'qemu-img', machine.QEMU)
OVMF = '/usr/share/OVMF/OVMF_{}_4M.fd'
KVM = ['-accel', 'kvm', '-smp', '2']
# Time is that of the instructions: no time-out of the system comes too early, however busy the host is.
EMULATED = ['-accel', 'tcg,thread=single', '-smp', '1', '-icount', 'shift=1,sleep=on', '-rtc', 'clock=vm']
DISK_MIB = 3072
MOST_BYTES = 6000000   # of this machine's image with zstd
LIMIT_S = 7200   # for what the machine does between two answers, on a busy host that has no KVM


def drive(path, more='', form='raw'):
    return ['-drive', f'file={machine.escape(path)},format={form},if=virtio,cache=unsafe{more}']


class Lab:
    """What is made once in the build folder: packages, disks with a system."""

    def __init__(self, build, accelerator, say):
        self.build = build
        self.accelerator = accelerator
        self.say = say
        self.folder = os.path.join(build, 'debian', 'installed')
        os.makedirs(os.path.join(self.folder, 'passed'), exist_ok=True)
        self.programs = os.path.join(self.folder, 'programs')

    def apt(self, tree, suite):
        """apt for the system in a tree, whose lists and packages stand elsewhere."""
        place = os.path.join(self.folder, f'apt-{suite}')
        for part in ('lists/partial', 'parts'):
            os.makedirs(os.path.join(place, part), exist_ok=True)
        with open(os.path.join(place, 'sources.list'), 'w', encoding='ascii') as file:
            file.write(f'deb {mirror()} {suite} main\n')
        options = {'Dir::Etc::SourceList': f'{place}/sources.list', 'Dir::Etc::SourceParts': f'{place}/parts',
                   'Dir::Etc::Parts': f'{place}/parts', 'Dir::State::Lists': f'{place}/lists',
                   'Dir::State::status': f'{tree}/var/lib/dpkg/status', 'Dir::Cache': place,
                   'Acquire::Languages': 'none', 'Acquire::Retries': '5', 'APT::Sandbox::User': 'root',
                   'APT::Install-Recommends': 'false', 'Debug::NoLocking': 'true'}
        return ['apt-get', *(word for option in options.items() for word in ('-o', '='.join(option)))]

    def packages(self, root):
        """The packages of a suite: in a folder, and as a disk."""
        folder = os.path.join(self.folder, f'{root.suite}.packages')
        if os.path.exists(f'{folder}.disk'):
            return folder
        self.say(f'{root.suite}: downloading packages')
        shutil.rmtree(folder, ignore_errors=True)
        apt = self.apt(root.tree, root.suite)
        run([*apt, 'update'], f'fetch the lists of {root.suite}')
        for kind, names in PACKAGES.items():
            os.makedirs(f'{folder}/{kind}/partial')
            run([*apt, '-o', f'Dir::Cache::archives={folder}/{kind}', '--yes', '--download-only', 'install', *names],
                f'download {" ".join(names)}')
        with written(f'{folder}.disk') as new:
            disks.make_ext4(new, 'packages', folder, 512 * disks.MIB)
        return folder

    def system(self, name):
        """A disk with an installed system, and its packages."""
        suite, loader = name.split('-', 1)
        root = debian.get(self.build, suite, self.say)
        packages, path = self.packages(root), os.path.join(self.folder, f'{name}.disk')
        if not os.path.exists(path):
            self.say(f'{name}: installing')
            with written(path) as new:
                disks.make_empty(new, DISK_MIB * disks.MIB)
                run(['unshare', '-m', os.path.join(HERE, 'install-debian'), loader, new, root.tree, packages],
                    f'install {name}')
        return path, f'{packages}.disk'

    def options(self):
        return [machine.QEMU, '-machine', 'q35', '-m', '1024', '-display', 'none', '-vga', 'none', '-nic', 'none',
                *self.accelerator, '-serial', 'stdio']

    def install_programs(self):
        """What make install installs, as a disk; a digest of it."""
        total = hashlib.sha256()
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            run(['meson', 'install', '-C', self.build, '--no-rebuild', '--destdir', folder], 'install the programs')
            for path in sorted(glob.glob(f'{folder}/**', recursive=True)):
                if os.path.isfile(path) and not os.path.islink(path):
                    with open(path, 'rb') as file:
                        total.update(file.read())
            disks.make_ext4(self.programs, 'programs', folder, 256 * disks.MIB)
        return total.hexdigest()


class Console:
    """Someone at the machine's first serial port, who can press the reset button, too, and save the machine."""

    def __init__(self, process, monitor, log):
        self.process, self.monitor, self.log = process, monitor, log
        self.heard = b''

    @classmethod
    @contextlib.contextmanager
    def of_machine(cls, options, log_path):
        """A machine that is started, and stopped in the end."""
        monitor = Monitor(LIMIT_S)
        with open(log_path, 'ab', buffering=0) as log, \
                machine.started([*options, *monitor.options()], [monitor.theirs.fileno()]) as process:
            monitor.started()
            yield cls(process, monitor, log)
        monitor.close()

    def until(self, *words):
        """Reads on until one of the words comes; returns what came before it, and the word."""
        while True:
            found = [(self.heard.index(word), word) for word in (word.encode() for word in words) if word in self.heard]
            if found:
                at, word = min(found)
                before, self.heard = self.heard[:at], self.heard[at + len(word):]
                return before.decode(errors='replace').replace('\r', ''), word.decode()
            if not select.select([self.process.stdout], [], [], LIMIT_S)[0]:
                raise Failure(f'none of {words} in {LIMIT_S} s, but:\n{self.tail()}')
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                raise Failure(f'the machine is off before any of {words}:\n{self.tail()}')
            self.log.write(data)
            self.heard += data

    def tail(self):
        return self.heard.decode(errors='replace').replace('\r', '')[-3000:]

    def type(self, text):
        self.process.stdin.write(text.encode() + b'\n')
        self.process.stdin.flush()

    def log_in(self):
        """Waits for the prompt and for all that the start still does. The marks differ from what is typed."""
        self.until(' login: ')
        self.type('root')
        self.until('# ')
        self.type("stty -echo; dmesg -n 1; systemctl is-system-running --wait; PS1= PS2= exec sh -c 'echo =in; exec sh'")
        self.until('=in\n', '=in\r\n')

    def run(self, command, code=0):
        """Runs a command; returns what it printed."""
        self.type(f"( {command} ) 2>&1; echo '=''end' $?.")
        said, _ = self.until('=end ')
        status, _ = self.until('.')
        if int(status) != code:
            raise Failure(f'exit code {status}, not {code}, of: {command}\n{said}')
        return said

    def reboot(self):
        self.type('systemctl reboot')
        self.until('reboot: Restarting system')

    def power_off(self):
        self.type('systemctl poweroff')
        self.until('reboot: Power down')
        self.process.wait(LIMIT_S)

    def reset(self):
        self.monitor.execute('system_reset')

    def save(self, name, before):
        """Saves the machine, and forgets how it was before."""
        for command in [f'savevm {name}', *([f'delvm {before}'] if before else [])]:
            said = self.monitor.execute('human-monitor-command', command_line=command)
            if said.strip():
                raise Failure(f'QEMU does not do {command}: {said}')


def try_it(number):
    """The commands of a step of docs/TRY-IT.md."""
    text = read(os.path.join(os.path.dirname(os.path.dirname(HERE)), 'docs/TRY-IT.md'))
    step = re.search(rf'^## {number}\. .*?(?=^## )', text, re.MULTILINE | re.DOTALL)[0]
    lines = ''.join(re.findall('```sh\n(.*?)```', step, re.DOTALL)).splitlines()
    return [line.partition(' #')[0].strip() for line in lines]


# Every path; contents where something may change, and elsewhere size and time. Logs, caches, the programs under test and
# the like are left out. Of GRUB's environment the words count: GRUB writes other comments into it than grub-install does.
# systemd-boot writes a new random seed at each boot.
MANIFEST = r"""cd /; { find . ./boot/efi -xdev \( -path ./var/log -o -path ./tmp -o -path ./var/tmp -o -path ./run -o -path ./var/cache \
-o -path ./usr/local -o -path ./etc/inorder -o -path ./var/lib/systemd -o -path './var/lib/dpkg/*-old' \
-o -name .updated -o -path ./root/.bash_history \) -prune -o -path './usr/*' -type f -printf '%p %m %U:%G %s %T@\n' \
-o -printf '%p %y %m %U:%G %l\n'
find ./boot ./etc ./var/lib ./root -type f ! -path './etc/inorder/*' ! -path './var/lib/systemd/*' \
! -path './var/lib/dpkg/*-old' ! -path ./root/.bash_history ! -path ./boot/grub/grubenv ! -path './boot/efi/loader/random-seed' \
! -path '*/.updated' -exec md5sum {} +
[ ! -e ./boot/grub/grubenv ] || grub-editenv ./boot/grub/grubenv list; } | sort >/var/tmp/"""


class Try:
    """The life of inorder-image on one system, in the order in which a user lives it."""

    def __init__(self, lab, name):
        self.lab, self.name, self.state = lab, name, name   # state: what the files of a machine are called
        self.suite, self.loader = name.split('-', 1)
        self.console = self.version = None

    def say(self, text):
        self.lab.say(f'{self.name}: {text}')

    def run(self, command, code=0):
        return self.console.run(command, code)

    def must(self, condition, expected):
        if not condition:
            raise Failure(f'{self.name}: expected {expected}')

    def entry(self):
        """Whose image the machine has started with: a version of ours, or ''."""
        return (re.findall(r'inorder_entry=(\S+)', self.run('cat /proc/cmdline')) or [''])[0]

    def comes_up(self, version):
        self.console.log_in()
        found = self.entry()
        self.must(found == version, f'to be started by {version or "the distribution"}, not {found or "the distribution"}')

    def status(self, *words):
        said = self.run('inorder-image status')
        for word in words:
            self.must(word in said, f'{word} in: {said}')

    def programs(self):
        """The programs as make install puts them, told to compress in a way that an emulated processor does quickly."""
        self.run('mkdir -p /etc/inorder && echo compress gzip >/etc/inorder/image.conf')
        self.run('mkdir -p /run/disk && mount -o ro /dev/vdc /run/disk && cp -a /run/disk/usr / && umount /run/disk && '
                 'ldconfig')

    def resumed(self):
        """The machine is as it was saved; the programs are those of now."""
        self.programs()
        self.version = self.run('ls /boot/inorder-*.img').split()[0][14:-4]

    def installed(self):
        """For one boot, before which all is as it was before anything else."""
        self.comes_up('')
        self.version = self.run('uname -r').strip()
        self.programs()
        self.run('! command -v update-grub || update-grub')   # on the machine itself it finds its firmware, too
        self.run(MANIFEST + 'before')
        for command in try_it(2):   # the distribution's image may lack what ours would have
            self.run(command + ('; [ $? -le 1 ]' if 'initrd.img' in command else ''))
        for command in try_it(3):
            if command != 'reboot':
                self.run(command)
                continue
            self.status('hooks: installed', f'next boot: {self.version}')
            self.run(f'inorder-image check /boot/inorder-{self.version}.img')
            self.console.reboot()
            self.comes_up(self.version)
        self.run('grep -q "<svg" /tmp/boot.svg && grep -q virtio_blk /tmp/boot.svg')
        self.status(f'last good boot: {self.version}')
        self.must('next boot' not in self.run('inorder-image status'), 'one boot of ours and no other')

    def upgraded(self):
        """Ours at every boot, also with the kernel of a second package, until that is removed."""
        self.run(try_it(4)[0])
        self.run(f'inorder-image cat /boot/inorder-{self.version}.img /etc/inorder/hints | grep -q "^root .*virtio_blk"')
        self.run('mkdir -p /run/disk && mount -o ro /dev/vdb /run/disk && '
                 'DEBIAN_FRONTEND=noninteractive dpkg -i /run/disk/kernel/*.deb && umount /run/disk')
        kernels = self.run('ls /boot').split()
        new = [name[8:] for name in kernels if name.startswith('vmlinuz-') and name != f'vmlinuz-{self.version}'][0]
        for path in (f'initrd.img-{new}', f'inorder-{new}.img', f'inorder-{self.version}.img'):
            self.must(path in kernels, f'/boot/{path}')
        self.status(f'next boot: {new}')
        self.console.reboot()
        self.comes_up(new)
        self.must(self.run('uname -r').strip() == new, f'the kernel {new}')
        self.must('hints:' not in self.run('dmesg'), 'hints that are understood')
        self.status(f'next boot: {new}')

    def purged(self):
        """The second kernel goes, and the choice with it."""
        new = self.run('uname -r').strip()
        self.run('echo linux-base linux-base/removing-running-kernel boolean false | debconf-set-selections; '
                 f'DEBIAN_FRONTEND=noninteractive dpkg --purge linux-image-cloud-amd64 linux-image-{new}')
        self.must(f'inorder-{new}.img' not in self.run('ls /boot'), 'no image of the kernel that is gone')
        self.status(f'next boot: {self.version}')

    def image(self):
        """The file that the boot loader reads."""
        return f'/boot/inorder-{self.version}.img' if 'grub' in self.loader else f'/boot/efi/inorder/{self.version}.img'

    def broken(self, how, *signs):
        """A boot that fails is followed by one of the distribution's, and stays with it."""
        self.run(how)
        self.console.reboot()
        self.console.until(*signs)
        self.console.reset()
        self.comes_up('')
        self.status(f'did not reach the login: {self.version}')
        self.must('next boot' not in self.run('inorder-image status'), 'that it stays with the distribution')

    def cut(self):
        """An image of which the end is missing."""
        image = self.image()
        self.broken(f'head -c 2000000 {image} >/run/cut && cp /run/cut {image} && sync', 'Kernel panic')

    def driverless(self):
        """An image that lacks a driver, and the size of a whole one. Once for a release is enough."""
        if self.loader == 'grub-pc':
            image = self.image()
            size = int(self.run('inorder-image build --host --compress zstd -o - 2>/dev/null | wc -c'))
            self.say(f'an image of {size} bytes')
            self.must(size <= MOST_BYTES, f'an image of at most {MOST_BYTES} bytes')
            self.run('inorder-image install --default')
            self.broken(f'inorder-image build --host --omit virtio_blk -o {image} && ! inorder-image check {image} && sync',
                        'every driver was tried')

    def uninstalled(self):
        self.run(try_it(4)[1])
        self.run('inorder-image status', code=3)
        self.run(MANIFEST + 'after')
        self.run('diff /var/tmp/before /var/tmp/after')
        self.console.power_off()

    STEPS = (installed, upgraded, purged, cut, driverless, uninstalled)

    def drives(self, resumed):
        """The machine's disks; those that are written are overlays, which keep its state, too."""
        disk, packages = self.lab.system(self.name)
        overlay, variables = (os.path.join(self.lab.folder, f'{self.state}.{kind}') for kind in ('overlay', 'variables'))
        if not resumed:
            run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', disk, overlay], 'make an overlay')
        options = [*drive(overlay, form='qcow2'), *drive(packages, ',readonly=on'), *drive(self.lab.programs, ',readonly=on')]
        if self.loader == 'grub-pc':
            return options
        if not resumed:
            run(['qemu-img', 'convert', '-O', 'qcow2', OVMF.format('VARS'), variables], "make UEFI's variables")
        for path, more in ((OVMF.format('CODE'), 'raw,readonly=on'), (variables, 'qcow2')):
            options += ['-drive', f'if=pflash,file={machine.escape(path)},format={more}']
        return options

    def boots(self, resume):
        """From the first boot to the last, or on from the step after the one that was saved."""
        saved = os.path.join(self.lab.folder, f'{self.state}.saved')
        done = read(saved) if resume and os.path.exists(saved) else ''
        names = [step.__name__ for step in self.STEPS]
        options = [*self.lab.options(), *self.drives(done), *(['-loadvm', done] if done else [])]
        log = os.path.join(self.lab.folder, f'{self.state}.console')
        with Console.of_machine(options, log) as self.console:
            if done:
                self.say(f'going on after: {done}')
                self.resumed()
            for step in self.STEPS[names.index(done) + 1 if done else 0:]:
                self.say(step.__name__)
                step(self)
                if step is not self.STEPS[-1]:
                    self.console.save(step.__name__, done)
                    done = step.__name__
                    write(saved, done)
        for kind in ('saved', 'overlay', 'variables'):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(os.path.join(self.lab.folder, f'{self.state}.{kind}'))


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--only', metavar='REGEX', help='these systems alone')
    parser.add_argument('--again', action='store_true', help='those that have passed, too')
    parser.add_argument('--resume', action='store_true', help='go on after the last step that went well')
    parser.add_argument('--kvm', action='store_true', help='use /dev/kvm')
    parser.add_argument('source')
    parser.add_argument('build')
    return parser.parse_args()


def main():
    asked = parse_arguments()
    lacking = [name for name in TOOLS if not shutil.which(name, path='/usr/sbin:/usr/bin:/sbin:/bin')]
    lacking += [path for path in [OVMF.format('CODE')] if not os.path.exists(path)]
    if lacking or os.geteuid():
        print(f'skipped: {"not installed: " + " ".join(lacking) if lacking else "needs root"}')
        sys.exit(77)
    machine.exit_on_signals()
    lab = Lab(os.path.abspath(asked.build), KVM if asked.kvm else EMULATED, Progress().say)
    digest, failed, skipped = lab.install_programs(), [], []
    for name in SYSTEMS:
        passed = os.path.join(lab.folder, 'passed', name)
        if asked.only and not re.search(asked.only, name):
            continue
        if not asked.again and os.path.exists(passed) and read(passed) == digest:
            lab.say(f'{name}: has passed')
            continue
        try:
            Try(lab, name).boots(asked.resume)
            write(passed, digest)
            lab.say(f'{name}: passed')
        except debian.Missing as missing:
            lab.say(f'{name}: skipped: {missing}')
            skipped.append(name)
        except Failure as failure:
            lab.say(f'{name}: FAILED: {failure}')
            failed.append(name)
    sys.exit(f'FAILED: {" ".join(failed)}; consoles are in {lab.folder}' if failed else 77 if skipped else 0)


def read(path):
    with open(path, encoding='utf-8') as file:
        return file.read()


def write(path, text):
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)


if __name__ == '__main__':
    main()
