# SPDX-License-Identifier: MIT
"""One boot in QEMU: the command line, the limit, what came out."""
import contextlib
import os
import signal
import subprocess
import time

from .common import Failure

QEMU = 'qemu-system-x86_64'
PORTS = ('console', 'trace', 'log')
COMMAND_LINE = 'console=ttyS0 quiet panic=-1 printk.devkmsg=on log_buf_len=8M'
ICOUNT = ['-accel', 'tcg,thread=single', '-smp', '1', '-icount', 'shift=1,sleep=on',
          '-rtc', 'base=2024-01-01,clock=vm', '-seed', '1']
TWO_CPUS = ['-accel', 'tcg,thread=multi', '-smp', '2', '-rtc', 'base=2024-01-01']


class Boot:
    """What a boot left: its files, how long it took, and whether it had to be stopped."""

    def __init__(self, prefix):
        self.files = {port: f'{prefix}.{port}' for port in PORTS}
        self.seconds = 0.0
        self.stopped = False
        self.status = None

    def read(self, port):
        with contextlib.suppress(FileNotFoundError):
            with open(self.files[port], encoding='utf-8', errors='replace', newline='') as file:
                return file.read().replace('\r\n', '\n')
        return ''

    def tail(self, lines=30):
        return '\n'.join(self.read('console').rstrip().splitlines()[-lines:])


def attach(disks):
    """QEMU's options for the disks, each on its bus."""
    options = ['-device', 'virtio-scsi-pci,id=scsi', '-device', 'qemu-xhci,id=xhci']
    ahci = scsi = 0
    for disk in disks:
        name = disk.serial.lower()
        options += ['-drive', f'if=none,id={name},file={escape(disk.path)},format=raw,cache=unsafe']
        if disk.bus == 'ahci':
            device = f'ide-hd,bus=ide.{ahci}'
            ahci += 1
        elif disk.bus == 'virtio':
            device = f'scsi-hd,bus=scsi.0,scsi-id={scsi}'
            scsi += 1
        elif disk.bus == 'nvme':
            device = 'nvme'
        else:
            device = 'usb-storage,bus=xhci.0'
        options += ['-device', f'{device},drive={name},serial={disk.serial}']
    return options


def escape(path):
    """A comma in a value of QEMU's options is written twice."""
    return path.replace(',', ',,')


def command(kernel, image, disks, arguments, boot, icount=False):
    options = [QEMU, '-machine', 'q35', '-cpu', 'max', '-m', '1024', '-nodefaults', '-no-user-config',
               '-display', 'none', '-no-reboot', '-snapshot']
    options += ICOUNT if icount else TWO_CPUS
    options += ['-kernel', kernel.vmlinux, '-initrd', image,
                '-append', f'{COMMAND_LINE} {"nokaslr " if icount else ""}{arguments}']
    for port in PORTS:
        options += ['-chardev', f'file,id={port},path={escape(boot.files[port])}', '-serial', f'chardev:{port}']
    return options + attach(disks) + ['-netdev', 'hubport,id=net,hubid=0', '-device', 'e1000,netdev=net']


@contextlib.contextmanager
def started(options):
    """A QEMU of ours, in a process group of its own: whatever happens, it does not outlive us."""
    try:
        process = subprocess.Popen(options, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, start_new_session=True)
    except OSError as error:
        raise Failure(f'cannot start {QEMU}: {error.strerror}; is qemu-system-x86 installed?') from error
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        process.stdout.close()


def run(kernel, image, disks, arguments, prefix, limit_s, icount=False):
    """Boots once. A machine that is still on after limit_s seconds is stopped."""
    boot = Boot(prefix)
    for path in boot.files.values():
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    since = time.monotonic()
    with started(command(kernel, image, disks, arguments, boot, icount)) as process:
        try:
            output, _ = process.communicate(timeout=limit_s)
        except subprocess.TimeoutExpired:
            boot.stopped = True
            process.kill()
            output, _ = process.communicate()
    boot.seconds = time.monotonic() - since
    boot.status = process.returncode
    if not boot.stopped and boot.status:
        raise Failure(f'QEMU failed ({boot.status}): {output.decode(errors="replace").strip()}')
    return boot


def exit_on_signals():
    """SIGTERM and SIGHUP end the program as Ctrl-C does: with everything cleaned up."""
    def stop(number, _frame):
        raise KeyboardInterrupt(signal.Signals(number).name)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
