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

# refused STATUS PATTERN [ARGUMENT]...: no output, that exit status, and a message that says why
refused() {
	wanted=$1
	pattern=$2
	shift 2
	status=0
	(cd "$here" && "$chart" "$@" >"$scratch/out" 2>"$scratch/errors") || status=$?
	if [ "$status" != "$wanted" ] || ! grep -q -- "$pattern" "$scratch/errors"; then
		echo "FAILED: inorder-chart $*: exit status $status, $(cat "$scratch/errors")" >&2
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
check compared.svg 0 --compare both.trace --compare both.log ordered.trace
check compared.txt 0 --text --compare both.trace --compare both.log ordered.trace
check compared.json 0 --json --compare both.trace --compare both.log ordered.trace
check broken.svg 3 broken.trace
check crashed.svg 0 crashed.trace
check boots.svg 0 boots.trace
check ordered.json 0 --json ordered.trace
check units.json 0 --json units.log
check ordered-events.json 0 --perfetto ordered.trace

# The same trace given twice, and one of a version to come.
refused 0 '37 lines of the trace are there twice: they count once' --text ordered.trace ordered.trace
sed '/^note: 37 lines/d' "$scratch/out" | diff -u "$here/ordered.txt" - >&2 || failed=1
printf '%s\n' '{"t_ns":1000,"pid":1,"tid":1,"ev":"start","inorder":3,"program":"x"}' \
	'{"t_ns":2000,"pid":1,"tid":1,"ev":"calling","name":"a"}' \
	'{"t_ns":3000,"pid":1,"tid":1,"ev":"called","name":"a","since_ns":2000}' >"$scratch/later.trace"
refused 1 'nothing to draw' "$scratch/later.trace"
refused 3 'a trace of a version above 2' --text ordered.trace "$scratch/later.trace"
diff -u "$here/ordered.txt" "$scratch/out" >&2 || failed=1

# Kernel logs as people have them, and traces that are hard to read.
for log in nested-probes late-module late-event two-boots glued retries quirk lost-beginning lost-ends seconds-only \
	units no-initcalls hang log-jump lost-character lost-lines two-boots-unnamed lost-line; do
	check $log.txt 0 --text $log.log
done
check carriage-returns.txt 3 --text carriage-returns.log
for trace in one-call one-call-marked exclusive exclusive-marked own-waits jump cut; do
	check $trace.txt 0 --text $trace.trace
done

# A Debian 12 with systemd, booted by inorder-init in counted time: one path from the kernel's first line to the login.
if command -v xz >/dev/null; then
	xz -dc "$here/debian12.log.xz" >"$scratch/debian12.log"
	check debian12.txt 0 --text "$scratch/debian12.log"
	# A stock Debian 13 (Linux 6.12, initramfs-tools): from its kernel's first line to /init, as of Linux 6.1 above.
	xz -dc "$here/debian13-kernel.log.xz" >"$scratch/debian13.log"
	check ../../docs/pictures/debian12.svg 0 --title 'Debian 12' "$scratch/debian12.log"
	check ../../docs/pictures/kernel-log.svg 0 --width 1200 --to /init "$scratch/debian13.log"
	for debian in 12 13; do
		title=$("$chart" --text --to /init "$scratch/debian$debian.log" | head -n 1)
		percent=$(echo "$title" | sed -n 's/.* to \/init, \([0-9]*\)\.[0-9] % explained.*/\1/p')
		if [ "${percent:-0}" -lt 99 ]; then
			echo "FAILED: Debian $debian's kernel: $title" >&2
			failed=1
		fi
	done
fi

# --from and --until hold for words as for the picture: what overlaps the range counts, as far as it does.
check range.txt 0 --text --until 0.5 nested-probes.log
check range-middle.txt 0 --text --from 1.1 --until 1.95 nested-probes.log
check range-calls.txt 0 --text --from 0.004 --until 0.009 ordered.trace
check range-compared.txt 0 --text --compare nested-probes.log --from 0.5 --until 1 late-module.log

# A kernel's clock begins at 0.
"$chart" --json "$here/nested-probes.log" 2>/dev/null >"$scratch/out"
if ! grep -q '^"origin_ns":0,' "$scratch/out" || ! grep -q '^"length_ns":2100000000,' "$scratch/out"; then
	echo "FAILED: $(grep '^"[ol]' "$scratch/out")" >&2
	failed=1
fi

# What this machine's dmesg makes of a log, in each of its forms. (Its -J has no time of another form before 2.40.)
printf '<7>[    0.460660] calling  acpi_init+0x0/0x540 @ 1\n<7>[    0.544508] initcall acpi_init+0x0/0x540 returned 0 %s\n' \
	'after 84000 usecs' >"$scratch/raw.log"
for option in '' -T -d -x -r -J -L=always '-H --nopager' -p '-T -x' '--time-format delta' '--time-format reltime' \
	'--time-format notime' '--time-format iso' '-J -x' '-J --time-format iso' '-J --time-format ctime'; do
	# shellcheck disable=SC2086 # several words
	dmesg --file "$scratch/raw.log" $option >"$scratch/dmesg.log" 2>"$scratch/errors" || continue # an older one
	if ! "$chart" --text "$scratch/dmesg.log" >"$scratch/out" 2>"$scratch/errors" || ! grep -q acpi_init "$scratch/out"; then
		echo "FAILED: dmesg $option: $(cat "$scratch/dmesg.log" "$scratch/errors")" >&2
		failed=1
	fi
done

check units.svg 0 units.log
check late-event.svg 0 --width 600 late-event.log
check units-whatif.txt 0 --what-if faster=data.mount,5 units.log

# A trace of another boot has another clock.
boots() {
	printf 'BootID=%s\n' "$1" | cat - "$here/units.log" >"$scratch/of-$1.log"
	echo "$scratch/of-$1.log"
}
refused 1 'trace is of the boot one, the units of systemd are of the boot two' "$(boots two)" ordered.trace
refused 0 '' --text "$(boots one)" ordered.trace
refused 0 '' --text "$(boots two)" both.log

# What runs here is asked by systemctl.
mkdir "$scratch/bin"
cat >"$scratch/bin/systemctl" <<'EOF'
#!/bin/sh
[ "$1 $2" = "show --no-pager" ] || exit 9
case $3 in
'') sed -n '/^Version=/,/^$/p' "$UNITS" ;;
'*') sed '1,/^$/d' "$UNITS" ;;
esac
EOF
chmod +x "$scratch/bin/systemctl"
grep '^\[' "$here/units.log" >"$scratch/kernel.log"
UNITS=$here/units.log PATH=$scratch/bin:$PATH "$chart" --text --systemd "$scratch/kernel.log" 2>"$scratch/errors" |
	diff -u "$here/units.txt" - >&2 || { echo "FAILED: --systemd: $(cat "$scratch/errors")" >&2; failed=1; }

