#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Boots of whole machines in QEMU: boot.py CASE SOURCE BUILD. Each case is a function whose name begins with case_.

A machine has one processor where a case does not say otherwise: emulated, two take twice the time of the host for one boot."""
import os
import re
import sys

sys.dont_write_bytecode = True
SOURCE, BUILD = (os.path.abspath(path) for path in sys.argv[2:4])
sys.path.insert(0, os.path.join(SOURCE, 'tools'))
from bootlib import disks, machine, report   # noqa: E402
from bootlib.common import Failure, Progress   # noqa: E402
from bootlib.session import DRIVERS, ROOT, Session   # noqa: E402

UNSIGNED = 'module verification failed'   # of the kernel, at the first module that it loads so
NO_ROOT = 'root=LABEL=nowhere rootfstype=ext4 ro rootwait=2'


def check(condition, boot, expected):
    """Fails with the end of the console if a boot did not do what is expected."""
    if not condition:
        raise Failure(f'expected: {expected}. The end of {boot.files["console"]}:\n{boot.tail()}')


def check_says(boot, *patterns):
    console = boot.read('console')
    for pattern in patterns:
        check(re.search(pattern, console), boot, f"the console says '{pattern}'")


def check_powers_off(boot):
    check(not boot.stopped, boot, 'the machine powers off by itself')
    check_says(boot, 'reboot: (Power down|Restarting system)')
    check('Kernel panic' not in boot.read('console'), boot, 'no kernel panic')


def check_fails(boot, *patterns):
    """A boot that cannot reach the root says why, and powers off."""
    check(not report.reached(boot), boot, 'the root is not reached')
    check_says(boot, *patterns)
    check_powers_off(boot)


def check_reaches(boot):
    check(report.reached(boot), boot, 'the real root is reached')
    check_powers_off(boot)


def case_kernel(session):
    """Downloads and unpacks the kernel, which the other tests then find."""
    session.say(f'{session.kernel.vmlinux}, {session.kernel.modules}')


def first_call(boot):
    """The name of the call with the lowest cookie in process 1."""
    calls = re.findall(r'"pid":1,.*"ev":"completed","cookie":(\d+),.*"name":"(\w+)"', boot.read('trace'))
    return min((int(cookie), name) for cookie, name in calls)[1]


def case_names(session):
    """Both kinds of boot reach the root, leave a trace, and name disks and network cards alike. One skips signatures; in the
    other the first call is the load of what makes their check faster."""
    session.processor = 'qemu64,+ssse3'
    image = session.image('names')
    session.cpus = machine.TWO_CPUS
    found = {}
    for kind, words in (('serial', ' inorder.serial inorder.signatures=skip'), ('async', '')):
        boot = session.boot(f'names-{kind}', image, ROOT + words)
        check_reaches(boot)
        check(boot.read('trace').strip(), boot, 'a trace')
        check((UNSIGNED in boot.read('log')) == (kind == 'serial'), boot, 'signatures skipped where asked for alone')
        check((first_call(boot) == 'sha256_ssse3') == (kind == 'async'), boot, 'the digest first where signatures are checked')
        found[kind] = report.check_names(boot, session.disks)
        session.say(f'{kind}: {report.seconds(boot):.3f} s, {report.naming(found[kind])}')
    if found['serial'] != found['async']:
        raise Failure('there are other names: ' + '; '.join(map(report.naming, found.values())))


def case_signatures(session):
    """A kernel that insists on signatures gets them, whatever the command line says."""
    boot = session.boot('signatures', session.image('names'), f'{ROOT} module.sig_enforce=1 inorder.signatures=skip')
    check_reaches(boot)
    check('Loading of unsigned module is rejected' in boot.read('log'), boot, 'a load without signature was tried')
    check(UNSIGNED not in boot.read('log'), boot, 'no module was loaded without its signature')
    report.check_names(boot, session.disks)


def case_no_root(session):
    boot = session.boot('no-root', session.image('names'), NO_ROOT)
    check_fails(boot, r'inorder-init: .*LABEL=nowhere')


def case_shell(session):
    """The same with a shell in the image: it is run, and can be used. The empty panic= takes back the machine's own."""
    image = session.image('shell', options=['--shell'])
    talk = [(b'# ', b'echo sum=$((40+2))\n'), (b'sum=42', b'exit\n')]
    boot = session.boot('shell', image, NO_ROOT + ' panic=', dialogue=talk)
    check_says(boot, r'inorder-init: .*LABEL=nowhere', r'\nsum=42')
    check(not report.reached(boot), boot, 'the root is not reached')
    check(not boot.stopped, boot, 'the machine ends when the shell does')


