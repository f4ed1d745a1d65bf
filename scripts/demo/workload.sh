#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# workload.sh: a tour of the twin on a live system, and its proof. Each phase does something to the kernel's pids, then
# an audit compares every number with the twin. Ends in one line, "verdict: pass, N pids checked, 0 differences".
#
# Needs root, ktwin.ko loaded, and in the path: ktwin, stress-ng, and the helpers "shapes" and "forker"
# (make -C selftests/kselftest helpers).
set -uo pipefail

checked=0 differences=0 unsure=0
tmp=$(mktemp -d)
makers=()

finish() {
	local pid
	for pid in ${makers[@]+"${makers[@]}"}; do kill "$pid" 2>/dev/null; done
	rm -rf "$tmp"
}
trap finish EXIT

phase() { printf '\n== %s\n' "$*"; }
shown() { printf '   $ %s\n' "$*"; "$@" 2>&1 | sed 's/^/   | /'; }

# audit WHEN: one pass now. One that was disturbed says so (not complete) and is made again.
audit() {
	local try pids numbers namespaces different complete
	for try in 1 2 3 4 5; do
		read -r pids numbers namespaces different complete \
			< <(ktwin audit -n -r -o PIDS,CHECKED,NAMESPACES,DIFFERENCES,COMPLETE 2>"$tmp/error")
		if [ "$different" != 0 ] || [ "$complete" = yes ]; then break; fi
		sleep 0.2
	done
	if [ -z "$complete" ]; then
		printf '   audit %-12s no answer: %s\n' "$1" "$(cat "$tmp/error")"
		unsure=$((unsure + 1))
		return
	fi
	if [ "$complete" != yes ]; then unsure=$((unsure + 1)); fi
	checked=$((checked + pids))
	differences=$((differences + different))
	printf '   audit %-18s %5d pids, %5d numbers in %d namespace%s, %d differences, %s\n' "$1:" "$pids" "$numbers" \
		"$namespaces" "$([ "$namespaces" = 1 ] || echo s)" "$different" "$([ "$complete" = yes ] && echo complete || echo INCOMPLETE)"
}

# make SHAPE: in the background; what it says (the pids) is left in "said", itself in "made".
make() {
	local try
	: >"$tmp/said"
	shapes "$1" >"$tmp/said" &
	made=$!
	disown "$made" # or bash reports its end
	makers+=("$made")
	for ((try = 0; try < 100; try++)); do
		if [ -s "$tmp/said" ]; then break; fi
		sleep 0.1
	done
	read -ra said <"$tmp/said"
}

unmake() {
	kill "$made" 2>/dev/null
	while kill -0 "$made" 2>/dev/null; do sleep 0.05; done
}

# A storm of COMMAND, with audits while it lasts.
during() {
	local name=$1 storm
	shift
	"$@" >/dev/null 2>&1 &
	storm=$!
	sleep 1
	while kill -0 $storm 2>/dev/null; do
		audit "in the $name"
		sleep 0.4
	done
	wait $storm
	audit "after the $name"
}

if ! ktwin status >"$tmp/status" 2>&1; then cat "$tmp/status"; echo "verdict: FAIL, no twin to look at"; exit 1; fi

ktwin trace -n -r -o EVENT --capacity 65536 >"$tmp/events" 2>"$tmp/lost" &
tracer=$!
makers+=("$tracer")

echo "ktwin on $(uname -r): the kernel's pids and their twin"

phase "1. At rest"
sed 's/^/   | /' "$tmp/status"
audit "at rest"

phase "2. Namespaces in namespaces, three deep"
make nest
shown ktwin ns -T
echo "   The deepest one's first process is 1 there, and has a number on each level above:"
shown ktwin pid "${said[2]}"
audit "with them"
unmake
audit "after them"

phase "3. A number without a process: its founder is gone, its process group is not"
make group
shown ktwin pid "${said[0]}"
audit "with it"
unmake

phase "4. A storm of forks, then one of threads (stress-ng), then of everything at once"
during forks stress-ng --fork 2 --timeout 2
during threads stress-ng --pthread 2 --timeout 2
during mixture forker mix 2

phase "5. exec from a thread: the thread becomes the process, its own number goes"
make execthread
echo "   Thread ${said[1]} of process ${said[0]} called exec:"
shown ktwin pid "${said[0]}"
audit "after it"
unmake
during execs forker execthread 1.5

phase "6. Zombies: ended, not waited for, their numbers still taken"
make zombies
shown ktwin pid "${said[1]}"
audit "with ${said[0]}"
unmake

phase "7. A dying namespace: its init was killed, a zombie that belongs to somebody outside keeps it"
make dying
shown ktwin ns -T
audit "dying"
unmake
audit "gone"

phase "8. Forks that fail, after a number was taken for them"
make failures
echo "   ${said[0]} forks failed: a number already in use, a namespace that is dying"
audit "after them"
unmake

phase "9. What a stream of events saw meanwhile (ktwin trace)"
kill -TERM $tracer 2>/dev/null
wait $tracer 2>/dev/null
sort "$tmp/events" | uniq -c | sort -rn | sed 's/^/   | /'
sed 's/^/   | in all: /' "$tmp/lost"
audit "at the end"

printf '\n'
if [ "$differences" = 0 ] && [ "$unsure" = 0 ] && [ "$checked" -gt 0 ]; then
	echo "verdict: pass, $checked pids checked, 0 differences"
else
	echo "verdict: FAIL, $checked pids checked, $differences differences, $unsure audits that could not vouch"
	exit 1
fi
