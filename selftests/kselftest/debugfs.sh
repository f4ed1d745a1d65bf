#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The debugfs nodes: there, readable by all, writable by none, and of one mind with the ioctls.
. "$(dirname "$0")/lib.sh"
need_loaded

NODES='pid/namespaces pid/pids pid/tree audit/status audit/layout audit/divergences wait/queues wait/stats rq/summary'
NODES+=' rq/switches rq/agreement rq/audit'
for range in $(tr , " " </sys/devices/system/cpu/possible); do
	for cpu in $(seq "${range%-*}" "${range#*-}"); do NODES+=" rq/cpu$cpu"; done
done

each_node() { local node; for node in $NODES; do "$1" "$DEBUGFS/$node" || return; done; }

exists() { [ -f "$1" ] || { note "no $1"; return 1; }; }
mode() { [ "$(stat -c %a "$1")" = 444 ] || { note "$1: mode $(stat -c %a "$1")"; return 1; }; }
refuses() { ! (echo 1 >"$1") 2>/dev/null; }
begins() { [ "$(head -c 1 "$1")" = '#' ] || { note "$1: no header line"; return 1; }; }
# In pieces as small as they come, the text is the same text.
in_pieces() {
	[ "$(dd if="$1" bs=1 status=none | sed 1q)" = "$(sed 1q "$1")" ]
}

test_exist() { each_node exists; }
test_only_these() { [ "$(cd "$DEBUGFS" && find . -type f | grep -cv bench)" = "$(wc -w <<<"$NODES")" ]; }
test_mode() { each_node mode; }
test_not_writable() { each_node refuses; }
test_header() { each_node begins; }
test_in_pieces() { each_node in_pieces; }

# Processes come and go between two looks: the numbers that both looks of the client have, the node has too.
test_pids_agree() {
	local before after
	before=$("$KTWIN" pids -J | jq -r '.pids[].numbers[0].pid' | sort)
	tail -n +2 $DEBUGFS/pid/pids | awk '{ split($4, n, ":"); print n[2] }' | sort >"$TMP/node"
	after=$("$KTWIN" pids -J | jq -r '.pids[].numbers[0].pid' | sort)
	comm -12 <(echo "$before") <(echo "$after") >"$TMP/stayed"
	[ "$(wc -l <"$TMP/stayed")" -gt 20 ] && [ -z "$(comm -23 "$TMP/stayed" "$TMP/node")" ]
}

test_namespaces_agree() {
	local shown
	storm ./shapes nest
	sleep 0.5
	shown=$("$KTWIN" ns -J | jq -r '.namespaces[] | "\(.inode) \(.parent // 0) \(.level) \(.pid_max)"')
	tail -n +2 $DEBUGFS/pid/namespaces | awk '{ print $1, $2, $3, $7 }' >"$TMP/node"
	end_storms
	[ "$(wc -l <"$TMP/node")" = 4 ] && diff <(echo "$shown") "$TMP/node"
}

test_tree() {
	storm ./shapes nest
	sleep 0.5
	awk 'NR > 1 { print match($0, /[^ ]/) }' $DEBUGFS/pid/tree >"$TMP/indent"
	end_storms
	[ "$(paste -sd' ' "$TMP/indent")" = "1 3 5 7" ]
}

test_audit_status_agrees() {
	local node last
	"$KTWIN" audit -J >/dev/null
	sleep 1.5
	node=$(cat $DEBUGFS/audit/status)
	last=$("$KTWIN" audit --last -J)
	grep -q '^state live$' <<<"$node" && grep -q '^complete 1$' <<<"$node" && grep -q '^differences 0$' <<<"$node" &&
		[ "$(jq .differences <<<"$last")" = 0 ] &&
		[ "$(awk '$1 == "passes" { print $2 }' <<<"$node")" -le "$(jq .passes <<<"$last")" ]
}

# Offset of a per-CPU variable, as the kernel's own table of symbols has it.
percpu_offset() {
	awk -v name="$1" '$3 == name || $3 == "__per_cpu_start" { print $3, $1 }' /proc/kallsyms |
		(declare -A at; while read -r name value; do at[$name]=$((0x$value)); done; echo $((at[$1] - at[__per_cpu_start])))
}

