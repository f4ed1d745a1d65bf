#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every kind of storm that makes and ends pids, with audits during it and one after: no difference, ever.
. "$(dirname "$0")/lib.sh"
need_loaded

SECONDS_EACH=${KTWIN_STORM_SECONDS:-1.5}
PID_MAX=/proc/sys/kernel/pid_max

# weathered NAME COMMAND...: runs it to its end with audits all the while.
weathered() {
	local name=$1 before=$CHECKED during=0 status=0 pid doubts
	shift
	wait_live || return
	doubts=$(doubts)
	storm "$@"
	pid=$!
	while kill -0 $pid 2>/dev/null; do
		audit_zero "during $name" || status=1
		during=$((during + 1))
		sleep 0.1
	done
	wait $pid || { note "$name: '$*' ended with $?: $(tail -n 3 "$TMP"/storm.*)"; status=1; }
	STARTED=''
	audit_zero "after $name" || status=1
	note "$name: $((CHECKED - before)) pids checked in $during audits during and one after it"
	if [ "$(doubts)" != "$doubts" ]; then note "$name: the twin was incomplete meanwhile, $(($(doubts) - doubts)) times"; fi
	rm -f "$TMP"/storm.*
	return $status
}

# Two of a kind, as there are CPUs.
pair() {
	local first
	./forker "$1" "$SECONDS_EACH" &
	first=$!
	./forker "$1" "$SECONDS_EACH" && wait $first
}

stressor() {
	if ! command -v stress-ng >/dev/null; then return 4; fi
	weathered "stress-ng --$1" stress-ng --"$1" 2 --timeout 2 --quiet
}

test_fork() { weathered fork pair fork; }
test_vfork() { weathered vfork pair vfork; }
test_thread() { weathered thread pair thread; }
test_session() { weathered session pair session; }
test_zombie() { weathered zombie pair zombie; }
test_exec_from_thread() { weathered "exec from a thread" pair execthread; }
test_pid_namespace() { weathered "pid namespace" pair pidns; }
test_set_tid_in_use() { weathered "set_tid in use" pair failure; }
test_mix() { weathered mix pair mix; }

test_sqpoll() {
	if [ "$(./forker sqpoll 0.1)" = 0 ]; then note "no io_uring"; return 4; fi
	weathered "io_uring SQPOLL" pair sqpoll
}

test_stress_fork() { stressor fork; }
test_stress_clone() { stressor clone; }
test_stress_vfork() { stressor vfork; }
test_stress_pthread() { stressor pthread; }
test_stress_zombie() { stressor zombie; }
test_stress_session() { stressor session; }
test_stress_daemon() { stressor daemon; }
test_stress_kill() { stressor kill; }
test_stress_pidfd() { stressor pidfd; }

# The fork has its number already when the cgroup says no.
test_pids_max() {
	local group=/sys/fs/cgroup/ktwin-test status
	echo +pids >/sys/fs/cgroup/cgroup.subtree_control 2>/dev/null || { note "no pids controller"; return 4; }
	mkdir $group && echo 8 >$group/pids.max || return
	in_group() { echo "$BASHPID" >"$group/cgroup.procs"; pair zombie; }
	weathered "pids.max" in_group
	status=$?
	note "refused $(awk '{ print $2 }' $group/pids.events) times"
	[ "$(awk '{ print $2 }' $group/pids.events)" -gt 0 ] || status=1
	rmdir $group
	return $status
}

test_max_pid_namespaces() {
	local limit=/proc/sys/user/max_pid_namespaces was status
	was=$(cat $limit)
	echo 0 >$limit
	weathered "max_pid_namespaces=0" pair pidns
	status=$?
	echo "$was" >$limit
	return $status
}

# Few numbers, so that the cursor goes round many times, in the first namespace and below.
test_small_pid_max() {
	local was status
	was=$(cat $PID_MAX)
	echo 700 >$PID_MAX
	nested() {
		unshare -fp unshare -fp ./forker fork "$SECONDS_EACH" &
		pair mix && wait $!
	}
	weathered "pid_max=700" nested
	status=$?
	[ "$("$KTWIN" ns -J | jq '.namespaces[0].cursor')" -le 700 ] || status=1
	echo "$was" >$PID_MAX
	return $status
}

# As many namespaces at once as one likes to have, all ending at the same moment.
test_namespaces_end_together() {
	local i
	for ((i = 0; i < 8; i++)); do storm ./shapes nest; done
	sleep 1
	audit_zero "24 namespaces" || return
	end_storms
	audit_zero "24 namespaces gone"
}

test_unharmed() {
	note "$CHECKED pids checked in all"
	[ "$("$KTWIN" status -J | jq .probe_missed)" = 0 ] || note "$("$KTWIN" status -J | jq -c '{probe_missed, doubts}')"
	[ "$("$KTWIN" audit -J | jq .differences_total)" = "$DIFFERENCES" ]
}

DIFFERENCES=$("$KTWIN" audit -J | jq .differences_total)
main fork vfork thread session zombie exec_from_thread pid_namespace set_tid_in_use mix sqpoll stress_fork stress_clone \
	stress_vfork stress_pthread stress_zombie stress_session stress_daemon stress_kill stress_pidfd pids_max \
	max_pid_namespaces small_pid_max namespaces_end_together unharmed
