#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The kernel's own selftests of pids, run under the mirror: they pass as they do without it, and after each the audit
# is at zero.
. "$(dirname "$0")/lib.sh"
need_loaded

SECONDS_EACH=300
PID_MAX=/proc/sys/kernel/pid_max
PROGRAMS=()
for program in ../pidfd/* ../clone3/* ../pid_namespace/*; do
	if [ -x "$program" ] && [ -f "$program" ]; then PROGRAMS+=("$program"); fi
done
if [ ${#PROGRAMS[@]} = 0 ]; then
	ktap_print_header
	ktap_skip_all "the kernel's selftests are not installed beside these"
	exit "$KSFT_SKIP"
fi

# What fails or takes too long without ktwin as well: how it is run, and why its verdict does not count (excuse).
arguments() {
	case $1 in
	pidfd_poll_test) echo 100 ;; # 10000 rounds of its own choice: minutes under emulation
	esac
}

excuse() {
	case $(uname -r):$1 in
	6.1.*:pidfd_setns_test) echo "made for 6.12; on 6.1 it fails without ktwin, too" ;;
	esac
}

run_program() {
	local name=${program##*/} status audit=0 was
	was=$(cat $PID_MAX)
	# It forks until a number comes round again: sooner where there are fewer.
	if [ "$name" = pidfd_test ]; then echo 2000 >$PID_MAX; fi
	# shellcheck disable=SC2046 # one argument or none
	(cd "${program%/*}" && timeout "$SECONDS_EACH" "./$name" $(arguments "$name")) >"$TMP/out" 2>&1 </dev/null
	status=$?
	echo "$was" >$PID_MAX
	note "$name: exit $status, $(grep -cE '^(# )?ok ' "$TMP/out") ok, $(grep -cE '^(# )?not ok ' "$TMP/out") not ok"
	wait_live && audit_zero "after $name" || audit=1
	if [ $status != 0 ] && [ $status != 4 ]; then
		grep -E '^(# )?not ok |[Bb]ail' "$TMP/out" | sed 's/^/# /' | head -n 5
		if [ -n "$(excuse "$name")" ]; then note "$name: $(excuse "$name")"; status=0; fi
	fi
	if [ $audit != 0 ]; then return 1; fi
	return $status
}

NAMES=()
for program in "${PROGRAMS[@]}"; do
	name=${program#../}
	name=${name//\//_}
	eval "test_$name() { local program=$program; run_program; }"
	NAMES+=("$name")
done

main "${NAMES[@]}"
