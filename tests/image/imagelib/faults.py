# SPDX-License-Identifier: MIT
"""No space, no memory, signals: the old image or the new one, and nothing else."""
import contextlib
import fcntl
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from .common import call, IMAGE, INIT, must, read, SOURCE, tool, write


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
