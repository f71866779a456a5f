#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs what is missing, builds with gcc, clang and sanitizers, and runs every test there is.
# --quick: one build, no sanitizers, no e2e. Ends with `N passed, N failed, N skipped`; exit 1 on a failure.
set -u
cd "$(dirname "$0")/.." || exit 1

quick=false
case "${1:-}" in
"") ;;
--quick) quick=true ;;
*)
	echo "usage: scripts/test.sh [--quick]" >&2
	exit 2
	;;
esac

logs=$PWD/build-logs
passed=0 failed=0 skipped=0
rm -rf "$logs"
mkdir -p "$logs"

say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*"; }

broken() { # broken NAME LOG: a step that is no test failed
	failed=$((failed + 1))
	say "FAILED $1, log $2:"
	tail -n 40 "$2"
}

add() { # add "P F S"
	local p f s
	read -r p f s <<<"$1"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

build() { # build DIR MESON-OPTION...
	local dir=$1 log=$logs/$1.log
	shift
	say "build $dir"
	{
		[ -f "$dir/build.ninja" ] || meson setup "$dir" "$@"
	} >"$log" 2>&1 && meson configure "$dir" -Dwerror=true -Dwarning_level=3 "$@" >>"$log" 2>&1 &&
		ninja -C "$dir" >>"$log" 2>&1 && return 0
	broken "build $dir" "$log"
	return 1
}

# What meson's log says, as "P F S"; failing tests with the tail of their output go to stderr.
meson_counts() {
	python3 - "$1" <<'PY'
import json, sys
count = {"passed": 0, "failed": 0, "skipped": 0}
for line in open(sys.argv[1], encoding="utf-8"):
    test = json.loads(line)
    kind = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}.get(test["result"], "failed")
    count[kind] += 1
    if kind == "failed":
        print(f"FAILED {test['name']} ({test['result']}, {test['duration']:.1f} s)", file=sys.stderr)
        output = (test.get("stdout") or "") + (test.get("stderr") or "")
        print("\n".join("    " + x for x in output.splitlines()[-40:]), file=sys.stderr)
print(count["passed"], count["failed"], count["skipped"])
PY
}

meson_tests() { # meson_tests DIR SUITE...
	local dir=$1 suites=() log=$logs/$1-tests.log json=$1/meson-logs/testlog.json
	shift
	for s in "$@"; do suites+=(--suite "$s"); done
	say "test $dir: $*"
	rm -f "$json"
	meson test -C "$dir" --no-rebuild --print-errorlogs "${suites[@]}" >"$log" 2>&1
	if [ -f "$json" ]; then
		add "$(meson_counts "$json")"
	else
		broken "meson test $dir" "$log"
	fi
}

# A step that ends with its own `N passed, N failed, N skipped`.
counting() { # counting NAME COMMAND...
	local name=$1 log=$logs/$1.log sum
	shift
	say "$name"
	"$@" 2>&1 | tee "$log"
	sum=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$log" | tail -n 1)
	if [ -n "$sum" ]; then
		add "$sum"
	else
		broken "$name" "$log"
	fi
}

finish() {
	[ "$failed" -eq 0 ] || say "logs: $logs, build*/meson-logs"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" -eq 0 ]
	exit
}

scripts/install.sh >"$logs/install.log" 2>&1 || {
	broken install "$logs/install.log"
	finish
}

counting lint scripts/lint.sh
built=false
build build && built=true && meson_tests build unit golden sim fuzz bench
if ! $quick; then
	CC=clang-14 build build-clang
	export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
	# The daemon too, through some of what it lives through: a leak shows when it is told to end.
	build build-asan -Db_sanitize=address,undefined -Db_lundef=false -Dbuildtype=debugoptimized &&
		meson_tests build-asan unit sim fuzz &&
		counting e2e-asan python3 test/e2e/run.py --build build-asan -k attach_ping_detach -k sigterm_hands_over \
			-k return_and_switch_back -k repeated_request -k malformed -k control_socket
	unset ASAN_OPTIONS UBSAN_OPTIONS
	counting fuzz test/fuzz/fuzz.py --seconds 30
	counting coverage test/fuzz/fuzz.py --coverage
	$built && ninja -C build app/tandem/tandem-next >/dev/null # the test build of the next wire version
	$built && counting e2e python3 test/e2e/run.py --build build
fi
finish
