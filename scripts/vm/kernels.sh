# shellcheck shell=bash
# Sourced: the kernels ktwin is tested on, and how each name becomes a release that apt has today.

# name | release pattern (what stands between "linux-image-" and the flavour) | flavour
# A kernel that needs another distribution's packages or compiler gets its row here and its own case in kernel_release.
KERNEL_TABLE='
6.1         | 6\.1\.0-[0-9]+                   | -cloud-amd64
6.1-rt      | 6\.1\.0-[0-9]+                   | -rt-amd64
6.1-generic | 6\.1\.0-[0-9]+                   | -amd64
6.12        | 6\.12\.[0-9]+(\+deb[0-9]+)?      | -cloud-amd64
6.12-rt     | 6\.12\.[0-9]+(\+deb[0-9]+)?      | -rt-amd64
'

# Built here by scripts/vm/debug-kernel, not fetched; the same files in the same places, all modules built in.
KERNEL_LOCAL='6.12-debug 6.12-kcsan'

kernel_names() {
	awk -F'|' 'NF == 3 { gsub(/ /, "", $1); print $1 }' <<<"$KERNEL_TABLE"
	tr ' ' '\n' <<<"$KERNEL_LOCAL"
}

kernel_known() { [[ " $(kernel_names | xargs) " == *" $1 "* ]]; }

kernel_is_local() { [[ " $KERNEL_LOCAL " == *" $1 "* ]]; }

# The local ones have no ACPI, hence no way to learn that two threads or cores share a package: one socket a CPU.
kernel_smp() { if kernel_is_local "$1"; then echo "$2,sockets=$2"; else echo "$2"; fi; }

# kernel_release NAME: the newest release whose image and headers can both be downloaded now; nothing when there is none.
kernel_release() {
	local pattern flavour release
	IFS='|' read -r pattern flavour < <(awk -F' *[|] *' -v name="$1" '$1 == name { print $2 "|" $3 }' <<<"$KERNEL_TABLE")
	while read -r release; do
		if [ -n "$(kernel_image "$release")" ] && downloadable "linux-headers-$release"; then
			echo "$release"
			return
		fi
	done < <(apt-cache pkgnames linux-headers- | sed -nE "s/^linux-headers-($pattern$flavour)\$/\1/p" | sort -rVu)
}

# kernel_image RELEASE: the package that holds it. The signed one is the newer name of the same bits; either boots.
kernel_image() {
	local package
	for package in "linux-image-$1" "linux-image-$1-unsigned"; do
		if downloadable "$package"; then echo "$package"; return; fi
	done
}

# apt also lists names that only other packages mention.
downloadable() { [ -n "$(apt-cache madison "$1" 2>/dev/null)" ]; }