# ends TITLE TO: where the path must end
ends() {
	title=$(cd "$here" && "$chart" --text --to "$2" ordered.trace | head -n 1)
	if [ "$title" != "demo: $1 explained by the critical path" ]; then
		echo "FAILED: --to $2: $title" >&2
		failed=1
	fi
}

ends '9.10 ms to root, 93.8 %' root
ends '5.00 ms, 88.0 %' 0.005
ends '6.00 ms to probe sda, 93.8 %' 'probe sda'
: >"$scratch/empty"
refused 2 '--to nonsense: no call, step or phase has that name, and it is no time' --to nonsense ordered.trace
refused 2 'usage:'
refused 2 '--width 12: a number from 600 to 20000' --width 12 ordered.trace
refused 2 'nothing lies between 0.000000 s and 0.000000 s' --until 0 ordered.trace
refused 2 'nothing lies between 0.000000 s and 0.000000 s' --text --until 0 ordered.trace
refused 2 'nothing lies between 0.000000 s and 0.000000 s' --to 0 ordered.trace
refused 2 'nothing lies between 0.003000 s and 0.003000 s' --html --from 0.003 --until 0.003 ordered.trace
refused 2 'nothing lies between 0.004000 s and 0.003000 s' --json --from 0.004 --until 0.003 ordered.trace
refused 2 'nothing lies between 9.000000 s' --perfetto --from 9 ordered.trace
refused 2 '--until -1: a number from 0' --until -1 ordered.trace
refused 2 '--pid 7x: a number' --pid 7x ordered.trace
refused 2 'unrecognized' --unknown ordered.trace
refused 2 '--compare and --advise: two charts are compared as SVG, or with --html' --advise --compare ordered.trace names.trace
refused 2 '--what-if and --what-if: one change is simulated at a time' --what-if threads --what-if faster=sda ordered.trace
refused 2 '--what-if and --advise: one of them is written at a time' --what-if threads --advise ordered.trace
refused 2 '--advise and --json: one of them is written at a time' -a -J ordered.trace
refused 2 '--text and --html: one of them is written at a time' --text --html ordered.trace
check ordered.txt 0 --text -T ordered.trace
refused 2 '--to and --until: both say where the path ends' --to root --until 0.009 ordered.trace
refused 2 '--to 99: the chart ends before, at 2.100000 s' --to 99 nested-probes.log
refused 2 '--from and --what-if: a change is simulated from' --what-if threads --from 0.005 ordered.trace
refused 2 '--from and --advise: a change is simulated from' --advise --from 0.005 ordered.trace
for change in faster=sda,1e-300 faster=sda,1e7 faster=sda,0 processors=1,1000000 processors=10000 processors=0 \
	processors=,2 'processors=1,' 'processors=1,,'; do
	refused 2 "--what-if $change: .*TIMES from 0.001 to 1e+06, NUMBER from 1 to 9999" --what-if "$change" ordered.trace
