# SPDX-License-Identifier: MIT
"""A small machine in QEMU: a kernel, an initramfs with our init and some files, a script for it, the console."""
import os
import subprocess
import time

TWO_CPUS = ['-accel', 'tcg,thread=multi', '-smp', '2']


def entry(name, mode, data, number):
    """One file of a cpio archive (newc)."""
    path = name.encode() + b'\0'
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(path), 0)
    head = b'070701' + b''.join(b'%08X' % field for field in fields) + path
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


def archive(files):
    """files: name -> contents; those that begin as a program does are executable."""
    image, number = b'', 1
    for folder in ('dev', 'proc', 'sys', 'sbin'):
        image += entry(folder, 0o40755, b'', number)
        number += 1
    for name, data in files.items():
        image += entry(name, 0o100755 if data[:4] == b'\x7fELF' or data[:2] == b'#!' else 0o100644, data, number)
        number += 1
    return image + entry('TRAILER!!!', 0, b'', 0)


def boot(vmlinux, files, script, prefix, limit_s=120, arguments='', options=None):
    """Boots once and returns the console's text, and whether the machine had to be stopped."""
    with open(f'{prefix}.img', 'wb') as image:
        image.write(archive({**files, 'script': script.encode()}))
    command = ['qemu-system-x86_64', '-machine', 'q35', '-m', '768', '-nodefaults', '-no-user-config', '-display', 'none',
               '-no-reboot', '-kernel', vmlinux, '-initrd', f'{prefix}.img', '-serial', f'file:{prefix}.console',
               '-append', f'console=ttyS0 panic=-1 loglevel=7 printk.time=1 no_timer_check {arguments}', *(options or TWO_CPUS)]
    # no_timer_check: on a busy host QEMU's timer can be too late for the kernel's liking, and it would panic
    since = time.monotonic()
    stopped = False
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as machine:
        try:
            machine.wait(limit_s)
        except subprocess.TimeoutExpired:
            stopped = True
        finally:
            machine.kill()
    with open(f'{prefix}.console', encoding='utf-8', errors='replace') as console:
        text = console.read().replace('\r\n', '\n')
    return text, stopped, time.monotonic() - since


def module(path, work):
    """A module's contents without what debuggers want."""
    stripped = os.path.join(work, os.path.basename(path))
    subprocess.run(['strip', '--strip-debug', '-o', stripped, path], check=True)
    with open(stripped, 'rb') as file:
        return file.read()
