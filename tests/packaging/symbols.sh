#!/bin/sh
# SPDX-License-Identifier: MIT
# What the headers declare, what inorder.map lists and what libinorder.so exports are the same; it needs only libc,
# and stays mapped.
. "$(dirname "$0")/lib.sh"
need nm readelf

library=$build_dir/libinorder.so
declared >"$scratch/declared"
sed -n 's/^\t\([a-z0-9_]*\);$/\1/p' "$source_dir/inorder.map" | sort >"$scratch/map"
nm -D --defined-only "$library" | awk '$2 != "A" { sub("@.*", "", $3); print $3 }' | sort >"$scratch/exported"
unversioned=$(nm -D --defined-only "$library" | awk '$2 != "A" && $3 !~ /@@INORDER_/ { print $3 }')
[ -z "$unversioned" ] || fail 'exported without a version:' $unversioned
same 'the headers' "$scratch/declared" 'inorder.map' "$scratch/map"
same 'inorder.map' "$scratch/map" 'libinorder.so' "$scratch/exported"

needed=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
[ "$needed" = libc.so.6 ] || fail "libinorder.so needs more than libc:" $needed
readelf -d "$library" | grep -q 'FLAGS_1.*NODELETE' || fail 'libinorder.so may be unmapped: -z nodelete is missing'
exit $failed
