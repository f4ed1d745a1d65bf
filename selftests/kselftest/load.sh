#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Loading and unloading: what is wrong is refused with a line that says why, what is in use stays, what goes leaves
# nothing behind, and all of it while processes come and go.
. "$(dirname "$0")/lib.sh"

if [ -z "$KTWIN_KO" ]; then
	ktap_print_header
	ktap_skip_all "no ktwin.ko"
	exit "$KSFT_SKIP"
fi
AFTERWARDS=$(is_loaded && parameters)
STORM_LOADS=${KTWIN_LOADS:-100}

# refused NAME-IN-LOG PARAMETER...: insmod says no, the log says which parameter, and nothing stays.
refused() {
	local says=$1
	shift
	mark_log
	if load "$@"; then note "loaded with $*"; unload; return 1; fi
	if is_loaded; then note "still there after $*"; return 1; fi
	if ! log_since_mark | grep -E "ktwin.*$says" >"$TMP/said"; then
		note "the log does not say '$says' for $*: $(log_since_mark)"
		return 1
	fi
	log_is_clean
}

test_bad_parameters() {
	if is_loaded; then unload || return; fi
	refused 'pool_limit.*4096.*8388608' pool_limit=0 &&
		refused 'pool_limit.*4096.*8388608' pool_limit=4095 &&
		refused 'pool_limit.*4096.*8388608' pool_limit=8388609 &&
		refused 'pool_limit' pool_limit=-1 &&
		refused 'pool_limit' pool_limit=many &&
		refused 'audit_interval_ms.*10.*3600000' audit_interval_ms=9 &&
		refused 'audit_interval_ms.*10.*3600000' audit_interval_ms=3600001 &&
		refused 'audit_batch.*64.*1048576' audit_batch=63 &&
		refused 'audit_batch.*64.*1048576' audit_batch=1048577 &&
		refused 'audit_cpu_percent.*1.*100' audit_cpu_percent=0 &&
		refused 'audit_cpu_percent.*1.*100' audit_cpu_percent=101 &&
		refused 'mirror' mirror=perhaps &&
		refused 'kt_lab' kt_lab=2
}

test_missing_symbol() { refused 'no kprobe on' kt_lab=1 lab_fail=symbol; }
test_missing_layout() { refused 'layout|struct|offset' kt_lab=1 lab_fail=layout; }
test_lab_fail_without_lab() { refused 'lab_fail.*kt_lab' lab_fail=symbol; }

# No BTF is no reason not to load: what depends on it is unknown, and the log says so once.
test_without_btf() {
	mark_log
	load kt_lab=1 lab_fail=btf && wait_live || return
	[ "$(log_since_mark | grep -c 'ktwin: vmlinux BTF: not read (-2)')" = 1 ] || return
	! tail -n +2 $DEBUGFS/audit/layout | grep -v ' unknown vmlinux BTF not read$' || return
	grep -q 'not known' $DEBUGFS/rq/summary && grep -q 'not known' $DEBUGFS/rq/cpu0 || return
	audit_zero "without BTF" && unload && log_is_clean
}

# A kernel that calls one field by another name: what depends on it is unknown, by that name, and all else is there.
test_renamed_field() {
	mark_log
	load kt_lab=1 lab_fail=field && wait_live || return
	[ "$(log_since_mark | grep -c 'ktwin: rq.nr_switches: not found')" = 1 ] || return
	grep -q '^rq .* unknown rq.nr_switches not found$' $DEBUGFS/audit/layout || return
	! grep '^wait_queue_head .* unknown' $DEBUGFS/audit/layout || return
	grep -q 'not known' $DEBUGFS/rq/summary || return
	audit_zero "with a field renamed" && unload && log_is_clean
}

# Where the one who loads has no /sys, the kernel still has.
test_without_sysfs() {
	[ -e /sys/kernel/btf/vmlinux ] || return 4
	# shellcheck disable=SC2016 # expanded in there
	unshare -m --propagation private sh -c 'mount -t tmpfs none /sys && insmod "$0"' "$KTWIN_KO" || return
	! grep -q unknown $DEBUGFS/audit/layout && unload
}

test_smallest_pool() {
	load pool_limit=4096 && wait_live && audit_zero "pool_limit=4096" && unload
}

# More pids than the twin may hold: it says that it is incomplete, and comes back when there is room again.
test_pool_exhausted() {
	local i answer
	load pool_limit=4096 kt_lab=1 && wait_live || return
	storm ./shapes crowd
	for ((i = 0; i < 100; i++)); do
		answer=$("$KTWIN" status -J)
		if [ "$(jq -r .state <<<"$answer")" != live ]; then break; fi
		sleep 0.1
	done
	note "$(jq -c '{state, why, pids}' <<<"$answer")"
	if [ "$(jq -r .state <<<"$answer")" = live ]; then i=failed; fi
	end_storms
	[ "$i" != failed ] && wait_live && audit_zero "after the pool was exhausted" && unload
}

test_second_load() {
	load || return
	! load && grep -q 'File exists' "$TMP/insmod" && unload
}

test_unload_with_fd_open() {
	load && wait_live || return
	exec 9<>/dev/ktwin
	if unload; then note "unloaded with an fd open"; return 1; fi
	grep -qiE 'in use|busy|temporarily' "$TMP/rmmod" || { note "rmmod: $(cat "$TMP/rmmod")"; return 1; }
	is_loaded && audit_zero "after an unload that was refused" || return
	exec 9>&-
	unload
}

test_unload_with_stream_open() {
	load && wait_live || return
	storm "$KTWIN" trace
	sleep 1
	if unload; then note "unloaded with a stream open"; return 1; fi
	end_storms
	unload
}

test_unload_with_tracepoint_on() {
	load && wait_live || return
	echo 1 >$EVENTS/enable
	./forker fork 0.2 >/dev/null
	echo 0 >$EVENTS/enable
	unload && [ ! -e $EVENTS ]
}

test_mirror_off() {
	load mirror=0 || return
	[ "$("$KTWIN" status -J | jq -r .state)" = off ] || return
	[ "$(cat /sys/module/ktwin/parameters/mirror)" = N ] || return
	! "$KTWIN" pids >/dev/null 2>&1 || return
	! "$KTWIN" audit >/dev/null 2>&1 || return
	echo 1 >/sys/module/ktwin/parameters/mirror && wait_live && audit_zero "switched on late" || return
	! (echo perhaps >/sys/module/ktwin/parameters/mirror) 2>/dev/null || return
	unload
}

test_toggled_under_storm() {
	local i
	load audit_interval_ms=50 && wait_live || return
	storm ./forker mix 300
	storm nice -n 15 ./forker fork 300
	for ((i = 0; i < 20; i++)); do
		echo 0 >/sys/module/ktwin/parameters/mirror || return
		echo 1 >/sys/module/ktwin/parameters/mirror || return
		wait_live && audit_zero "toggled $i times" || return
	done
	end_storms
	audit_zero "toggled, at rest" && unload
}

# With both probes hot, and with the audit in the middle of a pass.
test_loaded_under_storm() {
	local i doubted=0
	mark_log
	# They take all that is left, but not from those whom a load and an unload wait for: the threads of the grace periods.
	storm nice -n 10 ./forker mix 900
	storm nice -n 15 ./forker thread 900
	for ((i = 0; i < STORM_LOADS; i++)); do
		load audit_interval_ms=10 || { note "load $i: $(cat "$TMP/insmod")"; return 1; }
		if ((i % 10 == 0)); then
			wait_live && audit_zero "load $i" || return
			doubted=$((doubted + ($(doubts) > 0)))
		fi
		unload || { note "unload $i: $(cat "$TMP/rmmod")"; return 1; }
	done
	end_storms
	note "loaded and unloaded $STORM_LOADS times under a storm; $doubted of $((STORM_LOADS / 10)) had to populate twice"
	log_is_clean
}

# Nothing of it is left: no thread, no file, no probe.
test_nothing_left() {
	! is_loaded && [ ! -e /dev/ktwin ] && [ ! -e $DEBUGFS ] && [ ! -e $EVENTS ] || return
	! pgrep -x ktwin >/dev/null && ! pgrep -x ktwin_audit >/dev/null || return
	! grep -q . /sys/kernel/debug/kprobes/list
}

# As it was found.
test_back_again() {
	if [ -z "$AFTERWARDS" ]; then return 0; fi
	# shellcheck disable=SC2086 # a list
	load $AFTERWARDS && wait_live && audit_zero "at the end" && note "$CHECKED pids checked"
}

main bad_parameters missing_symbol missing_layout lab_fail_without_lab without_btf renamed_field without_sysfs smallest_pool \
	pool_exhausted second_load unload_with_fd_open unload_with_stream_open unload_with_tracepoint_on mirror_off toggled_under_storm \
	loaded_under_storm nothing_left back_again
