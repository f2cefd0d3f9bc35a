#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""inorder-image as a command: image.py CASE SOURCE BUILD. Needs no machine, only the kernel's modules."""
import gzip
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
SOURCE, BUILD = (os.path.abspath(path) for path in sys.argv[2:4])
sys.path.insert(0, os.path.join(SOURCE, 'tools'))
from bootlib import kernel   # noqa: E402
from bootlib.common import Failure   # noqa: E402

IMAGE = os.path.join(BUILD, 'image/inorder-image')
INIT = '/bin/true'


def call(tree, *arguments, code=0, **environment):
    """Runs inorder-image; returns what it printed, on either stream."""
    command = [IMAGE, '--tree', tree, '--init', INIT, *arguments]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
                          env={**os.environ, **environment})
    if done.returncode != code:
        raise Failure(f'{" ".join(command)}: exit code {done.returncode}, not {code}:\n{done.stderr}')
    return done.stdout if code == 0 else done.stderr


def must(condition, expected):
    if not condition:
        raise Failure(f'expected: {expected}')


def read(path):
    with open(path, 'rb') as file:
        return file.read()


def unpack(archive):
    """The entries of a cpio archive in the newc format: path -> (header fields, content)."""
    entries, at = {}, 0
    while True:
        must(archive[at:at + 6] == b'070701', 'the magic of newc')
        fields = [int(archive[at + 6 + 8 * i:at + 14 + 8 * i], 16) for i in range(13)]
        name_end = at + 110 + fields[11]
        path = archive[at + 110:name_end - 1].decode()
        start = (name_end + 3) & ~3
        if path == 'TRAILER!!!':
            return entries
        entries[path] = (fields, archive[start:start + fields[6]])
        at = (start + fields[6] + 3) & ~3


def paths(listing):
    return [line.split(None, 1)[1] for line in listing.splitlines()]


def case_content(tree, folder):
    """Dependencies, soft dependencies, indexes, libraries; the folder of each entry before it."""
    version = os.path.basename(tree)
    out = os.path.join(folder, 'image')
    listing = paths(call(tree, '-m', 'ext4', '-m', 'virtio:d00000008v00001AF4', '-p', 'e2fsck', '-l', '-o', out))
    for name in ('jbd2.ko', 'mbcache.ko', 'crc32c_generic.ko', 'virtio_scsi.ko', 'scsi_mod.ko', 'scsi_common.ko'):
        must(any(path.endswith('/' + name) for path in listing), f'{name} in the image')
    for name in ('modules.dep', 'modules.dep.bin', 'modules.alias.bin', 'modules.softdep', 'modules.builtin.bin'):
        must(f'/lib/modules/{version}/{name}' in listing, f'{name} in the image')
    for path in ('/init', '/sbin/e2fsck', '/dev/console', '/proc', '/sys', '/run', '/root'):
        must(path in listing, f'{path} in the image')
    must(any('/libext2fs.so' in path for path in listing), "e2fsck's libraries in the image")
    must(not any('/libata.ko' in path for path in listing), 'nothing that was not asked for')
    must(listing == sorted(listing), 'sorted paths')
    entries = unpack(read(out))
    must(['/' + path for path in entries] == listing, 'the archive holds what --list prints')
    must(entries['init'][1] == read(INIT), '/init is the program given')
    must(entries['init'][0][1] == 0o100755, '/init can be executed')
    for path, (fields, _) in entries.items():
        must('/' not in path or os.path.dirname(path) in entries, f'a folder for {path}')
        must(fields[2:4] == [0, 0] and fields[5] == 0, f'{path} belongs to root and has no time')
    index = entries[f'lib/modules/{version}/modules.dep'][1].decode()
    must('ext4.ko' in index and 'libata' not in index, 'an index of exactly the modules in the image')


def case_same(tree, folder):
    """The same input gives the same bytes, whatever the machine's clock, zone and file times are."""
    first, second = (os.path.join(folder, name) for name in 'ab')
    for compression in ('none', 'gzip', 'zstd', 'lz4'):
        call(tree, '-m', 'ahci', '-c', compression, '-o', first)
        time.sleep(1.1)   # a time stamp in seconds would differ now
        call(tree, '-m', 'ahci', '-c', compression, '-o', second, TZ='Asia/Tokyo', TMPDIR=folder, LC_ALL='C')
        must(read(first) == read(second), f'the same bytes twice with {compression}')
    call(tree, '-m', 'ahci', '-o', second, SOURCE_DATE_EPOCH='1700000000')
    must(unpack(read(second))['init'][0][5] == 1700000000, 'SOURCE_DATE_EPOCH as the time of files')
    must('SOURCE_DATE_EPOCH' in call(tree, '-m', 'ahci', '-o', second, code=1, SOURCE_DATE_EPOCH='soon'), 'its name')


def case_compression(tree, folder):
    """Each compression in a form that the kernel reads."""
    plain, packed = (os.path.join(folder, name) for name in ('plain', 'packed'))
    call(tree, '-m', 'ahci', '-o', plain)
    call(tree, '-m', 'ahci', '-c', 'gzip', '-o', packed)
    must(gzip.decompress(read(packed)) == read(plain), 'the same archive from gzip')
    for compression, magic in (('zstd', b'\x28\xb5\x2f\xfd'), ('lz4', b'\x02\x21\x4c\x18')):
        call(tree, '-m', 'ahci', '-c', compression, '-o', packed)
        must(read(packed)[:4] == magic, f'the magic that the kernel expects of {compression}')
        done = subprocess.run([compression, '-dc', packed], capture_output=True, check=True)
        must(done.stdout == read(plain), f'the same archive from {compression}')


