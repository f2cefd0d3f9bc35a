#!/bin/sh
# SPDX-License-Identifier: MIT
# tools/lint finds nothing in this tree, and finds each kind of thing in a tree that has it.
set -eu
. "$(dirname "$0")/lib.sh"
status=0
"$source_dir/tools/lint" 2>"$scratch/lint" || status=$?
[ "$status" = 0 ] || { cat "$scratch/lint" >&2; exit "$status"; }

bad=$scratch/bad
mkdir -p "$bad/tools"
cp "$source_dir/tools/lint" "$source_dir/tools/lint.words" "$bad/tools"
cp "$source_dir/.clang-format" "$bad"
printf 'int  main (void) {return 0;}\n' >"$bad/a.c"
printf '/* SPDX-License-Identifier: MIT */\n/* %130s */\n' x >"$bad/b.h"
printf '#!/bin/sh\n# SPDX-License-Identifier: MIT\n# Rec%sved\ncd /nowhere\n' ie >"$bad/c"
printf '#!/usr/bin/python3\n# SPDX-License-Identifier: MIT\nimport os\n' >"$bad/d"
if env GIT_CEILING_DIRECTORIES="$scratch" "$bad/tools/lint" 2>"$scratch/found"; then
	fail "tools/lint finds nothing in a tree that is full of it"
fi
for what in 'a.c:1:' 'over 120 columns: b.h:2' 'SPDX-License-Identifier on top: a.c' 'SC2164' "d:3:1.*'os'" 'Rec[i]eved'; do
	grep -q "$what" "$scratch/found" || { cat "$scratch/found" >&2; fail "tools/lint does not find $what"; }
done
[ "$failed" = 0 ]
