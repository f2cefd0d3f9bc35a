#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""inorder-image as a command: image.py CASE SOURCE BUILD. Needs no machine, only the kernel's modules."""
import contextlib
import fcntl
import gzip
import json
import os
import pty
import random
import re
import resource
import shutil
import signal
import socket
import stat
import struct
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
    for compression in ('none', 'gzip', 'zstd', 'lz4', 'xz'):
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
    archive = gzip.decompress(read(packed))
    must(read(plain).startswith(archive), 'the same archive from gzip')
    tail = gzip.decompress(read(plain)[len(archive):])
    must(unpack(tail) == {}, 'an empty archive after the uncompressed one: unmkinitramfs wants one')
    for compression, magic in (('zstd', b'\x28\xb5\x2f\xfd'), ('lz4', b'\x02\x21\x4c\x18'),
                               ('xz', b'\xfd7zXZ\0\0\x01')):   # 01: CRC32, the one check that the kernel knows
        call(tree, '-m', 'ahci', '-c', compression, '-o', packed)
        must(read(packed).startswith(magic), f'the magic that the kernel expects of {compression}')
        done = subprocess.run([compression, '-dc', packed], capture_output=True, check=True)
        must(done.stdout == archive, f'the same archive from {compression}')


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
    """What cannot be done is reported by name; the old image stays and nothing is left behind."""
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


def archives(data):
    """The archives of an image that is not compressed, each as its entries."""
    found = []
    while data.startswith(b'070701'):
        found.append(unpack(data))
        end = data.index(b'TRAILER!!!\0') + 11
        while end < len(data) and data[end] == 0:
            end += 1
        data = data[end:]
    return found


