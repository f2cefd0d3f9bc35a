#!/bin/sh
# SPDX-License-Identifier: MIT
# The first program of README.md compiles against an installed library, shared and static, and does what README says.
. "$(dirname "$0")/lib.sh"
need gcc meson pkg-config

install_tree
(cd "$source_dir/include/inorder" && ls) >"$scratch/headers"
(cd "$(find "$scratch/root" -type d -path '*/include/inorder')" && ls) >"$scratch/installed"
same 'include/inorder' "$scratch/headers" 'the installed headers' "$scratch/installed"

readme_block c >"$scratch/first.c"
grep -v SPDX "$source_dir/examples/first.c" | diff "$scratch/first.c" - || fail "README.md's program is not examples/first.c"
[ -s "$scratch/first.c" ] || fail 'README.md has no program'
readme_block text >"$scratch/expected"
[ -s "$scratch/expected" ] || fail 'README.md does not show what its program prints'

# try KIND PKG-CONFIG-ARGUMENT COMPILER-ARGUMENT: compiles and runs
try() {
	gcc -Wall -Wextra -Werror $3 "$scratch/first.c" -o "$scratch/$1" $(pkg-config $2 --cflags --libs inorder) ||
		{ fail "compiling the $1 program"; return; }
	# The same with a sleep() that ends once all three calls sleep.
	gcc $3 "$scratch/first.c" "$source_dir/tests/packaging/meet.c" -o "$scratch/$1-meet" \
		$(pkg-config $2 --cflags --libs inorder) || { fail "compiling the $1 program with meet.c"; return; }
	for program in "$1" "$1-meet"; do
		LD_LIBRARY_PATH=$(dirname "$pc_dir") "$scratch/$program" >"$scratch/$program.out" ||
			fail "the $program program ended with $?"
		diff "$scratch/expected" "$scratch/$program.out" ||
			fail "the $program program does not print what README.md says"
	done
}

try shared '' ''
try static --static -static

# The other examples, as someone who has the installed library would build them.
flags=$(pkg-config --cflags --libs inorder)
mkdir "$scratch/examples"
for plugin in codec network scanner; do
	gcc -Wall -Wextra -Werror -fPIC -shared "$source_dir/examples/plugins/$plugin.c" \
		-o "$scratch/examples/$plugin.so" $flags || fail "compiling the plug-in $plugin"
done
gcc -Wall -Wextra -Werror "$source_dir/examples/plugins/host.c" -o "$scratch/examples/host" $flags ||
	fail 'compiling the host of the plug-ins'
LD_LIBRARY_PATH=$(dirname "$pc_dir")
export LD_LIBRARY_PATH
(cd "$scratch/examples" && ./host ./codec.so ./network.so ./scanner.so) >"$scratch/host.out" || fail "host ended with $?"
[ "$(grep -c ready "$scratch/host.out")" = 3 ] || fail 'host does not load three plug-ins'
if blkid=$(env -u PKG_CONFIG_SYSROOT_DIR -u PKG_CONFIG_LIBDIR pkg-config --cflags --libs blkid); then
	gcc -Wall -Wextra -Werror "$source_dir"/examples/probe/*.c -o "$scratch/examples/probe" $flags $blkid ||
		fail 'compiling probe'
	"$scratch/examples/probe" >"$scratch/probe.out" 2>&1 || fail "probe ended with $?: $(cat "$scratch/probe.out")"
	grep -q 'devices in' "$scratch/probe.out" || fail 'probe counts no devices'
fi
exit $failed