def case_wanted(tree, _folder):
    """The ways to ask for modules."""
    def modules(*arguments):
        return {os.path.basename(path) for path in paths(call(tree, '-l', *arguments)) if path.endswith('.ko')}
    must('libata.ko' in modules('-m', 'drivers/ata/') and 'pata_via.ko' in modules('-m', 'drivers/ata/'), 'a folder')
    must(modules('-m', 'no_such_module?', '-m', 'drivers/no_such/?') == set(), 'a missing module that may be missing')
    must(modules('-m', 'i8042') == set(), 'nothing for a driver that is built in')
    must(modules('-m', 'usb-storage') == modules('-m', 'usb_storage'), 'both spellings of a name')
    with tempfile.NamedTemporaryFile('w') as listed:
        listed.write('# disks\nahci  sd_mod # more\n\nnone_such?\n')
        listed.flush()
        must(modules('-M', listed.name) == modules('-m', 'ahci', '-m', 'sd_mod'), 'a list as the same words')


def case_errors(tree, folder):
    """What cannot be done is said with the name of it; the old image stays and nothing is left behind."""
    out = os.path.join(folder, 'image')
    with open(out, 'w', encoding='utf-8') as old:
        old.write('old')
    for arguments, word in ((['-m', 'no_such_module'], 'no_such_module'), (['-m', 'drivers/no_such/'], 'no_such'),
                            (['-p', 'no-such-program'], 'no-such-program'), (['-M', '/no/such/list'], '/no/such/list'),
                            (['-t', '/no/such/tree'], '/no/such/tree'), (['-t', folder], 'modules.dep.bin'),
                            (['-i', '/no/such/init'], '/no/such/init'), (['-f', '/etc/passwd:relative'], 'relative'),
                            (['-f', '/etc/passwd:/init'], '/init')):
        said = call(tree, *arguments, '-o', out, code=1, TMPDIR=folder)
        must(word in said and said.startswith('inorder-image: '), f'{word} in: {said}')
    said = call(tree, '-m', 'ahci', '-m', 'missing_one', '-m', 'missing_two', '-o', out, code=1, TMPDIR=folder)
    must('missing_one' in said and 'missing_two' in said, 'all missing modules in one go')
    must('no/such' in call(tree, '-o', '/no/such/folder/image', code=1, TMPDIR=folder), 'the name of the image')
    for arguments in ([], ['-o', out, 'word'], ['-o', out, '-c', 'rar'], ['--no-such-option'], ['-o']):
        must('--help' in call(tree, *arguments, code=2), f'a hint at --help for {arguments}')
    must(read(out) == b'old' and os.listdir(folder) == ['image'], 'the old image, and nothing else')
    must('Usage:' in call(tree, '--help') and call(tree, '--version').startswith('inorder-image '), 'help and version')


def case_full(tree, folder):
    """A write that fails half way leaves the old image as it was."""
    out = os.path.join(folder, 'image')
    with open(out, 'w', encoding='utf-8') as old:
        old.write('old')
    for compression in ('none', 'gzip', 'lz4'):
        done = subprocess.run([IMAGE, '-t', tree, '-i', INIT, '-m', 'ahci', '-c', compression, '-o', out], check=False,
                              env={**os.environ, 'TMPDIR': folder}, capture_output=True, text=True,
                              restore_signals=False,   # SIGXFSZ stays ignored: the write itself fails
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300000, 300000)))
        must(done.returncode == 1, f'exit code 1 with {compression}, not {done.returncode}: {done.stderr}')
        must('cannot write' in done.stderr, f'what cannot be written in: {done.stderr}')
        must(read(out) == b'old' and os.listdir(folder) == ['image'], 'the old image, and nothing else')


def interrupt(command, folder, phase):
    """Sends a signal once there is a file of that phase. Returns whether it came before the image was complete."""
    process = subprocess.Popen(command, env={**os.environ, 'TMPDIR': folder}, stderr=subprocess.PIPE)
    while process.poll() is None and not any(name.startswith(phase) for name in os.listdir(folder)):
        pass
    if process.returncode is None:
        process.send_signal(signal.SIGTERM)
    _, said = process.communicate()
    if process.returncode == 0:
        must(os.listdir(folder) == ['image'], f'nothing but the image, but there is {os.listdir(folder)}')
        os.unlink(os.path.join(folder, 'image'))
        return False
    must(process.returncode == 1, f'exit code 1 in {phase}, not {process.returncode}: {said.decode()}')
    must(os.listdir(folder) == [], f'nothing left after {phase}, but there is {os.listdir(folder)}')
    return True


def case_interrupt(tree, folder):
    """A signal leaves neither a half image nor temporary files, be it early or while the image is written."""
    command = [IMAGE, '-t', tree, '-i', INIT, '-m', 'drivers/net/', '-c', 'gzip', '-o', os.path.join(folder, 'image')]
    for phase in ('inorder-image.', 'image.'):
        # on a busy machine all may be done before this process has seen anything
        must(any(interrupt(command, folder, phase) for _ in range(50)), f'a signal in {phase}')


CASES = {name[5:]: function for name, function in globals().items() if name.startswith('case_')}


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in CASES:
        sys.exit(f'usage: image.py {"|".join(CASES)} SOURCE BUILD')
    tree = kernel.get(BUILD, print).modules
    with tempfile.TemporaryDirectory() as folder:
        CASES[sys.argv[1]](tree, folder)


if __name__ == '__main__':
    try:
        main()
    except Failure as failure:
        sys.exit(f'FAILED: {failure}')
