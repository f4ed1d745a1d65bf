# shellcheck shell=bash
# shellcheck disable=SC2034,SC2054 # for those who source it; QEMU has commas
# Sourced: the virtual machine's fixed part, the same for a run and for the probe of KVM.

# What every guest kernel is told. A guest that dies is to end at once (with QEMU's -no-reboot), not to hang about; and
# under emulation on a busy host the kernel must not judge its timer interrupt broken for being late.
MACHINE_CMDLINE='console=ttyS0 panic=-1 no_timer_check'

# machine_args kvm|tcg|tcg-one|icount CPU-MODEL: into the array MACHINE. No network, no display, nothing that was not
# asked for.
# pc, not q35: its BIOS also gives the tables a kernel without ACPI finds its CPUs and interrupts by.
machine_args() {
	MACHINE=(-machine pc -cpu "${2:-max}" -no-user-config -nodefaults -display none -monitor none -no-reboot)
	case $1 in
	kvm) MACHINE+=(-accel kvm) ;;
	tcg) MACHINE+=(-accel tcg,thread=multi) ;;
	tcg-one) MACHINE+=(-accel tcg,thread=single) ;;
	# qboot: SeaBIOS would read from the disk, and how long that takes is the host's affair.
	icount) MACHINE+=(-accel tcg -icount 'shift=0,sleep=off' -seed 1 -rtc 'base=2026-01-01,clock=vm' -bios qboot.rom) ;;
	esac
}
