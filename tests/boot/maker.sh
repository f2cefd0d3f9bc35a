#!/bin/sh
# SPDX-License-Identifier: MIT
# /init of the maker machine: runs the recipes of the matrix, each on its own disks, then powers off. A disk's serial
# number is RECIPE.N. What a recipe has: $D1 and so on, its disks; mod, fill and the programs of the image.
/bin/busybox mkdir -p /bin /sbin /usr/bin /usr/sbin /proc /sys /dev /tmp /run /mnt /etc
/bin/busybox --install -s /bin
[ -e /sbin/modprobe ] || ln -s /bin/busybox /sbin/modprobe
export PATH=/sbin:/usr/sbin:/usr/bin:/bin DM_DISABLE_UDEV=1
mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /run
ln -s /proc/mounts /etc/mtab
ln -s /proc/self/fd /dev/fd
exec >/dev/console 2>&1 </dev/console
for name in virtio_pci virtio_scsi sd_mod ext4 dm_mod loop; do modprobe $name; done

cat >/lib.sh <<'END'
mod() { for each; do modprobe "$each"; done; }
# a root below the folder $1: init, and where switch_root moves the mounts
fill() {
	mkdir -p "$1/dev" "$1/proc" "$1/sys" "$1/run" "$1/sbin" "$1/etc" "$1/tmp" "$1/usr"
	cp /rootinit "$1/sbin/init"
}
# the file system on the device $2, of the type $1, becomes a root
root_on() {
	mod "$1"
	mount -t "$1" "$2" /mnt
	fill /mnt
	umount /mnt
}
ext4_root() { # device label uuid
	mke2fs -q -F -t ext4 -O ^has_journal -L "$2" -U "$3" "$1"
	root_on ext4 "$1"
}
END

for disk in /sys/block/sd*; do
	serial=$(tail -c +5 "$disk/device/vpd_pg80")
	mkdir -p /disks
	ln -s "/dev/${disk##*/}" "/disks/$serial"
done
for recipe in /recipes/*; do
	name=${recipe##*/}
	{
		echo '. /lib.sh'
		number=1
		while [ -e "/disks/$name.$number" ]; do
			echo "D$number=$(readlink "/disks/$name.$number")"
			number=$((number + 1))
		done
		cat "$recipe"
	} >/run/recipe
	if sh -e /run/recipe; then echo "maker: MADE $name"; else echo "maker: FAILED $name"; fi
done
sync
poweroff -f
