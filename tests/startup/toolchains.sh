#!/bin/sh
# SPDX-License-Identifier: MIT
# Initcalls are found and run in order, and init code is freed, whatever compiler, linker and options make the program,
# its library and its plug-in. Called with: SOURCE-DIRECTORY BUILD-DIRECTORY
. "$(dirname "$0")/../packaging/lib.sh"
here=$source_dir/tests/startup
warnings='-Wno-unused-command-line-argument -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror'
includes="-I $source_dir/include -I $here"
tried=0

program_calls='first_core second_core first_core_sync first_postcore first_postcore_sync first_arch first_arch_sync
first_subsys first_subsys_sync first_fs first_fs_sync first_device first_device_too second_device first_device_sync
first_late second_late first_late_sync'
freed='init code: there
init code: gone'

# have COMPILER OPTION...: whether a program can be made with them
have() {
	echo 'int main(void) { return 0; }' >"$scratch/have.c"
	"$@" "$scratch/have.c" -o "$scratch/have" 2>"$scratch/have.err"
}

# compare WHAT: the program's output with $scratch/wanted
compare() {
	tried=$((tried + 1))
	diff "$scratch/wanted" "$scratch/out" >"$scratch/diff" || { fail "$1"; cat "$scratch/diff" >&2; }
}

# dynamic COMPILER OPTION...: a program, its library and a plug-in, with the shared library
dynamic() {
	have "$@" || { echo "not tried: $*"; return 0; }
	"$@" $warnings $includes -fPIC -shared -DLIBRARY=library "$here/calls_library.c" -o "$scratch/liblibrary.so" &&
		"$@" $warnings $includes -fPIC -shared -DLIBRARY=plugin "$here/calls_library.c" -o "$scratch/plugin.so" &&
		"$@" $warnings $includes -rdynamic "$here/calls_first.c" "$here/calls_second.c" "$here/toolchain.c" \
			-x none -Wl,--no-as-needed "$scratch/liblibrary.so" "$build_dir/libinorder.so" \
			-Wl,-rpath,"$build_dir" -Wl,-rpath,"$scratch" -o "$scratch/program" || { fail "compiling: $*"; return; }
	{ echo library_core; echo $program_calls | tr ' ' '\n' | sed '/^first_device$/i library_device'
	  echo plugin_core; echo plugin_device; echo "$freed"; } >"$scratch/wanted"
	timeout 20 "$scratch/program" "$scratch/plugin.so" >"$scratch/out" 2>&1 || fail "$*: the program ended with $?"
	compare "$*"
}

# partitioned COMPILER OPTION...: link-time optimisation in several pieces; where init code ends is not known then
partitioned() {
	have "$@" || { echo "not tried: $*"; return 0; }
	"$@" $warnings $includes "$here/calls_first.c" "$here/calls_second.c" "$here/toolchain.c" -x none \
		"$build_dir/libinorder.so" -Wl,-rpath,"$build_dir" -o "$scratch/program" || { fail "compiling: $*"; return; }
	echo $program_calls | tr ' ' '\n' >"$scratch/wanted"
	timeout 20 "$scratch/program" | grep -v '^init code' >"$scratch/out"
	compare "$*"
}

# members COMPILER OPTION...: initcalls in an archive, whose members come in its order
members() {
	have "$@" || { echo "not tried: $*"; return 0; }
	for part in first second; do
		"$@" $warnings $includes -c "$here/calls_$part.c" -o "$scratch/calls_$part.o" || { fail "compiling: $*"; return; }
	done
	rm -f "$scratch/calls.a" && ar rc "$scratch/calls.a" "$scratch/calls_first.o" "$scratch/calls_second.o" &&
		"$@" $warnings $includes "$here/toolchain.c" -Wl,--whole-archive "$scratch/calls.a" -Wl,--no-whole-archive \
			"$build_dir/libinorder.so" -Wl,-rpath,"$build_dir" -o "$scratch/program" || { fail "linking: $*"; return; }
	{ echo $program_calls | tr ' ' '\n'; echo "$freed"; } >"$scratch/wanted"
	timeout 20 "$scratch/program" >"$scratch/out" 2>&1 || fail "archive, $*: the program ended with $?"
	compare "archive, $*"
}

# archived COMPILER OPTION...: a program with libinorder.a
archived() {
	have "$@" || { echo "not tried: $*"; return 0; }
	"$@" $warnings $includes "$here/calls_first.c" "$here/calls_second.c" "$here/toolchain.c" \
		-x none "$build_dir/libinorder.a" -pthread -o "$scratch/program" 2>"$scratch/log" ||
		{ fail "compiling with libinorder.a: $*"; cat "$scratch/log" >&2; return; }
	{ echo $program_calls | tr ' ' '\n'; echo "$freed"; } >"$scratch/wanted"
	timeout 20 "$scratch/program" >"$scratch/out" 2>&1 || fail "libinorder.a, $*: the program ended with $?"
	compare "libinorder.a, $*"
}

sections='-O2 -ffunction-sections -fdata-sections -Wl,--gc-sections'
for compiler in gcc clang; do
	for options in '-O0' "$sections" "$sections -fuse-ld=lld" "$sections -fuse-ld=gold" '-O2 -flto' \
		'-O2 -flto -fuse-ld=lld' '-O2 -flto=thin -fuse-ld=lld' '-O2 -flto -fuse-ld=gold' '-O2 -fno-pie -no-pie' \
		'-O3 -std=c11 -fvisibility=hidden'; do
		case $compiler:$options in
		gcc:*thin* | gcc:*flto*lld*) continue ;; # not gcc's
		esac
		dynamic $compiler $options
	done
	for options in '-O0' "$sections" '-O2 -flto' '-O2 -static'; do
		archived $compiler $options
	done
done
members gcc $sections
members clang $sections -fuse-ld=lld
partitioned gcc -O2 -flto=2 -flto-partition=balanced --param lto-min-partition=1 --param lto-partitions=64
for compiler in g++ clang++; do
	dynamic $compiler -x c++ -std=c++17 -O2
	dynamic $compiler -x c++ -std=c++17 $sections -flto
done
[ $tried -ge 20 ] || fail "only $tried ways could be tried"
echo "$tried ways"
exit $failed
