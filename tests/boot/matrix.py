#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots the rows of matrix.ini: matrix.py [--short] [--only REGEX] [--jobs N] [--again] SOURCE BUILD.

A row that has passed with the same /init, image, disks and row is not booted again (unless --again). With --peer IMAGE,
another initramfs is booted instead, and only the root is judged, not what the console says."""
import argparse
import concurrent.futures
import configparser
import functools
import hashlib
import json
import os
import re
import shlex
import shutil
import sys
import threading

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), 'tools'))
sys.path.insert(0, HERE)
from bootlib import cpio, kernel, machine   # noqa: E402
from bootlib.common import Failure, Progress, is_newer, run, written   # noqa: E402
from bootlib.monitor import Monitor   # noqa: E402
from matrixlib import bus, parts   # noqa: E402

MODULES = os.path.join(HERE, 'matrix.modules')
BOOT_MODULES = os.path.join(os.path.dirname(os.path.dirname(HERE)), 'image/boot.modules')
COMMAND_LINE = f'{machine.ALWAYS} log_buf_len=2M'
PROGRAMS = ('e2fsck', 'mdadm', 'lvm', 'cryptsetup', 'thin_check')
MAKERS = ('busybox', 'mke2fs', 'mkfs.btrfs', 'btrfs', 'mkfs.xfs', 'mkfs.f2fs', 'mksquashfs', 'genisoimage',
          'mkfs.vfat', 'mdadm', 'lvm', 'cryptsetup', 'thin_check')
BOOT_LIMIT_S, MAKE_LIMIT_S, PEER_LIMIT_S = 600, 1800, 600   # the host may be very busy
# the drivers of series.py's machines: a small image costs each boot less
SMALL = ('sd_mod', 'ahci', 'virtio_pci', 'virtio_scsi', 'virtio_blk', 'nvme', 'xhci_pci', 'usb_storage', 'sdhci_pci', 'mmc_block',
         'e1000', 'virtio_net', 'ext4')
ROW_KEYS = {'disks', 'line', 'root', 'says', 'silent', 'answers', 'files', 'image', 'machine', 'cpus', 'short',
            'before', 'devices', 'keys', 'turns', 'processor'}


def digest(*things):
    """A short name of contents: text, bytes, or files by their contents."""
    total = hashlib.sha256()
    for each in things:
        total.update(each if isinstance(each, bytes) else str(each).encode())
        total.update(b'\0')
    return total.hexdigest()[:16]


def file_digest(path):
    with open(path, 'rb') as file:
        return digest(file.read())


def read_matrix(path):
    """The recipes of disks, the rows, and the machines of series.py."""
    data = configparser.ConfigParser(interpolation=None, delimiters=('=',), comment_prefixes=('#',), strict=True)
    data.optionxform = str
    with open(path, encoding='utf-8') as file:
        data.read_file(file)
    recipes, rows, series = {}, {}, {}
    for section in data.sections():
        kind, name = section.split(None, 1)
        {'disks': recipes, 'boot': rows, 'series': series}[kind][name] = dict(data[section])
    for name, row in (*rows.items(), *series.items()):
        if unknown := set(row) - ROW_KEYS:
            raise Failure(f'{path}: row {name}: unknown {", ".join(sorted(unknown))}')
    return recipes, rows, series


class Lab:
    """Kernel, images and disks in the build folder."""

    def __init__(self, build, recipes, say):
        self.build = build
        self.recipes = recipes
        self.say = say
        self.folder = os.path.join(build, 'machine', 'matrix')
        os.makedirs(os.path.join(self.folder, 'disks'), exist_ok=True)
        self.kernel = kernel.get(build, say)
        self.init = os.path.join(build, 'boot/inorder-init')
        self.rootinit = os.path.join(build, 'tools/rootinit')
        self.lock = threading.Lock()
        self.digests = {}

    def image(self, name, programs, options=(), init=None, modules=()):
        """Makes an image if it is older than what is in it. Returns its path."""
        path = os.path.join(self.folder, f'{name}.img')
        tool = os.path.join(self.build, 'image/inorder-image')
        if is_newer(path, tool, init or self.init, MODULES, __file__):
            return path
        command = [tool, '--tree', self.kernel.modules, '--output', path, '--init', init or self.init]
        if modules:
            command += [f'--add-module={module}' for module in modules]
        else:
            command += [f'--modules={BOOT_MODULES}', f'--modules={MODULES}']
        command += [*options, *(f'--program={program}' for program in programs)]
        run(command, f'make the image {name}')
        return path

    def boot_image(self, kind):
        """'plain' has no shell; 'shell' has one; 'bare' has no programs at all; 'small' neither them nor most drivers;
        'keyboard' loads keymaps."""
        with self.lock:
            if kind == 'keyboard':
                return self.image(kind, (*PROGRAMS, 'loadkeys'))
            if kind == 'shell':
                return self.image(kind, PROGRAMS, ['--shell=/usr/bin/busybox'])
            if kind == 'bare':
                return self.image(kind, ())
            if kind == 'small':
                return self.image(kind, (), modules=SMALL)
            if kind == 'plain':
                return self.image(kind, PROGRAMS)
        raise Failure(f'there is no image {kind}')

    def recipe_digest(self, name):
        recipe = self.recipes[name]
        with open(os.path.join(HERE, 'maker.sh'), encoding='utf-8') as maker:
            return digest(sorted(recipe.items()), maker.read(), file_digest(self.rootinit))

    def disk(self, name, number):
        return os.path.join(self.folder, 'disks', f'{name}.{number}')

    def is_made(self, name):
        try:
            with open(self.disk(name, 'digest'), encoding='ascii') as file:
                return file.read() == self.recipe_digest(name)
        except FileNotFoundError:
            return False

    def make_disks(self, names):
        missing = [name for name in names if not self.is_made(name)]
        if not missing:
            return
        self.say(f'making the disks {" ".join(missing)}')
        maker = self.image('maker', MAKERS, init=os.path.join(HERE, 'maker.sh'))
        files, options = {}, []
        for name in missing:
            recipe = self.recipes[name]
            files[f'recipes/{name}'] = recipe['make'].encode() + b'\n'
            for number, size in enumerate(recipe['sizes'].split(), 1):
                path = self.disk(name, number)
                with open(path, 'wb') as disk:
                    disk.truncate(int(size) << 20)
                    parts.write(disk, recipe.get(f'parts{number}'))
                ident = f'd{len(options)}'
                options += ['-drive', f'if=none,id={ident},file={machine.escape(path)},format=raw,cache=unsafe',
                            '-device', f'scsi-hd,bus=scsi.0,scsi-id={len(options) // 4},drive={ident},'
                            f'serial={name}.{number}']
        with open(self.rootinit, 'rb') as init:
            files['rootinit'] = init.read()
        initrd = os.path.join(self.folder, 'maker.initrd')
        join(maker, cpio.archive(['recipes'], files), initrd)
        console = os.path.join(self.folder, 'maker.console')
        command = [machine.QEMU, '-machine', 'q35', '-m', '1024', '-nodefaults', '-no-user-config', '-display', 'none',
                   '-no-reboot', *machine.TWO_CPUS, '-kernel', self.kernel.vmlinux, '-initrd',
                   initrd, '-append', machine.ALWAYS, '-serial', 'stdio',
                   '-device', 'virtio-scsi-pci,id=scsi', *options]
        with open(console, 'wb') as copy, machine.started(command) as process:
            said = machine.attend(process, [], MAKE_LIMIT_S, copy)
        with open(console, encoding='utf-8', errors='replace') as file:
            text = file.read()
        for name in missing:
            if f'maker: MADE {name}\n' not in text.replace('\r', ''):
                raise Failure(f'the disks {name} could not be made (QEMU: {said}); see {console}:\n{text[-3000:]}')
            with written(self.disk(name, 'digest')) as new, open(new, 'w', encoding='ascii') as file:
                file.write(self.recipe_digest(name))


def join(image, more, path):
    """An image with another archive behind it: the kernel unpacks both."""
    with written(path) as new:
        shutil.copyfile(image, new)
        with open(new, 'ab') as file:
            file.write(bytes(-file.tell() % 512) + more)


def press(monitor, keys):
    """Presses keys one after the other, named by their places on the keyboard."""
    for key in keys:
        for down in (True, False):
            monitor.execute('input-send-event', events=[
                {'type': 'key', 'data': {'down': down, 'key': {'type': 'qcode', 'data': key}}}])


def plug(monitor, device):
    """device: as after QEMU's -device; -ID: it is pulled out."""
    if device.startswith('-'):
        monitor.execute('device_del', id=device[1:])
        return
    driver, *properties = device.split(',')
    monitor.execute('device_add', driver=driver, **dict(each.split('=') for each in properties))


