#!/bin/sh
# SPDX-License-Identifier: MIT
# Every public header stands alone, twice included, without a warning, for every compiler and from C++.
. "$(dirname "$0")/lib.sh"
need gcc clang g++ clang++

warnings='-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Werror'

# compile COMPILER STANDARD SUFFIX FILE
compile() {
	"$1" "-std=$2" $warnings -I "$source_dir/include" -c "$4" -o "$scratch/out.o" || fail "$4 with $1 -std=$2"
}

use_async='ASYNC_DOMAIN(domain);
ASYNC_DOMAIN_EXCLUSIVE(exclusive);
ASYNC_OWNER(owner);
struct async_config config = ASYNC_CONFIG_INIT;
struct async_entry entry;
async_func_ptr call;
void call(void *data, async_cookie_t cookie) { (void)data; (void)cookie; }
async_cookie_t use(void);
async_cookie_t use(void) { return async_schedule_entry(&entry, call, NULL, NULL, &domain); }'

use_initcall='static int INITCALL_TEXT probe(void) { return 0; }
static void unprobe(void) { }
device_initcall(probe);
exitcall(probe, unprobe);'

for suffix in c cc; do
	case $suffix in
	c) compilers='gcc clang' standards='c11 gnu11 c2x' ;;
	cc) compilers='g++ clang++' standards='c++17 c++20' ;;
	esac
	for header in "$source_dir"/include/inorder/*.h; do
		name=$(basename "$header")
		file=$scratch/${name%.h}.$suffix
		printf '#include <inorder/%s>\n#include <inorder/%s>\nextern int something;\n' "$name" "$name" >"$file"
		case $name in
		async.h) echo "$use_async" >>"$file" ;;
		initcall.h) echo "$use_initcall" >>"$file" ;;
		esac
		for compiler in $compilers; do
			for standard in $standards; do
				compile "$compiler" "$standard" "$suffix" "$file"
			done
		done
	done
done
exit $failed
