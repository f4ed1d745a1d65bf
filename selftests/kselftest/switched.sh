#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Switches as the client counts them; and the module, which stays as long as somebody counts.
. "$(dirname "$0")/lib.sh"
need_loaded

# counts NAME ARGUMENTS...: ktwin switches prints such rows.
counts() {
	local name=$1 rows
	shift
	if ! rows=$("$KTWIN" switches -n -r --interval 0.5 "$@" 2>&1) || [ -z "$rows" ]; then
		note "$name: $rows"
		return 1
	fi
	note "$name: $(head -1 <<<"$rows")"
}

test_client() {
	local failed=0
	counts 'per CPU' || failed=1
	counts 'per task' --tasks || failed=1
	counts 'waits' --waits || failed=1
	counts 'waits by namespace' --waits --by-ns || failed=1
	counts 'agreement' --agreement || failed=1
	counts 'audit' --audit || failed=1
	return $failed
}

# Rows of a file, without its header.
rows_of() { grep -vc '^#' "$DEBUGFS/rq/$1"; }

test_debugfs() {
	local failed=0 try node
	if [ "$(rows_of switches)" != 0 ]; then note "counted when nobody counts"; failed=1; fi
	storm "$KTWIN" switches --agreement -w --interval 0.2
	for ((try = 0; try < 100; try++)); do
		if [ "$(rows_of agreement)" != 0 ]; then break; fi
		sleep 0.1
	done
	for node in switches agreement audit; do
		if [ "$(rows_of $node)" = 0 ]; then note "rq/$node shows nothing"; failed=1; fi
	done
	end_storms
	if [ "$(rows_of switches)" != 0 ]; then note "counted when nobody counts any more"; failed=1; fi
	return $failed
}

test_unload() {
	local failed=0 parameters try
	parameters=$(parameters)
	mark_log
	storm "$KTWIN" switches --agreement -w --interval 0.2
	for ((try = 0; try < 300; try++)); do
		if [ "$(rows_of agreement)" != 0 ]; then break; fi
		sleep 0.1
	done
	if unload; then note "it went away while somebody counted"; load $parameters; return 1; fi
	kill -KILL $STARTED
	end_storms
	unload || { note "$(cat "$TMP/rmmod")"; failed=1; }
	# shellcheck disable=SC2086 # a list
	load $parameters || { note "$(cat "$TMP/insmod")"; return 1; }
	log_is_clean || failed=1
	wait_live || failed=1
	return $failed
}

main client debugfs unload
