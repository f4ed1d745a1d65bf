# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # shares run's variables
# Sourced by run: what the guest reads and writes, as disks, or in a deterministic run as memory.

# The job: small files that end up in /vm of the guest.
write_job() {
	printf '%s' "$command" >"$tmp/files/job/command"
	if [ -n "$interactive" ]; then
		touch "$tmp/files/job/interactive"
		echo "${TERM:-dumb}" >"$tmp/files/job/term"
		stty size 2>/dev/null | awk '{ print "rows", $1, "cols", $2 }' >"$tmp/files/job/size"
	fi
}

# disk NAME FILE [OPTIONS]: the guest knows it by its serial number.
disk() {
	MEDIA+=(-drive "if=none,id=$1,format=raw,file.locking=off,file=${2//,/,,}${3-}" -device "virtio-blk-pci,drive=$1,serial=$1")
}

# in_memory NAME FILE: behind the guest's own memory, set aside by memmap= as persistent memory: /dev/pmemN in this order.
# Reading it is a plain copy by the guest's CPU, so that it takes the same number of instructions each time.
in_memory() {
	local size=$((($(stat -L -c %s "$2") >> 20) / 16 * 16 + 16)) at=$total # in MB; 16: sparsemem's idea of alignment
	total=$((total + size))
	MEDIA+=(-device "loader,file=${2//,/,,},addr=$((at << 20)),force-raw=on")
	cmdline+=" memmap=${size}M!${at}M"
	echo "$1 /dev/pmem$images" >>"$tmp/files/job/images"
	images=$((images + 1))
}

# image NAME FILE: something to read.
image() { if [ -n "$icount" ]; then in_memory "$1" "$2"; else disk "$1" "$2" ,readonly=on; fi; }

write_media() {
	MEDIA=() total=$mem images=0 cmdline=''
	image root "$root"
	if [ -e "$dir/modules.squashfs" ]; then image modules "$dir/modules.squashfs"; fi
	if [ -n "$payload" ]; then
		mksquashfs "$payload" "$tmp/payload" -noI -noD -noF -noX -all-root -no-xattrs -mkfs-time 0 -quiet -no-progress >&2
		image payload "$tmp/payload"
	fi
	# Below the PC's hole in memory at 3 GB.
	[ "$images" = 0 ] || [ "$total" -le 3072 ] || die "a deterministic guest has at most $((3072 - total + mem)) MB"

	truncate -s 4G "$tmp/results.img" # holes: it takes what is written
	disk results "$tmp/results.img" ,cache=unsafe

	# One run's files come after the kernel's own; the kernel unpacks the one behind the other.
	find "$tmp/files" -exec touch -h -d @0 {} +
	{
		cat "$initramfs"
		(cd "$tmp/files" && find . -mindepth 1 | sort | cpio --quiet --reproducible -o -H newc -R 0:0)
	} >"$tmp/initrd"
}