def replaced(session, serial, make, *arguments):
    """The machine's disks with another one in the place of one of them."""
    disk = next(each for each in session.disks if each.serial == serial)
    other = disks.Disk(disk.bus, int(serial[-1]), os.path.join(session.out, f'{serial}.img'))
    make(other.path, *arguments)
    return [other if each is disk else each for each in session.disks]


def case_bad_fs(session):
    attached = replaced(session, disks.ROOT_SERIAL, disks.make_broken, disks.ROOT_LABEL)
    boot = session.boot('bad-fs', session.image('names'), ROOT, attached)
    check_fails(boot, r'inorder-init: .*check.*/dev/sd[a-z]')


def case_missing_module(session):
    """An image without the driver of the root's file system."""
    drivers = os.path.join(session.out, 'no-ext4.modules')
    with open(DRIVERS, encoding='utf-8') as whole, open(drivers, 'w', encoding='utf-8') as part:
        part.write(re.sub(r'\bext4\b', '', whole.read()))
    boot = session.boot('missing-module', session.image('no-ext4', drivers=drivers), ROOT)
    check_fails(boot, r'inorder-init: .*ext4')


def mirrored(session, label):
    """The machine's disks, two of which, on two buses, are a RAID1 with a root on it."""
    attached = list(session.disks)
    paths = []
    for serial in ('AHCI2', 'VIRTIO2'):
        index = next(i for i, each in enumerate(attached) if each.serial == serial)
        paths.append(os.path.join(session.out, f'{serial}.img'))
        attached[index] = disks.Disk(attached[index].bus, int(serial[-1]), paths[-1])
    disks.make_mirror(paths, 'mirror', session.rootinit, label)
    return attached


def boot_mirror(session, name, attached, words):
    """Boots from the mirror with more words on the command line."""
    boot = session.boot(name, session.image('raid', programs=('e2fsck', 'mdadm')),
                        ROOT.replace(disks.ROOT_LABEL, 'inorder-mirror') + words, attached)
    check_reaches(boot)
    check_says(boot, r'mount / /dev/md\S+ ext4')
    return boot


def case_raid(session):
    """The root is on a RAID1, which starts whole."""
    attached = mirrored(session, 'inorder-mirror')
    for kind, words in (('serial', ' inorder.serial'), ('async', '')):
        boot = boot_mirror(session, f'raid-{kind}', attached, words)
        check('active with 2 out of 2 mirrors' in boot.read('log'), boot, 'both mirrors (in the log)')
        check('raid: ' not in boot.read('console'), boot, 'no complaint about an array whose members are all there')
        report.check_disks(boot, attached)


def case_raid_degraded(session):
    """One of the two disks is gone: the array runs with the other one after the wait; a message reports it."""
    attached = [disk for disk in mirrored(session, 'inorder-mirror') if disk.serial != 'VIRTIO2']
    session.icount = True   # the disks are there within rootwait however slow the host is
    boot = boot_mirror(session, 'raid-degraded', attached, ' rootwait=4')
    check('active with 1 out of 2 mirrors' in boot.read('log'), boot, 'one mirror (in the log)')
    check_says(boot, r'inorder-init: raid: ')


def main(functions):
    """Runs the case that the command line names, one of these functions."""
    cases = {name[5:]: function for name, function in functions.items() if name.startswith('case_')}
    if len(sys.argv) != 4 or sys.argv[1] not in cases:
        sys.exit(f'usage: {os.path.basename(sys.argv[0])} {"|".join(cases)} SOURCE BUILD')
    machine.exit_on_signals()
    out = os.path.join(BUILD, 'machine', 'tests', sys.argv[1])
    try:
        cases[sys.argv[1]](Session(BUILD, out, Progress().say, limit_s=600, cpus=machine.processors(1)))
    except Failure as failure:
        sys.exit(f'FAILED: {failure}')


if __name__ == '__main__':
    main(globals())
