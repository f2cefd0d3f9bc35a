#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh CHART DIRECTORY [accept]: draws every case and compares it with what is kept.
set -eu
chart=$(realpath "$1")
here=$(realpath "$2")
accept=${3:-}
LC_ALL=C
export LC_ALL
failed=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# check KEPT STATUS [OPTION]... FILE: standard output and exit status are as kept
check() {
	kept=$here/$1
	wanted=$2
	shift 2
	status=0
	(cd "$here" && "$chart" "$@" >"$scratch/out" 2>"$scratch/errors") || status=$?
	if [ "$status" != "$wanted" ]; then
		echo "FAILED: $kept: exit status $status instead of $wanted: $(cat "$scratch/errors")" >&2
		failed=1
	fi
	case $kept in
	*.svg)
		if command -v xmllint >/dev/null && ! xmllint --noout "$scratch/out"; then
			echo "FAILED: $kept: not well-formed" >&2
			failed=1
		fi
		;;
	esac
	if [ -n "$accept" ]; then
		cp "$scratch/out" "$kept"
	elif ! diff -u "$kept" "$scratch/out" >&2; then
		echo "FAILED: $kept: the output has changed" >&2
		failed=1
	fi
}

check ordered.svg 0 ordered.trace
check ordered.txt 0 --text ordered.trace
check zoom.svg 0 --from 0.004 --until 0.009 --title 'a part' ordered.trace
check names.svg 0 names.trace
check processes.svg 0 processes.trace
check one-process.svg 0 --pid 301 processes.trace
check kernel.svg 3 kernel.log
check kernel.txt 3 --text kernel.log
check both.svg 0 both.trace both.log
check broken.svg 3 broken.trace
check crashed.svg 0 crashed.trace
check boots.svg 0 boots.trace
exit $failed