def write(path, data=b'', mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as file:
        file.write(data)
    os.chmod(path, mode)


def case_files(tree, folder):
    """Files, links, hard links, folders and devices come as they are; the permissions too: a key stays secret."""
    there, out = os.path.join(folder, 'there'), os.path.join(folder, 'image')
    write(f'{there}/key', b'secret', 0o600)
    write(f'{there}/sub/one', b'twice', 0o755)
    os.link(f'{there}/sub/one', f'{there}/sub/two')
    os.symlink('../key', f'{there}/sub/link')
    os.symlink('nowhere', f'{there}/sub/dangling')
    os.mkdir(f'{there}/sub/empty', 0o700)
    os.mkfifo(f'{there}/pipe', 0o600)
    call(tree, '-d', f'{there}:/etc/there', '-f', '/dev/null', '-f', '/dev/zero:/dev/other', '-o', out)
    entries = archives(read(out))[0]

    def mode(path):
        return entries[path][0][1]
    must(mode('etc/there/key') == 0o100600 and entries['etc/there/key'][1] == b'secret', 'a file with its permissions')
    must(mode('etc/there/sub/empty') == 0o40700 and mode('etc/there/pipe') == 0o10600, 'an empty folder, a pipe')
    must(mode('etc/there/sub/link') == 0o120777 and entries['etc/there/sub/link'][1] == b'../key', 'a link')
    must(entries['etc/there/sub/dangling'][1] == b'nowhere', 'a link that leads nowhere')
    one, two = entries['etc/there/sub/one'], entries['etc/there/sub/two']
    must(one[0][0] == two[0][0] and one[0][4] == two[0][4] == 2, 'two names of one inode')
    must((one[1], two[1]) == (b'twice', b''), 'its content once')
    must(mode('dev/null') == 0o20666 and entries['dev/null'][0][9:11] == [1, 3], 'a device')
    must(entries['dev/other'][0][9:11] == [1, 5], 'a device at another place')
    if shutil.which('cpio'):
        with open(out, 'rb') as archive:
            subprocess.run(['cpio', '-i', '--quiet', '--no-absolute-filenames', '-D', there], stdin=archive, check=True)
        must(read(f'{there}/etc/there/sub/two') == b'twice', 'that cpio understands the hard link')
    call(tree, '-f', f'{there}/sub/link', '-f', f'{there}/sub/link:/etc/copy', '-o', out)
    entries = archives(read(out))[0]
    must(entries['etc/copy'][1] == b'secret', 'with a place: what the link leads to')
    must(entries[there[1:] + '/sub/link'][1] == b'../key' and there[1:] + '/key' in entries, 'without: both')
    with socket.socket(socket.AF_UNIX) as unix:
        unix.bind(f'{there}/socket')
        must('--omit' in call(tree, '-d', f'{there}:/x', '-o', out, code=1), 'what to do about a socket')
        call(tree, '-d', f'{there}:/x', '--omit', '/x/sock*', '-o', out)
    for arguments, word in ((['-f', there], '--add-dir'), (['-d', f'{there}/key'], 'Not a directory'),
                            (['-d', '/no/such'], '/no/such'), (['-f', '/no/such'], '/no/such'),
                            (['-f', '/etc/passwd:/a', '-f', '/etc/passwd:/a/b'], 'no folder')):
        must(word in call(tree, *arguments, '-o', out, code=1), f'{word} for {arguments}')


def case_packed(tree, folder):
    """Modules that are compressed where they are stand in the image as they are loaded, also for check."""
    version, out = os.path.basename(tree), os.path.join(folder, 'image')
    names = [path for path in paths(call(tree, '-m', 'ext4', '-l')) if path.endswith('.ko')]
    packed = os.path.join(folder, f'lib/modules/{version}')
    for number, path in enumerate(names):
        place = folder + path
        write(place, read(tree + path[len(f'/lib/modules/{version}'):]))
        subprocess.run([['xz', '--check=crc32'], ['zstd', '-q', '--rm']][number % 2] + [place], check=True)
    for name in ('modules.order', 'modules.builtin', 'modules.builtin.modinfo'):
        shutil.copy(os.path.join(tree, name), packed)
    subprocess.run(['depmod', '-b', folder, version], check=True)
    call(packed, '-m', 'ext4', '-o', out)
    must(len(names) > 3 and names == [path for path in paths(call(packed, '-m', 'ext4', '-l')) if '.ko' in path], 'the same')
    entries = unpack(read(out))
    for path in names:
        must(entries[path[1:]][1] == read(tree + path[len(f'/lib/modules/{version}'):]), f'{path} as it was')
    must('.ko.' not in entries[f'lib/modules/{version}/modules.dep'][1].decode(), 'indexes of these files')
    bad = [os.path.join(place, name) for place, _, files in os.walk(packed) for name in files if name.startswith('ext4.ko')][0]
    os.truncate(bad, os.path.getsize(bad) // 2)
    must(bad in call(packed, '-m', 'ext4', '-o', out, code=1), 'the module that cannot be unpacked')


def case_omit(tree, folder):
    """What is to stay out stays out, whoever wants it; a pattern that fits nothing is named."""
    listing = paths(call(tree, '-m', 'ext4', '-p', 'e2fsck', '--omit', 'mbcache', '--omit', 'crc32c-*',
                         '--omit', '/sbin', '-l'))
    must(any('/ext4.ko' in path for path in listing), 'ext4')
    must(not any('mbcache' in path or 'crc32c' in path or '/sbin' in path for path in listing), 'nothing omitted')
    done = subprocess.run([IMAGE, '-t', tree, '-i', INIT, '--omit', 'nothing', '-o', os.path.join(folder, 'image')],
                          check=True, capture_output=True, text=True)
    must("warning: '--omit nothing'" in done.stderr, f'a warning in: {done.stderr}')


def case_firmware(tree, folder):
    """Firmware that a module names; what is missing is one warning a module."""
    root, out = os.path.join(folder, 'firmware'), os.path.join(folder, 'image')
    write(f'{root}/e100/real', b'one')
    os.symlink('real', f'{root}/e100/d101m_ucode.bin')
    write(f'{root}/updates/e100/d101s_ucode.bin', b'new')
    write(f'{root}/e100/d101s_ucode.bin', b'old')
    write(f'{root}/unrelated.bin')
    done = subprocess.run([IMAGE, '-t', tree, '-i', INIT, '-m', 'e100', '--firmware', root, '-o', out], check=True,
                          capture_output=True, text=True)
    entries = archives(read(out))[0]
    must(entries['lib/firmware/e100/d101m_ucode.bin'][1] == b'real', 'a link as a link')
    must(entries['lib/firmware/e100/real'][1] == b'one', 'and what it leads to')
    must(entries['lib/firmware/updates/e100/d101s_ucode.bin'][1] == b'new', 'what the kernel would take')
    must('lib/firmware/unrelated.bin' not in entries, 'nothing else')
    must(done.stderr.count('\n') == 1 and '1 of the 3' in done.stderr and 'd102e' in done.stderr,
         f'one warning in: {done.stderr}')
    write(f'{root}/e100/d102e_ucode.bin.xz', b'xz')
    done = subprocess.run([IMAGE, '-t', tree, '-i', INIT, '-m', 'e100', '--firmware', root, '-o', out], check=True,
                          capture_output=True, text=True)
    must(not done.stderr and 'lib/firmware/e100/d102e_ucode.bin.xz' in archives(read(out))[0], 'a compressed one')


def case_microcode(tree, folder):
    """Microcode comes first and uncompressed, so that the kernel finds it."""
    root, out = os.path.join(folder, 'firmware'), os.path.join(folder, 'image')
    for name, data in (('06-5e-03', b'second'), ('06-4f-01', b'first')):
        write(f'{root}/intel-ucode/{name}', data)
    write(f'{root}/amd-ucode/microcode_amd.bin', b'amd')
    write(f'{root}/amd-ucode/microcode_amd.bin.asc', b'a signature')
    call(tree, '--firmware', root, '--microcode', 'all', '-o', out)
    early, main, *_ = archives(read(out))
    must(early['kernel/x86/microcode/GenuineIntel.bin'][1] == b'firstsecond', 'all of Intel, sorted')
    must(early['kernel/x86/microcode/AuthenticAMD.bin'][1] == b'amd', 'all of AMD')
    must('init' in main and 'init' not in early, 'the rest after it')
    call(tree, '--firmware', root, '--microcode', 'all', '-c', 'zstd', '-o', out)
    must(archives(read(out))[0].keys() == early.keys(), 'uncompressed, whatever the rest is')
    if shutil.which('lsinitramfs'):
        done = subprocess.run(['lsinitramfs', out], capture_output=True, text=True, check=True)
        must('init' in done.stdout.split() and 'kernel/x86' in done.stdout, 'both for lsinitramfs')
    call(tree, '--firmware', root, '--microcode', 'host', '-o', out)
    call(tree, '--microcode', 'some', '-o', out, code=2)


def case_libraries(tree, folder):
    """A script brings the program that runs it; cryptsetup the library that its threads open."""
    write(f'{folder}/script', b'#! /bin/sh -e\necho\n', 0o755)
    listing = paths(call(tree, '-p', f'{folder}/script:/bin/script', '-l'))
    must('/bin/script' in listing and '/bin/sh' in listing and any('libc.so' in path for path in listing), 'a shell')
    write(f'{folder}/script', b'#!\n', 0o755)
    must('script' in call(tree, '-p', f'{folder}/script:/bin/script', '-l', code=1), 'a script that nothing runs')
    if not shutil.which('cryptsetup', path='/sbin:/usr/sbin:/bin:/usr/bin'):
        sys.exit(77)
    listing = paths(call(tree, '-p', 'cryptsetup', '-l'))
    must(any('libgcc_s.so' in path for path in listing), 'libgcc_s.so.1')
    must(any('libcryptsetup.so' in path for path in listing), 'libcryptsetup.so')


def with_debug_info(program):
    """A program as a compiler leaves it: behind what is loaded stand debug information and a table of sections."""
    names = b'\0.debug_info\0'
    body = program + b'debug' * 20000 + names + bytes(-(len(program) + 100000 + len(names)) % 8)
    at = len(program) + 100000
    sections = bytes(64) + struct.pack('<IIQQQQIIQQ', 1, 1, 0, 0, len(program), 100000, 0, 0, 1, 0) + \
        struct.pack('<IIQQQQIIQQ', 0, 3, 0, 0, at, len(names), 0, 0, 1, 0)
    head = bytearray(body[:64])
    struct.pack_into('<Q', head, 0x28, len(body))
    struct.pack_into('<HHH', head, 0x3a, 64, 3, 2)
    return bytes(head) + body[64:] + sections


def case_trimmed(tree, folder):
    """A program's debug information stays out, and it runs; one that has something of its own at its end is whole."""
    source, out, got = (os.path.join(folder, name) for name in ('source', 'image', 'got'))
    write(source, with_debug_info(read(INIT)), 0o755)
    listed = call(tree, '-p', f'{source}:/bin/tool', '-l', '-o', out)
    write(got, tool('cat', out, '/bin/tool'), 0o755)
    must(os.path.getsize(got) <= os.path.getsize(INIT), f'no debug information: {os.path.getsize(got)} bytes')
    must(f'{os.path.getsize(got):9} /bin/tool' in listed, f'its size in: {listed}')
    subprocess.run([got], check=True)
    write(source, read(source) + b'own', 0o755)
    call(tree, '-p', f'{source}:/bin/tool', '-o', out)
    must(tool('cat', out, '/bin/tool') == read(source), 'a whole program')


def tool(*arguments, code=0, data=None):
    """Runs a command that looks at images; returns its output, or what it said if it failed."""
    done = subprocess.run([IMAGE, *arguments], input=data, stdin=None if data else subprocess.DEVNULL,
                          capture_output=True, check=False)
    must(done.returncode == code, f'exit code {code} of {arguments}, not {done.returncode}: {done.stderr.decode()}')
    return done.stdout if not done.stderr else done.stderr.decode()


def case_look(tree, folder):
    """ls, cat, unpack and diff on what build makes, however compressed."""
    plain, packed, other, there = (os.path.join(folder, name) for name in ('plain', 'packed', 'other', 'there'))
    listed = paths(call(tree, '-m', 'ahci', '-f', '/bin/sh', '-l', '-o', plain))
    for compression in ('gzip', 'zstd', 'lz4', 'xz'):
        call(tree, '-m', 'ahci', '-f', '/bin/sh', '-c', compression, '-o', packed)
        lines = tool('ls', packed).decode().splitlines()
        must([line[line.index('/'):] for line in lines] == listed, f'ls of {compression}, as build lists it')
        must(tool('diff', plain, packed) == b'', f'no difference with {compression}')
    must(tool('ls', '-', data=read(packed)) == tool('ls', packed), 'an image from standard input')
    objects = {item['path']: item for item in json.loads(tool('ls', '--json', packed))}
    must([name for name in listed if name.split(' ->')[0] not in objects] == [], 'all paths in JSON')
    must(objects['/dev/console'] == {'path': '/dev/console', 'mode': 'crw-------', 'bytes': 0, 'major': 5, 'minor': 1},
         'a device in JSON')
    must(tool('cat', packed, '/init', 'init') == read(INIT) * 2, 'the content of a file, twice')
    must(tool('cat', packed, '/bin/sh') == read('/bin/sh'), 'through a link')
    must('no/such' in tool('cat', packed, 'no/such', code=1) and 'regular' in tool('cat', packed, 'dev', code=1), 'why')
    call(tree, '-m', 'nvme', '-o', other)
    changes = {item['path']: item for item in json.loads(tool('diff', '--json', plain, other, code=1))}
    must(changes['/bin/dash']['change'] == 'gone' and changes['/bin/dash']['after'] == 0, 'what is gone')
    must(changes[f'/lib/modules/{os.path.basename(tree)}/modules.dep']['what'] == 'content', 'what has changed')
    must(any(path.endswith('nvme.ko') and item['change'] == 'added' for path, item in changes.items()), 'what is added')
    last = tool('diff', plain, other, code=1).decode().splitlines()[-1]
    must(' added, ' in last and last.endswith(' bytes'), f'a sum in: {last}')
    tool('diff', plain, '/no/such', code=2)
    tool('unpack', packed, there)
    must(read(f'{there}/init') == read(INIT) and os.readlink(f'{there}/bin/sh') == 'dash', 'what was packed')
    must(os.stat(f'{there}/tmp').st_mode & 0o7777 == 0o1777, 'permissions of a folder')
    must('not empty' in tool('unpack', packed, there, code=1), 'that a folder in use is not touched')
    for arguments in (['ls'], ['ls', '--nix', packed], ['cat', packed], ['unpack', packed], ['diff', packed]):
        must('--help' in tool(*arguments, code=2), f'a hint at --help for {arguments}')


def cpio_entry(name, mode=0o100644, data=b'', ino=1, nlink=1):
    """One entry in the newc format."""
    path = name.encode() + b'\0'
    fields = (ino, mode, 0, 0, nlink, 0, len(data), 0, 0, 0, 0, len(path), 0)
    head = b'070701' + b''.join(b'%08X' % field for field in fields) + path
    return head + bytes(-len(head) % 4) + data + bytes(-len(data) % 4)


END = cpio_entry('TRAILER!!!', 0)


def case_said(tree, folder):
    """What is wrong with a command line, in words; output that cannot be written is an error, and no result of a comparison."""
    out, other = (os.path.join(folder, name) for name in ('image', 'other'))
    call(tree, '-m', 'ahci', '-o', out)
    call(tree, '-m', 'sd_mod', '-o', other)
    for words, said in ((['-o'], 'no value'), (['--compress'], 'no value'), (['--nix'], 'unknown option'), (['-x'], 'unknown option'),
                        (['frob'], 'unknown command'), (['-o', out, 'frob'], 'neither'), (['ls'], 'one image'),
                        (['ls', out, out], 'one image'),
                        (['diff', out], 'two images'), (['cat', out], 'paths'), (['unpack', out], 'folder'), (['check'], 'one image'),
                        (['check', '--tree'], 'no value'), (['check', '--nix', out], 'unknown option')):
        text = tool(*words, code=2)
        must(said in text and text.count('\n') == 1, f'{said} for {words} in: {text}')
    for words, code in ((['ls', out], 1), (['ls', '--json', out], 1), (['cat', out, 'init'], 1), (['diff', out, other], 2),
                        (['--help'], 1)):
        with open('/dev/full', 'w', encoding='ascii') as full:
            done = subprocess.run([IMAGE, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
        must(done.returncode == code and done.stderr.count('No space left') == 1, f'{code} for {words}: {done}')
    for command in ('build', 'ls', 'check', 'install'):
        must(b'Usage:' in tool(command, '--help'), f'help for {command}')
    setup = Setup(tree, folder)
    for command in ('uninstall', 'status'):
        must('--dry-run' in setup.call(command, '--dry-run', code=2), f'that {command} takes nothing')


def case_outside(_tree, folder):
    """No image makes unpack write outside of its folder: by "..", by links, by hard links to links."""
    victim = os.path.join(folder, 'victim')
    write(f'{victim}/file', b'mine', 0o600)
    up = os.path.relpath(victim, os.path.join(folder, 'there'))
    link = (0o120777, victim.encode())
    images = {
        'dots': cpio_entry(f'{up}/file', data=b'evil'),
        'middle': cpio_entry(f'a/../{up}/file', data=b'evil'),
        'through': cpio_entry('a', *link) + cpio_entry('a/file', data=b'evil') + cpio_entry('a/new', data=b'evil'),
        'relative': cpio_entry('a', 0o120777, up.encode()) + cpio_entry('a/file', data=b'evil'),
        'chain': cpio_entry('a', 0o120777, b'..') + cpio_entry('b', 0o120777, b'a/victim') + cpio_entry('b/new'),
        'itself': cpio_entry('a', 0o120777, victim.encode() + b'/file') + cpio_entry('a', data=b'evil'),
        'hard': (cpio_entry('a', 0o120777, victim.encode() + b'/file') +
                 cpio_entry('b', data=b'', ino=9, nlink=2) + cpio_entry('c', data=b'evil', ino=9, nlink=2)),
        'absolute': cpio_entry(victim + '/file', data=b'evil', mode=0o100777),
        'folder': cpio_entry('a', *link) + cpio_entry('a', 0o40777) + cpio_entry('a/new', data=b'evil'),
    }
    for number, (name, image) in enumerate(images.items()):
        path, there = os.path.join(folder, f'{name}.image'), os.path.join(folder, f'there{number}')
        write(path, image + END)
        subprocess.run([IMAGE, 'unpack', path, there], check=False, stderr=subprocess.DEVNULL, timeout=60)
        must(os.listdir(victim) == ['file'] and read(f'{victim}/file') == b'mine', f'nothing written by {name}')
        must(os.stat(f'{victim}/file').st_mode & 0o7777 == 0o600, f'permissions as they were after {name}')
        must(os.stat(victim).st_mode & 0o7777 == 0o755, f'permissions of the folder as they were after {name}')
    must('leads out' in tool('ls', os.path.join(folder, 'dots.image'), code=1), 'that a path leads out')


def case_malformed(tree, folder):
    """Images that are cut short or changed at random places: refused or read, never a crash, and no path outside."""
    image, there = os.path.join(folder, 'image'), os.path.join(folder, 'there')
    chance = random.Random(12)
    wholes = [cpio_entry('d', 0o40755) + cpio_entry('d/f', data=b'x' * 50) + cpio_entry('l', 0o120777, b'd') + END]
    for compression in ('gzip', 'zstd', 'lz4', 'xz'):
        call(tree, '-c', compression, '-o', image)
        wholes.append(read(image))
    for number in range(150):
        data = bytearray(wholes[number % len(wholes)])
        if number % 3 == 0:
            del data[chance.randrange(len(data)):]
        for _ in range(chance.randrange(4) if number % 3 == 0 else 1 + chance.randrange(8)):
            if data:
                data[chance.randrange(min(len(data), 2000))] = chance.choice((0, 0x30, 0x46, 0x2e, 0xff, 0x2f))
        write(image, bytes(data))
        for command in (['ls', image], ['unpack', image, there]):
            done = subprocess.run([IMAGE, *command], check=False, capture_output=True, timeout=60)
            must(done.returncode in (0, 1), f'no crash with input {number}: {done.returncode}')
            must(done.returncode == 0 or done.stderr.startswith(b'inorder-image: '), f'why, with input {number}')
        shutil.rmtree(there, ignore_errors=True)
        must(os.listdir(folder) == ['image'], f'nothing outside, with input {number}')


# What a driver calls that finds disks, mounts a file system from one, reads keys, adds a bus or a cipher.
CALLED_BY = {
    'disk': ('scsi_host_alloc', 'ata_host_alloc', 'ata_host_activate', '__blk_mq_alloc_disk', '__blk_alloc_disk',
             'nvme_init_ctrl', 'ufshcd_init', 'mmc_add_host', 'memstick_alloc_host', 'usb_stor_probe1',
             'dm_register_target', 'register_md_personality', 'nvdimm_bus_register'),
    'file system': ('mount_bdev', 'get_tree_bdev'),
    'keyboard': ('__hid_register_driver', '__serio_register_driver', '__serio_register_port'),
    'bus': ('usb_create_hcd', '__usb_create_hcd', 'i2c_add_adapter', 'i2c_add_numbered_adapter', 'fw_card_initialize',
            'devm_i2c_add_adapter', 'register_virtio_device', '__vmbus_driver_register', 'spi_register_controller'),
    'cipher': ('crypto_register_skcipher', 'crypto_register_skciphers', 'crypto_register_alg', 'crypto_register_algs',
               'crypto_register_shash', 'crypto_register_shashes', 'crypto_register_template'),
}
# What no root needs, by folder or name.
NOT_NEEDED = (
    'gpu/', 'media/', 'video/', 'hwmon/', 'w1/', 'uio/', 'net/', 'bluetooth/', 'vmw_vsock/',   # no disks, no keyboards
    'joystick/', 'touchscreen/', 'tablet/', 'sermouse', 'vsxxxaa', 'i2c-mux', 'i2c-stub', 'usb/gadget/', 'usbip/',
    'usb/image/', 'mtd/', 'cxl_pmem', 'null_blk', 'scsi_debug', 'crypto/chelsio/', 'crypto/qat/',
    'block/aoe/', 'block/drbd/', 'nbd', 'rbd', 'nvme-rdma', 'nvme-tcp', 'ib_srp', 'bnx2fc', 'fcoe', 'qedf', 'tcm_loop',
    'gfs2/', 'ocfs2/', 'cxgb', 'qedi', 'bnx2i', 'be2iscsi', 'qla4xxx', 'iscsi_tcp',   # roots across a network
    'adfs/', 'affs/', 'befs/', 'bfs/', 'efs/', 'freevxfs/', 'hfs/', 'hfsplus/', 'hpfs/', 'minix/', 'omfs/', 'qnx4/',
    'qnx6/', 'romfs/', 'sysv/', 'fs/ufs/', 'zonefs/',   # file systems that no Linux is installed on
)


def case_universal(tree, folder):
    """Every driver of Debian's kernel that a root may need is in the image for any machine, whose size is bounded."""
    out = os.path.join(folder, 'image')
    call(tree, '--universal', '-o', out)
    must(os.path.getsize(out) <= 25_000_000, f'at most 25 MB, not {os.path.getsize(out)} bytes')
    have = {os.path.basename(line.split()[2]) for line in tool('ls', out).decode().splitlines() if '.ko' in line}
    lacks = []
    for place, _, files in os.walk(os.path.join(tree, 'kernel')):
        for name in files:
            path = os.path.relpath(os.path.join(place, name), tree)
            if not name.endswith('.ko') or name in have or any(word in path for word in NOT_NEEDED):
                continue
            content = read(os.path.join(place, name))
            lacks += [f'{path} ({kind})' for kind, calls in CALLED_BY.items()
                      if any(b'\0' + call.encode() + b'\0' in content for call in calls)]
    must(not lacks, f'these in image/kinds.c, or in NOT_NEEDED: {sorted(lacks)}')


class Machine:
    """A made-up machine: the parts of /sys, /proc and /etc that are read of it."""

    def __init__(self, root):
        self.root = root

    def write(self, path, text):
        write(os.path.join(self.root, path), text.encode())

    def link(self, path, target):
        path = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(os.path.relpath(os.path.join(self.root, target), os.path.dirname(path)), path)

    def block(self, name, place, number, slaves=(), **attributes):
        """A block device whose folder is at that place below /sys/devices."""
        there = f'sys/devices/{place}/{name}'
        self.write(f'{there}/dev', number + '\n')
        self.link(f'sys/class/block/{name}', there)
        self.link(f'sys/dev/block/{number}', there)
        self.write(f'dev/{name}', '')
        for slave in slaves:
            self.link(f'{there}/slaves/{slave}', f'sys/class/block/{slave}')
        for path, text in attributes.items():
            self.write(f'{there}/{path.replace("__", "/")}', text + '\n')

    def disk(self):
        """A SATA disk with two partitions; beside it a sound card and a USB controller that the root does not need."""
        pci = 'sys/devices/pci0000:00/0000:00:'
        self.write(f'{pci}1f.2/modalias', 'pci:v00008086d00002922sv0sd0bc01sc06i01\n')
        self.write(f'{pci}1f.3/modalias', 'pci:v00008086d00002930sv0sd0bc0Csc05i00\n')
        self.write(f'{pci}1b.0/modalias', 'pci:v00008086d00002668sv0sd0bc04sc03i00\n')
        self.write(f'{pci}14.0/modalias', 'pci:v00001B36d0000000Dsv0sd0bc0Csc03i30\n')
        target = 'pci0000:00/0000:00:1f.2/ata1/host0/target0:0:0/0:0:0:0'
        self.write(f'sys/devices/{target}/modalias', 'scsi:t-0x00\n')
        self.block('sda', f'{target}/block', '8:0')
        self.block('sda1', f'{target}/block/sda', '8:1', partition='1')
        self.block('sda2', f'{target}/block/sda', '8:2', partition='2')

    def mounted(self, number, kind, source):
        self.write('proc/self/mountinfo', f'22 1 {number} / / rw - {kind} {source} rw\n')


def modules_of(listing):
    return {os.path.basename(path) for path in paths(listing) if path.endswith('.ko')}


def case_host(tree, folder):
    """The drivers that this machine asks for, those of the list of kinds only; and what the root stands on."""
    machine = Machine(os.path.join(folder, 'plain'))
    machine.disk()
    machine.mounted('8:1', 'ext4', '/dev/sda1')
    arguments = ('--sysroot', machine.root, '--microcode', 'no')
    found = modules_of(call(tree, '--host', *arguments, '-l'))
    must({'ahci.ko', 'sd_mod.ko', 'ext4.ko', 'i2c-i801.ko'} <= found, f'storage, the root, the board: {sorted(found)}')
    must('xhci-pci.ko' in found, 'the host of a keyboard')
    must(not any(name.startswith('snd') for name in found), 'no sound')
    must(not {'dm-crypt.ko', 'raid1.ko', 'nvme.ko', 'aesni-intel.ko'} & found, 'nothing that no one asked for')
    machine.write('proc/cmdline', 'quiet resume=/dev/sda2\n')
    machine.write('etc/modprobe.d/own.conf', 'options ahci skip_host_reset=1\n')
    listing = paths(call(tree, '--host', *arguments, '-l'))
    must('/etc/modprobe.d/own.conf' in listing and '/sbin/e2fsck' in listing and '/bin/sh' in
         [path.split(' ->')[0] for path in listing], 'options, check, a shell')
    for remove, word in (('proc/self/mountinfo', '/proc'), ('sys', '--universal')):
        path = os.path.join(machine.root, remove)
        (shutil.rmtree if os.path.isdir(path) else os.unlink)(path)
        must(word in call(tree, '--host', *arguments, '-l', code=1), f'what to do without {remove}')


def case_stack(tree, folder):
    """The root on LVM in an encrypted volume on RAID: drivers, programs, and the files that /init reads."""
    for program in ('cryptsetup', 'lvm', 'mdadm'):
        if not shutil.which(program, path='/sbin:/usr/sbin:/bin:/usr/bin'):
            sys.exit(77)
    machine = Machine(os.path.join(folder, 'deep'))
    machine.disk()
    machine.block('md0', 'virtual/block', '9:0', ('sda1', 'sda2'), md__level='raid1')
    machine.block('dm-0', 'virtual/block', '254:0', ('md0',), dm__uuid='CRYPT-LUKS2-ab-cd', dm__name='md0_crypt')
    machine.block('dm-1', 'virtual/block', '254:1', ('dm-0',), dm__uuid='LVM-abcd', dm__name='vg-root')
    machine.mounted('254:1', 'ext4', '/dev/mapper/vg-root')
    machine.write('etc/crypttab', '# name device key\nmd0_crypt UUID=1 /etc/root.key luks\nother UUID=2 /secret luks\n'
                  'early UUID=3 none luks,initramfs\n')
    machine.write('etc/lvm/lvm.conf', '# lvm\n')
    machine.write('etc/mdadm/mdadm.conf', '# mdadm\n')
    out = os.path.join(folder, 'image')
    done = subprocess.run([IMAGE, 'build', '--host', '-t', tree, '-i', INIT, '--sysroot', machine.root, '-o', out],
                          capture_output=True, text=True, check=False)
    must(done.returncode == 0, f'an image: {done.stderr}')
    must('/etc/root.key' in done.stderr and '/secret' not in done.stderr, f'a warning of the key in: {done.stderr}')
    have = {item['path'] for item in json.loads(tool('ls', '--json', out))}
    names = {os.path.basename(path) for path in have}
    must({'ahci.ko', 'sd_mod.ko', 'raid1.ko', 'dm-crypt.ko', 'dm-mod.ko', 'dm-snapshot.ko', 'xts.ko', 'ext4.ko'} <= names,
         f'drivers: {sorted(names)}')
    must({'/sbin/cryptsetup', '/sbin/lvm', '/sbin/mdadm', '/etc/lvm/lvm.conf', '/etc/mdadm/mdadm.conf'} <= have, 'the rest')
    must(tool('cat', out, '/etc/crypttab').decode() ==
         'md0_crypt UUID=1 /etc/root.key luks\nearly UUID=3 none luks,initramfs\n', 'only the volumes of the root')
    tool('check', '--tree', tree, '--sysroot', machine.root, out, code=0)


def case_keyboard(tree, folder):
    """Who types a passphrase has the keymap and the font of the machine."""
    for program in ('cryptsetup', 'loadkeys', 'setfont'):
        if not shutil.which(program, path='/sbin:/usr/sbin:/bin:/usr/bin'):
            sys.exit(77)
    machine, out = Machine(os.path.join(folder, 'machine')), os.path.join(folder, 'image')
    machine.disk()
    machine.block('dm-0', 'virtual/block', '254:0', ('sda1',), dm__uuid='CRYPT-LUKS2-ab-cd', dm__name='root_crypt')
    machine.mounted('254:0', 'ext4', '/dev/mapper/root_crypt')
    machine.write('etc/crypttab', 'root_crypt UUID=1 none luks\n')
    command = [IMAGE, 'build', '--host', '-t', tree, '-i', INIT, '--sysroot', machine.root, '-c', 'gzip', '-o', out]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    must('setupcon' in done.stderr and '/etc/inorder/keymap' not in tool('ls', out).decode(), f'a warning in: {done.stderr}')
    for name, content in (('UTF-8_del.kmap', b'keymaps 0-2\n'), ('Uni2-Fixed16.psf', b'a font')):
        write(f'{machine.root}/etc/console-setup/cached_{name}.gz', gzip.compress(content))
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    must('setupcon' not in done.stderr, f'no warning: {done.stderr}')
    must(tool('cat', out, '/etc/inorder/keymap', '/etc/inorder/font') == b'keymaps 0-2\na font', 'both, as they are loaded')
    have = {item['path'] for item in json.loads(tool('ls', '--json', out))}
    must({'/bin/loadkeys', '/bin/setfont'} <= have, 'what loads them')
    machine.mounted('8:1', 'ext4', '/dev/sda1')
    must('inorder/keymap' not in call(tree, '--host', '--sysroot', machine.root, '-l'), 'none where no one is asked')


def source_text(path):
    return read(os.path.join(SOURCE, path)).decode()


def documented(page):
    """The options of a manual page: name -> (letter, whether it takes a value)."""
    found = {}
    for letter, name, rest in re.findall(r'^\.It (?:Fl (\w) , )?Fl -([a-z-]+)(.*)$', page, re.MULTILINE):
        found[name] = (letter, 'Ar' in rest)
    return found


def case_manual(tree, folder):
    """The manual pages, --help and the program know the same options, commands and words of the configuration."""
    rows = re.findall(r'\{"([a-z-]+)", (?:\'(\w)\'|0), (FLAG|WORD|LIST), FIELD\(([\w.]+)\), (true|false)\}',
                      source_text('image/options.c'))
    must(len(rows) == source_text('image/options.c').count('FIELD(') - 1, 'every row of the table is read')
    code = {name: (letter, kind != 'FLAG') for name, letter, kind, _, _ in rows}
    older = {'module', 'program', 'file'}
    for name in older:   # which of them takes a value is documented at the newer name
        code[name] = ('', False)
    code.update({'try': ('', False), 'append': ('', True), 'default': ('', False), 'help': ('h', False), 'version': ('V', False)})
    pages = {'8': source_text('man/inorder-image.8'), '5': source_text('man/inorder-image.conf.5')}
    of_page = {name: found for name, found in documented(pages['8']).items() if name != 'json'}
    must(of_page == code, f'the same options in inorder-image(8), not {set(of_page.items()) ^ set(code.items())}')
    said = call(tree, '--help')
    of_help = {name: (letter, bool(rest)) for letter, name, rest in
               re.findall(r'^  (?:-(\w), |    )--([a-z-]+)((?:\[?=| )(?:[A-Z]+).*)?', said, re.MULTILINE)}
    of_help.update({name: ('', False) for name in re.search(r'Older names: (.*)\.', said)[1].replace('--', '').split(', ')})
    must(of_help == code, f'the same options in --help, not {set(of_help.items()) ^ set(code.items())}')
    for name, (letter, value) in code.items():
        for word in [f'--{name}', *([f'-{letter}'] if letter else [])] if name not in ('try', 'default', 'append') else []:
            separate = [word] if not value or name == 'shell' else [word, 'x']
            if name not in older:
                tool(*separate, '--help')
    commands = set(re.findall(r'\{"(\w+)", command_', source_text('image/main.c')))
    must(set(re.findall(r'^\.It Cm (\w+)', pages['8'], re.MULTILINE)) | {'build'} == commands, f'{commands} in inorder-image(8)')
    must(all(re.search(rf'\b{name}\b', said) for name in commands), f'{commands} in --help')
    words = {name for name, _, _, _, command_only in rows if command_only == 'false'} - older
    of_page = set(re.findall(r'^\.It Cm ([a-z-]+)', pages['5'], re.MULTILINE))
    must(of_page == words, f'the same words in inorder-image.conf(5), not {of_page ^ words}')
    conf = os.path.join(folder, 'conf')
    write(conf, ''.join(f'{name} x\n' for name, *_ in rows).encode())
    refused = set(re.findall(r"'([a-z-]+)' is for the command line", call(tree, '--config', conf, '-l', code=1)))
    must(refused == set(dict.fromkeys(name for name, *_ in rows)) - words - older, f'the others refused, not {refused}')


def case_completion(_tree, _folder):
    """bash completes commands, every option of the help, and the values that are words."""
    def completed(*words):
        script = ('source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _inorder_image; printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(['bash', '-c', script, os.path.join(SOURCE, 'image/completion.bash'), IMAGE, *words], check=True,
                              capture_output=True, text=True, cwd='/')
        must(not done.stderr, f'no error for {words}: {done.stderr}')
        return set(done.stdout.split())

    said = tool('--help').decode()
    commands = set(re.findall(r'\{"(\w+)", command_', source_text('image/main.c')))
    must(completed('') == commands, f'all commands: {completed("")}')
    of_install, of_looking = {'--try', '--default', '--append'}, {'--json'}
    options = set(re.findall(r'--[a-z-]+', said)) - of_install - of_looking
    must(completed('--') == completed('build', '-c', 'xz', '--') == options, f'all options of build: {completed("--") ^ options}')
    must(completed('install', '--') == of_install and completed('diff', '--') == of_looking, 'those of other commands')
    must(completed('--compress', 'z') == {'zstd'} and completed('build', '--microcode', '') == {'no', 'host', 'all'}, 'values')
    must('/etc' in completed('ls', '/et') and completed('status', '--') == set(), 'files; nothing where nothing can be')


def case_progress(tree, folder):
    """On a terminal it is seen how far it is, and nothing stays of that; elsewhere nothing is printed."""
    command = [IMAGE, '-t', tree, '-i', INIT, '-m', 'drivers/ata/', '-o', os.path.join(folder, 'image')]
    ours, theirs = pty.openpty()
    subprocess.run(command, check=True, stderr=theirs)
    os.close(theirs)
    said = b''
    with contextlib.suppress(OSError):   # EIO at its end
        while data := os.read(ours, 65536):
            said += data
    os.close(ours)
    must(b'modules' in said and b'files written: ' in said and said.endswith(b'\r\x1b[K'), f'progress in: {said}')
    must(not subprocess.run(command, check=True, capture_output=True).stderr, 'nothing in a pipe')


def case_hints(tree, folder):
    """The image tells /init what the root needed in the last good boot; before there was one, its file system."""
    setup, out = Setup(tree, folder), os.path.join(folder, 'image')
    machine, options = setup.machine, ('--host', '--sysroot', setup.machine.root, '--microcode', 'no', '-c', 'none', '-o', out)

    def hints():
        return tool('cat', out, '/etc/inorder/hints').decode()

    call(tree, *options)
    must(hints() == 'filesystem ext4\n', f'the file system of the root: {hints()}')
    recorded = 'filesystem ext4\nroot ext4 sd_mod\nmodule ext4 41\n'
    machine.write('run/inorder/hints', recorded)
    setup.boots('quiet')
    must(not os.path.exists(setup.path('var/lib/inorder/hints')), 'nothing of a boot that was not ours')
    setup.call('install')
    setup.boots(f'quiet inorder_entry={setup.version}')
    kept = os.stat(setup.path('var/lib/inorder/hints'))
    call(tree, *options)
    must(hints() == recorded, 'what a good boot has recorded')
    os.utime(setup.path('var/lib/inorder/hints'), (kept.st_atime, kept.st_mtime + 100))
    must('made before the hints' in setup.call('status'), 'which image has older ones')
    machine.write('run/inorder/hints', recorded.replace('41', '43'))
    setup.boots(f'quiet inorder_entry={setup.version}')
    must(os.stat(setup.path('var/lib/inorder/hints')).st_ino == kept.st_ino, 'not written for other times alone')
    machine.write('run/inorder/hints', recorded.replace('sd_mod', 'virtio_blk'))
    setup.boots(f'quiet inorder_entry={setup.version}')
    call(tree, *options)
    must('virtio_blk' in hints(), 'those of the last boot')
    os.unlink(setup.path('var/lib/inorder/hints'))
    os.makedirs(setup.path('var/lib/inorder/hints'))
    must('cannot copy' in setup.boots(f'quiet inorder_entry={setup.version}'), 'why they are not kept')
    os.rmdir(setup.path('var/lib/inorder/hints'))
    machine.write('var/lib/inorder/hints', recorded * 1000)
    done = subprocess.run([IMAGE, '--tree', tree, '--init', INIT, *options], capture_output=True, text=True, check=True)
    must('no hints' in done.stderr and hints() == 'filesystem ext4\n', f'not what /init would not read: {done.stderr}')
    machine.write('own', 'filesystem xfs\n')
    call(tree, *options, '--add-file', setup.path('own') + ':/etc/inorder/hints')
    must(hints() == 'filesystem xfs\n', 'those that are asked for')
    call(tree, *options, '--omit', '/etc/inorder/hints')
    must('no ' in tool('cat', out, '/etc/inorder/hints', code=1), 'none')
    must(b'has all' in tool('check', '--tree', tree, '--sysroot', machine.root, out), 'that the root can do without')


def case_loop(tree, folder):
    """The root in a file: also what the file's own file system and disk need. Btrfs: all of its devices."""
    machine = Machine(os.path.join(folder, 'loop'))
    machine.disk()
    machine.block('loop0', 'virtual/block', '7:0', loop__backing_file='/host/root.img')
    machine.mounted('7:0', 'xfs', '/dev/loop0')
    with open(f'{machine.root}/proc/self/mountinfo', 'a', encoding='utf-8') as table:
        table.write('23 22 8:1 / /host rw - ext4 /dev/sda1 rw\n')
    found = modules_of(call(tree, '--host', '--sysroot', machine.root, '-l'))
    must({'loop.ko', 'xfs.ko', 'ext4.ko', 'ahci.ko'} <= found, f'both file systems and the disk: {sorted(found)}')
    machine = Machine(os.path.join(folder, 'btrfs'))
    machine.disk()
    machine.write('sys/devices/pci0000:00/0000:00:05.0/modalias', 'pci:v00008086d00005845sv0sd0bc01sc08i02\n')
    machine.block('nvme0n1', 'pci0000:00/0000:00:05.0/nvme/nvme0', '259:0')
    machine.mounted('0:30', 'btrfs', '/dev/sda1')
    for name in ('sda1', 'nvme0n1'):
        machine.link(f'sys/fs/btrfs/abcd/devices/{name}', f'sys/class/block/{name}')
    for name in ('nvme.ko', 'btrfs.ko', 'ahci.ko'):
        out = os.path.join(folder, 'image')
        call(tree, '--host', '--sysroot', machine.root, '--omit', name[:-3], '-c', 'gzip', '-o', out)
        said = tool('check', '--tree', tree, '--sysroot', machine.root, out, code=1).decode()
        must(f'/{name}' in said and said.startswith('driver'), f'that {name} lacks: {said}')
    machine.mounted('0:31', 'overlay', 'overlay')
    must('container' in call(tree, '--host', '--sysroot', machine.root, '-l', code=1), 'what to do in a container')


def case_check(tree, folder):
    """check names what an image lacks, for the root that is mounted and for another one."""
    machine, out = Machine(os.path.join(folder, 'machine')), os.path.join(folder, 'image')
    machine.disk()
    machine.mounted('8:1', 'ext4', '/dev/sda1')
    machine.link('dev/disk/by-uuid/abcd-1', 'dev/sda2')
    call(tree, '-m', 'ahci', '-m', 'sd_mod', '-o', out)
    options = ('--tree', tree, '--sysroot', machine.root, out)
    lacking = {item['path'].rsplit('/', 1)[1]: item['kind'] for item in json.loads(tool('check', '--json', *options, code=1))}
    must(lacking['ext4.ko'] == 'driver' and lacking['e2fsck'] == 'program', f'both in {lacking}')
    must(lacking['libext2fs.so.2'] == 'library' and 'ahci.ko' not in lacking, f'a library in {lacking}')
    call(tree, '-m', 'ahci', '-m', 'sd_mod', '-m', 'ext4', '-p', 'e2fsck', '-c', 'zstd', '-o', out)
    must(b'has all' in tool('check', *options), 'that it can boot')
    must(b'xfs.ko' in tool('check', '--cmdline', 'root=UUID=abcd-1 rootfstype=xfs', *options, code=1), 'another root')
    must('no device' in tool('check', '--cmdline', 'root=UUID=nix', *options, code=2), 'that there is no such root')
    must('no image' in tool('check', '--tree', tree, '/dev/null', code=2), 'that this is no image')
    tool('check', code=2)
    have = os.path.join(folder, 'have')
    call(tree, '-m', 'ahci', '-m', 'sd_mod', '-m', 'ext4', '-p', 'e2fsck', '-c', 'none', '-o', out)
    driver = next(path for path in tool('ls', out).decode().split() if path.endswith('/ext4.ko'))[1:]
    first = read(out)[:read(out).rindex(b'TRAILER!!!') + 11]
    first += bytes(-len(first) % 4)
    for last, what in ((cpio_entry(driver), 'an empty file'), (cpio_entry(driver, 0o40755), 'a folder'),
                       (cpio_entry(driver, 0o120777, b'nowhere'), 'a link to nothing')):
        write(have, first + last + END)
        must(b'ext4.ko' in tool('check', *options[:-1], have, code=1), f'{what} in the place of a driver')
    write(have, first + cpio_entry('moved.ko', data=b'x') + cpio_entry(driver, 0o120777, b'/moved.ko') + END)
    must(b'has all' in tool('check', *options[:-1], have), 'a link that leads to a file')
    write(have, first + cpio_entry('init') + END)
    must(json.loads(tool('check', '--json', *options[:-1], have, code=1)) == [{'kind': 'program', 'path': '/init'}], '/init')
    said = tool('check', *options[:-1], have, code=1).decode()
    must(re.search(r'lacks 1 of (\d\d+) files', said) and '/init' in said, f'/init among those that lack: {said}')


def case_bounds(tree, folder):
    """Small files that would fill memory, and names that are no text."""
    image, out = os.path.join(folder, 'image'), os.path.join(folder, 'out')
    links = b''.join(cpio_entry(f'b{i}', nlink=3001) for i in range(3000))
    write(image, gzip.compress(cpio_entry('a', data=bytes(1 << 20), nlink=3001) + links + END))
    with open(out, 'wb') as lines, subprocess.Popen([IMAGE, 'ls', image], stdout=lines) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    must(process.returncode == 0 and read(out).count(b' 1048576 /') == 3001, 'the content with each name')
    must(used.ru_maxrss < 1000000, f'the content once in memory, but {used.ru_maxrss} KiB')
    write(image, b'x' * 70000)
    must('longer than' in call(tree, '-M', image, '-o', out, code=1), 'what no list of modules has')
    must('more than' in call(tree, '--config', image, '--universal', '-l', code=1), 'what no configuration has')
    write(image, b'\xef\xbb\xbfmodule ahci\n')
    must('byte order mark' in call(tree, '--config', image, '--universal', '-l', code=1), 'what is before the first word')
    write(image, cpio_entry('nXme', data=b'x').replace(b'nXme', b'n\xffme') + cpio_entry('cXX').replace(b'XX', b'\xc2\x9b')
          + cpio_entry('l', 0o120777, b'\xfe') + cpio_entry('\u00e4') + END)
    must([item['path'] for item in json.loads(tool('ls', '--json', image))] == ['/c\x9b', '/l', '/n\\377me', '/\u00e4'], 'JSON')
    said = tool('ls', image)
    must(b'/c\\302\\233\n' in said and b'/n\\377me\n' in said and '/\u00e4\n'.encode() in said, f'text, not {said}')
    must(json.loads(tool('diff', '--json', image, '-', data=END, code=1)), 'JSON from diff')
    write(image, cpio_entry('../\x1b[31mred', data=b'x') + END)
    must('\\033[31m' in tool('ls', image, code=1), 'no control characters in a message')


def case_refused(tree, folder):
    """What no image can be made with is told before it is made; a new image is its owner's alone to read."""
    out, plain = os.path.join(folder, 'image'), os.path.join(folder, 'plain')
    write(plain, b'root:x:0:0\n')
    must('neither a program nor a script' in call(tree, '-p', plain, '-o', out, code=1), 'that it is no program')
    must('neither a program nor a script' in call(tree, '--init', plain, '-o', out, code=1), 'nor an /init')
    for name in ('', f'{folder}/none/image'):
        said = call('/none', '-o', name, code=1)
        must('--output' in said or 'no folder' in said, f'that nothing can be made there, first: {said}')
    call(tree, '-m', 'ahci', '-o', out)
    must(stat.S_IMODE(os.stat(out).st_mode) == 0o600, 'the owner alone')


def case_conf(tree, folder):
    """The configuration has the words of the options; drop-ins come after it, the command line last."""
    conf, out = os.path.join(folder, 'image.conf'), os.path.join(folder, 'image')
    write(conf, b'# of this machine\n\ncompress gzip\nadd-module = ahci\nadd-file /etc/passwd:/etc/names # no comment\n')
    must('/etc/names # no comment' in paths(call(tree, '--config', conf, '-l')), 'a value to the end of its line')
    write(conf, b'# of this machine\n\ncompress gzip\nadd-module = ahci\nshell\n')
    write(f'{conf}.d/20.conf', b'compress zstd\nadd-module=nvme\n')
    write(f'{conf}.d/10.conf', b'compress xz\n')
    write(f'{conf}.d/ignored', b'nonsense\n')
    listing = call(tree, '--config', conf, '-m', 'virtio_blk', '-l', '-o', out)
    must({'ahci.ko', 'nvme.ko', 'virtio_blk.ko'} <= modules_of(listing) and '/bin/sh' in paths(listing), 'all of them')
    must(read(out)[:4] == b'\x28\xb5\x2f\xfd', 'the last drop-in wins')
    call(tree, '--config', conf, '-c', 'none', '-o', out)
    must(read(out)[:6] == b'070701', 'the command line wins')
    write(f'{conf}.d/20.conf', b'\nadd-modul nvme\noutput /x\nadd-file\ncompress best\nmicrocode some\nomit\0x\n')
    said = call(tree, '--config', conf, '-l', code=1)
    for word in ("20.conf:2: 'add-modul' is unknown", "20.conf:3: 'output' is for", "20.conf:4: 'add-file' needs",
                 "20.conf:5: 'compress' takes none", "20.conf:6: 'microcode' takes no", '20.conf:7: a NUL'):
        must(word in said, f'{word} in: {said}')
    must('/no/such' in call(tree, '--config', '/no/such', '-l', code=1), 'a configuration that is not there')
    machine = Machine(os.path.join(folder, 'machine'))
    machine.disk()
    machine.mounted('8:1', 'ext4', '/dev/sda1')
    machine.write('etc/inorder/image.conf', 'add-module nvme\n')
    must('nvme.ko' in modules_of(call(tree, '--host', '--sysroot', machine.root, '-l')), "the machine's own")


def content_of(root):
    """Everything below a folder, to compare with later."""
    found = {}
    for place, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(place, name)
            found[path] = os.readlink(path) if os.path.islink(path) else read(path) if os.path.isfile(path) else None
    return found


class Setup:
    """image-setup on a made-up machine with a kernel. GRUB's programs note what they are asked for."""

    def __init__(self, tree, folder):
        self.machine = Machine(os.path.join(folder, 'root'))
        self.machine.disk()
        self.machine.mounted('8:1', 'ext4', '/dev/sda1')
        self.version = os.path.basename(tree)
        self.machine.write(f'boot/vmlinuz-{self.version}', 'a kernel')
        self.machine.write(f'boot/initrd.img-{self.version}', "the distribution's")
        for name in ('etc/kernel/postinst.d', 'etc/grub.d', 'etc/systemd/system', 'lib/modules', 'var/lib', 'boot/grub'):
            os.makedirs(os.path.join(self.machine.root, name))
        os.symlink(tree, os.path.join(self.machine.root, 'lib/modules', self.version))
        self.asked = os.path.join(folder, 'asked')
        for name, script in (('grub-reboot', f'echo "$1" >>{self.asked}; : >{self.machine.root}/boot/grub/grubenv'),
                             ('grub-editenv', f'[ "$2" != unset ] || echo none >>{self.asked}'), ('update-grub', ':'),
                             ('grub-probe', 'case $1 in *=fs) echo ext2 ;; esac'),
                             ('bootctl', f'case $1 in --p*) echo /efi ;; set-oneshot) echo "${{2:-none}}" >>{self.asked} ;; esac')):
            write(f'{folder}/bin/{name}', f'#!/bin/sh\n{script}\n'.encode(), 0o755)
        write(f'{folder}/bin/image', f'#!/bin/sh\nexec {IMAGE} "$@" --init {INIT} --compress none\n'.encode(), 0o755)
        self.setup = os.path.join(BUILD, 'image/image-setup')
        self.environment = {**os.environ, 'INORDER_ROOT': self.machine.root, 'INORDER_IMAGE': f'{folder}/bin/image',
                            'INORDER_SETUP': self.setup, 'PATH': f'{folder}/bin:{os.environ["PATH"]}'}

    def run(self, *command, code=0):
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        must(done.returncode == code, f'exit code {code} of {command}, not {done.returncode}: {done.stderr}')
        return done.stdout + done.stderr

    def call(self, *words, code=0):
        return self.run(self.setup, *words, code=code)

    def path(self, name):
        return os.path.join(self.machine.root, name)

    def hook(self, name, version):
        return self.run(self.path(f'etc/kernel/{name}.d/inorder-image'), version)

    def kernel(self, version):
        """A second kernel, with the modules of the first."""
        self.machine.write(f'boot/vmlinuz-{version}', 'a kernel')
        shutil.copytree(self.path(f'lib/modules/{self.version}'), self.path(f'lib/modules/{version}'), copy_function=os.link)

    def with_grub(self, folder):
        """What grub-mkconfig gives to the scripts that it runs."""
        write(f'{folder}/grub/grub-mkconfig_lib', b'[ "$no_such_variable" ] || grub=yes\n'
              b'prepare_grub_to_access_device() { echo "search $1"; }\nmake_system_path_relative_to_its_root() { echo "$1"; }\n')
        self.environment |= {'pkgdatadir': f'{folder}/grub', 'GRUB_DEVICE': '/dev/sda1', 'GRUB_DEVICE_UUID': 'ab-1',
                             'GRUB_DEVICE_BOOT': '/dev/sda1', 'GRUB_CMDLINE_LINUX': 'console=ttyS0'}

    def boots(self, text=''):
        """A boot with that command line that reaches the login."""
        self.machine.write('proc/cmdline', text)
        return self.call('good')

    def chosen(self):
        """The entries chosen since the last call."""
        asked = read(self.asked).decode().split() if os.path.exists(self.asked) else []
        if asked:
            os.unlink(self.asked)
        return asked


def case_setup(tree, folder):
    """install, hooks, status, uninstall: the distribution's files stay, and what was before is there again."""
    setup = Setup(tree, folder)
    before, image = content_of(setup.machine.root), setup.path(f'boot/inorder-{setup.version}.img')
    must('not installed' in setup.call('status', code=3), 'that it is not installed')
    setup.call('install')
    must(tool('ls', image) and setup.chosen() == [], 'an image, and nothing chosen')
    must('hooks: installed' in setup.call('status') and 'older' not in setup.call('status'), 'that it is installed')
    setup.run(setup.path('etc/kernel/postrm.d/inorder-image'), setup.version)
    must(not os.path.exists(image), 'no image of a kernel that is gone')
    setup.run(setup.path('etc/kernel/postinst.d/inorder-image'), setup.version, '/boot/vmlinuz')
    must(os.path.exists(image), 'an image of a new kernel')
    inode = os.stat(image).st_ino
    setup.run(setup.path('etc/kernel/postinst.d/inorder-image'), setup.version, '/boot/vmlinuz')
    must(os.stat(image).st_ino == inode, 'not made twice')
    setup.run(setup.path('etc/initramfs/post-update.d/inorder-image'), setup.version)
    must(os.stat(image).st_ino != inode, 'made again with the other one')
    said = setup.run(setup.path('etc/kernel/postinst.d/inorder-image'), '9.9-none')
    must('9.9-none' in said, f'a failing hook that says so, and ends well: {said}')
    said = setup.run(setup.path('etc/grub.d/11_inorder'))
    must('no entries' in said, f'no entries without GRUB, which is no error, or no menu is made: {said}')
    setup.with_grub(folder)
    menu = setup.run(setup.path('etc/grub.d/11_inorder'))
    for text in (f"--id 'inorder-{setup.version}' {{", f'linux /boot/vmlinuz-{setup.version} root=UUID=ab-1 ro console=ttyS0',
                 f'initrd /boot/inorder-{setup.version}.img', 'search /dev/sda1'):
        must(text in menu, f'{text} in: {menu}')
    setup.call('install', '--append', 'initcall_debug inorder.trace=/run/inorder.trace')
    menu = setup.run(setup.path('etc/grub.d/11_inorder'))
    must(f'inorder_entry={setup.version} initcall_debug inorder.trace=/run/inorder.trace\n' in menu, f'words in: {menu}')
    must('initcall_debug' in setup.call('status'), 'these words')
    setup.call('install')
    must('initcall_debug' not in setup.run(setup.path('etc/grub.d/11_inorder')), 'no words any more')
    write(setup.path('etc/kernel/postrm.d/inorder-image'), b'of another package')
    must('left alone' in setup.call('install', code=1), 'that a file is not ours')
    setup.run('cp', setup.path('etc/kernel/postinst.d/inorder-image'), setup.path('etc/kernel/postrm.d/inorder-image'))
    setup.call('install', '--try')
    must(os.path.exists(setup.path('boot/grub/grubenv')), "GRUB's own file, which was not there")
    setup.call('uninstall')
    after = content_of(setup.machine.root)
    must(after == before, f'what it was, but for {before.keys() ^ after.keys()}')


def case_foreign(tree, folder):
    """What install has not written stays: it is neither replaced nor removed."""
    setup = Setup(tree, folder)
    hook, mine = 'etc/kernel/postinst.d/inorder-image', 'boot/inorder-mine.img'
    setup.machine.write(hook, '#!/bin/sh\n# inorder-image build, by hand\n')
    setup.machine.write(mine, 'mine')
    before = content_of(setup.machine.root)
    must('left alone' in setup.call('install', code=1), 'that the hook is not ours')
    after = content_of(setup.machine.root)
    must(after == before, f'nothing of an install that failed, but for {before.keys() ^ after.keys()}')
    said = setup.call('uninstall')
    must(hook in said and mine in said and content_of(setup.machine.root) == before, f'what stays, named: {said}')
    os.unlink(setup.path(hook))
    ours = f'boot/inorder-{setup.version}.img'
    setup.machine.write(ours, 'mine, too')
    must(ours in setup.call('install', code=1) and read(setup.path(ours)) == b'mine, too', 'an image that is not replaced')
    os.unlink(setup.path(ours))
    newer = f'{setup.version}-newer'
    setup.kernel(newer)
    setup.machine.write(f'boot/inorder-{newer}.img', 'mine, of a newer kernel')
    setup.call('install', code=1)
    setup.with_grub(folder)
    menu = setup.run(setup.path('etc/grub.d/11_inorder'))
    must(ours in menu and newer not in menu, f'entries for images of ours alone: {menu}')
    setup.call('uninstall')
    must(not os.path.exists(setup.path(ours)) and read(setup.path(mine)) == b'mine', 'our image is gone, not the other one')


def case_unfit(tree, folder):
    """A first install that makes no image leaves nothing; a kernel whose image fails does not keep the others from theirs."""
    setup = Setup(tree, folder)
    build = read(f'{folder}/bin/image')
    write(f'{folder}/bin/image', b'#!/bin/sh\nexit 1\n', 0o755)
    before = content_of(setup.machine.root)
    must('nothing is installed' in setup.call('install', '--append', 'debug', code=1), 'that nothing is')
    after = content_of(setup.machine.root)
    must(after == before, f'nothing of an install that failed, but for {before.keys() ^ after.keys()}')
    must('not installed' in setup.call('status', code=3), 'that it is not installed')
    newer = f'{setup.version}-newer'
    setup.kernel(newer)
    write(f'{folder}/bin/image', build.replace(b'exec', b'case "$*" in *-newer*) exit 1 ;; esac\nexec'), 0o755)
    must(f'no new image for: {newer}' in setup.call('install', '--try', '--append', 'debug', code=1), 'which one failed')
    must(setup.chosen() == [f'inorder-{setup.version}'], 'the kernel that has an image, chosen')
    must(f'{newer}: no image' in setup.call('status', code=3), 'that one has none')
    write(f'{folder}/bin/image', b'#!/bin/sh\nexit 1\n', 0o755)
    setup.call('install', '--append', 'quiet', code=1)
    must('command line: debug' in setup.call('status', code=3), 'the words of the install that went through')
    write(f'{folder}/bin/image', build, 0o755)
    setup.call('install')
    os.unlink(setup.path(f'boot/vmlinuz-{newer}'))
    must('whose kernel is gone' in setup.call('status'), 'an image that no kernel needs')


def case_fallback(tree, folder):
    """The entry is chosen again only after a good boot; after a bad one the distribution's is, until asked again."""
    setup = Setup(tree, folder)
    entry, ours = f'inorder-{setup.version}', f'quiet inorder_entry={setup.version}'
    setup.call('install', '--try')
    must(setup.chosen() == [entry], 'chosen for one boot')
    setup.boots(ours)
    must(setup.chosen() == [] and 'last good boot' in setup.call('status'), 'not chosen again, and noted')
    setup.call('install', '--default')
    must(setup.chosen() == [entry], 'chosen')
    for _ in range(3):
        setup.boots(ours)
        must(setup.chosen() == [entry], 'chosen again after a good boot')
    said = setup.boots('quiet')   # ours has not reached the login: GRUB has used its own entry
    must('did not reach' in said and setup.chosen() == [], f'not chosen after a bad one: {said}')
    setup.boots('quiet')
    must(setup.chosen() == [] and 'did not reach' in setup.call('status'), 'nor later, and status says so')
    write(f'{folder}/bin/grub-probe', b'#!/bin/sh\necho lvm\n', 0o755)
    must('cannot write' in setup.call('install', '--default', code=1) and setup.chosen() == [], 'no choice that stays')
    for words in (['--nix'], ['--try', '--default'], ['--append'], ['--append', 'quiet; reboot'], ['--append', "it's"], ['--append', '$x']):
        must(words[-1] in setup.call('install', *words, code=2), f'what is wrong in {words}')


def case_kernels(tree, folder):
    """The choice of the next boot follows the kernels that come and go."""
    setup = Setup(tree, folder)
    newer = f'{setup.version}-newer'
    setup.call('install', '--try')
    must(setup.chosen() == [f'inorder-{setup.version}'], 'chosen')
    setup.kernel(newer)
    setup.hook('postinst', newer)
    must(setup.chosen() == [], 'what is tried stays what it was')
    setup.call('install', '--default')
    must(setup.chosen() == [f'inorder-{newer}'], 'the newest')
    os.unlink(setup.path(f'boot/vmlinuz-{newer}'))
    setup.hook('postrm', newer)
    must(setup.chosen() == [f'inorder-{setup.version}'], 'the one that is left, as the other one is gone')
    setup.kernel('9' + newer)
    setup.hook('postinst', '9' + newer)
    must(setup.chosen() == [f'inorder-9{newer}'], 'the new one, which is the newest')
    setup.call('install', '--try')
    setup.chosen()
    os.unlink(setup.path(f'boot/vmlinuz-9{newer}'))
    setup.hook('postrm', '9' + newer)
    must(setup.chosen() == ['none'] and 'next boot' not in setup.call('status'), 'nothing, as what was to be tried is gone')
    setup.call('install', '--default')
    setup.call('uninstall')
    must(setup.chosen() == [f'inorder-{setup.version}', 'none'], 'nothing after the removal')


def case_systemd_boot(tree, folder):
    """Entries of systemd-boot: below the distribution's, with its kernel and command line; all gone in the end."""
    setup = Setup(tree, folder)
    efi = 'sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f'
    write(setup.path(efi), b'\6\0\0\0' + 'systemd-boot 252'.encode('utf-16-le'))
    theirs = (f'title Debian\nversion {setup.version}\nmachine-id ab\nsort-key debian\noptions root=UUID=ab-1 quiet\n'
              f'linux /ab/{setup.version}/linux\ninitrd /ab/{setup.version}/initrd.img-{setup.version}\n')
    setup.machine.write(f'efi/loader/entries/ab-{setup.version}.conf', theirs)
    before = content_of(setup.machine.root)
    setup.call('install', '--try')
    must(setup.chosen() == [f'inorder-{setup.version}.conf'], 'chosen for one boot')
    entry = setup.path(f'efi/loader/entries/inorder-{setup.version}.conf')
    must(read(entry).decode() == f'title Debian, inorder\nversion {setup.version}\n'
         f'options root=UUID=ab-1 quiet inorder_entry={setup.version}\nlinux /ab/{setup.version}/linux\n'
         f'sort-key zz-inorder\ninitrd /inorder/{setup.version}.img\n', f'our entry: {read(entry)}')
    image = setup.path(f'efi/inorder/{setup.version}.img')
    must(read(image) == read(setup.path(f'boot/inorder-{setup.version}.img')), 'the image where it is read')
    must(not os.path.exists(setup.path('etc/grub.d/11_inorder')) and 'installed' in setup.call('status'), 'nothing for GRUB')
    setup.boots(f'quiet inorder_entry={setup.version}')
    must('last good boot' in setup.call('status') and setup.chosen() == [], 'once is once')
    setup.call('install', '--append', 'inorder.trace=/run/a')
    must(f'inorder_entry={setup.version} inorder.trace=/run/a\n' in read(entry).decode(), f'words in our entry: {read(entry)}')
    whole = read(image)
    if not subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=100k', 'tmpfs', os.path.dirname(image)], check=False,
                          stderr=subprocess.DEVNULL).returncode:
        write(image, b'old')
        said = setup.call('image-again', setup.version, code=1)
        must('cannot copy' in said and read(image) == b'old' and os.listdir(os.path.dirname(image)) == [os.path.basename(image)],
             f'the old image where there is no room, and nothing else: {said}')
        subprocess.run(['umount', os.path.dirname(image)], check=True)
    must(read(image) == whole, 'the image below')
    plugin = setup.path('etc/kernel/install.d/95-inorder.install')
    setup.run(plugin, 'remove', setup.version)
    must(not os.path.exists(entry) and not os.path.exists(image), 'gone with the entry of the distribution')
    setup.run(plugin, 'add', setup.version, '/efi/ab', '/boot/vmlinuz')
    must(os.path.exists(entry) and os.path.exists(image), 'there again with it')
    os.unlink(setup.path(f'efi/loader/entries/ab-{setup.version}.conf'))
    os.unlink(entry)
    setup.run(plugin, 'add', setup.version, '/efi/ab', '/boot/vmlinuz')
    must(not os.path.exists(entry), 'none without it')
    setup.machine.write(f'efi/loader/entries/ab-{setup.version}.conf', theirs)
    write(entry, b'title mine')
    setup.run(plugin, 'add', setup.version, '/efi/ab', '/boot/vmlinuz')
    must(read(entry) == b'title mine', 'an entry that is not ours')
    os.unlink(entry)
    setup.call('install', '--default')
    setup.chosen()
    setup.call('uninstall')
    must(setup.chosen() == ['none'], 'no choice that stays')
    os.unlink(setup.path('proc/cmdline'))
    after = content_of(setup.machine.root)
    must(after == before, f'what it was, but for {before.keys() ^ after.keys()}')


def case_full(tree, folder):
    """A write that fails half way leaves the old image as it was."""
    out = os.path.join(folder, 'image')
    with open(out, 'w', encoding='utf-8') as old:
        old.write('old')
    for compression in ('none', 'gzip', 'zstd', 'lz4', 'xz'):
        done = subprocess.run([IMAGE, '-t', tree, '-i', INIT, '-m', 'ahci', '-c', compression, '-o', out], check=False,
                              env={**os.environ, 'TMPDIR': folder}, capture_output=True, text=True,
                              restore_signals=False,   # SIGXFSZ stays ignored: the write itself fails
                              preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300000, 300000)))
        must(done.returncode == 1, f'exit code 1 with {compression}, not {done.returncode}: {done.stderr}')
        must('cannot write' in done.stderr, f'what cannot be written in: {done.stderr}')
        must(read(out) == b'old' and os.listdir(folder) == ['image'], 'the old image, and nothing else')


def case_debian(tree, folder):
    """Debian's own tools read every image."""
    if not shutil.which('lsinitramfs') or not shutil.which('unmkinitramfs'):
        sys.exit(77)
    wanted = paths(call(tree, '-m', 'ahci', '-l'))
    for compression in ('none', 'gzip', 'zstd', 'lz4', 'xz'):
        image, there = (os.path.join(folder, name + compression) for name in ('image-', 'there-'))
        call(tree, '-m', 'ahci', '-c', compression, '-o', image)
        done = subprocess.run(['lsinitramfs', image], capture_output=True, text=True, check=False)
        must(done.returncode == 0 and not done.stderr, f'no complaint about {compression}, but: {done.stderr}')
        must(['/' + path for path in done.stdout.split()] == wanted, f'all paths with {compression}')
        done = subprocess.run(['unmkinitramfs', image, there], capture_output=True, text=True, check=False)
        must(done.returncode == 0 and not done.stderr, f'no complaint about {compression}, but: {done.stderr}')
        must(any('init' in files for _, _, files in os.walk(there)), f'/init unpacked with {compression}')


def case_places(tree, folder):
    """A device, a pipe and "-" are written to, a link is followed; none of them is replaced."""
    image, link, fifo = (os.path.join(folder, name) for name in ('image', 'link', 'fifo'))
    call(tree, '-m', 'ahci', '-o', image)
    wanted = read(image)
    os.chmod(image, 0o640)
    os.symlink('image', link)
    os.symlink('behind', os.path.join(folder, 'dangling'))
    call(tree, '-m', 'ahci', '-c', 'gzip', '-o', link)
    must(os.readlink(link) == 'image' and read(image)[:2] == b'\x1f\x8b', 'a new file behind the link')
    must(os.stat(image).st_mode & 0o7777 == 0o640, 'the permissions of the file that was replaced')
    call(tree, '-m', 'ahci', '-o', os.path.join(folder, 'dangling'))
    must(read(os.path.join(folder, 'behind')) == wanted, 'the file that a link names')
    os.mkfifo(fifo)
    with tempfile.TemporaryFile() as got, subprocess.Popen(['cat', fifo], stdout=got) as reader:
        call(tree, '-m', 'ahci', '-o', fifo)
        reader.wait()
        got.seek(0)
        must(got.read() == wanted and stat.S_ISFIFO(os.stat(fifo).st_mode), 'the image from a pipe')
    for place in ('-', '/dev/stdout'):
        done = subprocess.run([IMAGE, '-t', tree, '-i', INIT, '-m', 'ahci', '-o', place], stdout=subprocess.PIPE, check=True)
        must(done.stdout == wanted, f'the image from {place}')
    for device in ('/dev/full', '/dev/null'):
        before = os.stat(device)
        said = call(tree, '-m', 'ahci', '-o', device, code=1 if device == '/dev/full' else 0)
        must(os.stat(device).st_rdev == before.st_rdev, f'{device} as it was')
        must(device == '/dev/null' or 'No space left' in said, f'why in: {said}')
    must('folder' in call(tree, '-m', 'ahci', '-o', folder, code=1), 'that it is a folder')
    must(len(os.listdir(folder)) == 5, f'nothing else, but there is {os.listdir(folder)}')


def case_small(tree, folder):
    """A file system that is full: the old image stays."""
    if subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', folder], check=False,
                      stderr=subprocess.DEVNULL).returncode:
        sys.exit(77)
    try:
        out = os.path.join(folder, 'image')
        with open(out, 'w', encoding='utf-8') as old:
            old.write('old')
        for compression in ('none', 'gzip', 'zstd', 'lz4', 'xz'):
            said = call(tree, '-m', 'drivers/ata/', '-c', compression, '-o', out, code=1)
            must(compression in ('lz4', 'xz') or 'No space left' in said, f'why in: {said}')
            must(read(out) == b'old' and os.listdir(folder) == ['image'], 'the old image, and nothing else')
    finally:
        subprocess.run(['umount', folder], check=True)


