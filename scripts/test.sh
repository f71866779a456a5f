#!/usr/bin/env bash
set -eu
cd "$(dirname "$0")/.."
[ -d build ] || meson setup build
ninja -C build
meson test -C build
