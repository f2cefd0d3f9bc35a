#!/bin/sh
# SPDX-License-Identifier: MIT
# A CMake project finds the installed library, shared and static, and its version; one that asks for a newer one does not.
. "$(dirname "$0")/lib.sh"
need cmake gcc

install_tree
prefix=$(dirname "$(find "$scratch/root" -type d -name include)")
cat >"$scratch/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.10)
project(first C)
find_package(inorder ${WANTED} REQUIRED)
foreach(kind inorder static)
  add_executable(first-${kind} first.c)
  target_link_libraries(first-${kind} inorder::${kind})
endforeach()
END
cp "$source_dir/examples/first.c" "$scratch"
readme_block text >"$scratch/expected"

# configure VERSION: a project that asks for that version
configure() {
	cmake -S "$scratch" -B "$scratch/$1" -DWANTED="$1" -DCMAKE_FIND_ROOT_PATH="$prefix" -DCMAKE_PREFIX_PATH="$prefix" \
		>"$scratch/log" 2>&1
}

version=$(sed -n 's/.*INORDER_VERSION_STRING "\(.*\)"/\1/p' "$source_dir/include/inorder/version.h")
configure "$version" && cmake --build "$scratch/$version" >>"$scratch/log" 2>&1 || fail "$(cat "$scratch/log")"
for kind in inorder static; do
	"$scratch/$version/first-$kind" >"$scratch/out" && diff "$scratch/expected" "$scratch/out" || fail "first-$kind"
done
# Without the shared library, programs that ask for no kind get the static one.
find "$prefix" -name 'libinorder.so*' -delete
rm -r "${scratch:?}/$version"
configure "$version" && cmake --build "$scratch/$version" >>"$scratch/log" 2>&1 || fail "static alone: $(cat "$scratch/log")"
"$scratch/$version/first-inorder" >"$scratch/out" && diff "$scratch/expected" "$scratch/out" || fail 'first-inorder, static alone'
! configure "${version%.*}.99" || fail 'a newer version than there is was found'
! configure 99.0 || fail 'another major version was found'
exit $failed
