# SPDX-License-Identifier: GPL-2.0-only
# What pahole prints of structs, as lines "struct member offset size", "struct member bitfield". Members without a name
# count as part of what they stand in, so those within such a one are members too; those of a struct with a name of its
# own are not looked at.

/^struct [A-Za-z_0-9]+ \{$/ { root = $2; depth = 1; first = n + 1; next }
!root { next }

# Whether an inner struct has a name is known at its end only: until then its members are marked with its depth.
/\{$/ { ++depth; opened[depth] = n + 1; next }
/^\t+\}.*;/ {
	match($0, /\}[^;\/]*;/)
	name = substr($0, RSTART + 1, RLENGTH - 2)
	gsub(/__attribute__\(\(.*\)\)|:[0-9]+$|[ \t*]|\[[0-9]*\]/, "", name)
	if (name != "") {
		n = opened[depth] - 1
		keep(name)
	}
	--depth
	next
}
/^\}/ {
	for (i = first; i <= n; i++) print root, line[i]
	root = ""
	next
}
/;.*\/\* *[0-9]+/ {
	text = $0
	sub(/;.*/, "", text)
	sub(/ *__attribute__.*/, "", text)
	if (match(text, /\(\*[A-Za-z_0-9]+\)/)) {
		text = substr(text, RSTART + 2, RLENGTH - 3)
	} else {
		gsub(/\[[^]]*\]/, "", text)
		sub(/:[0-9]+$/, "", text)
		sub(/.*[ \t*]/, "", text)
	}
	keep(text)
}

function keep(name,   where, part) {
	where = $0
	sub(/.*\/\* */, "", where)
	if (where ~ /^[0-9]+: *[0-9]+/) {
		line[++n] = name " bitfield"
		return
	}
	split(where, part, / +/)
	line[++n] = name " " part[1] " " part[2]
}
