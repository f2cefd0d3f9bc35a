#!/bin/sh
# SPDX-License-Identifier: MIT
# The programs that docs/RECIPES.md names do what they say.
. "$(dirname "$0")/lib.sh"
examples=$build_dir/examples

# shows WHAT EXPECTED: standard input is what it printed
shows() {
	cat >"$scratch/shown"
	printf '%s\n' "$2" | diff - "$scratch/shown" >&2 || fail "$1 prints something else"
}

for threads in 0 1 256; do
	export INORDER_THREADS=$threads
	printf 'a\nb\n' >"$scratch/two"
	: >"$scratch/none"
	(cd "$scratch" && "$examples/loop" two none missing two) | shows loop "      2 two
      0 none
missing: No such file or directory
      2 two"
	"$examples/journal" | shows journal 'record 0
record 1
record 2
record 3
record 4
No space left on device'
	"$examples/after" | shows after 'page of header and body
no page: Operation canceled'
	"$examples/event_loop" | shows event_loop '2 4 6 8'
	for loop in glib:glib-2.0 libuv:libuv systemd:libsystemd; do
		package=${loop#*:} loop=event_loop_${loop%:*}
		pkg-config --exists "$package" || continue
		# shellcheck disable=SC2046 # words
		[ -x "$scratch/$loop" ] || cc -Wall -Wextra -I"$source_dir/include" $(pkg-config --cflags "$package") \
			-o "$scratch/$loop" "$source_dir/examples/$loop.c" -L"$build_dir" -Wl,-rpath,"$build_dir" -linorder \
			$(pkg-config --libs "$package") || fail "$loop.c does not compile"
		"$scratch/$loop" | shows "$loop" '2 4 6 8'
	done
	if [ -x "$examples/lambdas" ]; then
		"$examples/lambdas" | shows lambdas 'disk 0 is ready
disk 1 is ready
disk 3 is ready
failed: disk 2 does not answer
0 squared is 0
1 squared is 1
2 squared is 4
the answer is 42'
	fi
	if python3 -c "import ctypes" 2>/dev/null; then
		python3 "$source_dir/examples/ordered.py" "$build_dir/libinorder.so" | shows ordered.py 'item 0
item 1
item 2
item 3
item 4'
	fi
done
unset INORDER_THREADS
"$examples/deadline" | shows deadline 'first: done
first: released
second: Connection timed out
third: done
third: released
one was late
second: released'
# An interpreter that ends without a wait: what then happens in a call is explained. (From 3.14 on it never returns there.)
cat >"$scratch/early.py" <<'END'
import ctypes, os, sys
library = ctypes.CDLL(sys.argv[1])
FUNC = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_uint64)
begun, begins = os.pipe()
end, ends = os.pipe()


@FUNC
def work(data, cookie):
    os.write(begins, b'x')
    os.read(end, 1)


if library.async_schedule(work, None):
    os.read(begun, 1)
# When the interpreter has ended, exit() calls close(0), as the status is 0: the call comes back then.
os.dup2(ends, 0)
os.close(ends)
libc = ctypes.CDLL(None)
libc.on_exit(ctypes.cast(libc.close, ctypes.c_void_p), None)
END
if python3 -c "import ctypes, sys; sys.exit(sys.version_info >= (3, 14))" 2>/dev/null; then
	INORDER_THREADS=2 timeout 60 python3 "$scratch/early.py" "$build_dir/libinorder.so" 2>"$scratch/early" &&
		fail 'Python ended well with a call in progress'
	grep -q 'An interpreter that has ended' "$scratch/early" || fail "Python with a call in progress: $(cat "$scratch/early")"
fi
if rustc --version >/dev/null 2>&1; then
	rustc -C link-arg="-Wl,-rpath,$build_dir" -L "$build_dir" -l dylib=inorder -o "$scratch/ordered" \
		"$source_dir/examples/ordered.rs" || fail 'ordered.rs does not compile'
	"$scratch/ordered" | shows ordered.rs '0 squared is 0
1 squared is 1
2 squared is 4
3 squared is 9
4 squared is 16'
fi
# shellcheck disable=SC2016 # the quotes of Markdown
for name in $(grep -o '`[a-z_]*\.\(c\|cpp\|py\|rs\)`' "$source_dir/docs/RECIPES.md" | tr -d '`' | sort -u); do
	[ -f "$source_dir/examples/$name" ] || fail "docs/RECIPES.md names $name, which is not in examples/"
done
exit $failed
