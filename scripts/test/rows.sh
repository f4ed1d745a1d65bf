# SPDX-License-Identifier: GPL-2.0-only
# rows.sh: sourced, after lib.sh, by the benches whose program in selftests/bench prints one row of measurements a line:
#   row, size, unit, goal, then min, median and max on the kernel's side and on ktwin's, with tabs between; where the
#   rival differs from row to row, its name, and what nobody takes, which both sides are told without
# Each kernel is booted twice: with QEMU's -icount, where the clock counts instructions, for insn_ratio; and with two
# CPUs, for times, whose ratio is the ratio. Times of the guest are not the machine's: only ratios count.
# Results in build/bench/BENCH.json, an array of
#   {row, kernel, rival, SIZE, unit, goal, ratio, insn_ratio, times, insns}, times and insns with kernel, twin and nobody
# ratio is the rival's median by ktwin's: above 1 ktwin is faster. What was not measured is null.
# shellcheck shell=bash

ROWS_OUT=$BUILD/bench

# rows_measure BENCH KERNEL BOOT ARGUMENT [OPTION...]: the rows of one boot into build/bench/BENCH-KERNEL-BOOT.tsv.
rows_measure() {
	local bench=$1 kernel=$2 boot=$3 argument=$4 stage
	local payload=$ROWS_OUT/payload-$bench-$kernel result=$ROWS_OUT/$bench-$kernel-$boot
	shift 4
	stage=${KTWIN_STAGE:-$("$HERE/scripts/stage" "$kernel")}
	rm -rf "$payload"
	mkdir -p "$payload"
	cp "$stage/ktwin.ko" "$payload/"
	gcc -O2 -Wall -Werror -static -I"$HERE/include/uapi" "$HERE/selftests/bench/${bench}_rows.c" -o "$payload/rows"
	say "$bench: $kernel, $boot"
	# The kernel's own tests of its ciphers are still at it otherwise.
	"$HERE/scripts/vm/run" --kernel "$kernel" --payload "$payload" --quiet-boot --time-limit 1500 \
		--append cryptomgr.notests=1 "$@" -- '
		insmod /payload/ktwin.ko mirror=0 audit_interval_ms=0 kt_lab=1 || exit
		sleep 2
		/payload/rows '"$argument"' || exit
		rmmod ktwin' >"$result.log"
	rm -rf "$payload"
	# How many rows are there only as nulls.
	tr -d '\r' <"$result.log" | grep "^${bench}_rows: [0-9]* measured, [1-9]" >&2 || true
	tr -d '\r' <"$result.log" | awk -F'\t' 'NF == 10 || NF == 12' >"$result.tsv"
	[ -s "$result.tsv" ] || { cat "$result.log" >&2; die "$kernel: no result"; }
}

# rows_join BENCH KERNEL RIVAL SIZE: both boots, or the one that there was, as one array. RIVAL: of rows that name none.
rows_join() {
	local bench=$1 kernel=$2 times=$ROWS_OUT/$1-$2-times.tsv insns=$ROWS_OUT/$1-$2-insns.tsv
	[ -e "$times" ] || times=/dev/null
	[ -e "$insns" ] || insns=/dev/null
	jq -Rsn --arg kernel "$kernel" --arg rival "$3" --arg size "$4" --rawfile times "$times" --rawfile insns "$insns" '
		def rows: split("\n") | map(select(. != "") | split("\t") | {
			row: .[0], size: (.[1] | tonumber), unit: .[2], goal: (.[3] | tonumber | if . == 0 then null else . end),
			rival: (.[10] // $rival), numbers: (.[4:10] | map(tonumber) | {kernel: .[0:3], twin: .[3:6]}),
			nobody: (.[11] // "0" | tonumber)});
		def ratio: if . == null or .twin[1] == 0 or .kernel[1] == 0 then null else .kernel[1] / .twin[1] * 1000 | round / 1000 end;
		def spread: if . == null then null
			else (.numbers | map_values({min: .[0], median: .[1], max: .[2]})) + (if .nobody > 0 then {nobody} else {} end) end;
		def key: [.row, .size, .rival];
		($times | rows) as $timed | ($insns | rows) as $counted
		| ($timed | map(key)) as $both
		| [$timed + ($counted | map(select(key as $key | $both | index([$key]) | not))) | .[] | . as $it
		| ($timed | map(select(key == ($it | key))) | .[0]) as $time | ($counted | map(select(key == ($it | key))) | .[0]) as $insn
		| {row, kernel: $kernel, rival, ($size): .size, unit, goal, ratio: ($time.numbers | ratio),
		   insn_ratio: ($insn.numbers | ratio), times: ($time | spread), insns: ($insn | spread)}]'
}

# rows_table BENCH SIZE: instructions where there are, else times: min, median and max, on either side.
rows_table() {
	jq -r --arg size "$2" '.[] | (.insns // .times) as $n | [.kernel, .row, .rival, .[$size], (if .unit == "bytes" then "bytes" elif .insns then "insn" else "time" end),
		($n.kernel | .min, .median, .max), ($n.twin | .min, .median, .max), .ratio // "-", .insn_ratio // "-", .goal // "-"] | @tsv' \
		"$ROWS_OUT/$1.json" |
		awk -F'\t' -v size="${2^^}" '
		function n(x) { return x < 10 ? sprintf("%.1f", x) : x < 1000 ? sprintf("%.0f", x) : x < 1000000 ? sprintf("%.1fk", x / 1000) : sprintf("%.1fM", x / 1000000) }
		function r(x) { return x == "-" || x == "" ? "-" : x < 100 ? sprintf("%.2f", x) : sprintf("%.0f", x) }
		BEGIN { printf "%-6s %-34s %-15s %7s %-5s %21s %21s %8s %8s %6s\n", "KERNEL", "ROW", "RIVAL", size, "IN", "RIVAL MIN/MED/MAX", "KTWIN MIN/MED/MAX", "RATIO", "INSNS", "GOAL" }
		{ printf "%-6s %-34s %-15s %7d %-5s %21s %21s %8s %8s %6s\n", $1, $2, $3, $4, $5, n($6) "/" n($7) "/" n($8), n($9) "/" n($10) "/" n($11), r($12), r($13), $14 }'
	echo "ratio, insns: the rival's median by ktwin's, in time and in guest instructions; above 1 ktwin is faster"
}
