#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs what is missing, builds with gcc, clang and sanitizers, and runs every test there is.
# --quick: one build, no sanitizers, no e2e. Ends with what took how long, a calibration and
# `N passed, N failed, N skipped`; exit 1 on a failure. test/README.md says what each part takes.
#
# Two lanes share the CPUs. The first builds with gcc and runs the end-to-end tests, which mostly
# wait for events. The second (`--beside`, started by the first) gets the CPU time that the first
# leaves: lint, the tests of the first's build, and clang's build with the sanitizers, in which
# unit tests, simulators and fuzzing run once more.
set -u
cd "$(dirname "$0")/.." || exit 1

quick=false lane=first
case "${1:-}" in
"") ;;
--quick) quick=true ;;
--beside) lane=second ;;
*)
	echo "usage: scripts/test.sh [--quick]" >&2
	exit 2
	;;
esac

# test/README.md: the CPU seconds of the calibration on its machine, and the minutes of a whole run.
TABLE_CALIBRATION=0.6 TABLE_LIMIT=16
logs=$PWD/build-logs
suites="unit golden sim fuzz bench"
programs="app/tandem/tandem app/tandemctl/tandemctl app/tandem-load/tandem-load test/e2e/bmp_watch"

say() { printf '%s %s\n' "$(date +%H:%M:%S)" "$*"; }

broken() { # broken NAME LOG: a step that is no test failed
	add "0 1 0"
	echo "$1: log $2" >>"$logs/failures"
	say "FAILED $1, log $2:"
	tail -n 40 "$2"
}

add() { echo "$1" >>"$logs/counts"; } # add "P F S"

cpu_s() { # CPU seconds of all children of this shell that have ended, into $cpu
	times >"$logs/times-$lane"
	cpu=$(tail -n 1 "$logs/times-$lane" | tr 'ms' '  ' |
		awk '{ printf "%.1f", $1 * 60 + $2 + $3 * 60 + $4 }')
}

timed() { # timed NAME COMMAND...: a row of the table
	local name=$1 began cpu before status
	shift
	cpu_s
	before=$cpu began=$EPOCHREALTIME
	"$@"
	status=$?
	cpu_s
	awk -v name="$name" -v s="$began" -v e="$EPOCHREALTIME" -v b="$before" -v c="$cpu" \
		-v lane="$lane" \
		'BEGIN { printf "%s|%.1f|%.1f|%s\n", name, (e - s) / 60, (c - b) / 60, lane }' \
		>>"$logs/table"
	return $status
}

# Seconds and CPU seconds that a fixed compile takes: machines differ, and so do their hours.
calibrate() {
	local source=$logs/calibration.c began=$EPOCHREALTIME cpu before seconds
	awk 'BEGIN {
		for (i = 0; i < 150; i++)
			printf "unsigned f%d(unsigned *p, unsigned n)\n{\n\tunsigned s = %d;\n\n" \
				"\tfor (unsigned i = 0; i < n; i++)\n" \
				"\t\ts = s * 31 + (p[i] ^ s >> %d);\n\treturn s;\n}\n", \
				i, i, i % 31 + 1
	}' >"$source"
	cpu_s
	before=$cpu began=$EPOCHREALTIME
	CCACHE_DISABLE=1 gcc -O2 -c "$source" -o "$logs/calibration.o" || return 1
	cpu_s
	seconds=$(awk -v b="$before" -v c="$cpu" 'BEGIN { printf "%.2f", c - b }')
	calibration=$(awk -v s="$began" -v e="$EPOCHREALTIME" -v c="$seconds" \
		'BEGIN { printf "%.2f s, %s s of CPU", e - s, c }')
	# The limit of test/README.md counts on the machine of its table.
	limit=$(awk -v c="$seconds" -v of="$TABLE_CALIBRATION" -v m="$TABLE_LIMIT" \
		'BEGIN { printf "%.1f", m * c / of }')
}