def case_injected(tree, folder):
    """Whatever call fails, of those that read and write files: the message says what, and the old image stays."""
    out, source = os.path.join(folder, 'image'), os.path.join(folder, 'source')
    traced = ['strace', '-qq', '-o', '/dev/null']
    if not shutil.which('strace') or subprocess.run([*traced, 'true'], check=False, stderr=subprocess.DEVNULL).returncode:
        sys.exit(77)
    if b'__asan_init' in read(IMAGE):   # LeakSanitizer cannot be traced
        sys.exit(77)
    write(source, b'content')
    write(out, b'old')
    for fault, path, words in (('write:error=EIO:when=2', None, ('cannot write', 'Input/output')),
                               ('write:error=ENOSPC:when=2', None, ('cannot write', 'No space')),
                               ('fsync:error=EIO', None, ('cannot write', 'Input/output')),
                               ('fsync:error=ENOSPC', None, ('cannot write', 'No space')),
                               ('fchmod:error=EPERM', None, ('permissions', 'not permitted')),
                               ('linkat:error=EIO', None, ('cannot make', 'Input/output')),
                               ('rename:error=EIO', None, ('cannot rename', 'Input/output')),
                               ('read:error=EIO', source, ('cannot read', source, 'Input/output')),
                               ('openat:error=EACCES', source, (source, 'Permission denied'))):
        inject = ['-e', f'inject={fault}', *(['-P', path] if path else [])]
        done = subprocess.run([*traced, *inject, IMAGE, '-t', tree, '-i', INIT, '-f', f'{source}:/etc/source', '-o', out],
                              check=False, capture_output=True, text=True, env={**os.environ, 'TMPDIR': folder})
        must(done.returncode == 1, f'exit code 1 with {fault}, not {done.returncode}: {done.stderr}')
        for word in words:
            must(word in done.stderr, f'{word} with {fault} in: {done.stderr}')
        must(read(out) == b'old', f'the old image with {fault}')
        must(sorted(os.listdir(folder)) == ['image', 'source'], f'nothing left with {fault}: {os.listdir(folder)}')


