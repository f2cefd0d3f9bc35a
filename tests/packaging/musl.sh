#!/bin/sh
# SPDX-License-Identifier: MIT
# The library builds with musl, the first program runs with it, statically linked, and dlopen() loads it late.
. "$(dirname "$0")/lib.sh"
need musl-gcc meson ninja pkg-config

# musl-gcc does not look where Debian keeps the kernel's headers, and must not see glibc's beside them.
mkdir "$scratch/kernel"
ln -s /usr/include/linux /usr/include/asm-generic "/usr/include/$(gcc -print-multiarch)/asm" "$scratch/kernel"

# Libraries of the system are glibc's, so none is to be found.
PKG_CONFIG_LIBDIR=$scratch CC=musl-gcc meson setup --prefix /usr --libdir lib -Dc_args="-isystem $scratch/kernel" \
	--werror --default-library both \
	-Dimage=disabled -Dboot=disabled -Dchart=disabled -Dtests=disabled -Dbench=disabled \
	"$scratch/build" "$source_dir" >"$scratch/log" || { cat "$scratch/log" >&2; exit 1; }
meson compile -C "$scratch/build" inorder libinorder.a >"$scratch/log" ||
	{ cat "$scratch/log" >&2; exit 1; }
# shellcheck disable=SC2034 # install_tree uses it
build_dir=$scratch/build
install_tree

musl-gcc -static -Wall -Wextra -Werror "$source_dir/examples/first.c" -o "$scratch/first" \
	$(pkg-config --static --cflags --libs inorder)
"$scratch/first" >"$scratch/out" || fail "the program ended with $?"
readme_block text | diff - "$scratch/out" || fail "the program does not print what README.md says"

# Calls before main, and of a destructor after all handlers of the exit.
cat >"$scratch/ends.c" <<'END'
#include <inorder/async.h>
#include <stdio.h>
#include <stdlib.h>

static _Atomic int calls;

static void count(void *data, async_cookie_t cookie)
{
	(void)data, (void)cookie;
	calls++;
}

static void call(void)
{
	async_schedule(count, NULL);
	async_synchronize_full();
}

__attribute__((constructor)) static void begin(void)
{
	call();
}

__attribute__((destructor)) static void end(void)
{
	call();
	printf("%d\n", calls);
}

int main(void)
{
	return atexit(call);
}
END
musl-gcc -static "$scratch/ends.c" -o "$scratch/ends" $(pkg-config --static --cflags --libs inorder)
[ "$(INORDER_THREADS=2 timeout 60 "$scratch/ends")" = 3 ] || fail 'calls of a destructor'

cat >"$scratch/late.c" <<'END'
#include <dlfcn.h>
#include <stdio.h>
int main(int argc, char **argv)
{
	void *library = dlopen(argv[argc - 1], RTLD_NOW);
	int (*wait)(void) = library ? (int (*)(void))dlsym(library, "async_synchronize_full") : NULL;

	if (!wait)
		puts(dlerror());
	return !wait || wait();
}
END
musl-gcc "$scratch/late.c" -o "$scratch/late"
"$scratch/late" "$build_dir/libinorder.so" || fail 'dlopen() of the library'
exit $failed