done
refused 1 'cannot open nonexistent: No such file' nonexistent
refused 1 'cannot read .: Is a directory' .
refused 1 'nothing to draw' "$scratch/empty"
refused 1 'nothing to draw of that process' --pid 999 ordered.trace
refused 1 'cannot write /nonexistent/out: No such file' -o /nonexistent/out ordered.trace
refused 1 'cannot write /dev/full: No space left' -o /dev/full ordered.trace
refused 3 'broken.trace:13: not a JSON object' broken.trace
refused 3 'carriage-returns.log:3, part 2: "calling"' carriage-returns.log
printf '#!/bin/sh\nexit 1\n' >"$scratch/bin/systemctl"
PATH=$scratch/bin:$PATH refused 1 '--systemd: systemctl show has failed' --systemd
refused 0 'beginning is lost: .*log_buf_len' lost-beginning.log

# What is read is not written over, by whatever name.
cp "$here/ordered.trace" "$scratch/own.trace"
ln "$scratch/own.trace" "$scratch/hard.trace"
ln -s own.trace "$scratch/soft.trace"
for other in own hard soft; do
	refused 2 "--output $scratch/$other.trace: it is $scratch/own.trace, which is read" -o "$scratch/$other.trace" "$scratch/own.trace"
done
refused 2 'own.trace, which is read' --html -o "$scratch/own.trace" --compare "$scratch/own.trace" ordered.trace
# shellcheck disable=SC2094 # that is the point
refused 2 'it is -, which is read' -o "$scratch/own.trace" - <"$scratch/own.trace"
cmp "$here/ordered.trace" "$scratch/own.trace" || failed=1
"$chart" -o /dev/null "$scratch/own.trace" || failed=1

# A chart without any length has no parts to tell percents of.
printf '[    0.400000] calling  a_init+0x0/0x10 @ 1\n' >"$scratch/moment.log"
for option in --text --json --perfetto --advise --width=1000; do
	"$chart" $option "$scratch/moment.log" >"$scratch/out" 2>&1 || failed=1
	if grep -i '[- (]nan\|[- (]inf\b' "$scratch/out" >&2; then
		echo "FAILED: $option of a chart of length 0" >&2
		failed=1
	fi
done
"$chart" --text "$scratch/moment.log" 2>&1 | grep -q '^in short: the path is not known' || failed=1

# Memory does not follow the length of a line: 200 MB without an end in 100 MB of memory.
# (A sanitizer reserves more than that, so there the memory is not limited.)
limit=100000000
prlimit --as=$limit "$chart" --help >/dev/null 2>&1 || limit=unlimited
status=0
{ cat "$here/glued.log" && head -c 200000000 /dev/zero | tr '\0' x && printf '\n' && cat "$here/quirk.log"; } |
	prlimit --as=$limit "$chart" --text - >"$scratch/out" 2>"$scratch/errors" || status=$?
if [ "$status" != 3 ] || ! grep -q 'standard input:5: a line of more than 65536 bytes' "$scratch/errors" ||
	! grep -q quirk_usb_early_handoff "$scratch/out"; then
	echo "FAILED: a long line: exit status $status: $(cat "$scratch/errors")" >&2
	failed=1
fi

