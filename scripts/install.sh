#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Installs the Debian 12 packages that building, testing and the demo need. Costs nothing when all
# are there.
set -eu

cd "$(dirname "$0")"
clang=$(./clang.sh version)
# Sources are formatted by version 14 alone; where there is none, lint skips that check.
format=clang-format-$clang
packages="meson ninja-build pkg-config gcc libc6-dev clang-$clang $format llvm-$clang lld-$clang
	libclang-rt-$clang-dev libdpdk-dev dpdk libconfig-dev libjansson-dev libmnl-dev libssl-dev
	openssl libcunit1-dev osmo-ggsn freeradius frr bird2 conntrackd iperf3 tshark nftables
	ethtool universal-ctags iproute2 iputils-ping iputils-arping
	traceroute codespell git python3"

missing=""
for p in $packages; do
	state=$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null || true)
	[ "$state" = installed ] || missing="$missing $p"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "install.sh: missing packages, run as root:$missing" >&2
	exit 1
fi

log=$(mktemp)
policy=/usr/sbin/policy-rc.d
made=""
trap 'rm -f "$log" $made' EXIT
# wireshark-common asks a question, and no service of these packages is wanted: this file forbids
# their start.
export DEBIAN_FRONTEND=noninteractive
if [ ! -e "$policy" ]; then
	made=$policy
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
fi
install() {
	# shellcheck disable=SC2086
	apt-get install -y -qq --no-install-recommends $missing >"$log" 2>&1
}
echo "installing:$missing"
# The lists of a fresh machine are empty or old: ask for new ones only when what is there does not
# do.
if ! install; then
	if ! apt-get update -qq >"$log" 2>&1 || ! install; then
		cat "$log" >&2
		exit 1
	fi
fi
# Nor at the next boot.
for p in $missing; do
	for unit in $(dpkg -L "$p" |
		sed -n 's|^\(/usr\)\?/lib/systemd/system/\([^/@]*\.service\)$|\2|p'); do
		systemctl disable -q "$unit" >/dev/null 2>&1 || true
	done
done