# Where the kernel has BTF all is known, and what can be looked up elsewhere is the same there.
test_layout() {
	local name other
	[ -e /sys/kernel/btf/vmlinux ] || return 4
	tail -n +2 $DEBUGFS/audit/layout >"$TMP/layout"
	[ "$(wc -l <"$TMP/layout")" -gt 20 ] || return
	other=$(grep -vE '^[a-z_]+ +[a-z_]+ +([0-9]+ +[0-9]+|absent)$' "$TMP/layout")
	[ -z "$other" ] || { note "$other"; return 1; }
	for name in runqueues kstat; do
		[ "$(awk -v name=$name '$1 == "percpu" && $2 == name { print $3 }' "$TMP/layout")" = "$(percpu_offset $name)" ] ||
			{ note "$name is at $(percpu_offset $name)"; return 1; }
	done
}

# Read by somebody who is nobody: the nodes are 0444, the folder above is root's.
test_nobody_is_kept_out_by_the_folder() {
	! setpriv --reuid 65534 --regid 65534 --clear-groups cat $DEBUGFS/pid/pids >/dev/null 2>&1
}

# From inside a namespace a reader sees that namespace.
test_scoped() {
	local lines
	lines=$(unshare -fp cat $DEBUGFS/pid/pids | wc -l)
	[ "$lines" = 2 ] || { note "$lines lines"; return 1; }
}

test_open_while_removed() {
	local parameters
	parameters=$(parameters)
	exec 9<$DEBUGFS/pid/pids
	unload || note "a node that is open keeps the module (allowed)"
	cat <&9 >/dev/null 2>&1
	exec 9<&-
	if is_loaded; then return 0; fi
	# shellcheck disable=SC2086 # a list
	load $parameters && wait_live
}

test_read_under_storm() {
	local i
	storm ./forker mix 20
	for ((i = 0; i < 30; i++)); do
		cat $DEBUGFS/pid/{namespaces,pids,tree} $DEBUGFS/audit/{status,layout,divergences} \
			$DEBUGFS/rq/* >/dev/null || return 1
	done
	end_storms
	audit_zero "reading under a storm"
}

# Looked at until all five sleep; they are held there.
test_wait_queues() {
	local i
	storm "$KTWIN" queue demo --sleepers 5 --exclusive 2 --hold 600
	for ((i = 0; i < 600; i++)); do
		cat $DEBUGFS/wait/queues >"$TMP/queues"
		if [ "$(wc -l <"$TMP/queues")" = 6 ]; then break; fi
		sleep 0.1
	done
	cat $DEBUGFS/wait/stats >"$TMP/stats"
	end_storms
	note "$(cat "$TMP/queues" "$TMP/stats")"
	[ "$(wc -l <"$TMP/queues")" = 6 ] && [ "$(wc -l <"$TMP/stats")" = 2 ] &&
		[ "$(awk '$4 == "exclusive" { n++ } END { print n }' "$TMP/queues")" = 2 ] &&
		[ "$(awk '$4 == "shared" && $5 == "next" { n++ } END { print n }' "$TMP/queues")" = 3 ] &&
		awk 'NR == 2 && $2 == "twin" && $3 <= 5' "$TMP/stats" | grep -q .
}

# One that never sleeps is on its CPU's queue whenever one looks, and the client finds it by its number.
test_run_queues() {
	local pid
	storm sh -c 'while :; do :; done'
	pid=$!
	taskset -p -c 0 "$pid" >/dev/null || return
	awk -v pid="$pid" '$1 == "fair" && $3 == pid { found = 1 } END { exit !found }' $DEBUGFS/rq/cpu0 || { cat $DEBUGFS/rq/cpu0; return 1; }
	"$KTWIN" rq --task "$pid" -J | jq -e '.cpu == 0 and .class == "fair" and .policy == "normal"' >/dev/null || return
	"$KTWIN" rq 0 -J | jq -e --argjson pid "$pid" '.cpus[0] | .nr_running > 0 and any(.classes.fair[]; .tid == $pid)' >/dev/null ||
		return
	[ "$("$KTWIN" status --layout -J | jq '[.layout[] | select(.source == "unknown")] | length')" = 0 ] || return
	end_storms
	[ "$(grep -c ' online ' $DEBUGFS/rq/summary)" = "$(nproc --all)" ]
}

main exist only_these mode not_writable header in_pieces pids_agree namespaces_agree tree audit_status_agrees layout run_queues \
	nobody_is_kept_out_by_the_folder scoped wait_queues open_while_removed read_under_storm
