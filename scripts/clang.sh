#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The one place that knows which LLVM is used here.
# clang.sh version   its major version: 14 where it is installed or can be, else the newest that is
# clang.sh TOOL      the program of that version (clang, llvm-cov, ...); exit 1 if it is missing
# The sources are formatted as clang-format 14 does it, and another version differs in places: lint
# asks for that one by `clang.sh format`.
set -eu

versions="14 19 18 17 16 15"

version() {
	for v in $versions; do
		command -v "clang-$v" >/dev/null && { echo "$v"; return; }
	done
	for v in $versions; do
		[ -n "$(apt-cache madison "clang-$v" 2>/dev/null)" ] && { echo "$v"; return; }
	done
	echo 14
}

case "${1:-}" in
version) version ;;
format) command -v clang-format-14 ;;
[a-z]*) command -v "$1-$(version)" ;;
*)
	echo "usage: scripts/clang.sh version | format | TOOL" >&2
	exit 2
	;;
esac
