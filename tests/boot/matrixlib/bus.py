# SPDX-License-Identifier: MIT
"""Disks on buses: a word such as 'scsi:name.2,ro' means: the second disk of the recipe name, read-only, on virtio-scsi.

Without a number it is the first; '-' instead of a name is an empty disk; options follow after commas: ro; keep, what is
written stays; iops=N, it answers so many reads a second; late=N, it is plugged in N seconds after the start; in, it is
plugged in, and out, it is pulled out, when the row says so; bus=ID, on that one of QEMU's."""
import itertools

from bootlib.machine import escape

# What a bus needs before its disks, or with {n} before each, and a disk of it; {n} counts the disks of the bus.
BUSES = {
    'scsi': (['virtio-scsi-pci,id=vscsi'], 'scsi-hd,bus=vscsi.0,scsi-id={n}'),
    'blk': ([], 'virtio-blk-pci'),
    'mmio': ([], 'virtio-blk-device'),
    'ahci': (['ich9-ahci,id=ahci'], 'ide-hd,bus=ahci.{n}'),
    'ide': ([], 'ide-hd,bus=ide.{n}'),
    'nvme': ([], 'nvme'),
    'usb': (['qemu-xhci,id=xhci'], 'usb-storage,bus=xhci.0'),
    'usbhub': (['qemu-xhci,id=xhcih', 'usb-hub,bus=xhcih.0,port=1'], 'usb-storage,bus=xhcih.0,port=1.{n1}'),
    'ehci': (['usb-ehci,id=ehci'], 'usb-storage,bus=ehci.0'),
    'uas': (['qemu-xhci,id=xhciu', 'usb-uas,id=uas,bus=xhciu.0'], 'scsi-hd,bus=uas.0,scsi-id=0,lun={n}'),
    'sd': (['sdhci-pci,id=sdhci{n}'], 'sd-card,bus=pcie.0/sdhci{n}/sd-bus'),
    'lsi': (['lsi53c895a,id=lsi'], 'scsi-hd,bus=lsi.0,scsi-id={n}'),
    'mega': (['megasas,id=mega'], 'scsi-hd,bus=mega.0,scsi-id={n}'),
    'pvscsi': (['pvscsi,id=pvscsi'], 'scsi-hd,bus=pvscsi.0,scsi-id={n}'),
    'mega2': (['megasas-gen2,id=mega2'], 'scsi-hd,bus=mega2.0,scsi-id={n}'),
    'amd': (['am53c974,id=amd'], 'scsi-hd,bus=amd.0,scsi-id={n}'),
    'cd': (['ich9-ahci,id=ahcicd'], 'ide-cd,bus=ahcicd.{n}'),
}


class Disk:
    """One word of a row's disks."""

    def __init__(self, word):
        self.bus, _, rest = word.partition(':')
        name, *self.options = rest.split(',')
        self.recipe, _, number = name.partition('.')
        self.number = int(number or 1)
        values = dict(each.split('=') for each in self.options if '=' in each)
        self.reads_per_second = values.get('iops')
        self.late_s = int(values.get('late', 0))
        self.turns = [option for option in self.options if option in ('in', 'out')]
        self.place = f',bus={values["bus"]}' if 'bus' in values else ''
        self.is_empty = self.recipe == '-'
        if self.is_empty:
            self.recipe = ''
        self.serial = f'{self.recipe or "empty"}.{self.number}'


def attach(disks, path_of):
    """QEMU's options, and (when, device) of what is plugged in later, or pulled out (-ID): after so many seconds, or 'in',
    'out'. Nothing is written to the files: every disk is a snapshot, unless it says keep."""
    options, late, counts, serials = [], [], {}, set()
    for number, disk in enumerate(disks):
        before, device = BUSES[disk.bus]
        count = counts.setdefault(disk.bus, itertools.count())
        place = next(count)
        for each in before:
            if not place or '{n}' in each:
                options += ['-device', each.format(n=place)]
        if disk.is_empty:
            source = 'driver=null-co,size=16M,read-zeroes=on'
        else:
            source = f'file={escape(path_of(disk.recipe, disk.number))},format=raw,cache=unsafe'
            source += ',readonly=on' if 'ro' in disk.options or disk.bus == 'cd' else ''
            source += '' if 'keep' in disk.options or 'ro' in disk.options or disk.bus == 'cd' else ',snapshot=on'
        if disk.reads_per_second:
            source += f',throttling.iops-total={disk.reads_per_second}'
        options += ['-drive', f'if=none,id=disk{number},{source}']
        serial = disk.serial if disk.serial not in serials else f'{disk.serial}.{number}'
        serials.add(serial)
        device = device.format(n=place, n1=place + 1) + f'{disk.place},drive=disk{number}'
        device += '' if disk.bus == 'sd' else f',serial={serial}'
        if 'out' in disk.turns:
            device += f',id=out{number}'
            late.append(('out', f'-out{number}'))
        if disk.late_s or 'in' in disk.turns:
            late.append((disk.late_s or 'in', device))
        else:
            options += ['-device', device]
    return options, late
