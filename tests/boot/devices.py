#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots in which devices or modules do what is not usual: devices.py CASE SOURCE BUILD, as boot.py."""
import os
import random
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from boot import ROOT, check, check_fails, check_reaches, disks, machine, main, report   # noqa: E402
from bootlib.common import Failure, run   # noqa: E402
from bootlib.monitor import Monitor   # noqa: E402
from bootlib.session import DRIVERS   # noqa: E402


def configured(session, name, lines, **options):
    """An image with a file in modprobe.d, which libkmod reads before modules.softdep: the first answer counts."""
    path = os.path.join(session.out, f'{name}.conf')
    with open(path, 'w', encoding='utf-8') as file:
        file.write('\n'.join(lines) + '\n')
    return session.image(name, options=['--file', f'{path}:/etc/modprobe.d/00-{name}.conf'], **options)


def broken_tree(session, path):
    """The kernel's modules, one of which the kernel refuses to load."""
    tree = os.path.join(session.out, 'lib/modules', session.kernel.version)
    run(['rm', '-rf', tree], 'remove an old tree')
    os.makedirs(os.path.dirname(tree), exist_ok=True)
    run(['cp', '-al', session.kernel.modules, tree], 'link the modules')
    path = os.path.join(tree, 'kernel', path)
    with open(path, 'rb') as file:
        module = file.read()
    os.unlink(path)
    with open(path, 'wb') as file:
        file.write(module.replace(b'vermagic=6', b'vermagic=0'))
    return tree


def drivers(session, more):
    """The list of drivers of the usual image and more; returns its path."""
    path = os.path.join(session.out, 'drivers')
    with open(DRIVERS, encoding='utf-8') as usual, open(path, 'w', encoding='utf-8') as file:
        file.write(f'{usual.read()}\n{more}\n')
    return path


def check_order(boot, *patterns):
    """Lines of the kernel's log that must be there in this order."""
    log, at = boot.read('log'), 0
    for pattern in patterns:
        found = re.compile(pattern, re.M).search(log, at)
        check(found, boot, f"'{pattern}' in the log, after the ones before of {patterns}")
        at = found.end()


def case_soft_dependencies(session):
    """A module is loaded when its soft dependencies are, and what is to follow it after it; one that fails is no error."""
    image = configured(session, 'soft', ['softdep ext4 pre: raid0 raid456 post: raid10'],
                       tree=broken_tree(session, 'drivers/md/raid0.ko'))
    boot = session.boot('soft', image, ROOT + ' initcall_debug')
    check_reaches(boot)
    check_order(boot, r'initcall \S+ \[raid456\] returned 0', r'calling  \S+ \[ext4\]')
    check_order(boot, r'inorder-init: module raid0: cannot load', r'calling  \S+ \[ext4\]')
    check_order(boot, r'initcall \S+ \[ext4\] returned 0', r'initcall \S+ \[raid10\] returned 0')


def case_soft_circle(session):
    """Soft dependencies in circles, among themselves and with real ones: all is loaded all the same."""
    image = configured(session, 'circle', ['softdep ext4 pre: raid456', 'softdep raid456 pre: ext4',
                                           'softdep md_mod pre: ext4', 'softdep jbd2 pre: ext4 post: ext4 raid456',
                                           'softdep scsi_mod pre: sd_mod', 'softdep virtio pre: virtio_scsi'])
    boot = session.boot('circle', image, ROOT + ' initcall_debug')
    check_reaches(boot)
    check_order(boot, r'initcall \S+ \[raid456\] returned 0', r'calling  \S+ \[ext4\]')
    check_order(boot, r'initcall \S+ \[scsi_mod\] returned 0', r'calling  \S+ \[sd_mod\]')


def case_need_fails(session):
    """The console names the module that failed, not only the one that needs it."""
    boot = session.boot('need-fails', session.image('need-fails', tree=broken_tree(session, 'fs/jbd2/jbd2.ko')), ROOT)
    check_fails(boot, r'inorder-init: .*ext4 .*jbd2, which ext4 needs: ')


def case_medium(session):
    """A drive that cannot be opened at first is looked at again when it says that something has changed."""
    path = os.path.join(session.out, 'medium.img')
    disks.make_root(path, session.rootinit, options=('-b', '4096'))   # a sector has 2048
    monitor = Monitor()

    def insert():
        monitor.execute('blockdev-change-medium', id='drive', filename=path, format='raw', read_only_mode='read-only')

    boot = session.boot('medium', session.image('names'),
                        f'{ROOT} rootwait block.events_dfl_poll_msecs=200 loglevel=7', [],
                        [(b'cannot read /dev/sr0', insert)], monitor=monitor,
                        more=['-device', 'scsi-cd,bus=scsi.0,id=drive'])
    check_reaches(boot)


def virtio_disks(session, count, rate):
    """Disks of virtio in slots whose order is not that of the options, the root on the second one. rate: reads that
    each answers a second."""
    found = []
    for number in range(count):
        disk = disks.Disk('vblk', number, os.path.join(session.out, f'vblk{number}.img'))
        disk.place = f',addr={number + 8:#x}'
        if number == 1:
            disks.make_root(disk.path, session.rootinit)
        else:
            disks.make_empty(disk.path)
        found.append(disk.slow(rate(number)))
    return list(reversed(found))


NETWORK = [('virtio-net-pci', 5), ('rtl8139', 4), ('e1000e', 6)]   # beside the machine's own, the first and the last


def network_cards():
    """Cards of several drivers; the last part of an address is the slot."""
    options = []
    for device, slot in NETWORK:
        options += ['-netdev', f'hubport,id=net{slot},hubid=0',
                    '-device', f'{device},netdev=net{slot},addr={slot:#x},mac=52:54:00:00:00:{slot:02x},romfile=']
    return options


