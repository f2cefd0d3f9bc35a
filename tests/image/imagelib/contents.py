# SPDX-License-Identifier: MIT
"""What is in an image, and in which form."""
import gzip
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

from .common import call, IMAGE, INIT, must, paths, read, tool, write

SIGNED = b'~Module signature appended~\n'   # ends a module


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
    must(entries['etc/inorder/digest'][1] == b'sha256\n', 'the digest of signatures in compressed modules')
    bad = [os.path.join(place, name) for place, _, files in os.walk(packed) for name in files if name.startswith('ext4.ko')][0]
    os.truncate(bad, os.path.getsize(bad) // 2)
    must(bad in call(packed, '-m', 'ext4', '-o', out, code=1), 'the module that cannot be unpacked')


def case_digest(tree, folder):
    """The image has what makes the check of signatures faster, and says of which digest; not if there are none."""
    version = os.path.basename(tree)

    def listed(tree, *arguments):
        found = paths(call(tree, '-m', 'ext4', *arguments, '-l'))
        return any(path.endswith('/sha256-ssse3.ko') for path in found), '/etc/inorder/digest' in found
    must(listed(tree) == (True, True), 'what answers to crypto-sha256, and the name of the digest')
    must(listed(tree, '--omit', '/etc/inorder') == (True, False), 'no name of it where that is omitted')
    bare = os.path.join(folder, f'lib/modules/{version}')
    for place, _, files in os.walk(tree):
        for name in files:
            if name in ('ext4.ko', 'jbd2.ko', 'mbcache.ko', 'crc16.ko', 'crc32c_generic.ko', 'sha256-ssse3.ko'):
                content = read(os.path.join(place, name))
                must(content.endswith(SIGNED), f'a signature of {name}')
                length = int.from_bytes(content[-len(SIGNED) - 4:-len(SIGNED)], 'big')
                write(os.path.join(bare, os.path.relpath(place, tree), name), content[:-len(SIGNED) - 12 - length])
    for name in ('modules.order', 'modules.builtin', 'modules.builtin.modinfo'):
        shutil.copy(os.path.join(tree, name), bare)
    subprocess.run(['depmod', '-b', folder, version], check=True)
    must(listed(bare) == (False, False), 'neither where modules are not signed')


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
