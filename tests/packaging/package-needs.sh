#!/bin/sh
# SPDX-License-Identifier: MIT
# What make packages installs is what debian/control wants: all but what only tests need.
. "$(dirname "$0")/lib.sh"

sed -n '/^Build-Depends:/,/^$/p' "$source_dir/debian/control" | sed 's/^Build-Depends://; s/(.*)//; s/:any//; s/,.*//' |
	grep -v -e nocheck -e '^ *$' | sed 's/^ *debhelper-compat/debhelper/; s/^ *dh-sequence-/dh-/' >"$scratch/wanted"
[ -s "$scratch/wanted" ] || fail 'debian/control has no build dependencies'
awk '!/^#/ && $2 ~ /^(build|boot|packages)$/ { gsub(/[|]/, "\n", $1); print $1 }' "$source_dir/tools/packages" >"$scratch/listed"
while read -r one other; do
	other=${other#| }
	grep -qx -e "$one" ${other:+-e "$other"} "$scratch/listed" || fail "tools/packages does not have $one for the step packages"
done <"$scratch/wanted"
exit $failed
