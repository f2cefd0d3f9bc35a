# SPDX-License-Identifier: MIT
"""Kernels built from Debian's linux-source packages: a tree as shipped, and one with our async in it."""
import contextlib
import fcntl
import filecmp
import glob
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from . import package
from .common import Failure, run, written

DEFAULT = '6.1'                    # the version that Debian 12, the reference, has
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONFIGS = os.path.join(TOP, 'tools/kernel')
OVERLAY = os.path.join(TOP, 'tools/kernel-overlay')
PATCHES = os.path.join(TOP, 'ports/linux/patches')
OURS = 'kernel/inorder/core'       # where the overlay puts the core
SAY_EVERY_S = 10

# Kernels by name (no folder of the sources has it): the architecture, the file that is booted, the parts of the
# configuration. A vmlinux starts at once (PVH); those with KASAN and KCSAN cannot: what runs first there is instrumented
# before it may be.
BZIMAGE = 'arch/x86/boot/bzImage'
KINDS = {
    'qemu': ('x86_64', 'vmlinux', ('common', 'qemu')),
    'cards': ('x86_64', 'vmlinux', ('common', 'qemu', 'cards')),
    'uml': ('um', 'linux', ('common', 'uml')),
    'kunit': ('um', 'linux', ('common', 'uml', 'kunit')),
    'kunit-debug': ('um', 'linux', ('common', 'uml', 'kunit', 'debug')),
    'uml-stock': ('um', 'linux', ('common', 'uml', 'stock')),
    'kasan': ('x86_64', BZIMAGE, ('common', 'qemu', 'lockdep', 'kasan')),
    'kcsan': ('x86_64', BZIMAGE, ('common', 'qemu', 'kcsan')),
}

# These differ little from another one, and begin as a copy of it.
LIKE = {'kunit': 'uml', 'uml-stock': 'uml', 'cards': 'qemu'}

# Where Debian has the sources of later kernels.
SUITES = ('bookworm-backports', 'trixie', 'trixie-backports', 'sid')

# What neither x86 nor um builds from.
UNUSED = ('arch/[!xu]*/*.[chS]', 'arch/[!xu]*/*.dts*', 'Documentation/devicetree/*', 'tools/testing/[!k]*', 'tools/perf/*')

# The same on every machine and each time, so that objects compare and ccache finds them again.
FIXED = {'KBUILD_BUILD_TIMESTAMP': 'Thu Jan  1 00:00:00 UTC 2026', 'KBUILD_BUILD_USER': 'inorder',
         'KBUILD_BUILD_HOST': 'inorder', 'LC_ALL': 'C'}


def sources_of(folder):
    """The files that modules in a folder are built of: what it has, and what contract.mk takes from beside it."""
    here = [os.path.join(folder, name) for name in os.listdir(folder) if name == 'Kbuild' or name.endswith(('.c', '.h', '.mk'))]
    lists = [path for path in here if path.endswith('.mk')]
    names = [word for path in lists for word in re.findall(r'(\w+)\.o\b', read(path))] + (['party', 'actors'] if lists else [])
    beside = [os.path.join(folder, '..', place, f'{name}.{kind}') for name in names for place in ('', 'contract')
              for kind in 'ch']
    return here + [path for path in beside if os.path.exists(path)]


class Build:
    """A kernel that has been built. A machine boots the file that it calls vmlinux."""

    def __init__(self, tree, kind):
        self.name = f'{os.path.basename(tree)}/{kind}'
        self.tree = tree
        self.kind = kind
        self.folder = os.path.join(tree, kind)
        self.vmlinux = os.path.join(self.folder, KINDS[kind][1])

    def module(self, path):
        """The path of a module of the kernel's own."""
        full = os.path.join(self.folder, path)
        if not os.path.exists(full):
            raise Failure(f'the kernel {self.name} has no module {path}')
        return full


def folder_of(build, version):
    """Where the kernels of a version are built."""
    folder = os.path.join(os.path.abspath(build), 'linux')
    return folder if version == DEFAULT else os.path.join(folder, version)


def versions():
    """The versions that the overlay has patches for."""
    return sorted(os.listdir(PATCHES), key=lambda version: [int(part) for part in version.split('.')])


def overlay_options(version):
    """What the overlay can add for that version."""
    return [f'--{name}' for name in ('owners', 'names', 'shutdown') if os.path.exists(os.path.join(PATCHES, version, f'{name}.patch'))]