build() { # build DIR TARGETS SUITES MESON-OPTION...: the targets, and what tests of the suites run
	local dir=$1 targets=$2 suites=$3 log=$logs/$1.log option changed=()
	shift 3
	for option; do [[ $option != -D* ]] || changed+=("$option"); done
	say "build $dir"
	# shellcheck disable=SC2086
	{
		[ -f "$dir/build.ninja" ] || meson setup "$dir" "$@"
	} >"$log" 2>&1 &&
		meson configure "$dir" -Dwerror=true -Dwarning_level=3 "${changed[@]}" \
			>>"$log" 2>&1 &&
		ninja -C "$dir" build.ninja >>"$log" 2>&1 &&
		ninja -C "$dir" -j "$(nproc)" $targets $(suites_need "$dir" $suites) \
			>>"$log" 2>&1 && return 0
	broken "build $dir" "$log"
	return 1
}

# What meson's log says, as "P F S"; failing tests with the tail of their output go to stderr, what
# each took to $logs.
meson_counts() { # meson_counts DIR TESTLOG
	python3 - "$1" "$2" "$logs/took" "$logs/failures" <<'PY'
import json, sys
count = {"passed": 0, "failed": 0, "skipped": 0}
build, log, took, failures = sys.argv[1:]
with open(log, encoding="utf-8") as lines, open(took, "a", encoding="utf-8") as rows:
    for line in lines:
        test = json.loads(line)
        kinds = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}
        kind = kinds.get(test["result"], "failed")
        count[kind] += 1
        rows.write(f"{test['duration']:.1f} s {test['name'].split(' / ')[-1]} ({build})\n")
        if kind == "failed":
            why = f"{test['result']}, {test['duration']:.1f} s"
            with open(failures, "a", encoding="utf-8") as f:
                print(f"{test['name'].split(' / ')[-1]} ({build}): {why}", file=f)
            print(f"FAILED {test['name']} ({why})", file=sys.stderr)
            output = (test.get("stdout") or "") + (test.get("stderr") or "")
            print("\n".join("    " + x for x in output.splitlines()[-40:]), file=sys.stderr)
print(count["passed"], count["failed"], count["skipped"])
PY
}

# The programs that tests of these suites run.
suites_need() { # suites_need DIR SUITE...
	meson introspect "$1" --tests --targets | python3 -c '
import json, os, sys
build, suites = os.path.realpath(sys.argv[1]), set(sys.argv[2:])
all = json.load(sys.stdin)
need = {d for t in all["tests"] if suites & {s.split(":")[-1] for s in t["suite"]}
        for d in t["depends"]}
print(*(os.path.relpath(t["filename"][0], build) for t in all["targets"] if t["id"] in need))' "$@"
}

