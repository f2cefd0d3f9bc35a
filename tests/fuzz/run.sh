#!/bin/sh
# SPDX-License-Identifier: MIT
# run.sh TARGET CORPUS [OPTION]...: replays a corpus, then tries inputs made from it, as many as libFuzzer's options
# say. An input that fails is kept beside the target, and the last lines name it: "TARGET INPUT" repeats it. Inputs that
# reach something new are added to the folder FOUND, if that is set.
set -u
target=$1 corpus=$2
shift 2
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
found=${FOUND:-$scratch/found}
mkdir -p "$found"
[ -n "$(ls "$corpus" 2>/dev/null)" ] || { echo "run.sh: $corpus has no inputs: tools/fuzz --merge makes some" >&2; exit 1; }
[ ! -f "$corpus.dict" ] || set -- -dict="$corpus.dict" "$@"

# Little quarantine and no stacks of allocations: these took half the time. Standard error is what is checked and
# shown; the folder that gets what is new comes first, so it is not the corpus.
# Where it is allowed, addresses are those of every run, and with a seed so are the inputs: none is tried by chance.
same=$(setarch -R true 2>/dev/null && echo 'setarch -R')
ASAN_OPTIONS=${ASAN_OPTIONS:-}:malloc_context_size=0:quarantine_size_mb=1:thread_local_quarantine_size_kb=16
export ASAN_OPTIONS
$same "$target" -timeout=200 -rss_limit_mb=2048 -artifact_prefix="$target-failed-" "$@" "$found" "$corpus" \
	>"$scratch/log" 2>&1
status=$?
if [ $status != 0 ]; then
	tail -n 60 "$scratch/log" >&2
	echo "run.sh: ${target##*/} failed, exit status $status" >&2
	exit 1
fi
echo "${target##*/}: $(grep -a 'DONE ' "$scratch/log" | tail -n 1)"