def names_of(session, boot, attached):
    """What the machine named: disks by serial number, cards by address."""
    check_reaches(boot)
    return report.check_disks(boot, attached) | report.cards(boot)


def case_virtio_order(session):
    """Disks and network cards of virtio have one naming, that of their places, with any number of processors, whichever
    of them answers first, and root= that names a disk gets that one."""
    image = session.image('drivers', drivers=drivers(session, 'e1000e 8139cp 8139too'))
    wanted = {f'VBLK{number}': f'vd{chr(97 + number)}' for number in range(6)}
    wanted |= {f'52:54:00:00:00:{slot:02x}': f'eth{place}' for place, slot in
               enumerate(sorted(slot for _, slot in NETWORK), 1)}
    for count, seed in ((1, 1), (2, 2), (4, 3)):
        order = random.Random(seed)
        attached = virtio_disks(session, 6, lambda number: order.choice((5, 20, 1000)))
        boot = session.boot(f'virtio-{count}', image, ROOT.replace('LABEL=inorder-root', '/dev/vdb'), attached,
                            cpus=machine.processors(count), more=network_cards())
        found = names_of(session, boot, attached)
        check('mount / /dev/vdb' in boot.read('console'), boot, 'the root on /dev/vdb')
        for key, name in wanted.items():
            check(found.get(key) == name, boot, f'{key} is {name}, not {found.get(key)}')


def case_virtio_unordered(session):
    """The control: without the holds, disks and cards of virtio get other names in some boot."""
    image = session.image('drivers', drivers=drivers(session, 'e1000e 8139cp 8139too'))
    seen = set()
    for number in range(8):
        attached = virtio_disks(session, 6, lambda number: 20)
        boot = session.boot('unordered', image, f'{ROOT} inorder.unordered', attached, cpus=machine.processors(4),
                            more=network_cards())
        seen.add(tuple(sorted(names_of(session, boot, attached).items())))
        if len(seen) > 1:
            return
    raise Failure(f'8 boots without order gave one naming, which an ordered boot could give by chance: {seen}')


def case_late(session):
    """Devices that are plugged in when every driver was tried, one after the other, on four buses; the last is the
    root."""
    attached, options = [], []
    for slot, bus in ((8, 'vblk'), (9, 'nvme'), (None, 'virtio'), (None, 'usb')):
        disk = disks.Disk(bus, 0, os.path.join(session.out, f'{bus}.img'))
        if bus == 'usb':
            disks.make_root(disk.path, session.rootinit)
        else:
            disks.make_empty(disk.path)
        attached.append(disk)
        options += ['-drive', f'if=none,id=late-{bus},file={disk.path},format=raw,cache=unsafe']
        if slot:
            options += ['-device', f'pcie-root-port,id=port-{bus},slot={slot},chassis={slot},addr={slot:#x}']
    monitor = Monitor()

    def plug(name, driver, **more):
        serial = f'{name.upper()}0'
        return lambda: monitor.execute('device_add', driver=driver, drive=f'late-{name}', serial=serial, **more)

    boot = session.boot('late', session.image('names'), f'{ROOT} rootwait loglevel=7', [], [
        (b'every driver was tried', plug('vblk', 'virtio-blk-pci', bus='port-vblk')),
        (b' [vda] ', plug('nvme', 'nvme', bus='port-nvme')),
        (b'nvme nvme0: ', plug('virtio', 'scsi-hd', bus='scsi.0')),
        (b'[sda] Attached', plug('usb', 'usb-storage', bus='xhci.0')),
    ], monitor=monitor, more=options)
    check_reaches(boot)
    report.check_disks(boot, attached)


def check_given_back(boot, *buses):
    console = boot.read('console')
    for bus in buses:
        check(f'inorder-root: autoprobe {bus} 1' in console, boot, f'the bus {bus} binds devices by itself')
    check('inorder-root: held' not in console, boot, 'no device of PCI is held')


def check_hand_over(session, name, words, gives_up=False):
    image = session.image('names')
    boot = session.boot(f'hand-over-{name}', image, f'{ROOT} {words}')
    check_reaches(boot)
    check_given_back(boot, 'scsi', 'virtio')
    died = len(re.findall('finisher: the process that names the disks died', boot.read('console')))
    wanted = len(words.split('kill=')[1].split(',')) if 'kill=' in words else 0
    check(died == wanted, boot, f'{wanted} processes that die, not {died}')
    check(('giving up' in boot.read('console')) == gives_up, boot, f'giving up: {gives_up}')
    if not gives_up:
        found = report.check_disks(boot, session.disks)
        check(found == names_in_order(session), boot, f'the names {names_in_order(session)}, not {found}')


def names_in_order(session):
    """The names of the usual machine: virtio's host adapter has the lower address, USB comes last."""
    order = [disk.serial for bus in ('virtio', 'ahci', 'usb') for disk in session.disks if disk.bus == bus]
    others = {'NVME0': 'nvme0n1', 'VBLK0': 'vda', 'VBLK1': 'vdb'}
    return {serial: f'sd{chr(97 + place)}' for place, serial in enumerate(order)} | others


def case_hand_over(session):
    """What finds the other disks is killed: at once, while ATA is looked at, and while USB is; twice in a boot, and once
    more than it is begun again. Every disk has its name; no device is held in the end. The machine is busy meanwhile."""
    session.cpus = machine.TWO_CPUS
    check_hand_over(session, 'early', 'rootinit.busy=2 rootinit.kill=0,7')
    check_hand_over(session, 'late', 'rootinit.kill=8,12')
    check_hand_over(session, 'never', 'rootinit.kill=0,0,0', gives_up=True)


if __name__ == '__main__':
    main(globals())
