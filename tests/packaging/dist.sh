#!/bin/sh
# SPDX-License-Identifier: MIT
# What is published builds without git, in any folder, and to the same bytes.
. "$(dirname "$0")/lib.sh"
need gcc meson ninja

# The tree as an archive has it: where there is git, what it tracks.
mkdir "$scratch/one" "$scratch/another"
(cd "$source_dir" && if [ -e .git ] && command -v git >/dev/null; then
	git ls-files
else
	find . -path './build*' -prune -o -path ./out -prune -o -path ./.git -prune -o -type f -print
fi) >"$scratch/files"
tar -C "$source_dir" -cf "$scratch/tree.tar" -T "$scratch/files"

# build FOLDER: as a distribution does it
build() {
	tar -C "$scratch/$1" -xf "$scratch/tree.tar"
	(cd "$scratch/$1" && CCACHE_DISABLE=1 CFLAGS="-O1 -g0 -ffile-prefix-map=$PWD=." meson setup --prefix /usr -Dtests=disabled \
		-Dbench=disabled build && DESTDIR=$scratch/$1/root meson install -C build --quiet) >"$scratch/log" 2>&1 ||
		{ tail -n 30 "$scratch/log"; exit 1; }
}

build one
build another
diff -r --no-dereference "$scratch/one/root" "$scratch/another/root" || fail 'two builds differ'
[ -e "$scratch/one/root/usr/include/inorder/async.h" ] || fail 'no header was installed'

# Uninstalled, nothing is left but folders.
(cd "$scratch/one" && DESTDIR=$scratch/one/root ninja -C build uninstall) >"$scratch/log" 2>&1 || fail "$(cat "$scratch/log")"
left=$(find "$scratch/one" -path "$scratch/one/root/*" ! -type d)
[ -z "$left" ] || fail "left by uninstall: $left"
exit $failed
