#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Private PID worlds as the client drives them: its worked examples on each backend, its scripts, its pictures.
. "$(dirname "$0")/lib.sh"
need_loaded

BACKENDS='twin blocks pidmap idr xarray ida sbitmap'

# run NAME STATUS ARGUMENTS...: ktwin lab with the script on standard input ends so; what it said is in $TMP/NAME.
run() {
	local name=$1 wanted=$2 status
	shift 2
	timeout 120 "$KTWIN" lab "$@" >"$TMP/$name" 2>&1
	status=$?
	if [ $status != "$wanted" ]; then
		note "$name ($*): exit $status, not $wanted: $(tail -3 "$TMP/$name")"
		return 1
	fi
}

# says NAME PATTERN: it is in what run said.
says() {
	if ! grep -qE "$2" "$TMP/$1"; then
		note "$1: no '$2' in: $(head -20 "$TMP/$1")"
		return 1
	fi
}

# ask NAME FILTER: what jq makes of the lines that run said is true.
ask() {
	if ! jq -es "$2" "$TMP/$1" >/dev/null; then
		note "$1: not $2: $(head -c 2000 "$TMP/$1")"
		return 1
	fi
}

test_backends() {
	local failed=0
	run backends 0 backends || failed=1
	run json 0 backends -J || return 1
	ask json '.[0].backends | map(.backend) == ["twin", "blocks", "pidmap", "idr", "xarray", "ida", "sbitmap"]' || failed=1
	ask json '.[0].backends | map(select(.pids).backend) == ["twin", "blocks", "pidmap", "idr", "xarray"]' || failed=1
	ask json '.[0].backends | all(.cyclic or .lowest or .any)' || failed=1
	return $failed
}

# All of a demonstration but what is the backend's own: which of several numbers is "any" is, too.
numbers_of() { awk '/^== /{ own = /Any number/ } !own && !/^(==|backend|has|memory|given) /' "$TMP/demo-$1"; }

# Each example fails by itself where a number or an error is not as it should be.
test_demo() {
	local failed=0 backend
	mark_log
	for backend in $BACKENDS; do
		run "demo-$backend" 0 demo --backend "$backend" || failed=1
		note "$backend: $(grep -c '^== .*)$' "$TMP/demo-$backend") chapters, $(grep -c '^> ' "$TMP/demo-$backend") commands"
		run "json-$backend" 0 demo --backend "$backend" -J || { failed=1; continue; }
		ask "json-$backend" 'map(select(.chapter)) | length == 9 and any(.skipped | not)' || failed=1
		ask "json-$backend" 'map(select(.ok != null)) | length > 2 and all(.ok)' || failed=1
	done
	# The same commands, the same numbers, whatever hands them out in order.
	for backend in pidmap idr xarray; do
		if ! diff <(numbers_of twin) <(numbers_of $backend) >"$TMP/diff"; then
			note "$backend differs from the twin: $(head -5 "$TMP/diff")"
			failed=1
		fi
	done
	log_is_clean || failed=1
	return $failed
}

test_errors() {
	local failed=0 backend
	for backend in twin pidmap idr xarray; do
		run "errors-$backend" 0 run --backend $backend --pid-max 8 --limit 64 --namespaces 3 - <<-'END' || failed=1
			expect ESRCH alloc 7
			expect EINVAL alloc 1 --wanted 2
			$init $task = alloc 1 --task
			expect EEXIST alloc 1 --wanted 1
			expect EINVAL alloc 1 --wanted 8
			expect EINVAL alloc 1 --wanted 0
			expect EINVAL alloc 1 --wanted 2,2
			alloc 1 --wanted 7
			expect EAGAIN alloc 1 --count 9
			pid-max 1 64
			expect EINVAL pid-max 1 65
			expect EINVAL pid-max 1 1
			alloc 1
			expect EBUSY free 1 $init
			expect EBUSY attach $task pid 1 $init
			expect ESRCH detach $task sid
			expect ESRCH detach 99 pid
			expect ESRCH attach new sid 1 60
			expect EINVAL transfer $task $task sid
			expect ESRCH find 1 60
			expect ESRCH next 1 60
			expect ESRCH kill 9
			expect ESRCH ns create 9
			$c = ns create 1 --pid-max 3
			expect EINVAL ns create $c --pid-max 65
			alloc $c --task --count 2
			expect EAGAIN alloc $c
			kill $c
			expect ESRCH alloc $c
			expect ESRCH list $c
		END
	done
	for backend in ida sbitmap; do
		run "errors-$backend" 0 run --backend $backend --pid-max 300 - <<-'END' || failed=1
			alloc --count 20
			expect EOPNOTSUPP find 1 1
			expect EOPNOTSUPP list 1
			expect EOPNOTSUPP ns create 1
			expect EOPNOTSUPP kill 1
			expect EOPNOTSUPP alloc 1 --how cyclic
			expect EAGAIN alloc --count 300
			free 1 1-299
			alloc --count 299
		END
	done
	return $failed
}

