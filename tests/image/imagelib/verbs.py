# SPDX-License-Identifier: MIT
"""install, setup, uninstall: kernels, boot loaders, what is not ours."""
import os
import subprocess

from .common import must, read, Setup, tool, write


def content_of(root):
    """Everything below a folder, to compare with later."""
    found = {}
    for place, folders, files in os.walk(root):
        for name in folders + files:
            path = os.path.join(place, name)
            found[path] = os.readlink(path) if os.path.islink(path) else read(path) if os.path.isfile(path) else None
    return found


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
