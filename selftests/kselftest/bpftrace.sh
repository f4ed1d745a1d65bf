#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# bpftrace on the tracepoints and the functions of the module, and every script of scripts/bpftrace.
#
# To attach takes seconds under emulation, so all tracers watch the same few seconds of work; the tests then look at what
# each of them saw.
#
# Environment: KTWIN_BT, the folder of the scripts.
. "$(dirname "$0")/lib.sh"
need_loaded

KTWIN_BT=${KTWIN_BT:-../../../../scripts/bpftrace}
if ! command -v bpftrace >/dev/null; then
	ktap_print_header
	ktap_skip_all "no bpftrace"
	exit "$KSFT_SKIP"
fi

if [ ! -e /sys/kernel/btf/vmlinux ]; then
	ktap_print_header
	ktap_skip_all "no BTF of the kernel: bpftrace would want its headers"
	exit "$KSFT_SKIP"
fi

declare -A TRACER
LAB=$(cat /sys/module/ktwin/parameters/kt_lab)

# tracer NAME SCRIPT-OR-PROGRAM: starts it; what it prints is in $TMP/NAME.
tracer() {
	if [ -f "$2" ]; then set -- "$1" "$2"; else set -- "$1" "-e$2"; fi
	bpftrace -B line "$2" >"$TMP/$1" 2>&1 &
	TRACER[$1]=$!
	STARTED="$STARTED $!"
}

until_attached() {
	local name i
	for name in "${!TRACER[@]}"; do
		for ((i = 0; i < 600; i++)); do
			if grep -qE '^(Tracing|ready)' "$TMP/$name"; then break; fi
			if ! kill -0 "${TRACER[$name]}" 2>/dev/null; then break; fi
			sleep 0.1
		done
	done
}

