#!/bin/sh
# SPDX-License-Identifier: MIT
# The core reaches the world through its port only: it includes its own headers, the public ones and the port's, and
# what its objects leave undefined is what core-needs.list says that the port provides.
. "$(dirname "$0")/lib.sh"
need nm ar

for file in "$source_dir"/core/*.[ch]; do
	sed -n 's/^[ \t]*#[ \t]*include[ \t]*\([<"].*[>"]\).*/\1/p' "$file" | while read -r include; do
		name=$(echo "$include" | tr -d '<>"')
		case $include in
		\<inorder/*) [ -f "$source_dir/include/$name" ] ;;
		\"*) [ -f "$source_dir/core/$name" ] || [ -f "$source_dir/ports/posix/$name" ] ;;
		*) false ;;
		esac || echo "$(basename "$file") includes $include"
	done
done >"$scratch/includes"
[ ! -s "$scratch/includes" ] || fail 'the core may include only its own, the public and the port'\''s headers:
'"$(cat "$scratch/includes")"

archive=$build_dir/libinorder-parts.a
cd "$build_dir" || exit
ar t "$archive" | grep -E '(^|/)core_' >"$scratch/members" || fail 'libinorder-parts.a has no objects of core/'
if head -n 1 "$archive" | grep -q '^!<arch>'; then # not a thin one, whose members are files
	cd "$scratch" || exit
	ar x "$archive" $(cat members)
fi
nm -u $(cat "$scratch/members") | awk '$1 == "U" { print $2 }' | sort -u >"$scratch/undefined"
nm --defined-only $(cat "$scratch/members") | awk 'NF == 3 { print $3 }' | sort -u >"$scratch/defined"
comm -23 "$scratch/undefined" "$scratch/defined" >"$scratch/needs"
awk '!/^#/ && NF { print $1 }' "$source_dir/tests/packaging/core-needs.list" | sort >"$scratch/list"
comm -23 "$scratch/needs" "$scratch/list" >"$scratch/more"
[ ! -s "$scratch/more" ] || fail 'not in core-needs.list, yet needed by the core:' $(cat "$scratch/more")
exit $failed
