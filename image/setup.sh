#!/bin/sh
# SPDX-License-Identifier: MIT
# inorder-image install, uninstall, status: images beside the distribution's, which are never touched, and entries of
# GRUB below its own. Also what the hooks and the systemd unit call: image, removed, grub-entries, good.
#
# An entry of ours is never GRUB's default. It is chosen for the next boot alone (grub-reboot), and chosen again only when
# a boot has reached the login: so a boot that fails is followed by the distribution's entry, whatever went wrong.
#
# INORDER_ROOT stands before all paths, for tests; INORDER_IMAGE and INORDER_SETUP are the program and this script.
set -eu

root=${INORDER_ROOT:-}
image=${INORDER_IMAGE:-@SBINDIR@/inorder-image}
self=${INORDER_SETUP:-@LIBEXECDIR@/inorder/image-setup}
state=$root/var/lib/inorder

postinst=$root/etc/kernel/postinst.d/inorder-image
postrm=$root/etc/kernel/postrm.d/inorder-image
update=$root/etc/initramfs/post-update.d/inorder-image
grub=$root/etc/grub.d/11_inorder
grubenv=$root/boot/grub/grubenv
plugin=$root/etc/kernel/install.d/95-inorder.install
unit=$root/etc/systemd/system/inorder-good.service
wants=$root/etc/systemd/system/multi-user.target.wants/inorder-good.service

say() {
	echo "inorder-image: $*" >&2
}

# What has started this machine, or will.
loader() {
	info=$root/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f
	case $({ tr -d '\000' <"$info"; } 2>/dev/null) in
	*systemd-boot*) echo systemd-boot ;;
	*) if command -v update-grub >/dev/null; then echo grub; else echo none; fi ;;
	esac
}

# The versions of the kernels that are installed, newest first.
kernels() {
	for kernel in "$root"/boot/vmlinuz-*; do
		version=${kernel##*/vmlinuz-}
		[ ! -e "$root/lib/modules/$version/modules.dep.bin" ] || echo "$version"
	done | sort -rV
}

# Whether the first file is there and newer than the second.
newer() {
	[ "$(find "$1" -newer "$2" 2>/dev/null)" ]
}

# Makes a folder and those above it, and notes which were not there.
folder() {
	[ ! -d "$1" ] || return 0
	folder "${1%/*}" || return 1
	mkdir "$1" || return 1
	case $state/ in
	"$1"/*) ;;
	*) echo "$1" >>"$state/folders" ;;
	esac
}

# Whether install has written that file.
ours() {
	grep -qs '^# Made by inorder-image install' "$1"
}

# The kernels whose images are ours, a line each. Before this list was kept, those of all kernels were.
images() {
	if [ -e "$state/images" ]; then
		cat "$state/images"
	elif ours "$postinst"; then
		find "$root/boot" -maxdepth 1 -name 'inorder-*.img' | sed 's|.*/inorder-\(.*\)\.img|\1|'
	fi
}

has_image_of_ours() {
	images | grep -qxF -e "$1"
}

# Whether that kernel can be booted with an image of ours.
is_bootable() {
	[ -e "$root/boot/inorder-$1.img" ] && has_image_of_ours "$1"
}

# Whether that entry of systemd-boot is there and not ours.
is_foreign_entry() {
	[ -e "$1" ] && ! grep -q '^sort-key zz-inorder$' "$1"
}

# write PATH MODE: standard input becomes that file. A file that is not ours is left alone.
write() {
	if [ -e "$1" ] && ! ours "$1"; then
		say "'$1' is there and not of inorder-image: it is left alone; move it away, then install again"
		return 1
	fi
	folder "${1%/*}" || return 1
	if cat >"$1.new" && chmod "$2" "$1.new"; then
		mv "$1.new" "$1"
	else
		rm -f "$1.new"
		say "cannot write '$1'"
		return 1
	fi
}

# copy FROM TO: TO is what it was until the new one is on the disk.
copy() {
	if cp -T "$1" "$2.new" && sync "$2.new" && mv -T "$2.new" "$2"; then
		return 0
	fi
	rm -f "$2.new"
	say "cannot copy '$1' to '$2', which is as it was"
	return 1
}

# hook PATH COMMAND: a hook of kernel packages. It never fails, because their installation would.
hook() {
	write "$1" 755 <<-EOF
		#!/bin/sh
		# Made by inorder-image install; inorder-image uninstall removes it.
		[ ! -x $self ] || $self $2 "\$1" || echo "inorder-image: failed for '\$1'; the distribution's image is as it was" >&2
		exit 0
	EOF
}

hooks() {
	hook "$postinst" image && hook "$postrm" removed && hook "$update" image-again || return 1
	write "$unit" 644 <<-EOF || return 1
		# Made by inorder-image install; inorder-image uninstall removes it.
		[Unit]
		Description=Note that a boot with inorder-image has reached the login
		After=getty.target systemd-user-sessions.service
		ConditionPathExists=$self

		[Service]
		Type=oneshot
		ExecStart=$self good

		[Install]
		WantedBy=multi-user.target
	EOF
	folder "${wants%/*}" && ln -sf ../inorder-good.service "$wants" && hooks_of_loader
}

# What makes the entries: GRUB's menu is made by scripts, those of systemd-boot come and go with kernel-install.
hooks_of_loader() {
	case $(loader) in
	grub)
		write "$grub" 755 <<-EOF
			#!/bin/sh
			# Made by inorder-image install; inorder-image uninstall removes it.
			[ ! -x $self ] || $self grub-entries || echo "inorder-image: no entries in the menu" >&2
			exit 0
		EOF
		;;
	systemd-boot)
		write "$plugin" 755 <<-EOF
			#!/bin/sh
			# Made by inorder-image install; inorder-image uninstall removes it.
			case \$1 in
			add) word=publish ;;
			remove) word=withdraw ;;
			*) exit 0 ;;
			esac
			[ ! -x $self ] || $self \$word "\$2" || echo "inorder-image: no entry for '\$2'" >&2
			exit 0
		EOF
		;;
	esac
}