def plug_all(monitor, late, turn):
    for when, device in late:
        if when == turn:
            plug(monitor, device)


def attend_late(process, talk, limit_s, monitor, late):
    """As machine.attend(), while devices are plugged in: late has (seconds, device)."""
    timers = [threading.Timer(when, plug, (monitor, device)) for when, device in late if isinstance(when, int)]
    for timer in timers:
        timer.start()
    try:
        return machine.attend(process, talk, limit_s)
    finally:
        for timer in timers:
            timer.cancel()
            timer.join()


class Row:
    """One machine: how it is started, what is expected of it."""

    def __init__(self, lab, name, row, limit_s=BOOT_LIMIT_S):
        self.lab = lab
        self.name = name
        self.row = row
        self.limit_s = limit_s
        self.disks = [bus.Disk(word) for word in row.get('disks', '').split()]
        self.prefix = os.path.join(lab.folder, 'boots', name)

    def recipes(self):
        return [disk.recipe for disk in self.disks if disk.recipe]

    def digest(self):
        with open(os.path.join(HERE, 'matrixlib/bus.py'), encoding='utf-8') as file:
            attached = file.read()
        return digest(sorted(self.row.items()), file_digest(self.lab.boot_image(self.row.get('image', 'plain'))),
                      attached, *[self.lab.recipe_digest(name) for name in self.recipes()])

    def has_passed(self):
        try:
            with open(f'{self.prefix}.passed', encoding='ascii') as file:
                return file.read() == self.digest()
        except FileNotFoundError:
            return False

    def initrd(self):
        image = self.lab.boot_image(self.row.get('image', 'plain'))
        if 'files' not in self.row:
            return image
        files, folders = {}, {}
        for line in self.row['files'].strip().splitlines():
            path, _, text = line.partition(' ')
            path = path.lstrip('/')
            parent = os.path.dirname(path)
            while parent:
                folders[parent] = True
                parent = os.path.dirname(parent)
            files[path] = (files.get(path, b'') + text.encode().decode('unicode_escape').encode('latin-1'))
        join(image, cpio.archive(sorted(folders), files), f'{self.prefix}.initrd')
        return f'{self.prefix}.initrd'

    def path_of(self, recipe, number):
        """A disk's file; of a row with two boots the first may change it, so that is a copy."""
        path = self.lab.disk(recipe, number)
        return f'{self.prefix}.{recipe}.{number}' if 'before' in self.row else path

    def command(self, initrd, line):
        kind = self.row.get('machine', 'q35')
        options = [machine.QEMU, '-machine', kind, '-m', '1024', '-nodefaults', '-no-user-config', '-display', 'none',
                   '-no-reboot', *machine.processors(self.row.get('cpus', '1')),
                   *machine.model(self.row.get('processor')),
                   '-kernel', self.lab.kernel.vmlinux, '-initrd', initrd,
                   '-append', f'{COMMAND_LINE} {line}',
                   '-chardev', f'stdio,id=console,signal=off,logfile={machine.escape(self.prefix)}.console',
                   '-serial', 'chardev:console']
        for device in self.row.get('devices', '').strip().splitlines():
            options += ['-device', device]
        disks, late = bus.attach(self.disks, self.path_of)
        return options + disks, late

    def boot(self):
        """Returns what is wrong, or None."""
        initrd = self.initrd()
        for end in ('console', 'passed'):
            if os.path.exists(f'{self.prefix}.{end}'):
                os.unlink(f'{self.prefix}.{end}')
        talk = []
        for line in self.row.get('answers', '').strip().splitlines():
            said, _, answer = line.partition(' | ')   # without an answer it only has to be said
            talk.append((said.strip(' |').encode(), answer.encode() + b'\n' if answer else b''))
        if 'before' in self.row:
            for disk in self.disks:
                run(['cp', '--sparse=always', self.lab.disk(disk.recipe, disk.number),
                     self.path_of(disk.recipe, disk.number)], 'copy a disk')
            with machine.started(self.command(initrd, self.row['before'])[0]) as process:
                if machine.attend(process, [], self.limit_s) is None:
                    return f'the boot before is still on after {self.limit_s} s'
            os.rename(f'{self.prefix}.console', f'{self.prefix}.before')
        if wrong := self.attended(*self.command(initrd, self.row['line']), talk):
            return wrong
        if initrd.startswith(self.prefix):
            os.unlink(initrd)
        for disk in self.disks if 'before' in self.row else ():
            os.unlink(self.path_of(disk.recipe, disk.number))
        return self.check(talk)

    def attended(self, command, late, talk):
        """Boots, plugs disks in, and answers at the console, or at the keyboard. Returns what is wrong, or None."""
        monitor = Monitor()
        for line in self.row.get('keys', '').strip().splitlines():
            said, _, keys = line.partition(' | ')
            talk.append((said.encode(), functools.partial(press, monitor, keys.split())))
        for line in self.row.get('turns', '').strip().splitlines():
            said, _, turn = line.partition(' | ')
            talk.append((said.encode(), functools.partial(plug_all, monitor, late, turn)))
        with machine.started([*command, *monitor.options()], [monitor.theirs.fileno()]) as process:
            monitor.started()
            said = attend_late(process, talk, self.limit_s, monitor, late)
            if said is None:
                return f'still on after {self.limit_s} s'
            if process.wait():
                return f'QEMU failed: {said}'
        monitor.close()
        return None

    def discard(self):
        """Removes what the boot left."""
        for end in ('console', 'passed'):
            os.unlink(f'{self.prefix}.{end}')

    def check(self, unanswered):
        with open(f'{self.prefix}.console', encoding='utf-8', errors='replace', newline='') as file:
            console = file.read().replace('\r', '')
        reached = 'inorder-root: reached' in console
        wanted = self.row.get('root')
        if wanted is None and reached:
            return 'the root was reached, which was not expected'
        if wanted is not None and not reached:
            return 'the root was not reached'
        if wanted and not re.search(rf'inorder-root: mount / {wanted}', console):
            found = re.search(r'inorder-root: mount / .*', console)
            return f"the root is '{found and found.group(0)}', not '{wanted}'"
        for pattern in self.row.get('says', '').strip().splitlines():
            if not re.search(pattern, console):
                return f"the console does not say '{pattern}'"
        for pattern in self.row.get('silent', '').strip().splitlines():
            if re.search(pattern, console):
                return f"the console says '{pattern}'"
        if unanswered:
            return f"the console does not ask '{unanswered[0][0].decode()}'"
        if 'Kernel panic' in console:
            return 'kernel panic'
        with open(f'{self.prefix}.passed', 'w', encoding='ascii') as file:
            file.write(self.digest())
        return None


