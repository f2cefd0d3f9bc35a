#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Debian systems with systemd, booted to the login by inorder-init and by initramfs-tools: debian.py [--only REGEX] SOURCE
BUILD. Instructions are counted, not time, so that systemd gives nothing up on a busy host. Skipped (77) where no Debian
can be made."""
import argparse
import os
import re
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), 'tools'))
from bootlib import debian, disks, machine   # noqa: E402
from bootlib.common import Failure, Progress, warn   # noqa: E402
from bootlib.session import Session   # noqa: E402

TRACE = 'inorder.trace=/run/inorder.trace'
# they are configured as soon as udev has settled, so they must be there by then
INTERFACES = ''.join(f'auto enp0s{slot}\niface enp0s{slot} inet static\n\taddress 10.0.{slot}.1/24\n' for slot in (6, 28))
FSTAB = {'ahci': 'AHCI2', 'nvme': 'NVME0', 'usb': 'USB0'}   # three buses; none has to do with the root


def must(condition, report, expected):
    if not condition:
        raise Failure(f'{report.path}: expected: {expected}')


def check_whole(report, initrd):
    """All units are good, and the journal is complete; ours is known to systemd, which does not check the root again."""
    must(report.parts['state'] == ['running'] and not report.parts['failed'], report, 'no failed unit')
    journal = '\n'.join(report.parts['journal'])
    for text in ('Linux version', 'Run /init as init process', 'mounted filesystem', 'Reached target multi-user.target'):
        must(text in journal, report, f'"{text}" in the journal')
    must('Missed ' not in journal, report, 'a journal without gaps')
    if initrd:
        must('inorder-init: fsck:' in journal, report, 'what inorder-init said in the journal')
        must('(initrd)' in report.parts['analyze'][0], report, 'the initramfs in systemd-analyze')
        must('ConditionResult=no' in report.parts['fsck'], report, 'no second check of the root')
        must(re.search('inorder-init: finisher: done.*Finished ifupdown-pre.service', journal, re.S), report,
             'no interface is configured before the finisher is done')


def by_disk(parts, part):
    """Mounts or links with each disk's serial number for its name, and without links that count how disks came: on a busy
    host initramfs-tools' boot names disks of AHCI as they answer, so another name is no other disk."""
    serials = dict(line.split() for line in parts['disks'])
    return [re.sub(r'[a-z]\w*', lambda word: serials.get(word[0], word[0]), line)
            for line in parts[part] if not line.startswith('./by-diskseq/')]


def case_same(session, root):
    """Beside initramfs-tools: the same disks, mounts, links and interfaces; the interfaces are up."""
    path = os.path.join(session.out, 'root.img')
    attached = [root.disk('virtio', 1, path, interfaces=INTERFACES) if disk.serial == disks.ROOT_SERIAL else disk
                for disk in session.disks]
    image = session.image(f'debian-{root.suite}', tree=root.kernel.modules)
    reports = {}
    for kind, initramfs in (('ours', image), ('theirs', root.initramfs)):
        prefix = os.path.join(session.out, f'debian-{root.suite}-{kind}')
        reports[kind] = debian.boot(root, initramfs, attached, prefix, TRACE, icount=True)
        check_whole(reports[kind], kind == 'ours')
    ours, theirs = reports['ours'].parts, reports['theirs'].parts
    must(sorted(line.split()[1] for line in ours['disks']) == sorted(line.split()[1] for line in theirs['disks']),
         reports['ours'], f'the same disks as with initramfs-tools: {theirs["disks"]}')
    for part in ('mounts', 'links', 'interfaces'):
        must(by_disk(ours, part) == by_disk(theirs, part), reports['ours'],
             f'the same {part} as with initramfs-tools: {theirs[part]}')
    for kind, report in reports.items():
        session.say(f'{root.suite} {kind}: login target {report.seconds("multi-user.target"):.3f} s after the kernel\'s '
                    'start')


def other_disks(session, root):
    """The machine with file systems on three more buses, which the root's fstab names."""
    lines = ''.join(f'LABEL=fs-{name} /srv/{name} ext4 defaults 0 2\n' for name in FSTAB)
    attached = []
    for disk in session.disks:
        if disk.serial == disks.ROOT_SERIAL:
            disk = root.disk('virtio', 1, os.path.join(session.out, 'root.img'), lines)
        for name, serial in FSTAB.items():
            if disk.serial == serial:
                disk = disks.Disk(disk.bus, int(serial[-1]), os.path.join(session.out, f'{serial}.img'))
                disks.make_ext4(disk.path, f'fs-{name}')
        attached.append(disk)
    return attached


def case_hand_over(session, root):
    """What finds the other disks is killed twice, on a busy machine: what fstab names is mounted all the same."""
    attached = other_disks(session, root)
    image = session.image(f'debian-{root.suite}', tree=root.kernel.modules)
    words = f'{TRACE} init=/usr/local/sbin/debian-busy debian.busy=1'
    for kill in ('0,8', '10'):
        report = debian.boot(root, image, attached, os.path.join(session.out, f'debian-{root.suite}-killed'),
                             f'{words} debian.kill={kill}', icount=True)
        journal = '\n'.join(report.parts['journal'])
        must(len(re.findall('debian-busy: killed', journal)) == len(kill.split(',')), report, f'kills at {kill} disks')
        must(report.parts['state'] == ['running'] and not report.parts['failed'], report, 'no failed unit')
        must('inorder-finisher.service' not in journal, report, 'no one waits for the finisher: no interface is auto')
        mounted = {line.split()[0] for line in report.parts['mounts']}
        must({f'/srv/{name}' for name in FSTAB} <= mounted, report, f'all of fstab mounted, not only {mounted}')


CASES = [(f'{case.__name__[5:]}-{suite}', case, suite) for case, suite in (
    (case_same, 'bookworm'), (case_same, 'trixie'), (case_hand_over, 'bookworm'))]


def main():
    parser = argparse.ArgumentParser(prog='debian.py', description=__doc__)
    parser.add_argument('--only', default='', metavar='REGEX', help='cases of ' + ', '.join(name for name, _, _ in CASES))
    parser.add_argument('source')
    parser.add_argument('build')
    options = parser.parse_args()
    machine.exit_on_signals()
    say = Progress().say
    session = Session(options.build, os.path.join(options.build, 'machine/tests/debian'), say, icount=True)
    for name, case, suite in CASES:
        if re.search(options.only, name):
            say(name)
            case(session, debian.get(options.build, suite, say))


if __name__ == '__main__':
    try:
        main()
    except debian.Missing as missing:
        warn(f'skipped: {missing}', 'debian.py')
        sys.exit(77)
    except Failure as failure:
        warn(failure, 'debian.py')
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