# 100,000 events in 300 threads: a picture that a viewer can still show, each name and each thread in some bar.
awk 'BEGIN {
	for (i = 1; i <= 25000; i++) {
		t = 1000000 + i * 4000
		tid = 500 + i % 300
		head = "\"pid\":500,\"tid\":"
		printf "{\"t_ns\":%d,%s500,\"ev\":\"scheduled\",\"cookie\":%d}\n", t, head, i
		printf "{\"t_ns\":%d,%s%d,\"ev\":\"started\",\"cookie\":%d}\n", t + 1000, head, tid, i
		printf "{\"t_ns\":%d,%s%d,\"ev\":\"returned\",\"cookie\":%d}\n", t + 500000, head, tid, i
		printf "{\"t_ns\":%d,%s%d,\"ev\":\"completed\",\"cookie\":%d,\"name\":\"call %d\"}\n", t + 900000, head, tid, i, i
	}
}' >"$scratch/long.trace"
status=0
"$chart" -o "$scratch/long.svg" "$scratch/long.trace" 2>"$scratch/errors" || status=$?
size=$(wc -c <"$scratch/long.svg")
if [ "$status" != 0 ] || ! grep -q '>25000 asynchronous calls, 300 threads<' "$scratch/long.svg" || [ "$size" -gt 20000000 ]; then
	echo "FAILED: a long trace: exit status $status, $size bytes: $(cat "$scratch/errors")" >&2
	failed=1
fi

# 500,000 events in 10,000 threads, where each call waits for those before it: nothing is looked for by looking at all.
# (A sanitizer looks at memory, not at time: a tenth of it will do there.)
many=100000
! grep -q __asan_init "$chart" || many=10000
awk -v many=$many 'BEGIN {
	for (i = 1; i <= many; i++) {
		t = 1000000 + i * 4000
		head = "\"pid\":500,\"tid\":"
		own = sprintf("%s%d,\"cookie\":%d,", head, 500 + i % (many / 10), i)
		printf "{\"t_ns\":%d,%s500,\"ev\":\"scheduled\",\"cookie\":%d}\n", t, head, i
		printf "{\"t_ns\":%d,%s\"ev\":\"started\"}\n", t + 1000, own
		printf "{\"t_ns\":%d,%s\"ev\":\"waiting\",\"for\":%d}\n", t + 2000, own, (i > many / 20 ? i - many / 20 : 1)
		printf "{\"t_ns\":%d,%s\"ev\":\"continued\",\"since_ns\":%d}\n", t + 20000000, own, t + 2000
		printf "{\"t_ns\":%d,%s\"ev\":\"completed\"}\n", t + 20001000, own
	}
}' >"$scratch/many.trace"
if ! "$chart" --text "$scratch/many.trace" >"$scratch/out" 2>"$scratch/errors" ||
	! grep -q "^$many calls, $((many / 10)) threads" "$scratch/out"; then
	echo "FAILED: many threads: $(cat "$scratch/errors" "$scratch/out" | head -n 3)" >&2
	failed=1
fi

# PNG, where librsvg's program is installed; else a message that says what lacks.
if command -v rsvg-convert >/dev/null; then
	(cd "$here" && "$chart" -o "$scratch/a.png" ordered.trace && "$chart" --png ordered.trace) >"$scratch/b.png"
	if [ "$(head -c 8 "$scratch/a.png" | od -An -tx1 | tr -d ' ')" != 89504e470d0a1a0a ] ||
		! cmp "$scratch/a.png" "$scratch/b.png"; then
		echo "FAILED: --png" >&2
		failed=1
	fi
	refused 1 'cannot write /dev/full: No space left' --png -o /dev/full ordered.trace
fi
mkdir "$scratch/bad"
printf '#!/bin/sh\nexit 1\n' >"$scratch/bad/rsvg-convert"
chmod +x "$scratch/bad/rsvg-convert"
echo before >"$scratch/kept.png"
PATH=$scratch/bad:$PATH refused 1 'rsvg-convert made no PNG' -o "$scratch/kept.png" ordered.trace
[ "$(cat "$scratch/kept.png")" = before ] || { echo 'FAILED: no PNG, and the output is not as it was' >&2; failed=1; }
mkdir "$scratch/none"
status=0
(cd "$here" && PATH=$scratch/none "$chart" --png ordered.trace) >"$scratch/out" 2>"$scratch/errors" || status=$?
if [ "$status" != 1 ] || ! grep -q 'needs rsvg-convert' "$scratch/errors"; then
	echo "FAILED: --png without rsvg-convert: exit status $status, $(cat "$scratch/errors")" >&2
	failed=1
fi

# Standard input is a file like others.
(cd "$here" && "$chart" - <ordered.trace) | cmp -s - "$here/ordered.svg" ||
	{ echo "FAILED: standard input gives another picture than the file" >&2; failed=1; }
exit $failed
