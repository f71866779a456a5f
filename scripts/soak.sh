#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Long runs. `soak.sh sim [SEEDS [SIMULATOR...]]`: every simulator over so many seeds (100000), two
# at a time, in pieces; what is done is remembered as long as the program is the same, so an
# interrupted run goes on where it was. `sim:NAME` is sim with that profile.
# `soak.sh fuzz [SECONDS [TARGET...]]`: every fuzz target for so long (30), from what earlier runs
# found.
# Ends with a verdict; exit 1 when something failed, with the seed or the crash file named.
set -u
cd "$(dirname "$0")/.." || exit 1
piece=250

usage() {
	sed -n '3,7s/^# //p' scripts/soak.sh >&2
	exit 2
}

say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*"; }

# One piece of seeds; run by xargs: SIMULATOR FIRST LAST FOLDER PIECES
if [ "${1:-}" = --piece ]; then
	sim=$2 first=$3 last=$4 done=$5 pieces=$6
	log=$done/$sim-$first.log
	profile=()
	[ "$sim" = "${sim#*:}" ] || profile=(--profile "${sim#*:}")
	if "build/test/sim/${sim%%:*}" "${profile[@]}" --seeds "$first..$last" >"$log" 2>&1; then
		mv "$log" "$done/$sim-$first.ok"
		result=ok
	else
		mv "$log" "$done/$sim-$first.failed"
		result="FAILED: $(grep -m 1 '^seed' "$done/$sim-$first.failed" ||
			tail -n 1 "$done/$sim-$first.failed")"
	fi
	# shellcheck disable=SC2012
	say "$sim $first..$last $result ($(ls "$done" | grep -c '\.ok$') of $pieces done)"
	exit 0
fi

soak_sim() { # soak_sim SEEDS SIMULATOR...
	local seeds=$1 done sim first last failed pieces programs
	shift
	[ -f build/build.ninja ] || meson setup build >/dev/null || exit 1
	programs=("${@%%:*}")
	ninja -C build $(printf 'test/sim/%s ' "${programs[@]}") >/dev/null || exit 1
	done=build/soak/$(cd build/test/sim && sha256sum "${programs[@]}" | sha256sum | cut -c 1-16)
	mkdir -p "$done"
	rm -f "$done"/*.failed
	pieces=$(($# * ((seeds + piece - 1) / piece)))
	for ((first = 1; first <= seeds; first += piece)); do
		last=$((first + piece - 1 < seeds ? first + piece - 1 : seeds))
		for sim in "$@"; do
			[ -f "$done/$sim-$first.ok" ] || echo "$sim $first $last $done $pieces"
		done
	done | xargs -r -P 2 -n 5 scripts/soak.sh --piece
	failed=$(find "$done" -name '*.failed' | wc -l)
	ok=$(find "$done" -name '*.ok' | wc -l)
	[ "$failed" -eq 0 ] || grep -h -m 3 '^seed' "$done"/*.failed
	echo "$* over $seeds seeds: $ok of $pieces pieces ok, $failed failed"
	[ "$failed" -eq 0 ] && [ "$ok" -eq "$pieces" ]
}

what=${1:-} much=${2:-}
[ $# -le 2 ] && shift $# || shift 2
case "$what" in
sim)
	[ $# -gt 0 ] || set -- $(cd test/sim &&
		sed -n "s/^test('\(sim[a-z_]*\)', \1, .*--seeds.*/\1/p" meson.build) \
		sim:stream sim:tables
	soak_sim "${much:-100000}" "$@"
	;;
fuzz)
	test/fuzz/fuzz.py --seconds "${much:-30}" "$@"
	;;
*) usage ;;
esac
