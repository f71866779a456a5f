#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# `reloads.sh [RELOADS]`: a pair under tandem-load is reloaded so often (50), one chassis and then
# the other: keys change, and APNs and pools come, change, drain and come back. It loses no session
# and no packet. As root; needs what scripts/install.sh installs. Exit 1 when something was lost.
set -eu
cd "$(dirname "$0")/.."
case "${1:-50}" in
*[!0-9]* | '')
	sed -n '3,5s/^# //p' scripts/reloads.sh >&2
	exit 2
	;;
esac
[ -f build/build.ninja ] || meson setup build >/dev/null
ninja -C build app/tandem/tandem app/tandemctl/tandemctl app/tandem-load/tandem-load >/dev/null
RELOADS=${1:-50} exec python3 test/e2e/run.py --build build -k reload.under_load --jobs 1