# make VERSION: its image, beside the distribution's.
make_image() {
	[ -e "$root/lib/modules/$1/modules.dep.bin" ] || {
		say "no modules of the kernel '$1': no image is made for it"
		return 1
	}
	file=$root/boot/inorder-$1.img
	if [ -e "$file" ] && ! has_image_of_ours "$1"; then
		say "'$file' is there and not of inorder-image install: it is left alone; move it away, then install again"
		return 1
	fi
	[ ! -e "$file" ] || chmod 600 "$file" # earlier versions made it for all to read
	"$image" build --host --tree "$root/lib/modules/$1" ${root:+--sysroot "$root"} --output "$file" || return 1
	has_image_of_ours "$1" || echo "$1" >>"$state/images"
}

# remove_image VERSION: one that install or a hook has made.
remove_image() {
	file=$root/boot/inorder-$1.img
	if has_image_of_ours "$1"; then
		rm -f "$file"
		left=$(images | grep -vxF -e "$1") || : # none
		echo "$left" >"$state/images"
	elif [ -e "$file" ]; then
		say "'$file' is not of inorder-image install: it is left alone"
	fi
}

# Where systemd-boot reads entries and what they name.
boot_folder() {
	bootctl --print-boot-path 2>/dev/null || {
		say "bootctl finds no partition that systemd-boot reads: is it mounted?"
		return 1
	}
}

# What install --append has left.
appended() {
	[ ! -e "$state/append" ] || cat "$state/append"
}

