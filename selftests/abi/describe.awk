# SPDX-License-Identifier: GPL-2.0-only
# Reads the uapi header, writes a C program that prints every constant and the layout of every struct in it. What it does
# not understand is an error: nothing in the header goes unchecked.

function bad(what) {
    printf "describe.awk: %s:%d: %s: %s\n", FILENAME, FNR, what, $0 > "/dev/stderr"
    failed = 1
    exit 1
}

function constant(name) {
    body = body sprintf("\tprintf(\"%%-32s %%#llx\\n\", \"%s\", (unsigned long long)%s);\n", name, name)
}

# Comments away, also those over several lines.
{
    while (match($0, /\/\*/) || open) {
        if (!open) {
            kept = substr($0, 1, RSTART - 1)
            rest = substr($0, RSTART + 2)
            open = 1
        } else {
            kept = ""
            rest = $0
        }
        end = index(rest, "*/")
        if (!end) {
            $0 = kept
            break
        }
        open = 0
        $0 = kept substr(rest, end + 2)
    }
    sub(/[ \t]+$/, "")
}

/^$/ || /^#(ifndef|endif|include)/ { next }
/^#define _UAPI_KTWIN_H$/ { next }

/^#define[ \t]+[A-Z0-9_]+[ \t]+"/ {
    body = body sprintf("\tprintf(\"%%-32s \\\"%%s\\\"\\n\", \"%s\", %s);\n", $2, $2)
    next
}

/^#define[ \t]+[A-Z0-9_]+[ \t]+[^ \t]/ { constant($2); next }

/^enum [a-z_]+ \{$/ { inside = "enum"; next }

/^struct [a-z_]+ \{$/ {
    inside = "struct"
    type = "struct " $2
    body = body sprintf("\tprintf(\"\\n%%-32s size %%zu\\n\", \"%s\", sizeof(%s));\n", type, type)
    next
}

/^};$/ && inside { inside = ""; next }

inside == "enum" && /^\t[A-Z0-9_]+[ \t]*=[ \t]*[^ \t]+,$/ { constant($1); next }

inside == "struct" && /^\t(__[us][0-9]+|char|struct [a-z_]+)[ \t]+[a-z_0-9]+(\[[A-Z0-9_]+\])?;$/ {
    name = $NF
    sub(/[\[;].*/, "", name)
    body = body sprintf("\tprintf(\"  %%-30s at %%zu size %%zu\\n\", \"%s\", offsetof(%s, %s), sizeof(((%s *)0)->%s));\n",
                        name, type, name, type, name)
    next
}

{ bad("not understood") }

END {
    if (failed)
        exit 1
    printf "#include <stddef.h>\n#include <stdio.h>\n#include <uapi/ktwin.h>\n\nint main(void)\n{\n%s\treturn 0;\n}\n", body
}
