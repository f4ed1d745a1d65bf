# shellcheck shell=bash
# Sourced by every script of this folder: where things are, and how a script speaks.

VM_SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
VM_BUILD=${KTWIN_BUILD:-$(cd "$VM_SCRIPTS/../.." && pwd)/build}
mkdir -p "$VM_BUILD/vm"
VM_BUILD=$(cd "$VM_BUILD/vm" && pwd)
export LC_ALL=C

# Progress and errors go to stderr: stdout belongs to the guest's command.
say() { printf 'vm: %s\n' "$*" >&2; }
die() { say "$*"; exit 125; }

# locked NAME COMMAND...: one at a time across processes; says so when it has to wait. COMMAND runs in a subshell, so its
# traps and its failures stay its own. The lock is on an open file: it is gone with its holder, however that ended.
# Not to be called in a condition, where bash would ignore set -e inside COMMAND.
locked() {
	local name=$1 fd status
	shift
	exec {fd}>"$VM_BUILD/.lock-$name"
	if ! flock -n "$fd"; then
		say "waiting for another run that prepares $name"
		flock "$fd"
	fi
	set +e
	(set -e; "$@")
	status=$?
	set -e
	exec {fd}>&-
	return "$status"
}

# publish TMP FINAL: what stands under its final name is complete. An older FINAL is replaced.
publish() {
	rm -rf "$2.old"
	if [ -e "$2" ]; then mv -T "$2" "$2.old"; fi
	mv -T "$1" "$2"
	rm -rf "$2.old"
}

# A key for a cached product: the digest of what it was made from, given on standard input.
digest() { sha256sum | cut -c1-12; }
