// SPDX-License-Identifier: GPL-2.0-only
#include "core/lockstep_memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

// A leaf is 64 numbers: the first namespace of a usual system, all of it, several times over.
constexpr u32 kLeavesAtStart = 512;
constexpr u32 kSmallDirsAtStart = 64;
constexpr u32 kFullDirsAtStart = 4;
constexpr u32 kNamespacesAtStart = 64;
// The kernel's own limit (user.max_pid_namespaces) is far below.
constexpr u32 kNamespaceLimit = 131072;
// Those with numbers above 1,023, of 64 blocks each at most, at the same time, and as many that wait for a grace period.
constexpr u32 kFullDirLimit = 8192;

}  // namespace

LockstepMemory::LockstepMemory(u32 leaf_limit)
    : lock_(KT_LOCK_LOCKSTEP),
      leaf_budget_(leaf_limit),
      small_dir_budget_(kNamespaceLimit),
      full_dir_budget_(kFullDirLimit),
      ns_budget_(kNamespaceLimit) {
    setup();
}

void LockstepMemory::setup() {
    nodes_.leaves.setup(sizeof(IdLeaf), kLeavesAtStart, &leaf_budget_, &kicker_);
    nodes_.small_dirs.setup(IdDir::bytes(IdDir::kSmallIds), kSmallDirsAtStart, &small_dir_budget_, &kicker_);
    nodes_.full_dirs.setup(IdDir::bytes(kBlockIds), kFullDirsAtStart, &full_dir_budget_, &kicker_);
    namespaces_.setup(sizeof(LockstepNamespace), kNamespacesAtStart, &ns_budget_, &kicker_);
}

// Which pool it is needs no lock; what is in it does, and its own functions say so.
Pool& LockstepMemory::pool(u32 index) {
    Pool* const pools[kPools] = {&nodes_.leaves, &nodes_.small_dirs, &nodes_.full_dirs, &namespaces_};
    return *pools[index];
}

Result LockstepMemory::refill() {
    Result result;
    for (u32 i = 0; i < kPools; ++i) {
        if (!pool(i).refill(lock_, 1)) {
            result = Errno::kNoMemory;
        }
    }
    return result;
}

void LockstepMemory::reclaim() {
    Chain retired[kPools];
    bool any = false;
    {
        SpinGuard guard(lock_);
        kicker_.begin();
        for (u32 i = 0; i < kPools; ++i) {
            pool(i).take_retired(retired[i]);
            any = any || !retired[i].empty();
        }
    }
    if (!any) {
        return;
    }
    kt_host_synchronize();
    for (u32 i = 0; i < kPools; ++i) {
        if (!retired[i].empty()) {
            pool(i).reclaim(lock_, retired[i]);
        }
    }
}

void LockstepMemory::maintain() {
    (void)refill();
    reclaim();
    (void)refill();
}

void LockstepMemory::teardown() {
    kt_host_synchronize();
    for (u32 i = 0; i < kPools; ++i) {
        pool(i).teardown(lock_);
    }
    setup();
}

}  // namespace ktwin