@contextlib.contextmanager
def faulty(folder):
    """A file system that fails, whose folders say how (faulty.py): where its files are, and where they fail."""
    if not os.path.exists('/usr/bin/python3'):
        sys.exit(77)
    backing, mount = (os.path.join(folder, name) for name in ('backing', 'mount'))
    for name in ('no-read', 'late-read', 'no-write', 'no-fsync', 'no-space'):
        os.makedirs(os.path.join(backing, name))
    os.mkdir(mount)
    with subprocess.Popen([os.path.join(SOURCE, 'tests/image/faulty.py'), backing, mount], stderr=subprocess.PIPE) as server:
        while not os.path.ismount(mount) and server.poll() is None:
            time.sleep(0.02)
        if server.poll() is not None:   # no FUSE here, or no library for it
            print(f'skipped: {server.stderr.read().decode()[-300:]}')
            sys.exit(77)
        try:
            yield backing, mount
        finally:
            subprocess.run(['umount', '-l', mount], check=True)
            server.wait()


def case_faulty(tree, folder):
    """A disk that cannot be read or written in the end: a message says which file, the old image stays, nothing is left."""
    out, version = os.path.join(folder, 'image'), os.path.basename(tree)
    write(out, b'old')
    with faulty(folder) as (backing, mount):
        def says(code, name, *arguments):
            said = tool(*arguments, code=code)
            must('cannot read' in said and name in said and 'Input/output error' in said, f'{name}, and why, in: {said}')
            must('signal' not in said and read(out) == b'old', f'the old image, and no crash: {said}')
            must(sorted(os.listdir(folder)) == ['backing', 'image', 'mount'], f'nothing left: {os.listdir(folder)}')

        def builds(name, *arguments):
            says(1, name, '-i', INIT, *arguments, '-o', out)

        for where in ('no-read', 'late-read'):
            mine, there = os.path.join(backing, where), os.path.join(mount, where)
            write(f'{mine}/file', bytes(200000))
            builds(f'{there}/file', '-t', tree, '-f', f'{there}/file')
            builds(f'{there}/file', '-t', tree, '-d', there)
            shutil.copytree(tree, f'{mine}/{version}', ignore=lambda path, names: [] if path == tree else names)
            builds('modules.', '-t', f'{there}/{version}', '-m', 'ext4')
            for name in os.listdir(tree):   # the indexes can be read, the modules not
                if name.startswith('modules.'):
                    os.unlink(f'{mine}/{version}/{name}')
                    os.symlink(os.path.join(tree, name), f'{mine}/{version}/{name}')
            shutil.copytree(f'{tree}/kernel/fs/ext4', f'{mine}/{version}/kernel/fs/ext4', dirs_exist_ok=True)
            builds('ext4.ko', '-t', f'{there}/{version}', '-m', 'ext4')
            call(tree, '-m', 'ext4', '-o', f'{mine}/image')
            for words in (['ls'], ['cat'], ['unpack'], ['diff', f'{there}/image'], ['check', '--tree', tree]):
                says(2 if words[0] in ('diff', 'check') else 1, f'{there}/image', *words, f'{there}/image',
                     *{'cat': ['init'], 'unpack': [f'{folder}/new']}.get(words[0], []))
        for name, content, option in (('list', b'ahci\n', '-M'), ('conf', b'compress gzip\n', '--config')):
            write(f'{backing}/no-read/{name}', content)
            builds(f'{mount}/no-read/{name}', '-t', tree, option, f'{mount}/no-read/{name}')
        for where, reason in (('no-write', 'Input/output error'), ('no-fsync', 'Input/output error'), ('no-space', 'No space')):
            target = os.path.join(mount, where, 'image')
            write(f'{backing}/{where}/image', b'old')
            for compression in ('none', 'zstd', 'lz4'):
                said = tool('-i', INIT, '-t', tree, '-m', 'ext4', '-c', compression, '-o', target, code=1)
                must(f"cannot write '{target}'" in said and (reason in said or compression == 'lz4'),
                     f'what cannot be written, and why, with {compression}: {said}')
                must(read(f'{backing}/{where}/image') == b'old' and os.listdir(f'{backing}/{where}') == ['image'],
                     f'the old image, and nothing else, in {where} with {compression}')


