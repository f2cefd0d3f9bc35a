#!/bin/sh
# SPDX-License-Identifier: MIT
# The library with 32 bits, in both time ABIs: a few tests. make check-ports runs all, on more processors.
cd "$1" || exit 1
exec tools/check-ports --build "$2" \
	--tests '^(contract/(config|one_call|retire|threads|wait|wake)|guest/(misuse|signals))$' i686 i686-time64
