#!/bin/sh
# SPDX-License-Identifier: MIT
# bootgraph.sh PROGRAM CHART BUILD-DIRECTORY: the kernel's own scripts/bootgraph.pl draws the log of PROGRAM.
set -eu
program=$1
chart=$2
build=$3
LC_ALL=C
export LC_ALL
# as this release of Debian calls it: the name of another one is a pattern for apt, which may match
package=$(apt-cache depends linux-source 2>/dev/null | sed -n 's/.*Depends: \(linux-source-[0-9.]*\)$/\1/p' | head -n 1)
script=$build/bootgraph.pl
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

skip() {
	echo "skipped: $*"
	exit 77
}

# fetch_script: takes that one file out of Debian's package; it stays in the build directory for the next time
fetch_script() {
	[ "$package" ] || skip "apt knows no linux-source"
	for tool in apt-get dpkg-deb tar xz; do
		command -v $tool >/dev/null || skip "there is no $tool to fetch $package with"
	done
	(cd "$scratch" && apt-get -q -o Acquire::Retries=5 download "$package" >"$scratch/log" 2>&1) ||
		skip "cannot download Debian's $package (offline?): $(tail -n 1 "$scratch/log")"
	dpkg-deb --fsys-tarfile "$scratch/$package"*.deb | tar -xO "./usr/src/$package.tar.xz" >"$scratch/source.tar.xz"
	# tar ends at the first match and leaves xz with a broken pipe, which is fine.
	xz -dc "$scratch/source.tar.xz" 2>/dev/null |
		tar -xO --occurrence=1 "$package/scripts/bootgraph.pl" >"$scratch/bootgraph.pl" || :
	[ -s "$scratch/bootgraph.pl" ] || { echo "FAILED: there is no scripts/bootgraph.pl in $package" >&2; exit 1; }
	mv "$scratch/bootgraph.pl" "$script"
}

command -v perl >/dev/null || skip "there is no perl here"
[ -s "$script" ] || fetch_script

INORDER_DEBUG=initcall INORDER_THREADS=4 "$program" 2>"$scratch/log"
perl "$script" <"$scratch/log" >"$scratch/out.svg"

# wanted WHAT PATTERN: the picture has a bar's name that matches
failed=0
wanted() {
	grep -Eq ">$1</text>" "$scratch/out.svg" || { echo "FAILED: the picture lacks $1" >&2; failed=1; }
}
for name in mount__proc '[0-9]+_sda' '[0-9]+_sdb' '[0-9]+_sdc' '[0-9]+_sda\.retire' '[0-9]+_sdb\.retire' \
	'[0-9]+_sdc\.retire' '[0-9]+_scan_bus' '[0-9]+_bootgraph_log'; do
	wanted "$name"
done
grep -q 'fill:rgb(128,128,128)' "$scratch/out.svg" || { echo "FAILED: the picture has no wait" >&2; failed=1; }
# Ours reads the same log, and names the static function by its symbol table.
"$chart" --text --symbols "$program" "$scratch/log" >"$scratch/summary"
for name in 'mount__proc' 'sda' 'scan_bus' 'unnamed'; do
	grep -Eq "  $name\$" "$scratch/summary" || { echo "FAILED: the summary lacks $name" >&2; failed=1; }
done
[ $failed = 0 ] || cat "$scratch/log" >&2
exit $failed