def run_rows(rows, jobs, say):
    """Boots the rows, several at once. Returns the failures."""
    failures = []
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        running = {pool.submit(row.boot): row for row in rows}
        try:
            for number, done in enumerate(concurrent.futures.as_completed(running), 1):
                row, wrong = running[done], done.result()
                say(f'{number}/{len(rows)} {row.name}: {"ok" if wrong is None else "FAILED: " + wrong}')
                if wrong is not None:
                    failures.append((row, wrong))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)   # what is being booted ends, the rest does not begin
            raise
    return failures


class Peer(Row):
    """A row booted with another initramfs. It may leave a shell, so a boot that does not end is a failed one."""

    def __init__(self, row, image):
        judged = {key: value for key, value in row.row.items() if key not in ('says', 'silent')}
        judged['root'] = re.sub(r'^\S+', r'\\S+', judged['root'])   # it may mount by a link
        super().__init__(row.lab, row.name, judged, PEER_LIMIT_S)
        self.image = image
        self.prefix += '.peer'

    def initrd(self):
        return self.image

    def digest(self):
        return digest(sorted(self.row.items()), file_digest(self.image), *map(self.lab.recipe_digest, self.recipes()))

    def boot(self):
        """Returns why it does not reach its root, or None; what was found before counts."""
        path = f'{self.prefix}.result'
        if os.path.exists(path):
            with open(path, encoding='utf-8') as file:
                before = json.load(file)
            if before['digest'] == self.digest():
                return before['wrong']
        wrong = super().boot()
        with written(path) as new, open(new, 'w', encoding='utf-8') as file:
            json.dump({'digest': self.digest(), 'wrong': wrong}, file)
        return wrong


