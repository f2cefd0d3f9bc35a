#!/bin/sh
# SPDX-License-Identifier: MIT
# Nothing that a program compiled with an earlier version relies on is gone or has another shape: abi.sh SOURCE BUILD
# abi.sh SOURCE BUILD --record writes down what the library offers now: at a release, after its difference was read.
. "$(dirname "$0")/lib.sh"
need abidw abidiff
[ "$(uname -m)" = x86_64 ] || { echo 'skipped: the record is one of x86_64'; exit 77; }
record=$source_dir/tests/packaging/libinorder.abi

[ "$(readelf -S "$build_dir/libinorder.so" | grep -c debug_info)" != 0 ] || { echo 'skipped: built without debug information'; exit 77; }
abidw --headers-dir "$source_dir/include" --drop-private-types --drop-undefined-syms --no-corpus-path --no-comp-dir-path \
	--no-show-locs --no-architecture "$build_dir/libinorder.so" >"$scratch/now.abi"
if [ "${3:-}" = --record ]; then
	cp "$scratch/now.abi" "$record"
	exit
fi
abidiff --drop-private-types --no-added-syms "$record" "$scratch/now.abi" || fail 'the ABI is not what was recorded'

# A control: a call less is noticed.
sed 's/async_report/async_repair/g' "$scratch/now.abi" >"$scratch/less.abi"
! abidiff --no-added-syms "$record" "$scratch/less.abi" >/dev/null || fail 'a call that is gone is not noticed'
exit $failed