class Kernels:
    """The trees and builds in build/linux. Only one process at a time works there."""

    def __init__(self, build, say, jobs=None, version=DEFAULT):
        self.version = version
        self.folder = folder_of(build, version)
        self.say = say
        self.jobs = jobs or os.cpu_count() or 1
        self.stock = os.path.join(self.folder, 'stock')
        self.ours = os.path.join(self.folder, 'ours')
        os.makedirs(self.folder, exist_ok=True)
        # held until the process ends
        self.lock = open(os.path.join(self.folder, 'lock'), 'w', encoding='ascii')
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f'another process works in {self.folder}: waiting for it')
            fcntl.flock(self.lock, fcntl.LOCK_EX)

    def get_stock(self, kind):
        if not os.path.isdir(self.stock):
            unpack_source(self.stock, self.version, self.say)
        return self.build(self.stock, kind)

    def get_ours(self, kind):
        """The kernel with the overlay. It begins as a copy of the stock one, so little is compiled twice."""
        if not os.path.isdir(self.stock):
            unpack_source(self.stock, self.version, self.say)
        if not os.path.isdir(self.ours):
            self.say('linking a second tree')
            link_tree(self.stock, self.ours)
        run([OVERLAY, *overlay_options(self.version), self.ours], f'put the overlay into {self.ours}')
        if not os.path.isdir(os.path.join(self.ours, kind)) and os.path.isdir(os.path.join(self.stock, kind)):
            self.copy(kind)
        return self.build(self.ours, kind)

    def copy(self, kind):
        """Makes the objects of the stock kernel ours'. Their paths are relative to the tree, but for those of objtool,
        which is built once more, with the same outcome; since all objects depend on it, it gets the old one's time."""
        old, new = os.path.join(self.stock, kind), os.path.join(self.ours, kind)
        try:
            run(['cp', '-aT', old, new], f'copy the stock kernel to {new}')
            touch_overlay(self.ours)
            kernel = Build(self.ours, kind)
            configure(kernel)
            self.make(kernel, ['prepare'], f'prepare the kernel {kernel.name}')
            age(os.path.join(new, 'tools'), os.path.join(old, 'tools/objtool/objtool'))
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)   # half of it would be taken for the whole
            raise

    def build(self, tree, kind):
        """Configures if the configuration is another one, then has make build what has changed."""
        kernel = Build(tree, kind)
        like = os.path.join(tree, LIKE.get(kind, ''))
        if kind in LIKE and not os.path.isdir(kernel.folder) and os.path.isdir(like):
            with made(kernel.folder) as work:
                run(['cp', '-aT', like, work], f'copy {like}')
        os.makedirs(kernel.folder, exist_ok=True)
        configure(kernel)
        target = os.path.basename(KINDS[kind][1])
        self.make(kernel, [target, 'modules'], f'build the kernel {kernel.name}')
        return kernel

    def modules(self, kernel, sources, *words):
        """Builds the modules in a folder of sources against that kernel, beside the trees; returns their paths."""
        folder = os.path.join(self.folder, 'modules', kernel.name, os.path.basename(sources))
        os.makedirs(folder, exist_ok=True)
        for path in sources_of(sources):
            put(path, os.path.join(folder, os.path.basename(path)))
        self.make(kernel, [f'M={folder}', *words, 'modules'], f'build {sources} for {kernel.name}')
        return sorted(glob.glob(os.path.join(folder, '*.ko')))

    def log(self, kernel):
        """Where make's last output is."""
        return os.path.join(self.folder, f'{kernel.name.replace("/", "-")}.log')

    def make(self, kernel, targets, what):
        """Runs make there and shows how far it is; a failure shows the end of its output."""
        log = self.log(kernel)
        environment = dict(os.environ, **FIXED)
        compiler = 'gcc'
        if shutil.which('ccache'):
            compiler = 'ccache gcc'
            environment.setdefault('CCACHE_DIR', os.path.join(self.folder, 'ccache'))
            environment.update(CCACHE_NOHASHDIR='1', CCACHE_MAXSIZE='2G')
        command = ['make', f'-j{self.jobs}', f'O={kernel.kind}', f'ARCH={KINDS[kernel.kind][0]}', f'CC={compiler}']
        with open(log, 'wb') as file:
            process = subprocess.Popen(command + targets, cwd=kernel.tree, env=environment, stdin=subprocess.DEVNULL,
                                       stdout=file, stderr=subprocess.STDOUT, start_new_session=True)
            try:
                self.watch(process, log, kernel.name)
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGTERM)
                    process.wait()
        if process.returncode:
            raise Failure(f'cannot {what} ({process.returncode}). The end of {log}:\n{errors_of(log)}')

    def watch(self, process, log, name):
        shown = time.monotonic()
        while True:
            try:
                process.wait(timeout=SAY_EVERY_S)
                break
            except subprocess.TimeoutExpired:
                self.say(f'building {name}: {count_steps(log)} steps')
        if time.monotonic() - shown >= SAY_EVERY_S:
            self.say(f'built {name}: {count_steps(log)} steps')


def put(source, target):
    """Copies a file unless it is there already, so that make does no more than it has to."""
    if not os.path.exists(target) or not filecmp.cmp(source, target, shallow=False):
        shutil.copyfile(source, target)


