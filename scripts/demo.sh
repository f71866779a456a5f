#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Shows a pair lose its active chassis and no session. Needs root and a bare Debian 12; ends with
# one RESULT line. --keep leaves the lab running and says what to type next; --clean removes it.
set -u
cd "$(dirname "$0")/.." || exit 1

case "${1:-}" in
"" | --keep) ;;
--clean) exec python3 test/e2e/demo.py --clean ;;
*)
	echo "usage: scripts/demo.sh [--keep | --clean]" >&2
	exit 2
	;;
esac

failed() {
	tail -n 30 "$2" >&2
	echo "RESULT subscribers=0 lost_sessions=- crash_gap_ms=- planned_lost_packets=-" \
		"verdict=failed reason=\"$1, log $2\""
	exit 1
}

mkdir -p build-logs
scripts/install.sh >build-logs/install.log 2>&1 ||
	failed "packages could not be installed" "$PWD/build-logs/install.log"
{
	{ [ -f build/build.ninja ] || meson setup build; } &&
		ninja -C build app/tandem/tandem app/tandemctl/tandemctl
} >build-logs/demo-build.log 2>&1 ||
	failed "the build failed" "$PWD/build-logs/demo-build.log"
exec python3 test/e2e/demo.py "$@"
