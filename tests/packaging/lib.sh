# SPDX-License-Identifier: MIT
# Common to the packaging tests. Called with: SOURCE-DIRECTORY BUILD-DIRECTORY
set -eu
LC_ALL=C
export LC_ALL
unset INORDER_THREADS INORDER_PENDING INORDER_DEBUG INORDER_INITCALL_BLACKLIST
source_dir=$1
build_dir=$2
failed=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# A tool that is missing skips the test, as Meson understands it.
need() {
	for tool; do
		command -v "$tool" >/dev/null || { echo "skipped: there is no $tool here"; exit 77; }
	done
}

fail() {
	echo "FAILED: $*" >&2
	failed=1
}

# same NAME-A FILE-A NAME-B FILE-B: two sorted lists must be equal
same() {
	only=$(comm -23 "$2" "$4")
	[ -z "$only" ] || fail "in $1, not in $3:" $only
	only=$(comm -13 "$2" "$4")
	[ -z "$only" ] || fail "in $3, not in $1:" $only
	[ -s "$2" ] || fail "$1 is empty"
}

# The names of the calls that the public headers declare.
declared() {
	cat "$source_dir"/include/inorder/*.h | grep -v '^#define INORDER_API' | tr '\n' ' ' | grep -o 'INORDER_API [^;(]*(' |
		sed 's/.*[ *]\([a-z0-9_]*\)($/\1/' | sort -u
}

# readme_block LANGUAGE: the first block of that language in README.md
readme_block() {
	awk -v fence='```'"$1" '$0 == fence { inside = 1; next } /^```/ && inside { exit } inside' "$source_dir/README.md"
}

# install_tree: installs the build below $scratch/root, where $pc then finds it
install_tree() {
	env -u DESTDIR meson install -C "$build_dir" --no-rebuild --quiet --destdir "$scratch/root" >"$scratch/install.log" ||
		{ cat "$scratch/install.log" >&2; exit 1; }
	pc_dir=$(dirname "$(find "$scratch/root" -name inorder.pc)")
	PKG_CONFIG_SYSROOT_DIR=$scratch/root PKG_CONFIG_LIBDIR=$pc_dir
	export PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_LIBDIR
}