# publish VERSION: an entry of systemd-boot beside the distribution's, whose kernel and command line it has.
publish() {
	[ "$(loader)" = systemd-boot ] && is_bootable "$1" || return 0
	place=$root$(boot_folder)
	theirs=$(grep -ls "^version[[:space:]]*$1\$" "$place"/loader/entries/*.conf | grep -v /inorder- | head -n 1)
	[ "$theirs" ] || return 0 # kernel-install makes it, and calls us then
	entry=$place/loader/entries/inorder-$1.conf
	if is_foreign_entry "$entry"; then
		say "'$entry' is there and not of inorder-image install: it is left alone"
		return 0
	fi
	mkdir -p "$place/inorder"
	copy "$root/boot/inorder-$1.img" "$place/inorder/$1.img" || return
	# sort-key: the distribution's entries come first, and the first one is the default
	sed -e '/^#/d' -e '/^initrd\b/d' -e '/^sort-key\b/d' -e '/^machine-id\b/d' -e 's/^title.*/&, inorder/' \
		-e "s|^options.*|& inorder_entry=$1 $(appended)|" -e 's/ *$//' "$theirs" >"$place/inorder/entry"
	printf 'sort-key zz-inorder\ninitrd /inorder/%s.img\n' "$1" >>"$place/inorder/entry"
	mv "$place/inorder/entry" "$entry"
}

# withdraw [VERSION]: removes that entry, or all of ours.
withdraw() {
	[ "$(loader)" = systemd-boot ] || return 0
	place=$root$(boot_folder)
	for version in ${1:-$(images)}; do
		entry=$place/loader/entries/inorder-$version.conf
		if is_foreign_entry "$entry"; then
			say "'$entry' is not of inorder-image install: it is left alone"
		else
			rm -f "$entry" "$place/inorder/$version.img"
		fi
	done
	rmdir "$place/inorder" 2>/dev/null || :
}

entries() {
	case $(loader) in
	grub) [ "$root" ] || update-grub ;;
	systemd-boot) for version in $(kernels); do publish "$version"; done ;;
	*) say "neither GRUB nor systemd-boot here: add an entry with /boot/inorder-VERSION.img to your boot loader by hand" ;;
	esac
}

# GRUB clears the one-time choice itself, which it can only where it can write.
check_grubenv() {
	kind=$(grub-probe --target=abstraction /boot/grub 2>/dev/null) || kind=unknown
	system=$(grub-probe --target=fs /boot/grub 2>/dev/null) || system=unknown
	case "$system:$kind" in
	ext2: | fat: | xfs:) ;;
	*)
		say "GRUB cannot write to /boot/grub ($system${kind:+ on $kind}), so a failed boot would be tried again and again:" \
			"choose the entry in GRUB's menu instead"
		return 1
		;;
	esac
}

# choose [VERSION]: the entry for the next boot alone; none: the distribution's again.
choose() {
	case $(loader) in
	grub)
		if [ "$1" ]; then
			check_grubenv
			[ -e "$grubenv" ] || : >"$state/grubenv" # GRUB's programs make it
			grub-reboot "inorder-$1"
		else
			grub-editenv - unset next_entry
		fi
		;;
	systemd-boot) bootctl set-oneshot "${1:+inorder-$1.conf}" ;;
	*)
		say "neither GRUB nor systemd-boot here: choose the entry in the menu of your boot loader"
		return 1
		;;
	esac
}

# Chooses the newest kernel's entry for the next boot.
arm() {
	for version in $(kernels); do
		is_bootable "$version" || continue
		mkdir -p "$state"
		choose "$version"
		echo "$version" >"$state/armed"
		return 0
	done
	disarm
}

disarm() {
	[ -e "$state/armed" ] || return 0
	rm "$state/armed"
	choose ''
}

# Where GRUB has followed a one-time choice, it leaves the word behind, empty; and the file, if that was not there before.
forget_choice() {
	[ "$(loader)" = grub ] || return 0
	! grub-editenv - list | grep -qx 'next_entry=' || grub-editenv - unset next_entry
	[ ! -e "$state/grubenv" ] || [ "$(grub-editenv - list)" ] || rm -f "$grubenv"
}

# The choice follows the kernels that come and go.
follow() {
	[ -e "$state/armed" ] || return 0
	if [ -e "$state/default" ]; then
		arm
	elif [ ! -e "$root/boot/inorder-$(cat "$state/armed").img" ]; then
		disarm
	fi
}

# Words for the command line of our entries. Both boot loaders read all of these characters as they are.
check_append() {
	case $1 in
	*[!A-Za-z0-9\ ._=:/,+@%-]*)
		say "--append takes letters, digits, blanks and ._=:/,+@%-, and not '$1'"
		return 2
		;;
	esac
}

