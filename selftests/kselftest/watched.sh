#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The kernel's own selftest of epoll, while its queues are looked into all the time: it passes as it does without.
. "$(dirname "$0")/lib.sh"
need_loaded

PROGRAM=../filesystems/epoll/epoll_wakeup_test
# Two of its tests spin for a minute and give up, under emulation, whether anybody looks or not.
TOO_SLOW='-T epoll59 -T epoll60'
SECONDS_MAX=600

if ! [ -x "$PROGRAM" ]; then
	ktap_print_header
	ktap_skip_all "the kernel's selftests are not installed beside these"
	exit "$KSFT_SKIP"
fi

# Whether a test of it that failed under the eyes of the watcher fails alone, too.
fails_alone() {
	timeout 60 "$PROGRAM" -t "$1" >"$TMP/alone" 2>&1
	grep -q '^not ok ' "$TMP/alone"
}

test_epoll_wakeup() {
	local status name failed=0
	mark_log
	# shellcheck disable=SC2086 # a list
	timeout "$SECONDS_MAX" ./watcher "$PROGRAM" $TOO_SLOW >"$TMP/out" 2>&1 </dev/null
	status=$?
	note "exit $status, $(grep -cE '^ok ' "$TMP/out") ok, $(grep -cE '^not ok ' "$TMP/out") not ok"
	note "$(grep '^watcher:' "$TMP/out")"
	while read -r name; do
		name=${name##*global.}
		if fails_alone "${name%% *}"; then note "$name fails when nobody looks, too"; else failed=1; note "$name fails"; fi
	done < <(grep -E '^not ok ' "$TMP/out")
	if ! grep -q '^# Totals:' "$TMP/out"; then note "it did not come to its end"; failed=1; fi
	# Through an epoll only where the kernel's BTF tells where its fields are.
	if ! grep -q 'epoll.*unknown' "$DEBUGFS/audit/layout" &&
		! grep -qE '^watcher:.* [1-9][0-9]* epolls followed' "$TMP/out"; then note "nothing was seen"; failed=1; fi
	log_is_clean || failed=1
	wait_live && audit_zero "afterwards" || failed=1
	return $failed
}

main epoll_wakeup
