#!/bin/sh
# SPDX-License-Identifier: MIT
# The manual page of each program has the options that its --help names, and no others; wrong usage is 2.
. "$(dirname "$0")/lib.sh"

for program in image/inorder-image:inorder-image.8 chart/inorder-chart:inorder-chart.1; do
	file=$build_dir/${program%:*}
	page=${program#*:}
	[ -x "$file" ] || continue
	"$file" --help >"$scratch/help" || fail "$file --help ended with $?"
	grep -o -- '--[a-z-]*[a-z]' "$scratch/help" | sort -u >"$scratch/in-help"
	sed -n 's/^\.It .*Fl -\([a-z-]*[a-z]\).*/--\1/p' "$source_dir/man/$page" | sort -u >"$scratch/in-page"
	same "$program --help" "$scratch/in-help" "man/$page" "$scratch/in-page"
	status=0
	"$file" --no-such-option >"$scratch/out" 2>&1 || status=$?
	[ $status = 2 ] || fail "$file --no-such-option ended with $status instead of 2"
	[ -s "$scratch/out" ] || fail "$file --no-such-option says nothing"
done
exit $failed