command_install() {
	again='' append=''
	while [ $# -gt 0 ]; do
		case $1 in
		--try | --default)
			[ ! "$again" ] || {
				say "--try is for one boot, --default for every one: take one"
				return 2
			}
			[ "$1" = --try ] && again=no || again=yes
			;;
		--append)
			[ $# -gt 1 ] || {
				say "--append needs words for the kernel's command line"
				return 2
			}
			shift
			append=$1
			check_append "$append" || return
			;;
		*)
			say "unknown option '$1' of install: --try boots it once, --default as long as it works, --append adds words"
			return 2
			;;
		esac
		shift
	done
	versions=$(kernels)
	[ "$versions" ] || {
		say "no kernel with its modules in '$root/boot': nothing to install for"
		return 1
	}
	install_for "$versions"
}

# install_for VERSIONS: the hooks, images, entries and the choice; what a first one has written goes if it comes to nothing.
install_for() {
	first=''
	[ -e "$state/images" ] || ours "$postinst" || first=yes
	list=$(images)
	folder "$state"
	echo "$list" >"$state/images"
	failed='' made=''
	hooks || {
		[ ! "$first" ] || clear_all
		return 1
	}
	for version in $1; do
		if make_image "$version"; then made=yes; else failed="$failed $version"; fi
	done
	[ "$made" ] || {
		say "no image is made, so nothing is installed${first:+, and what was written is removed}"
		[ ! "$first" ] || clear_all
		return 1
	}
	rm -f "$state/append"
	[ ! "$append" ] || echo "$append" >"$state/append"
	entries
	if [ "$again" ]; then
		arm
		rm -f "$state/default"
		[ "$again" = no ] || : >"$state/default"
	fi
	[ ! "$failed" ] || {
		say "no new image for:$failed; all else is installed"
		return 1
	}
}

# Removes the files that are ours, and only them.
discard() {
	for file; do
		if ours "$file"; then
			rm -f "$file"
		elif [ -e "$file" ]; then
			say "'$file' is not of inorder-image: it is left alone"
		fi
	done
}

# Removes what install and the hooks have written.
clear_all() {
	for file in "$root"/boot/inorder-*.img; do
		version=${file##*/inorder-}
		remove_image "${version%.img}"
	done
	! ours "$unit" || rm -f "$wants"
	discard "$postinst" "$postrm" "$update" "$grub" "$plugin" "$unit"
	[ ! -e "$state/folders" ] || sort -r "$state/folders" | while read -r made; do
		rmdir "$made" 2>/dev/null || : # someone else uses it now
	done
	rm -rf "$state"
}

command_uninstall() {
	disarm || :
	forget_choice || :
	withdraw
	clear_all
	[ "$(loader)" != grub ] || [ "$root" ] || update-grub
}

command_status() {
	code=0
	case $(loader) in
	grub) script=$grub ;;
	systemd-boot) script=$plugin ;;
	*) script=$unit ;;
	esac
	for file in "$postinst" "$postrm" "$update" "$script" "$unit" "$wants"; do
		ours "$file" || code=3
	done
	[ $code = 0 ] && echo "hooks: installed" || echo "hooks: not installed, or not all"
	for version in $(kernels); do
		file=$root/boot/inorder-$version.img
		if [ ! -e "$file" ]; then
			echo "$version: no image"
			code=3
		elif newer "$root/lib/modules/$version/modules.dep" "$file"; then
			echo "$version: $file is older than the modules"
		elif newer "$state/hints" "$file"; then
			echo "$version: $file, made before the hints of the last boots"
		else
			echo "$version: $file"
		fi
	done
	for version in $(images); do
		file=$root/boot/inorder-$version.img
		[ ! -e "$file" ] || [ -e "$root/boot/vmlinuz-$version" ] || echo "$version: $file, whose kernel is gone"
	done
	[ ! -e "$state/append" ] || echo "added to the command line: $(appended)"
	[ ! -e "$state/armed" ] || echo "next boot: $(cat "$state/armed")"
	[ ! -e "$state/default" ] || echo "and every boot after a good one"
	[ ! -e "$state/good" ] || echo "last good boot: $(cat "$state/good")"
	[ ! -e "$state/failed" ] || echo "last boot that did not reach the login: $(cat "$state/failed")"
	return $code
}