meson_tests() { # meson_tests DIR TIMES SUITE...; TIMES: so many times each test's time limit
	local dir=$1 times=$2 suites=() log=$logs/$1-tests.log json=$1/meson-logs/testlog.json
	shift 2
	for s in "$@"; do suites+=(--suite "$s"); done
	say "test $dir: $*"
	rm -f "$json"
	meson test -C "$dir" --no-rebuild --print-errorlogs --timeout-multiplier "$times" \
		"${suites[@]}" >"$log" 2>&1
	if [ -f "$json" ]; then
		add "$(meson_counts "$dir" "$json")"
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
	sum=$(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' \
		"$log" | tail -n 1)
	sed -nE "s/^(passed|failed) *([a-z0-9_]*\.[A-Za-z0-9_]*) ([0-9.]* s).*/\3 \2 ($name)/p" \
		"$log" >>"$logs/took"
	# With the ends of the logs that are printed below it, further in.
	awk -v name="$name" '/^(failed|FAILED|DIRTY|AGAIN) / { print name ": " $0; below = 1; next }
		below && /^    / { print; next }
		{ below = 0 }' "$log" >>"$logs/failures"
	if [ -n "$sum" ]; then
		add "$sum"
	else
		broken "$name" "$log"
	fi
}

report() {
	echo "The ten slowest tests:"
	sort -rn "$logs/took" | head -n 10 | sed 's/^/  /'
	echo "What took how long (calibration, a fixed compile: ${calibration:-failed}):"
	awk -F'|' -v wall="$1" '
		BEGIN {
			row = "  %-46s %8s %12s\n"
			printf row, "build or suite", "minutes", "CPU-minutes"
		}
		{ printf row, $1 ($4 == "second" ? " (beside the others)" : ""), $2, $3; cpu += $3 }
		END { printf row, "whole run", wall, sprintf("%.1f", cpu) }' "$logs/table"
	$quick || echo "The limit of test/README.md is $TABLE_LIMIT minutes at a calibration of" \
		"$TABLE_CALIBRATION s of CPU, which is ${limit:-unknown} minutes here."
}

finish() {
	local sum
	[ -s "$logs/table" ] && report "$(awk -v s="$SECONDS" 'BEGIN { printf "%.1f", s / 60 }')"
	sum=$(awk '{ p += $1; f += $2; s += $3 }
		END { print p + 0 " passed, " f + 0 " failed, " s + 0 " skipped" }' "$logs/counts")
	if [ -s "$logs/failures" ]; then # once more, where whoever reads the end alone sees it
		echo "What failed or left its pair unclean:"
		cut -c 1-2400 "$logs/failures" | sed 's/^/  /'
	fi
	awk '/: AGAIN .*: passed at/ { n++ }
		END { if (n > 0) print n " of those that passed failed at their first attempt" }' \
		"$logs/failures"
	[[ "$sum" == *" 0 failed"* ]] || say "logs: $logs, build*/meson-logs"
	echo "$sum"
	[[ "$sum" == *" 0 failed"* ]]
	exit
}

# Behind the first lane wherever both want a CPU: end-to-end cases assert times. A session of its
# own has a weight of its own where the kernel groups by session; in there priorities mean nothing.
second_lane() {
	trap 'echo end >&9' EXIT
	[ ! -w /proc/self/autogroup ] || echo 19 >/proc/self/autogroup
	chrt -i -p 0 $$ >/dev/null
	export LLVM_PROFILE_FILE=/dev/null
	timed lint counting lint scripts/lint.sh
	local said=
	read -r -t 3600 -u 8 said
	# shellcheck disable=SC2086
	[ "$said" != built ] || timed "build: $suites" meson_tests build 4 $suites
	# One build for the sanitizers, the fuzzers and the coverage of the corpora; clang sees all
	# that is shipped.
	if CC=$(scripts/clang.sh clang) timed build-clang build build-clang "$programs" \
		"unit sim fuzz" --native-file test/clang.ini; then
		echo built >&9
		timed "build-clang: unit sim fuzz" meson_tests build-clang 8 unit sim fuzz
		timed coverage counting coverage test/fuzz/fuzz.py --coverage
		timed "fuzz, 5 s a target" counting fuzz test/fuzz/fuzz.py --edges --seconds 5
	fi
}

# The daemon with sanitizers through some of what it lives through: a leak shows when it ends by
# a signal.
e2e_asan() {
	counting e2e-asan python3 test/e2e/run.py --build build-clang -k attach_ping_detach \
		-k sigterm_hands_over -k return_and_switch_back -k repeated_request -k malformed \
		-k control_socket
}

export LC_NUMERIC=C
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
if [ $lane = second ]; then
	second_lane
	exit
fi

rm -rf "$logs"
mkdir -p "$logs"
touch "$logs/counts" "$logs/took" "$logs/failures"
scripts/install.sh >"$logs/install.log" 2>&1 || {
	broken install "$logs/install.log"
	finish
}
calibrate || broken calibration "$logs/calibration.c"
if $quick; then
	timed lint counting lint scripts/lint.sh
	# shellcheck disable=SC2086
	timed build build build all "$suites" && timed "build: $suites" meson_tests build 1 $suites
	finish
fi

mkfifo "$logs/beside" "$logs/first"
exec 9<>"$logs/beside" 8<>"$logs/first"
# Not a child of this shell, whose CPU time is that of the first lane.
(
	setsid scripts/test.sh --beside >"$logs/beside.log" 2>&1 &
	echo $! >"$logs/beside.pid"
)
trap 'kill -- "-$(cat "$logs/beside.pid")" 2>/dev/null' EXIT
if timed build build build "all app/tandem/tandem-next" "$suites"; then
	echo built >&8
	timed e2e counting e2e python3 test/e2e/run.py --build build --again 2
else
	echo failed >&8
fi
sanitized=false said=
while read -r -t 3600 -u 9 said && [ "$said" != end ]; do
	[ "$said" = built ] && sanitized=true
done
cat "$logs/beside.log"
if [ "$said" = end ]; then
	trap - EXIT
else
	broken "the second lane" "$logs/beside.log"
fi
$sanitized && timed "e2e with sanitizers" e2e_asan
finish