class Held:
    """A run of inorder-image that stands still in a phase: its depmod, or its compressor, waits for us."""
    BARE = ['unshare', '-m', 'sh', '-c', 'umount -l /proc && exec "$@"', 'sh']   # no /proc: no unnamed files

    def __init__(self, tree, folder, phase, bare=False):
        self.there = tempfile.TemporaryDirectory()
        self.mark, self.gate = (os.path.join(self.there.name, name) for name in ('mark', 'gate'))
        os.mkfifo(self.mark)
        os.mkfifo(self.gate)
        script = os.path.join(self.there.name, phase)
        with open(script, 'w', encoding='utf-8') as file:
            file.write(f'#!/bin/sh\n[ "$1" != --version ] || exit 0\necho >{self.mark}\nread word <{self.gate}\n')
        os.chmod(script, 0o755)
        command = [IMAGE, '-t', tree, '-i', INIT, '-m', 'drivers/ata/', '-c', 'lz4', '-o', os.path.join(folder, 'image')]
        path = f'{self.there.name}:{os.environ["PATH"]}'
        self.process = subprocess.Popen((self.BARE if bare else []) + command, stderr=subprocess.PIPE,
                                        env={**os.environ, 'TMPDIR': folder, 'PATH': path})
        with open(self.mark, encoding='utf-8') as file:   # until the script is there
            file.read()

    def end(self, number):
        """Sends the signal, lets the script go, returns exit code and words."""
        self.process.send_signal(number)
        with open(self.gate, 'w', encoding='utf-8'):
            pass
        _, said = self.process.communicate()
        self.there.cleanup()
        return self.process.returncode, said.decode()


