#!/bin/sh
# SPDX-License-Identifier: MIT
# The core compiles against ports/template as it stands: the template names all that a port provides.
set -eu
source=$1
status=0
for file in "$source"/core/*.c; do
	"${CC:-cc}" -std=gnu11 -fsyntax-only -Wall -Wextra -Werror -I"$source/ports/template" -I"$source/core" \
		-I"$source/include" "$file" || status=1
done
exit $status
