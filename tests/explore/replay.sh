#!/bin/sh
# SPDX-License-Identifier: MIT
# The line that a failure prints repeats it, step by step: replay.sh EXPLORE
set -u
explore=$1
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT

fail() {
	echo "replay: $*" >&2
	exit 1
}

# expect STATUS ARGUMENT...: runs explore --replay, its output in $work/said.
expect() {
	status=$1
	shift
	"$explore" --replay "$@" >"$work/said" 2>&1
	got=$?
	[ $got -eq "$status" ] || fail "--replay $*: status $got, not $status: $(cat "$work/said")"
}

"$explore" --planted >"$work/planted" || fail "explore --planted: $(cat "$work/planted")"
sed -n 's/^  replay: explore --replay //p' "$work/planted" >"$work/lines"
[ "$(wc -l <"$work/lines")" -ge 20 ] || fail "no replay lines: $(cat "$work/planted")"
while read -r line; do
	name=${line%%@*}
	failure=$(sed -n "s/^$name *found, and again by its schedule: //p" "$work/planted")
	expect 1 "$line"
	grep -qF -e "$failure" "$work/said" || fail "$line: \"$failure\" is not in: $(cat "$work/said")"
	grep -q "^FAILED $name: " "$work/said" || fail "$line: not called a failure: $(cat "$work/said")"
	grep -qF -e "replay: explore --replay $line" "$work/said" || fail "$line: another line is printed: $(cat "$work/said")"
	cp "$work/said" "$work/first"
	expect 1 "$line"
	cmp "$work/first" "$work/said" || fail "$line: the second time it is another run"
done <"$work/lines"

# A step is a thread, an operation and its place.
expect 1 "$(grep '^lost-wake@' "$work/lines")"
grep -Eq '^actor 1: load_acquire at .*broken\.c:[0-9]+$' "$work/said" || fail "no steps: $(cat "$work/said")"

expect 0 one-wait@-
grep -q '^one-wait: nothing is wrong' "$work/said" || fail "one-wait@-: $(cat "$work/said")"
expect 2 one-wait
expect 2 no-such-case@1:1
expect 2 one-wait@here