def compare(rows, image, jobs, say):
    """A table of the rows that another initramfs can be judged by: those with a root, and without a talk or files of ours."""
    peers = [Peer(row, image) for row in rows if 'root' in row.row and not {'answers', 'files', 'keys', 'turns', 'before'} & set(row.row)]
    missed = {row.name: wrong for row, wrong in run_rows(peers, jobs, say)}
    print(f'{len(peers) - len(missed)} of {len(peers)} rows reach their root; the others:\n\n| row | why not |\n|---|---|')
    for row in peers:
        if row.name in missed:
            print(f'| {row.name} | {missed[row.name]} |')


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument('--short', action='store_true', help='only the rows marked as short')
    options.add_argument('--only', help='only rows whose names match')
    options.add_argument('--jobs', type=int, default=os.cpu_count())
    options.add_argument('--again', action='store_true', help='also rows that have passed')
    options.add_argument('--peer', metavar='IMAGE', help='boot this initramfs; a table of the roots that it reaches')
    options.add_argument('source')
    options.add_argument('build')
    chosen = options.parse_args()
    missing = [name for name in (*MAKERS, *PROGRAMS, 'loadkeys') if not shutil.which(name, path='/usr/sbin:/usr/bin:/sbin:/bin')]
    if missing:
        print(f'skipped: not installed: {shlex.join(missing)}')
        sys.exit(77)
    machine.exit_on_signals()
    say = Progress().say
    recipes, rows, _ = read_matrix(os.path.join(HERE, 'matrix.ini'))
    lab = Lab(os.path.abspath(chosen.build), recipes, say)
    os.makedirs(os.path.join(lab.folder, 'boots'), exist_ok=True)
    wanted = [Row(lab, name, row) for name, row in rows.items()
              if (not chosen.short or 'short' in row) and (not chosen.only or re.search(chosen.only, name))]
    lab.make_disks(sorted({name for row in wanted for name in row.recipes()}))
    if chosen.peer:
        compare(wanted, os.path.abspath(chosen.peer), chosen.jobs, say)
        return
    todo = [row for row in wanted if chosen.again or not row.has_passed()]
    say(f'{len(wanted)} rows, {len(wanted) - len(todo)} of them have passed before')
    failures = run_rows(todo, chosen.jobs, say)
    for row, wrong in failures:
        with open(f'{row.prefix}.console', encoding='utf-8', errors='replace') as file:
            print(f'--- {row.name}: {wrong}\n' + '\n'.join(file.read().splitlines()[-25:]))
    say(f'{len(wanted) - len(failures)} of {len(wanted)} rows pass')
    if failures:
        raise Failure(f'failed: {" ".join(row.name for row, _ in failures)}')


if __name__ == '__main__':
    try:
        main()
    except Failure as failure:
        sys.exit(f'FAILED: {failure}')
