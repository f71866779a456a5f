#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Builds for release and runs one bench, or all of them: scripts/bench.sh NAME|all [ARGUMENTS].
# Prints JSON lines. Takes hugepages for the time of the run where it may; without them each line
# says so ("memory").
set -u
cd "$(dirname "$0")/.." || exit 1

# name | hugepages of 2 MB | command, from the top; a program of test/bench is built first. BUILD:
# the release build. A command that takes hugepages gets --huge-dir DIR behind its own arguments.
table='
fastpath|640|BUILD/test/bench/bench_fastpath
repl|704|BUILD/test/bench/bench_repl
crypto|1408|BUILD/test/bench/bench_repl --crypto
resync|1792|BUILD/test/bench/bench_resync
commit|768|BUILD/test/bench/bench_commit
takeover|1100|python3 test/bench/bench_takeover.py
planned|0|python3 test/bench/bench_planned.py
setup|0|python3 test/bench/bench_setup.py
conntrackd|0|python3 test/bench/bench_conntrackd.py
'

names() { sed -n 's/^\([a-z0-9]*\)|.*/\1/p' <<<"$table"; }

name=${1:-}
if [ "$name" != all ] && ! names | grep -qx -- "$name"; then
	echo "usage: $0 NAME|all [ARGUMENTS], NAME one of: $(names | tr '\n' ' ')" >&2
	exit 2
fi
shift
[ "$name" != all ] || set -- # each has arguments of its own

build=build-bench
[ -f "$build/build.ninja" ] || meson setup "$build" --buildtype=release >/dev/null || exit 1
had=$(cat /proc/sys/vm/nr_hugepages)
dir=

restore() {
	if [ -n "$dir" ]; then
		umount "$dir" 2>/dev/null || true
		rmdir "$dir" 2>/dev/null || true
		dir=
	fi
	echo "$had" 2>/dev/null >/proc/sys/vm/nr_hugepages || true
}

free_pages() { awk '/HugePages_Free/ { print $2 }' /proc/meminfo; }

# Leaves `dir` empty where there are no hugepages to be had.
huge() { # huge PAGES
	local pages=${TANDEM_HUGEPAGES:-$1} free
	[ "$pages" -gt 0 ] || return 0
	if [ "$(id -u)" = 0 ]; then
		free=$(free_pages)
		[ "$free" -ge "$pages" ] ||
			echo $((had + pages - free)) >/proc/sys/vm/nr_hugepages || true
		dir=$(mktemp -d)
		mount -t hugetlbfs -o pagesize=2M none "$dir" 2>/dev/null || { rmdir "$dir"; dir=; }
	fi
	if [ -n "$dir" ] && [ "$(free_pages)" -lt "$pages" ]; then
		umount "$dir" && rmdir "$dir"
		dir=
	fi
	[ -n "$dir" ] || echo "no hugepages to be had: figures are worse than they need to be" >&2
}

one() { # one NAME [ARGUMENT...]
	local name=$1 pages command status
	shift
	IFS='|' read -r _ pages command <<<"$(grep "^$name|" <<<"$table")"
	if [[ $command == BUILD/* ]]; then
		command=$build/${command#BUILD/}
		ninja -C "$build" "$(cut -d' ' -f1 <<<"${command#"$build"/}")" >/dev/null ||
			return 1
	else
		ninja -C "$build" >/dev/null || return 1
	fi
	huge "$pages"
	# shellcheck disable=SC2086
	BUILD=$build $command ${dir:+--huge-dir "$dir"} "$@"
	status=$?
	restore
	return "$status"
}

trap restore EXIT
trap 'exit 130' INT TERM
status=0
if [ "$name" = all ]; then
	for each in $(names); do
		one "$each" || { echo "$each failed" >&2; status=1; }
	done
else
	one "$name" "$@" || status=1
fi
exit "$status"
