#!/bin/sh
# SPDX-License-Identifier: MIT
# Two formatters have no complaint about the manual pages.
. "$(dirname "$0")/lib.sh"
need man mandoc

for page in "$source_dir"/man/*.[0-9]; do
	mandoc -T lint -W warning "$page" >"$scratch/lint" 2>&1 || :
	# groff 1.23 warns of lines of a synopsis that it cannot justify, so it is not asked to
	MANWIDTH=100 man --no-justification --warnings -l -Tutf8 "$page" 2>>"$scratch/lint" >"$scratch/text" || fail "man cannot show $page"
	[ ! -s "$scratch/lint" ] || fail "$page: $(cat "$scratch/lint")"
	[ -s "$scratch/text" ] || fail "$page shows nothing"
done
exit $failed
