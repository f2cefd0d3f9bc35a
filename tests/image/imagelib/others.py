# SPDX-License-Identifier: MIT
"""Images that others made, or that are broken: read, checked, refused."""
import gzip
import json
import os
import random
import re
import shutil
import stat
import subprocess

from .common import call, IMAGE, INIT, Machine, modules_of, must, paths, read, Setup, tool, write


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
