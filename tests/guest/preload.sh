#!/bin/sh
# SPDX-License-Identifier: MIT
# preload.sh PROGRAM: the program beside each other allocator that is here; 77 if none is.
tried=77
for library in libjemalloc.so.2 libtcmalloc_minimal.so.4 libmimalloc.so.2 libmimalloc.so.3; do
	if [ -n "$(LD_PRELOAD=$library /bin/true 2>&1)" ]; then
		echo "not here: $library"
		continue
	fi
	LD_PRELOAD=$library "$1" || { echo "failed beside $library"; exit 1; }
	echo "passed beside $library"
	tried=0
done
exit $tried
