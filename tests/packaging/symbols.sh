#!/bin/sh
# SPDX-License-Identifier: MIT
# What the headers declare, what inorder.map lists and what libinorder.so and libinorder.a export are the same. The
# shared library needs only libc, and stays mapped; the static one clashes with no function of a program.
. "$(dirname "$0")/lib.sh"
need gcc nm readelf

library=$build_dir/libinorder.so
declared >"$scratch/declared"
sed -n 's/^\t\([a-z0-9_]*\);$/\1/p' "$source_dir/inorder.map" | sort >"$scratch/map"
nm -D --defined-only "$library" | awk '$2 != "A" { sub("@.*", "", $3); print $3 }' | sort >"$scratch/exported"
unversioned=$(nm -D --defined-only "$library" | awk '$2 != "A" && $3 !~ /@@INORDER_/ { print $3 }')
[ -z "$unversioned" ] || fail 'exported without a version:' $unversioned
same 'the headers' "$scratch/declared" 'inorder.map' "$scratch/map"
same 'inorder.map' "$scratch/map" 'libinorder.so' "$scratch/exported"

# Weak: what each object has that includes <inorder/initcall.h>, and a program once.
nm --defined-only "$build_dir/libinorder.a" | awk '$2 ~ /[A-UX-Z]/ && $3 !~ /^inorder__/ { print $3 }' | sort >"$scratch/archived"
same 'inorder.map' "$scratch/map" 'libinorder.a' "$scratch/archived"

cat >"$scratch/clash.c" <<'END'
#include <inorder/async.h>
#include <stdio.h>
/* names of the library's own functions and data */
int rob, port_thread;
void port_log(int level, const char *text) { printf("%d %s", level, text); }
int port_start(void) { return 7; }
void rob_lock(void) { puts("mine"); }
static void call(void *data, async_cookie_t cookie) { (void)cookie; ++*(int *)data; }
int main(void)
{
	int n = 0;
	async_schedule(call, &n);
	port_log(1, "my log\n");
	return async_synchronize_full() || n != 1 || port_start() != 7 || rob || port_thread;
}
END
for how in '' -static; do
	gcc -I"$source_dir/include" $how "$scratch/clash.c" "$build_dir/libinorder.a" -pthread -o "$scratch/clash" &&
		[ "$("$scratch/clash")" = '1 my log' ] || fail "a program with functions called as the library's ($how)"
done

# In a host that has the library in itself a plug-in would have another: refused, not loaded in vain.
cat >"$scratch/host.c" <<'END'
#include <inorder/plugin.h>
#include <stdio.h>
int main(int argc, char **argv)
{
	struct plugin *plugin;
	(void)argc;
	if (!plugin_load(argv[1], 0, &plugin))
		return 9;
	puts(plugin_error());
	return 0;
}
END
gcc -I"$source_dir/include" -fPIC -shared "$source_dir/examples/plugins/codec.c" -L"$build_dir" -linorder \
	-o "$scratch/codec.so" || fail 'compiling a plug-in'
for how in '' -static; do
	gcc -I"$source_dir/include" $how "$scratch/host.c" "$build_dir/libinorder.a" -pthread -o "$scratch/host" ||
		fail "compiling a host ($how)"
	LD_LIBRARY_PATH=$build_dir "$scratch/host" "$scratch/codec.so" >"$scratch/said" ||
		fail "a static host loads a plug-in ($how)"
	grep -q 'linked statically' "$scratch/said" || fail "a static host says: $(cat "$scratch/said")"
done

needed=$(readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p')
[ "$needed" = libc.so.6 ] || fail "libinorder.so needs more than libc:" $needed
readelf -d "$library" | grep -q 'FLAGS_1.*NODELETE' || fail 'libinorder.so may be unmapped: -z nodelete is missing'
exit $failed