def case_killed(tree, folder):
    """Killed in the middle: the old image stays, and nothing else; at the latest a second run removes what is left."""
    out = os.path.join(folder, 'image')
    with open(out, 'w', encoding='utf-8') as old:
        old.write('old')
    for phase in ('depmod', 'lz4'):
        code, _ = Held(tree, folder, phase).end(signal.SIGKILL)
        must(code == -signal.SIGKILL and read(out) == b'old', f'the old image after the kill in {phase}')
        left = set(os.listdir(folder)) - {'image'}
        must(not left or not has_fsmount(), f'nothing left after the kill in {phase}, but there is {left}')
    other = os.path.join(folder, 'image.inorder-0123456')
    with open(other, 'w', encoding='utf-8'), open(other + '7', 'w', encoding='utf-8') as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)   # as that of a run that is not over
        call(tree, '-m', 'ahci', '-o', out, TMPDIR=folder)
        must(sorted(os.listdir(folder)) == ['image', 'image.inorder-0123456', 'image.inorder-01234567'],
             f'what is not ours or is in use, but there is {os.listdir(folder)}')


def case_anywhere(tree, folder):
    """Killed at any system call, many of them by chance: the old image or the whole new one, and a second run cleans up."""
    there = os.path.join(folder, 'there')
    os.mkdir(there)
    out, log = os.path.join(there, 'image'), os.path.join(folder, 'log')
    traced, command = ['strace', '-qq', '-o', log], [IMAGE, '-t', tree, '-i', INIT, '-m', 'ahci', '-o', out]
    if not shutil.which('strace') or subprocess.run([*traced, 'true'], check=False, stderr=subprocess.DEVNULL).returncode:
        sys.exit(77)
    if b'__asan_init' in read(IMAGE):   # LeakSanitizer cannot be traced
        sys.exit(77)
    environment = {**os.environ, 'TMPDIR': there}
    subprocess.run([*traced, *command], check=True, env=environment)
    new, calls, ends = read(out), read(log).count(b'\n'), {b'old': 0}
    ends[new] = 0
    chance = random.Random(12)
    for point in sorted({calls - last for last in range(16)} | {1 + chance.randrange(calls) for _ in range(40)}):
        write(out, b'old')
        subprocess.run([*traced, '-e', f'inject=all:signal=KILL:when={point}', *command], check=False, env=environment)
        must(read(out) in ends, f'a whole image after a kill at call {point} of {calls}')
        ends[read(out)] += 1
        left = [name for name in os.listdir(there) if name != 'image']
        must(all(name.startswith(('image.inorder-', 'inorder-image.')) for name in left), f'nothing else, but {left}')
        must(not left or not has_fsmount() or (left == [left[0]] and read(f'{there}/{left[0]}') == new),
             f'nothing but what was about to be renamed, not {left}, after a kill at call {point}')
        if left:
            call(tree, '-m', 'ahci', '-o', out, TMPDIR=there)
            must(os.listdir(there) == ['image'], f'nothing after a second run, but {os.listdir(there)}')
    must(all(ends.values()), f'kills before the new image and after it: {list(ends.values())}')


