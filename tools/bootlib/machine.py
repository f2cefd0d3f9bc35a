# SPDX-License-Identifier: MIT
"""One boot in QEMU: the command line, the limit, what came out."""
import contextlib
import ctypes
import os
import selectors
import signal
import subprocess
import time

from .common import Failure

PR_SET_PDEATHSIG = 1
END_SIGNALS = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
QEMU = 'qemu-system-x86_64'
PORTS = ('console', 'trace', 'log')
CONSOLES = {'trace': 0xe9, 'log': 0xea}   # the same files by debug consoles: see tools/rootinit.c
AHCI_PORTS = 6   # of a controller: the chip set's own, then further ones
# no_timer_check: on a busy host the kernel would take its timer for a broken one, and panic
ALWAYS = 'console=ttyS0 quiet panic=-1 printk.devkmsg=on no_timer_check'
COMMAND_LINE = f'{ALWAYS} log_buf_len=8M'
ICOUNT = ['-accel', 'tcg,thread=single', '-smp', '1', '-icount', 'shift=1,sleep=on',
          '-rtc', 'base=2024-01-01,clock=vm', '-seed', '1']
# two cards, no network behind them; the second one in a high slot, so that tests find the others free
NETWORK = ['-netdev', 'hubport,id=net,hubid=0', '-device', 'e1000,netdev=net,mac=52:54:00:00:00:01,romfile=',
           '-netdev', 'hubport,id=net1,hubid=0', '-device', 'virtio-net-pci,netdev=net1,mac=52:54:00:00:00:02,addr=0x1c,romfile=']


def processors(count):
    return ['-accel', 'tcg,thread=multi', '-smp', str(count), '-rtc', 'base=2024-01-01']


def model(name):
    return ['-cpu', name] if name else []


TWO_CPUS = processors(2)


class Boot:
    """What a boot left: its files, how long it took, and whether it had to be stopped."""

    def __init__(self, prefix):
        self.files = {port: f'{prefix}.{port}' for port in PORTS}
        self.seconds = 0.0
        self.stopped = False

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
    on_ahci = [disk for disk in disks if disk.bus == 'ahci']
    for number in range(1, -(-len(on_ahci) // AHCI_PORTS)):
        options += ['-device', f'ich9-ahci,id=ahci{number}']
    for disk in disks:
        name = disk.serial.lower()
        options += ['-drive', f'if=none,id={name},file={escape(disk.path)},format=raw,cache=unsafe{disk.limits}']
        if disk.bus == 'ahci':
            controller, port = divmod(ahci, AHCI_PORTS)
            device = f'ide-hd,bus={f"ahci{controller}" if controller else "ide"}.{port}'
            ahci += 1
        elif disk.bus == 'virtio':
            device = f'scsi-hd,bus=scsi.0,scsi-id={scsi}'
            scsi += 1
        elif disk.bus == 'nvme':
            device = 'nvme'
        elif disk.bus == 'vblk':
            device = 'virtio-blk-pci'
        else:
            device = 'usb-storage,bus=xhci.0'
        options += ['-device', f'{device},drive={name},serial={disk.serial}{disk.place}']
    return options


def escape(path):
    """A comma in a value of QEMU's options is written twice."""
    return path.replace(',', ',,')


def command(kernel, image, disks, arguments, boot, icount, cpus, more):
    options = [QEMU, '-machine', 'q35', '-m', '1024', '-nodefaults', '-no-user-config',
               '-display', 'none', '-no-reboot', '-snapshot']
    options += ICOUNT if icount else cpus
    options += ['-kernel', kernel.vmlinux, '-initrd', image,
                '-append', f'{COMMAND_LINE} {"nokaslr " if icount else ""}{arguments}']
    # the console is our standard input and output, so that someone can answer it
    options += ['-chardev', f'stdio,id=console,signal=off,logfile={escape(boot.files["console"])}']
    for port, address in CONSOLES.items():
        for name in (port, f'{port}-console'):
            options += ['-chardev', f'file,id={name},append=on,path={escape(boot.files[port])}']
        options += ['-device', f'isa-debugcon,iobase={address:#x},chardev={port}-console']
    for port in PORTS:
        options += ['-serial', f'chardev:{port}']
    return options + attach(disks) + NETWORK + list(more)


def _in_child():
    """Between fork and exec: signals as usual again, and an end with us even if we are killed."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, END_SIGNALS)


def _spawn(options, files):
    try:
        return subprocess.Popen(options, pass_fds=files, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                start_new_session=True, preexec_fn=_in_child)
    except OSError as error:
        raise Failure(f'cannot start {options[0]}: {error.strerror}; are the packages of tools/packages installed?'
                      ) from error


@contextlib.contextmanager
def started(options, files=()):
    """A machine of ours, in a session of its own: whatever happens, none of its processes outlives us."""
    # a signal between the fork and the try below would leave it running
    before = signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
    try:
        process = _spawn(options, files)
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for stream in (process.stdin, process.stdout, process.stderr):
                with contextlib.suppress(OSError):
                    stream.close()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def attend(process, dialogue, limit_s, copy=None):
    """Reads the console until the machine is off, and answers: dialogue is a list of (what it says, our answer); an
    answer that is a function is called, and may do anything to the machine.
    A file that is given gets all of it. Returns what QEMU itself said, or None if time ran out: a moment in which this
    host stood still, and the machine with it, counts as a second."""
    heard, errors = b'', b''
    now = time.monotonic()
    with selectors.DefaultSelector() as selector:
        for stream in (process.stdout, process.stderr):
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(min(1, limit_s))
            before, now = now, time.monotonic()
            limit_s -= min(1, now - before)
            if limit_s <= 0:
                return None
            for key, _ in ready:
                data = os.read(key.fd, 65536)
                if not data:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    errors += data
                else:
                    if copy:
                        copy.write(data)
                    heard = heard + data if dialogue else b''
                    while dialogue and dialogue[0][0] in heard:
                        said, answer = dialogue.pop(0)
                        heard = heard[heard.index(said) + len(said):]
                        if callable(answer):
                            answer()
                        else:
                            process.stdin.write(answer)
                            process.stdin.flush()
    return errors.decode(errors='replace').strip()


def run(kernel, image, disks, arguments, prefix, limit_s, icount=False, dialogue=None, cpus=TWO_CPUS, more=(),
        monitor=None):
    """Boots once. A machine that is still on after limit_s seconds is stopped. more: options for QEMU; monitor: see
    monitor.py."""
    boot = Boot(prefix)
    for path in boot.files.values():
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
    since = time.monotonic()
    options = command(kernel, image, disks, arguments, boot, icount, cpus, more)
    files = ()
    if monitor:
        options += monitor.options()
        files = (monitor.theirs.fileno(),)
    with started(options, files) as process:
        if monitor:
            monitor.started()
        said = attend(process, list(dialogue or []), limit_s)
        boot.stopped = said is None
        if boot.stopped:
            process.kill()
        status = process.wait()
    boot.seconds = time.monotonic() - since
    if not boot.stopped and status:
        raise Failure(f'QEMU failed ({status}): {said}')
    return boot


def exit_on_signals():
    """SIGTERM and SIGHUP end the program as Ctrl-C does: with everything cleaned up."""
    def stop(number, _frame):
        raise KeyboardInterrupt(signal.Signals(number).name)
    for number in END_SIGNALS - {signal.SIGINT}:
        signal.signal(number, stop)
