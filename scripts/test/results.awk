# SPDX-License-Identifier: GPL-2.0-only
# Reads what run_kselftest.sh prints while it runs: one line for each test with the kernel's name, for a failed one what
# the program said of it; the counts at the end go to the file named in summary. Every single test counts; a program
# that ends badly with all its tests in order, or before all that it had planned, is one more that failed. boots: how many
# guests are to come to their end, one after the other.

function verdict(what, name, detail) {
	printf "%-8s %-6s %s%s\n", kernel, what, name, detail
	fflush()
}

function end_program(line,    missing) {
	missing = plan - seen
	if (line ~ /^not ok/ && !bad || missing > 0) {
		if (bad == 0)
			printf "%s", said
		verdict("not ok", program, (line ~ /TIMEOUT/ ? ": took too long" : ": ended badly") \
			(missing > 0 ? ", " missing " tests not run" : ""))
		failed += missing > 0 ? missing : 1
	} else if (line ~ /# SKIP/ && !seen) {
		verdict("skip", program, "")
		skipped++
	}
	printf "%-8s        %s: %d ok, %d not ok, %d skipped, %d s\n", kernel, program, good, bad, left, systime() - started
	fflush()
	program = ""
}

# The program with which the guest ended, if one did.
function end_guest() {
	if (program == "")
		return
	printf "%s", said
	verdict("not ok", program, ": the guest ended in it")
	failed++
	program = ""
	done++
}

/^TAP version|^1\.\.[0-9]|^# timeout set/ {
	next
}
/^# selftests: / {
	end_guest()
	program = $4
	started = systime()
	plan = seen = good = bad = left = 0
	said = ""
	next
}
/^(not )?ok [0-9]+ selftests: / {
	end_program($0)
	next
}
program != "" && /^# 1\.\.[0-9]+/ {
	plan = substr($2, 4) + 0
	next
}
program != "" && /^# (not )?ok [0-9]+ / {
	line = $0
	sub(/^# /, "", line)
	is_bad = line ~ /^not ok/
	sub(/^(not )?ok [0-9]+ (- )?(global\.)?/, "", line)
	seen++
	if (is_bad) {
		printf "%s", said
		verdict("not ok", program ": " line, "")
		bad++
		failed++
	} else if (line ~ /# SKIP/) {
		verdict("skip", program ": " line, "")
		left++
		skipped++
	} else {
		verdict("ok", program ": " line, "")
		good++
		passed++
	}
	said = ""
	next
}
# A shell test's notes are worth reading when all is well, too.
program != "" && /^# # / {
	if (program ~ /\.sh$/) {
		print "         " $0
		fflush()
	} else {
		said = said $0 "\n"
	}
	next
}
program != "" {
	said = said $0 "\n"
	next
}
/^# ktwin guest: done/ {
	done++
	next
}
{
	print
	fflush()
}
END {
	end_guest()
	if (done < boots) {
		verdict("not ok", "the suite", ": it did not come to its end")
		failed++
	}
	print passed + 0, failed + 0, skipped + 0 >summary
}
