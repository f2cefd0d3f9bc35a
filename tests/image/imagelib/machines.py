# SPDX-License-Identifier: MIT
"""What a machine is seen to need."""
import gzip
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile

from .common import call, IMAGE, INIT, Machine, modules_of, must, paths, read, Setup, tool, write


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