# How a script ends, and what it says then.
test_scripts() {
	local failed=0
	run good 0 run - <<<'alloc' || failed=1
	says good '^1 in 1$' || failed=1
	run refused 1 run - <<<$'alloc\n# nothing\nfree 1 2\nalloc' || failed=1
	says refused 'standard input: line 3: cannot free number 2 of namespace 1: .*nobody has it' || failed=1
	if [ "$(grep -c ' in 1$' "$TMP/refused")" != 1 ]; then note "it went on"; failed=1; fi
	run unexpected 1 run - <<<'expect EAGAIN alloc' || failed=1
	run senseless 2 run - <<<'bogus' || failed=1
	run going 1 run -k - <<<$'free 1 2\nalloc\nfree 1 3' || failed=1
	says going '^1 in 1$' || failed=1
	says going '2 of 3 commands failed' || failed=1
	run wrong 2 run --backend bogus - <<<'alloc' || failed=1
	run absent 2 run "$TMP/none" || failed=1
	run directory 2 run - </tmp || failed=1
	says directory 'cannot read standard input: Is a directory' || failed=1
	# Not the device, which would get the number.
	run closed 2 run - <&- || failed=1
	says closed 'cannot read standard input: Bad file descriptor' || failed=1
	# A limit that leaves each CPU its block is what it asks for itself.
	run blocks 0 run --backend blocks - <<<'alloc' || failed=1
	run refused-lab 2 run --pid-max 1 - <<<'alloc' || failed=1
	run json 1 run -J - <<<$'$a = alloc\nfree 1 $a\nfree 1 $a' || failed=1
	grep '^{' "$TMP/json" >"$TMP/lines"
	ask lines 'map(.line) == [1, 2, 3] and .[0].numbers[0].ranges == [[1, 1]] and .[2].errno == "ESRCH"' || failed=1
	return $failed
}

# What is drawn is what is there.
test_show() {
	local failed=0
	cat >"$TMP/script" <<-'END'
		alloc --count 200
		free 1 64-130 190
		$c = ns create 1
		alloc $c --task --count 3
	END
	run show 0 show "$TMP/script" || failed=1
	says show '^namespace 1: 135 of 32767 numbers in use, cursor 204, largest hole 204\+32564$' || failed=1
	says show '^namespace 2: 3 of 32767 ' || failed=1
	says show '^pid ' || failed=1
	run json 0 show -J "$TMP/script" || failed=1
	ask json '.[0].ids | map(.used) == [[[1, 63], [131, 189], [191, 203]], [[1, 3]]]' || failed=1
	ask json '.[0].stats | .pids == 135 and .tasks == 3 and .numbers == 138 and .verdict == "room"' || failed=1
	run picture 0 show --svg "$TMP/lab.svg" "$TMP/script" || failed=1
	if [ "$(head -c 5 "$TMP/lab.svg")$(tail -1 "$TMP/lab.svg")" != '<?xml</svg>' ]; then note "the picture is cut short"; failed=1; fi
	if [ "$(grep -c '<title>204</title>' "$TMP/lab.svg")" != 1 ] || [ "$(grep -c 'cursor 204' "$TMP/lab.svg")" != 2 ]; then
		note "the picture has no cursor at 204"
		failed=1
	fi
	run numbers 0 show --backend ida - <<<'alloc' || failed=1
	says numbers '^namespace 1: 1 of 32767 numbers in use$' || failed=1
	run million 0 show --pid-max 4194304 --pids 300000 --bytes 134217728 - <<<'alloc --count 200000' || failed=1
	says million '^namespace 1: 200000 of 4194303' || failed=1
	return $failed
}

# A client that is killed amid its work: the lab goes with it, without a word in the log.
test_killed() {
	local failed=0 try
	mark_log
	for ((try = 0; try < 5; try++)); do
		(echo 'alloc --count 20000 --task'; exec sleep 30 2>/dev/null) | "$KTWIN" lab run - >"$TMP/killed" 2>&1 &
		STARTED="$STARTED $!"
		sleep 0.3
		kill -KILL $! 2>/dev/null
	done
	end_storms
	log_is_clean || failed=1
	return $failed
}

main backends demo errors scripts show killed
