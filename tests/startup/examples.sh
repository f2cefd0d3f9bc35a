#!/bin/sh
# SPDX-License-Identifier: MIT
# The examples do what they say. Called with: SOURCE-DIRECTORY BUILD-DIRECTORY
. "$(dirname "$0")/../packaging/lib.sh"
examples=$build_dir/examples

# listed OPTION...: the kinds and names that probe lists; what stands behind them may change at any time
listed() {
	"$examples/probe/probe" "$@" 2>"$scratch/err" | cut -c 1-23
}

[ -d /sys/bus ] || { echo 'skipped: no /sys here, so probe has nothing to list'; exit 77; }
if [ -x "$examples/probe/probe" ]; then
	listed --serial >"$scratch/serial"
	[ -s "$scratch/serial" ] || fail 'probe lists nothing; it said:' "$(cat "$scratch/err")"
	grep -q 'one after the other' "$scratch/err" || fail 'probe --serial does not say so'
	for threads in 1 2 3 $(yes 256 | head -20); do
		INORDER_THREADS=$threads listed >"$scratch/list"
		diff "$scratch/serial" "$scratch/list" || fail "probe with $threads threads lists in another order"
	done
	"$examples/probe/probe" --nonsense >"$scratch/out" 2>&1 && fail 'probe --nonsense succeeds'
	grep -q '^usage:' "$scratch/out" || fail 'probe --nonsense shows no usage'
	if [ -x "$build_dir/chart/inorder-chart" ]; then
		PATH=$build_dir/chart:$PATH listed --chart "$scratch/chart.svg" >/dev/null
		grep -q 'probe_pci\|probe_net' "$scratch/chart.svg" || fail 'probe --chart draws no initcall'
	fi
	PATH=/nowhere "$examples/probe/probe" --chart "$scratch/no.svg" >/dev/null 2>"$scratch/err" &&
		fail 'probe --chart without inorder-chart succeeds'
	grep -q 'cannot run inorder-chart' "$scratch/err" || fail 'probe --chart does not say what it could not run'
fi

cd "$examples/plugins" || exit 1
./host ./codec.so ./network.so ./scanner.so >"$scratch/out" || fail "host ended with $?"
sed 's/after [0-9]* ms/after/' "$scratch/out" | grep -v '^network: conn\|^codec: tab\|^scanner: warm' >"$scratch/list"
cat >"$scratch/wanted" <<END
codec.so ready after
network.so ready after
scanner.so ready after
scanner: gone
network: gone
codec: gone
END
diff "$scratch/wanted" "$scratch/list" || fail 'host does not load or unload in order'
grep '^network: connected' "$scratch/out" >"$scratch/list"
printf 'network: connected to the %s server\n' first second | diff - "$scratch/list" || fail 'network is out of order'
awk '$1 == "scanner.so" && $2 == "ready" { slow = $4 >= 1000 } END { exit !slow }' "$scratch/out" ||
	{ fail 'the load of the slow plug-in does not wait for it'; cat "$scratch/out" >&2; }
"$build_dir/tests/startup/startup-held_host" ./codec.so ./network.so ./scanner.so >"$scratch/out" ||
	fail 'the slow plug-in delays another'
grep -q '^scanner: warm' "$scratch/out" || fail 'the slow plug-in is not loaded'
./host ./nowhere.so >"$scratch/out" 2>&1 && fail 'host succeeds without its plug-in'
grep -q 'nowhere.so: No such file' "$scratch/out" || fail 'host does not say which plug-in is missing'
exit $failed
