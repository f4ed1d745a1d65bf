# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the scripts of this folder: where things are, and how a script speaks.

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${KTWIN_BUILD:-$HERE/build}
mkdir -p "$BUILD"
BUILD=$(cd "$BUILD" && pwd)
export KTWIN_BUILD=$BUILD LC_ALL=C

say() { printf 'test: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }
