# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Sourced by the shell tests: TAP from functions, the module, the client, the storms.
#
# Environment: KTWIN_KO, the module (default: the one modprobe would load); KTWIN, the client (default: in the path).

cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
. ../kselftest/ktap_helpers.sh

KTWIN=${KTWIN:-ktwin}
KTWIN_KO=${KTWIN_KO:-$(modinfo -n ktwin 2>/dev/null)}
# shellcheck disable=SC2034 # for those who source it
DEBUGFS=/sys/kernel/debug/ktwin
# shellcheck disable=SC2034
EVENTS=/sys/kernel/tracing/events/ktwin
TMP=$(mktemp -d)
CHECKED=0
STARTED=''

# Ends what a test started, and the module with the parameters that the tests after this one expect.
finish() {
	local pid
	for pid in $STARTED; do kill -KILL "$pid" 2>/dev/null; done
	rm -rf "$TMP"
}
trap finish EXIT

note() { echo "# $*"; }

# main NAME...: each is a function test_NAME, which succeeds (0), fails, or is skipped (4).
main() {
	local name status
	ktap_print_header
	if ! command -v "$KTWIN" >/dev/null; then
		ktap_skip_all "no ktwin client"
		exit "$KSFT_SKIP"
	fi
	ktap_set_plan $#
	for name in "$@"; do
		"test_$name"
		status=$?
		case $status in
		0) ktap_test_pass "$name" ;;
		4) ktap_test_skip "$name" ;;
		*) ktap_test_fail "$name" ;;
		esac
	done
	ktap_finished
}

# --- the module

is_loaded() { [ -d /sys/module/ktwin ]; }
load() { insmod "$KTWIN_KO" "$@" 2>"$TMP/insmod"; }
unload() { rmmod ktwin 2>"$TMP/rmmod"; }

# The parameters it is loaded with, to load it so again.
parameters() { echo "kt_lab=$(cat /sys/module/ktwin/parameters/kt_lab)"; }

# A test that needs the device; the guest's runner has loaded the module, but a program before may have died.
need_loaded() {
	if ! is_loaded; then
		ktap_print_header
		ktap_skip_all "ktwin is not loaded"
		exit "$KSFT_SKIP"
	fi
}

# --- the kernel log

mark_log() { MARK="ktwin-test-$RANDOM$RANDOM"; echo "$MARK" >/dev/kmsg; }
log_since_mark() { dmesg | sed "1,/$MARK/d"; }

# What no test may leave in the log.
LOG_TROUBLE='WARNING:|BUG:|BUG at|Oops|KASAN|KCSAN|UBSAN|INFO: rcu|rcu.*stall|possible.*deadlock|suspicious RCU|circular locking|unchecked|general protection|Call Trace|hung task|blocked for more'

log_is_clean() {
	if log_since_mark | grep -E "$LOG_TROUBLE"; then return 1; fi
}

# --- the audit

# audit_zero NAME: a pass now that vouches for everything and finds nothing. A pass during a storm may have to be made
# again: it says so itself (complete: false) when something stayed in motion.
#
# No jq here: its start alone takes seconds on a machine that is busy with forks.
audit_zero() {
	local try pids differences complete
	for try in 1 2 3 4 5; do
		read -r pids differences complete < <("$KTWIN" audit -n -r -o PIDS,DIFFERENCES,COMPLETE 2>&1)
		if [ "$differences" != 0 ]; then break; fi
		if [ "$complete" = yes ]; then
			CHECKED=$((CHECKED + pids))
			return 0
		fi
	done
	note "audit ($1, attempt $try): $pids $differences $complete: $("$KTWIN" audit 2>&1)"
	return 1
}

wait_live() {
	local try
	for ((try = 0; try < 300; try++)); do
		if [[ $("$KTWIN" status -J) == *'"state":"live"'* ]]; then return 0; fi
		sleep 0.1
	done
	note "not live: $("$KTWIN" status -J)"
	return 1
}

# Times the twin had to say that it is incomplete, since load. Not wrong, but no storm should make it happen.
doubts() {
	[[ $("$KTWIN" status -J) =~ \"doubts\":([0-9]+) ]] && echo "${BASH_REMATCH[1]}"
}

# --- load

# storm COMMAND...: in the background, until end_storms.
storm() {
	"$@" >"$TMP/storm.$RANDOM" 2>&1 &
	STARTED="$STARTED $!"
}

end_storms() {
	local pid
	for pid in $STARTED; do kill -TERM "$pid" 2>/dev/null; done
	for pid in $STARTED; do wait "$pid" 2>/dev/null; done
	STARTED=''
}