def has_fsmount():
    """Whether a folder can be had that has no name: as root, with the privilege to mount."""
    done = subprocess.run(['unshare', '-m', 'true'], check=False, stderr=subprocess.DEVNULL)
    return done.returncode == 0


def case_leftovers(tree, folder):
    """Without /proc temporary files have names: the next run removes those that a killed one has left."""
    if subprocess.run(Held.BARE + ['true'], check=False, stderr=subprocess.DEVNULL).returncode:
        sys.exit(77)
    if b'__asan_init' in read(IMAGE):   # LeakSanitizer needs /proc, even to be told not to look
        sys.exit(77)
    out, left = os.path.join(folder, 'image'), set()
    for phase in ('depmod', 'lz4'):
        code, said = Held(tree, folder, phase, bare=True).end(signal.SIGKILL)
        must(code == -signal.SIGKILL and not os.path.exists(out), f'no image after the kill in {phase}: {said}')
        left.update(os.listdir(folder))
    must(any(name.startswith('image.inorder-') for name in left), 'a file of the killed run')
    must(any(name.startswith('inorder-image.') for name in left), 'a folder of the killed run')
    done = subprocess.run(Held.BARE + [IMAGE, '-t', tree, '-i', INIT, '-m', 'ahci', '-o', out], check=False,
                          env={**os.environ, 'TMPDIR': folder}, capture_output=True, text=True)
    must(done.returncode == 0 and os.listdir(folder) == ['image'], f'the image alone, but {os.listdir(folder)} {done}')


def case_interrupt(tree, folder):
    """A signal leaves neither a half image nor temporary files, be it early or while the image is written."""
    for phase in ('depmod', 'lz4'):
        code, said = Held(tree, folder, phase).end(signal.SIGTERM)
        must(code == 1 and said.startswith('inorder-image: '), f'exit code 1 in {phase}, not {code}: {said}')
        must(os.listdir(folder) == [], f'nothing left after {phase}, but there is {os.listdir(folder)}')


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
