#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A timeline as the client writes it, of a load that is known: one lane a CPU, what ran there, who woke whom, what is lost.
. "$(dirname "$0")/lib.sh"
need_loaded

SECONDS_LONG=2
CPUS=$(nproc)

# The number that jq finds in a trace.
ask() { jq -r "$2" "$TMP/$1"; }

# record NAME ARGUMENTS...: NAME.json and NAME.svg.
record() {
	local name=$1
	shift
	if ! "$KTWIN" trace --seconds $SECONDS_LONG -o "$TMP/$name.json" --svg "$TMP/$name.svg" "$@" 2>"$TMP/said"; then
		note "$name: $(cat "$TMP/said")"
		return 1
	fi
	note "$name: $(head -1 "$TMP/said")"
}

# Two that pass a byte to and fro, on the last CPU; the second ends when the first did.
ping_pong() {
	mkfifo "$TMP/there" "$TMP/back"
	exec taskset -c $((CPUS - 1)) bash -c "
		exec 3<>'$TMP/there' 4<>'$TMP/back'
		(while read -r -n 1 -t 5 -u 3 x; do printf %s \$x >&4; done) &
		while printf a >&3; do read -r -n 1 -u 4 x; done"
}

# What holds for every trace: its lanes do not overlap, each flow has both ends, and leads to where a run begins.
SOUND='
	(.traceEvents | map(select(.ph == "X")) | group_by(.tid) | all(sort_by(.ts) | . as $runs |
		all(range(1; length); $runs[.].ts >= ($runs[. - 1].ts + $runs[. - 1].dur - 0.001)))) and
	(.traceEvents | (map(select(.ph == "s").id) | sort) == (map(select(.ph == "f").id) | sort)) and
	(.traceEvents | (map(select(.ph == "X") | {key: "\(.tid) \(.ts)", value: true}) | from_entries) as $begins |
		map(select(.ph == "f")) | all($begins["\(.tid) \(.ts)"])) and
	(.traceEvents | map(select(.ph == "M" and .name == "thread_name")) | length) == '$CPUS' and
	([.traceEvents[] | select(.name == "lost").args.events] | add // 0) == .otherData.lost'

test_timeline() {
	local failed=0 last=$((CPUS - 1))
	mark_log
	storm ping_pong
	record pingpong || { end_storms; return 1; }
	end_storms
	if [ "$(ask pingpong.json "$SOUND")" != true ]; then note "it is not sound"; failed=1; fi
	if [ "$(ask pingpong.json .otherData.lost)" != 0 ]; then note "events were lost"; failed=1; fi
	if [ "$(ask pingpong.json "[.traceEvents[] | select(.ph == \"X\" and .tid == $CPUS and (.name | startswith(\"bash \")))] | length > 50")" != true ]; then
		note "nobody ran on CPU $last"
		failed=1
	fi
	if [ "$(ask pingpong.json '[.traceEvents[] | select(.ph == "s")] | length > 20')" != true ]; then note "nobody woke anybody"; failed=1; fi
	if ! [ -e "$DEBUGFS/rq/cpu0" ] || grep -q 'run_queue.*unknown' "$DEBUGFS/audit/layout"; then
		note "run queues are not known here"
	elif [ "$(ask pingpong.json '[.traceEvents[] | select(.ph == "C")] | length > 20')" != true ]; then
		note "nothing was queued"
		failed=1
	fi
	if [ "$(grep -c '<text[^>]*>CPU [0-9]*<title>' "$TMP/pingpong.svg")" != "$CPUS" ]; then note "the picture has other lanes"; failed=1; fi
	if [ "$(tail -1 "$TMP/pingpong.svg")" != '</svg>' ]; then note "the picture is cut short"; failed=1; fi
	log_is_clean || failed=1
	return $failed
}

# A busy loop has its CPU nearly all the time, as /proc says.
test_busy() {
	local failed=0 pid before after
	storm taskset -c $((CPUS - 1)) bash -c 'while :; do :; done'
	pid=${STARTED##* }
	sleep 1
	read -r before _ <"/proc/$pid/schedstat"
	record busy || { end_storms; return 1; }
	read -r after _ <"/proc/$pid/schedstat"
	end_storms
	after=$(((after - before) / 1000))
	# The time before and behind the trace is in the one and not in the other.
	ran=$(ask busy.json "[.traceEvents[] | select(.ph == \"X\" and .args.tid == $pid).dur] | add // 0 | floor")
	note "ran $ran us of the trace, $after us by schedstat"
	if [ "$ran" -gt $((after + 100000)) ] || [ "$ran" -lt $((SECONDS_LONG * 600000)) ]; then failed=1; fi
	if [ "$(ask busy.json "$SOUND")" != true ]; then note "it is not sound"; failed=1; fi
	return $failed
}

# The reader is kept from reading for most of its time, whenever that begins.
hold_up() {
	local pid
	# By its arguments: the module's thread has the same name.
	while ! pid=$(pgrep -f -- 'trace .*--capacity 64'); do sleep 0.05; done
	# shellcheck disable=SC2086 # one, or one and what it is started by
	while kill -STOP $pid; do
		sleep 0.5
		kill -CONT $pid
		sleep 0.1
	done
}

# Rings that are too small: it is said that something is missing, and the rest is sound.
test_lost() {
	local failed=0
	storm ./forker mix 20
	storm hold_up
	record lost --capacity 64 || { end_storms; return 1; }
	end_storms
	if [ "$(ask lost.json '.otherData.lost > 0')" != true ]; then note "nothing was lost"; failed=1; fi
	if [ "$(ask lost.json "$SOUND")" != true ]; then note "it is not sound"; failed=1; fi
	grep -q 'lost: ' "$TMP/lost.svg" || { note "the picture does not say so"; failed=1; }
	grep -q 'try a larger --capacity' "$TMP/said" || { note "$(cat "$TMP/said")"; failed=1; }
	return $failed
}

# Whoever has no number in a namespace has no name there.
test_inside() {
	local failed=0
	if ! unshare --pid --fork --mount-proc true 2>/dev/null; then note "no unshare"; return 4; fi
	if ! unshare --pid --fork "$KTWIN" trace --seconds 1 -o - >"$TMP/inside.json" 2>"$TMP/said"; then
		note "$(cat "$TMP/said")"
		return 1
	fi
	if [ "$(ask inside.json '[.traceEvents[] | select(.ph == "X").args.tid // 1] | unique == [1]')" != true ]; then
		note "others are seen: $(ask inside.json '[.traceEvents[] | select(.ph == "X").name] | unique | tostring')"
		failed=1
	fi
	return $failed
}

main timeline busy lost inside