@contextlib.contextmanager
def made(folder):
    """A folder to fill, which gets that name if all went well."""
    work = f'{folder}.new'
    shutil.rmtree(work, ignore_errors=True)
    os.makedirs(work)
    try:
        yield work
        os.rename(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def touch_overlay(tree):
    """Objects of the stock kernel can be younger than the overlay: what depends on its files is compiled again."""
    for name in json.loads(read(os.path.join(tree, '.inorder-overlay/put.json'))):
        with contextlib.suppress(FileNotFoundError):
            os.utime(os.path.join(tree, name))


def age(folder, model):
    """Gives all files there the time of another, if that exists."""
    if not os.path.exists(model):
        return
    status = os.stat(model)
    for place, _, names in os.walk(folder):
        for name in names:
            os.utime(os.path.join(place, name), ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)


def count_steps(log):
    """make writes a line that begins with two blanks for every file that it makes."""
    with open(log, 'rb') as file:
        return sum(line.startswith(b'  ') for line in file)


def errors_of(log, most=40):
    with open(log, encoding='utf-8', errors='replace') as file:
        lines = [line.rstrip() for line in file if not line.startswith('  ')]
    return '\n'.join(lines[-most:])


def unpack_source(folder, version, say):
    """Has apt fetch the package and unpacks the sources; folder appears when it is complete."""
    name = f'linux-source-{version}'
    with made(folder) as tree, tempfile.TemporaryDirectory(dir=os.path.dirname(folder)) as work:
        if version == DEFAULT:
            archive = package.download(name, work, say)
        else:
            archive = package.download_of_suites(name, SUITES, os.path.dirname(folder), work, say)
        say('unpacking the sources of the kernel')
        excluded = ' '.join(f"--exclude='{name}/{pattern}'" for pattern in UNUSED)
        run(['bash', '-o', 'pipefail', '-c',
             f'dpkg-deb --fsys-tarfile "$1" | tar -xO ./usr/src/{name}.tar.xz | xz -dc -T2 | '
             f'tar -x -C "$2" --strip-components=1 --wildcards {excluded}', 'unpack', archive, tree],
            f'unpack {archive}')


def link_tree(source, target):
    """A second tree that shares its files with the first; whoever changes one writes it anew."""
    with made(target) as tree:
        names = [name for name in os.listdir(source) if name not in KINDS]
        run(['cp', '-al', *[os.path.join(source, name) for name in names], tree], f'link {source} to {target}')


def configure(kernel, partly=False):
    """Everything off but what the parts ask for; an option that does not come out as asked for is an error, unless the
    tree need not have them all."""
    names = KINDS[kernel.kind][2]
    if os.path.exists(os.path.join(kernel.tree, OURS)):
        names = ('ours', *names)
    version = version_of(kernel.tree)
    parts = []
    for name in names:
        own = os.path.join(CONFIGS, f'{name}-{version}.config')    # what that version calls otherwise
        parts += [os.path.join(CONFIGS, f'{name}.config'), *([own] if os.path.exists(own) else [])]
    wishes = {}                       # a later part overrides an earlier one
    for part in parts:
        wishes.update(re.findall(r'^(CONFIG_\w+)=(.*)$', read(part), re.M))
    text = ''.join(f'{name}={value}\n' for name, value in wishes.items())
    stamp = os.path.join(kernel.folder, '.inorder-config')
    digest = hashlib.sha256(text.encode()).hexdigest()
    if read(stamp) == digest and not partly:
        return
    wanted = os.path.join(kernel.folder, 'inorder.config')
    with open(wanted, 'w', encoding='ascii') as file:
        file.write(text)
    run(['make', '-s', f'O={kernel.kind}', f'ARCH={KINDS[kernel.kind][0]}', f'KCONFIG_ALLCONFIG={wanted}',
         'allnoconfig'], f'configure the kernel {kernel.name}', cwd=kernel.tree, env=dict(os.environ, **FIXED))
    got = set(read(os.path.join(kernel.folder, '.config')).splitlines())
    lost = [line for line in text.splitlines() if not is_set(line, got)]
    if lost and not partly:
        raise Failure(f'the kernel {kernel.name} does not get what {", ".join(parts)} ask for, since something that '
                      f'it depends on is off: {", ".join(lost)}')
    with written(stamp) as new, open(new, 'w', encoding='ascii') as file:
        file.write(digest)


def version_of(tree):
    """As in 6.12."""
    makefile = read(os.path.join(tree, 'Makefile'))
    return '.'.join(re.search(rf'^{word} = (\d+)$', makefile, re.M).group(1) for word in ('VERSION', 'PATCHLEVEL'))


def is_set(line, got):
    name, value = line.split('=', 1)
    if value == 'n':
        return not any(other.startswith(f'{name}=') for other in got)
    return line in got


def read(path):
    try:
        with open(path, encoding='utf-8', errors='replace') as file:
            return file.read()
    except FileNotFoundError:
        return ''