# Where each thread of a tracer that does not end sleeps; then its end.
give_up_on() {
	local task
	note "$1 does not end: $(head -n 3 "$TMP/$1")"
	for task in "/proc/${TRACER[$1]}/task/"*; do note "$("$KTWIN" wait --task "${task##*/}" 2>&1 | head -n 1)"; done
	kill -KILL "${TRACER[$1]}"
}

# Fails when a tracer has to be killed. bpftrace's loop ends when a signal interrupts its epoll_wait(), and is not told of
# one that came between two of these: so it is sent again.
interrupt() {
	local name i late=0
	for name in "${!TRACER[@]}"; do kill -INT "${TRACER[$name]}" 2>/dev/null; done
	for name in "${!TRACER[@]}"; do
		for ((i = 0; i < 600; i++)); do
			kill -0 "${TRACER[$name]}" 2>/dev/null || break
			sleep 0.1
			if [ $((i % 20)) = 19 ]; then kill -INT "${TRACER[$name]}" 2>/dev/null; fi
		done
		if [ $i = 600 ]; then give_up_on "$name"; late=1; fi
		wait "${TRACER[$name]}"
	done
	TRACER=()
	STARTED=''
	return $late
}

# traced NAME MAP: its value.
traced() { awk -v map="$2:" '$1 == map { print $2 }' "$TMP/$1"; }

# The last of the largest hole, for nobody comes to it soon.
free_number() { "$KTWIN" ns -n -r -o HOLE | awk -F+ 'NR == 1 { print $1 + $2 - 1 }'; }

work() {
	./forker pidns 1 >"$TMP/made"
	"$KTWIN" status && "$KTWIN" ns
	if [ "$LAB" = Y ]; then "$KTWIN" lab inject add "$(free_number | tee "$TMP/number")" && "$KTWIN" audit; fi
}

# Two sets, for each tracer takes its share of memory and of the CPU. One that does not come to its end is traced once more,
# and where the tracers that are left sleep is noted.
test_attach() { trace_pids || trace_pids; }
test_attach_waits() { trace_waits || trace_waits; }
test_attach_switches() { trace_switches || trace_switches; }

trace_pids() {
	local late=0
	tracer tracepoints 'BEGIN { printf("ready\n") }
		tracepoint:ktwin:ktwin_pid_alloc /comm == "forker" && args->nr > 0 && args->serial > 0/ {
			@alloc = count(); @deep[args->level, args->ns_nr] = count(); @ns[args->ns] = count()
		}
		tracepoint:ktwin:ktwin_pid_free /args->level == 1/ { @free = count() }
		tracepoint:ktwin:ktwin_pidns_new /args->level == 1 && args->parent > 0/ { @new = count() }
		tracepoint:ktwin:ktwin_pidns_gone /args->level == 1 && args->parent > 0/ { @gone = count() }'
	tracer functions 'BEGIN { printf("ready\n") }
		kprobe:ktwin_ioctl /comm == "ktwin"/ { @asked = count() }
		kretprobe:ktwin_ioctl /comm == "ktwin"/ { @results[retval] = count() }
		kprobe:alloc_pid { @allocs = count() } kprobe:free_pid { @frees = count() }'
	for script in "$KTWIN_BT"/{pid,audit}*.bt; do tracer "$(basename "$script" .bt)" "$script"; done
	until_attached
	work >"$TMP/work" 2>&1
	interrupt || late=1
	if [ "$LAB" = Y ]; then "$KTWIN" mirror resync; fi
	wait_live && audit_zero "traced" && [ $late = 0 ]
}

trace_waits() {
	tracer waits 'BEGIN { printf("ready\n") }
		tracepoint:ktwin:ktwin_wait_enter /args->mode == 0/ { @begun = count() }
		tracepoint:ktwin:ktwin_wait_exit /args->result == 0/ { @ended = count(); @wakes = sum(args->wakes) }
		tracepoint:ktwin:ktwin_wake { @woken = sum(args->woken) }
		tracepoint:ktwin:ktwin_herd { @herds = count(); @futile = sum(args->other) }'
	for script in "$KTWIN_BT"/wait*.bt; do tracer "$(basename "$script" .bt)" "$script"; done
	until_attached
	timeout 120 "$KTWIN" queue herd --sleepers 20 -J >"$TMP/herd" 2>&1 || note "queue herd: $?"
	interrupt
}

# Only while somebody counts is there anything to see. The difference is one that a test injects.
trace_switches() {
	tracer switch_classes "$KTWIN_BT/switch_classes.bt"
	tracer rq_audit "$KTWIN_BT/rq_audit.bt"
	until_attached
	if [ "$LAB" = Y ]; then ./rq_audit -t what_the_twin_lacks_is_seen >"$TMP/injected" 2>&1; fi
	timeout 60 "$KTWIN" switches --interval 2 >"$TMP/switches" 2>&1 || note "switches: $(cat "$TMP/switches")"
	interrupt
}

# Twenty woken for one token, then as many as were asleep again with a token each: what the queue itself counted.
test_herd() {
	local count
	for count in '@begun 20' '@ended 20' "@wakes $(traced waits @woken)" '@herds 1' '@futile 19'; do
		if [ "$(traced waits "${count% *}")" != "${count#* }" ]; then
			note "not $count: $(cat "$TMP/waits" "$TMP/herd")"
			return 1
		fi
	done
	[ "$(traced waits @woken)" -ge 20 ] && [ "$(traced waits @woken)" -le 39 ] &&
		grep -q '20 woken for one event, 19 of them' "$TMP/wait_herd"
}

test_listed() {
	local event
	bpftrace -l 'tracepoint:ktwin:*' >"$TMP/list"
	for event in pid_alloc pid_free pidns_new pidns_gone audit_mismatch wait_enter wait_exit wake herd switch_class rq_audit; do
		grep -qx "tracepoint:ktwin:ktwin_$event" "$TMP/list" || { note "no ktwin_$event"; return 1; }
	done
	[ "$(wc -l <"$TMP/list")" = 11 ]
}

# The forker's own count is the tracepoints' count.
test_tracepoints() {
	local made map
	made=$(cat "$TMP/made")
	for map in @alloc @new @gone @free '@deep[1, 1]'; do
		if [ "$(sed -n "s/^${map//[][]/.}: //p" "$TMP/tracepoints")" != "$made" ]; then
			note "$made namespaces made, $map: $(grep -F "$map" "$TMP/tracepoints")"
			return 1
		fi
	done
	note "$made namespaces made, as many traced"
	[ "$made" -gt 10 ]
}

test_mismatch() {
	if [ "$LAB" != Y ]; then return 4; fi
	grep -q "$(cat "$TMP/number") *only the twin has it" "$TMP/audit_mismatch" ||
		{ note "$(cat "$TMP/audit_mismatch" "$TMP/work")"; return 1; }
}

test_queued_in_one_alone() {
	if [ "$LAB" != Y ]; then return 4; fi
	grep -q ' only the kernel has it queued' "$TMP/rq_audit" || { note "$(cat "$TMP/rq_audit" "$TMP/injected")"; return 1; }
}

# A kprobe on a function of the module, as on any other.
test_module_function() {
	note "$(traced functions @asked) ioctls"
	[ "$(traced functions @asked)" -ge 2 ] && grep -q '^@results\[0\]' "$TMP/functions"
}

# And on the functions that our probes stand in the middle of: both are served.
test_functions_around_our_probes() {
	note "$(traced functions @allocs) alloc_pid, $(traced functions @frees) free_pid"
	[ "$(traced functions @allocs)" -gt "$(cat "$TMP/made")" ]
}

saw_something() {
	if [ "$(wc -l <"$TMP/$1")" -lt "$2" ] || grep -qE 'ERROR|WARNING' "$TMP/$1"; then
		note "$(head -n 20 "$TMP/$1")"
		return 1
	fi
	sed -n '2,6s/^/# | /p' "$TMP/$1"
}

# The conventions: an interpreter line, a name with its purpose, the word to the user.
conventions() {
	[ -x "$1" ] && [ "$(sed -n 1p "$1")" = '#!/usr/bin/env bpftrace' ] && grep -qP "^ \* ${1##*/}\t" "$1" &&
		grep -q 'Hit Ctrl-C to end' "$1" && grep -q '^END' "$1" && grep -q 'How to read it' "$1"
}

NAMES=()
for script in "$KTWIN_BT"/*.bt; do
	[ -e "$script" ] || continue
	name=$(basename "$script" .bt)
	eval "test_script_$name() { conventions $script && saw_something $name 4; }"
	NAMES+=("script_$name")
done
main attach attach_waits attach_switches listed tracepoints herd mismatch queued_in_one_alone module_function functions_around_our_probes "${NAMES[@]}"