# The lines of hints that count for /init; the others are times, which differ in every boot.
told() {
	grep -v -e '^module ' -e '^#' "$1" 2>/dev/null
}

# What /init has noted of this boot goes into images that are made from now on.
keep_hints() {
	noted=$root/run/inorder/hints
	[ -s "$noted" ] && [ "$(told "$noted")" != "$(told "$state/hints")" ] || return 0
	copy "$noted" "$state/hints" || : # the next image has those that were there
}

# Called when a boot has reached the login.
command_good() {
	version=$(sed -n 's/.*\binorder_entry=\([^ ]*\).*/\1/p' "$root/proc/cmdline")
	if [ "$version" ]; then
		mkdir -p "$state"
		rm -f "$state/armed" "$state/failed"
		echo "$version" >"$state/good"
		keep_hints
		[ ! -e "$state/default" ] || arm
	elif [ -e "$state/armed" ]; then
		mv "$state/armed" "$state/failed" # it was to be ours, and this one is the distribution's
		rm -f "$state/default"
		say "the boot with '$(cat "$state/failed")' did not reach the login: the distribution's entry is used"
	fi
}

# An entry for each image. GRUB's library counts on variables that are not set.
grub_entries() {
	set +u
	# shellcheck source=/dev/null
	. "${pkgdatadir:-/usr/share/grub}/grub-mkconfig_lib"
	device=${GRUB_DEVICE:-$(grub-probe --target=device /)}
	name=UUID=$GRUB_DEVICE_UUID
	if [ "$GRUB_DISABLE_LINUX_UUID" = true ] || [ -z "$GRUB_DEVICE_UUID" ]; then
		name=$device
	fi
	access=$(prepare_grub_to_access_device "${GRUB_DEVICE_BOOT:-$(grub-probe --target=device /boot)}")
	folder=$(make_system_path_relative_to_its_root /boot)
	for version in $(kernels); do
		is_bootable "$version" || continue
		echo "Found inorder image: /boot/inorder-$version.img" >&2
		echo "menuentry '${GRUB_DISTRIBUTOR:-Linux}, Linux $version, inorder' --class gnu-linux --id 'inorder-$version' {"
		echo "	insmod gzio"
		echo "$access" | sed 's/^/	/'
		echo "	linux $folder/vmlinuz-$version root=$name ro $GRUB_CMDLINE_LINUX $GRUB_CMDLINE_LINUX_DEFAULT" \
			"inorder_entry=$version" "$(appended)"
		echo "	initrd $folder/inorder-$version.img"
		echo "}"
	done
}

# Called by grub-mkconfig, which exports its variables: all entries or none, because half of one would break the menu.
command_grub_entries() {
	entries=$(grub_entries)
	echo "$entries"
}

command=${1:-}
[ $# = 0 ] || shift
case $command in
uninstall | status)
	[ $# = 0 ] || {
		say "$command takes no options, and not '$1'"
		exit 2
	}
	;;
esac
case $command in
install | uninstall)
	[ "$root" ] || [ "$(id -u)" = 0 ] || {
		say "$command changes the boot: it needs root"
		exit 1
	}
	;;
esac
case $command in
install) command_install "$@" ;;
uninstall) command_uninstall ;;
status) command_status ;;
image) # update-initramfs may have run before us, and called us
	newer "$root/boot/inorder-$1.img" "$root/lib/modules/$1/modules.dep" || make_image "$1"
	publish "$1"
	follow
	;;
image-again)
	make_image "$1"
	publish "$1"
	;;
removed)
	remove_image "$1"
	withdraw "$1"
	follow
	;;
publish) publish "$1" ;;
withdraw) withdraw "$1" ;;
grub-entries) command_grub_entries ;;
good) command_good ;;
*)
	say "unknown command '$command'"
	exit 2
	;;
esac
