# SPDX-License-Identifier: GPL-2.0-only
# Verbs only; what they do stands in scripts/ and in the Makefiles of userspace/ and selftests/.

KDIR ?= /lib/modules/$(shell uname -r)/build
KERNEL ?= 6.12
BUILD ?= $(CURDIR)/build
export KTWIN_BUILD := $(BUILD)

.PHONY: help run test bench bench-check vm module client install check check-debug fuzz clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: ## the main job: a VM, the module under a real load, the twin's picture, the verdict
	@scripts/run $(KERNEL)

test: ## everything: host tests, then the kselftests on 6.1, 6.12 and 6.1-rt
	@scripts/test/all

# value: a $ in CMD is the guest's shell's. make can end with 2 only, and names the status; scripts/shell ends with it.
vm: ## a shell in the VM with the module loaded; KERNEL=6.1|6.12|6.1-rt|6.1-generic|6.12-rt CMD='...' runs one command
	@scripts/shell $(KERNEL) $(if $(value CMD),'$(subst ','\'',$(value CMD))')

module: ## ktwin.ko for KDIR (default: the running kernel's headers)
	@scripts/build-module $(KDIR)

client: ## the ktwin client and libktwin
	@$(MAKE) -C userspace all

install: ## client, man page and completion below PREFIX (default /usr/local), and the module for the running kernel
	@scripts/install $(KDIR)

bench: ## cost of the mirror to a fork, of counting to a switch; pids, wait queues, run queues beside the kernel's; generations
	@scripts/test/icount
	@scripts/test/pidbench
	@scripts/test/waitbench
	@scripts/test/rqbench
	@scripts/test/switchcost
	@scripts/test/rqcost

# Instructions only: they are the same on every host. Times are one host's own, so its baseline is, too: with a copy of
# build/bench/pid.json from an earlier make bench there, scripts/test/benchcheck COPY build/bench/pid.json 2 25.
bench-check: ## whether a ratio of the PID allocator's quick rows, in instructions, fell below the committed one
	@scripts/test/pidbench --quick --insns 6.12
	@scripts/test/benchcheck selftests/bench/baseline-pid.json $(BUILD)/bench/pid.json

check: ## format, lint, include directions, each header alone
	@scripts/check/all

check-debug: ## the kselftests and the main job on a KASAN + lockdep kernel built from source
	@scripts/test/debug

fuzz: ## random operations on the core (libFuzzer, on the host), then random ioctls (in the guest)
	@$(MAKE) -C selftests/host fuzz
	@$(MAKE) -C selftests/fuzz run KERNEL=$(KERNEL)

clean: ## what was built, without the cached kernels and guest root
	@rm -rf $(BUILD)/module $(BUILD)/userspace $(BUILD)/host $(BUILD)/kselftest $(BUILD)/test
