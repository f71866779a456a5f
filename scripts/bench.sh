#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds for release and runs one bench: scripts/bench.sh NAME [ARGUMENTS]. Takes hugepages for the time of the run where
# it may; without them it says so in each line ("memory").
set -eu
cd "$(dirname "$0")/.."

name=${1:-}
if [ ! -f "test/bench/bench_$name.c" ]; then
	echo "usage: $0 NAME [ARGUMENTS], NAME one of:" \
		"$(find test/bench -name 'bench_*.c' ! -name '*_source.c' -printf '%f ' | sed 's/bench_\([a-z0-9]*\)\.c/\1/g')" >&2
	exit 2
fi
shift

[ -d build-bench ] || meson setup build-bench --buildtype=release >/dev/null
ninja -C build-bench "test/bench/bench_$name" >/dev/null

pages=${TANDEM_HUGEPAGES:-640} # of 2 MB
had=$(cat /proc/sys/vm/nr_hugepages)
dir=

restore() {
	if [ -n "$dir" ]; then
		umount "$dir" 2>/dev/null || true
		rmdir "$dir" 2>/dev/null || true
	fi
	echo "$had" 2>/dev/null >/proc/sys/vm/nr_hugepages || true
}

if [ "$(id -u)" = 0 ]; then
	trap restore EXIT
	trap 'exit 130' INT TERM
	free=$(awk '/HugePages_Free/ { print $2 }' /proc/meminfo)
	[ "$free" -ge "$pages" ] || echo $((had + pages - free)) >/proc/sys/vm/nr_hugepages || true
	dir=$(mktemp -d)
	mount -t hugetlbfs -o pagesize=2M none "$dir" 2>/dev/null || { rmdir "$dir"; dir=; }
fi
if [ -n "$dir" ] && [ "$(awk '/HugePages_Free/ { print $2 }' /proc/meminfo)" -ge "$pages" ]; then
	set -- --huge-dir "$dir" "$@"
else
	echo "no hugepages to be had: figures are worse than they need to be" >&2
fi
"build-bench/test/bench/bench_$name" "$@"
