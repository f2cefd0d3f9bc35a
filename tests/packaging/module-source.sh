#!/bin/sh
# SPDX-License-Identifier: MIT
# The package of the module has a source for each object that its Kbuild names.
. "$(dirname "$0")/lib.sh"
need make dpkg-parsechangelog

mkdir "$scratch/ports"
cp -R "$source_dir/debian" "$source_dir/core" "$scratch/"
cp -R "$source_dir/ports/linux" "$source_dir/ports/posix" "$scratch/ports/"
(cd "$scratch" && make -f debian/rules execute_after_dh_install-indep) >"$scratch/log" 2>&1 || fail "$(cat "$scratch/log")"
cd "$scratch"/debian/inorder-dkms/usr/src/inorder-* || exit 1
for object in $(sed -e ':a' -e '/\\$/N; s/\\\n\t*//; ta' Kbuild | sed -n 's/^core-y := .*core\/,\(.*\))/\1/p' | sed 's|[^ ]*|core/&|g') \
	$(sed -n 's/^port-y := //p' Kbuild) module.o; do
	[ -e "${object%.o}.c" ] || fail "the package lacks ${object%.o}.c"
done
exit $failed
