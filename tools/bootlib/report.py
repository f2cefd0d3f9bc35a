# SPDX-License-Identifier: MIT
"""What the log of a boot says: the measured time and the names of the disks."""
import re

from .common import Failure

CARDS = 2

STAMP = r'^(?:<\d+>)?\[ *(\d+\.\d+)\] '
START = re.compile(STAMP + r'Run (\S+) as init process', re.M)
END = re.compile(STAMP + r'inorder-root: reached', re.M)
SETTLED = re.compile(STAMP + r'inorder-root: settled', re.M)
CARD = re.compile(STAMP + r'inorder-root: card (\S+) (\S+)', re.M)
DISK = re.compile(STAMP + r'inorder-root: disk (\S+) (?!-$)(\S+)', re.M)     # -: it has none, as a CD drive


def reached(boot):
    return END.search(boot.read('log')) is not None


def seconds(boot, until=END):
    """From the kernel's start of /init to a line of the real root's init."""
    log = boot.read('log')
    start, end = START.search(log), until.search(log)
    if not start or not end:
        raise Failure(f'{boot.files["log"]} does not show both the start of /init and what the root says')
    return float(end.group(1)) - float(start.group(1))


def disks(boot):
    """The names of the disks by their serial numbers, as the root's init saw them."""
    return disks_of(boot.read('log'), boot.files['log'])


def disks_of(log, path):
    """The same of a log's text."""
    found = {}
    for _, name, serial in DISK.findall(log):
        if serial in found:
            raise Failure(f'{path} names the disk {serial} twice')
        found[serial] = name
    return found


def cards(boot):
    """The names of the network interfaces by their addresses."""
    return {address: name for _, name, address in CARD.findall(boot.read('log'))}


def check_disks(boot, expected):
    """All disks of the machine must have been there."""
    found = disks(boot)
    missing = sorted({disk.serial for disk in expected} - set(found))
    if missing:
        raise Failure(f'{boot.files["log"]}: the root did not see the disks {", ".join(missing)}')
    return found


def check_names(boot, expected):
    """All disks and both network cards of the machine must have been there; returns all names."""
    found = cards(boot)
    if len(found) != CARDS:
        raise Failure(f'{boot.files["log"]}: the root saw {len(found)} network cards, not {CARDS}')
    return check_disks(boot, expected) | found


def naming(names):
    return ' '.join(f'{serial}={names[serial]}' for serial in sorted(names))
