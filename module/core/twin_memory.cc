// SPDX-License-Identifier: GPL-2.0-only
#include "core/twin_memory.h"

#include "base/cpu.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u32 kLeavesAtStart = 512;
constexpr u32 kSmallDirsAtStart = 128;
constexpr u32 kFullDirsAtStart = 4;
constexpr u32 kNamespacesAtStart = 128;
// Of each kind, of a laboratory.
constexpr u32 kLabStart = 16;
// The kernel's own limit (user.max_pid_namespaces) is far below.
constexpr u32 kNamespaceLimit = 131072;

// A pid can need a leaf of its own at each of its levels; that all of them do is not a system we know. Each
// namespace needs at least a leaf and a directory.
constexpr u32 node_limit(u32 pid_limit) {
    const u64 limit = u64{pid_limit} * 2 + u64{kNamespaceLimit} * 2;
    return limit < 0x7fffffff ? static_cast<u32>(limit) : 0x7fffffff;
}

}  // namespace

TwinMemory::TwinMemory(kt_lock_class lock_class, u32 pid_limit, bool maintained_by_host, bool with_roles)
    : lock_(lock_class),
      kicker_(maintained_by_host),
      pid_budget_(pid_limit),
      node_budget_(node_limit(pid_limit)),
      ns_budget_(kNamespaceLimit),
      pids_(&pid_budget_, &kicker_, with_roles ? TwinPid::kRoleBytes : 0) {
    nodes_.leaves.setup(sizeof(IdLeaf), kLeavesAtStart, &node_budget_, &kicker_);
    nodes_.small_dirs.setup(IdDir::bytes(IdDir::kSmallIds), kSmallDirsAtStart, &node_budget_, &kicker_);
    nodes_.full_dirs.setup(IdDir::bytes(kBlockIds), kFullDirsAtStart, &node_budget_, &kicker_);
    namespaces_.setup(sizeof(PidNamespace), kNamespacesAtStart, &ns_budget_, &kicker_);
}

// In all states: what waits for a grace period, or is ready at another level, is no pid of the user's.
constexpr u32 lab_objects(u32 wanted) {
    return wanted * 2 + 1024;
}

TwinMemory::TwinMemory(const Lab& lab)
    : lock_(KT_LOCK_LAB),
      kicker_(false),
      pid_budget_(lab_objects(lab.pids), lab.bytes),
      node_budget_(node_limit(lab_objects(lab.pids)), lab.bytes),
      ns_budget_(lab_objects(lab.namespaces), lab.bytes),
      pids_(&pid_budget_, &kicker_, TwinPid::kRoleBytes, kLabStart) {
    nodes_.leaves.setup(sizeof(IdLeaf), kLabStart, &node_budget_, &kicker_);
    nodes_.small_dirs.setup(IdDir::bytes(IdDir::kSmallIds), kLabStart, &node_budget_, &kicker_);
    nodes_.full_dirs.setup(IdDir::bytes(kBlockIds), 1, &node_budget_, &kicker_);
    namespaces_.setup(sizeof(PidNamespace), 1, &ns_budget_, &kicker_);
}

// Which pool it is needs no lock; what is in it does, and its own functions say so.
Pool& TwinMemory::pool(u32 index) {
    switch (index) {
        case kLevels:
            return nodes_.leaves;
        case kLevels + 1:
            return nodes_.small_dirs;
        case kLevels + 2:
            return nodes_.full_dirs;
        case kLevels + 3:
            return namespaces_;
        default:
            return pids_.at(index);
    }
}

Result TwinMemory::refill() {
    Result result;
    for (u32 i = 0; i < kPools; ++i) {
        if (!pool(i).refill(lock_, 1)) {
            result = Errno::kNoMemory;
        }
    }
    return result;
}

Result TwinMemory::reserve(u32 level, u32 nodes) {
    const bool enough = pool(level).ensure(lock_, 1) && pool(kLevels).ensure(lock_, nodes) &&
                        pool(kLevels + 1).ensure(lock_, nodes) && pool(kLevels + 2).ensure(lock_, nodes);
    return enough ? Result() : Result(Errno::kNoMemory);
}

Result TwinMemory::reserve_namespace() {
    return pool(kLevels + 3).ensure(lock_, 1) ? Result() : Errno::kNoMemory;
}

Result TwinMemory::setup_magazines(u32 cpus, ByteBudget* bytes) TA_NO_ANALYSIS {
    const u64 size = u64{cpus} * sizeof(PidMagazines::Magazine);
    void* memory = bytes == nullptr || bytes->take(size) ? kt_host_alloc_charged(size) : nullptr;
    if (memory == nullptr) {
        return Errno::kNoMemory;
    }
    pids_.magazines().setup({static_cast<PidMagazines::Magazine*>(memory), cpus});
    return {};
}

// The lock guards what magazines are loaded from, not what is taken from one's own.
PoolNode* TwinMemory::take_pid(u32 level) TA_NO_ANALYSIS {
    const OnCpu here;
    return pids_.magazines().take(here.cpu(), level);
}

u32 TwinMemory::shrink(u32 most) {
    {
        SpinGuard guard(lock_);
        (void)pids_.unload();
    }
    u32 given = 0;
    for (u32 i = 0; i < kPools && given < most; ++i) {
        given += pool(i).shrink(lock_, most - given);
    }
    return given;
}

u32 TwinMemory::idle() {
    SpinGuard guard(lock_);
    u32 sum = pids_.magazines().at_hand();
    for (u32 i = 0; i < kPools; ++i) {
        sum += pool(i).idle();
    }
    return sum;
}

void TwinMemory::reclaim() {
    bool any = false;
    {
        SpinGuard guard(lock_);
        kicker_.begin();
        for (u32 i = 0; i < kPools; ++i) {
            pool(i).take_retired(retired_[i]);
            any = any || !retired_[i].empty();
        }
    }
    if (!any) {
        return;
    }
    kt_host_synchronize();
    for (u32 i = 0; i < kPools; ++i) {
        if (!retired_[i].empty()) {
            pool(i).reclaim(lock_, retired_[i]);
        }
    }
}

void TwinMemory::maintain() {
    (void)refill();
    reclaim();
    (void)refill();
}

void TwinMemory::teardown() {
    kt_host_synchronize();
    void* magazines = nullptr;
    {
        SpinGuard guard(lock_);
        (void)pids_.unload();
        magazines = pids_.magazines().magazines().data();
        pids_.magazines().setup({});
    }
    kt_host_free(magazines);
    for (u32 i = 0; i < kPools; ++i) {
        pool(i).teardown(lock_);
    }
}

u64 TwinMemory::statistics(ktwin_pool* pids, ktwin_pool* nodes, ktwin_pool* namespaces) {
    SpinGuard guard(lock_);
    u64 bytes = 0;
    for (u32 i = 0; i < kPools; ++i) {
        bytes += pool(i).bytes();
        ktwin_pool* to = i < kLevels ? pids : i < kLevels + 3 ? nodes : namespaces;
        if (to != nullptr) {
            pool(i).add_to(*to);
        }
    }
    if (pids != nullptr) {
        pids->ready += pids_.magazines().at_hand();
        pids->limit = pid_budget_.limit();
    }
    if (nodes != nullptr) {
        nodes->limit = node_budget_.limit();
    }
    if (namespaces != nullptr) {
        namespaces->limit = ns_budget_.limit();
    }
    return bytes;
}

}  // namespace ktwin
