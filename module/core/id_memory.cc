// SPDX-License-Identifier: GPL-2.0-only
#include "core/id_memory.h"

#include "core/id_dir.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u32 kLeavesAtStart = 64;
constexpr u32 kDirsAtStart = 2;

}  // namespace

void IdMemory::setup_tree() {
    setup(kOwnPools, sizeof(IdLeaf), kLeavesAtStart);
    setup(kOwnPools + 1, IdDir::bytes(IdDir::kSmallIds), kDirsAtStart);
    setup(kOwnPools + 2, IdDir::bytes(kBlockIds), kDirsAtStart);
}

void IdMemory::setup(u32 index, u32 object_size, u32 start) {
    Pool* const pools[kPools] = {&pools_[0], &pools_[1], &nodes_.leaves, &nodes_.small_dirs,
                                 &nodes_.full_dirs};
    pools[index]->setup(object_size, start, &budgets_[index], &kicker_);
}

// Which pool it is needs no lock; what is in it does, and its own functions say so.
Pool* IdMemory::at(u32 index) {
    Pool* const pools[kPools] = {&pools_[0], &pools_[1], &nodes_.leaves, &nodes_.small_dirs,
                                 &nodes_.full_dirs};
    return pools[index]->object_size() != 0 ? pools[index] : nullptr;
}

Result IdMemory::refill() {
    Result result;
    for (u32 i = 0; i < kPools; ++i) {
        if (at(i) != nullptr && !at(i)->refill(lock_, 1)) {
            result = Errno::kNoMemory;
        }
    }
    return result;
}

// Whether there is anything.
bool IdMemory::take_retired(Chain* to) {
    bool any = false;
    TaskGuard guard(lock_);
    kicker_.begin();
    for (u32 i = 0; i < kPools; ++i) {
        if (at(i) != nullptr) {
            at(i)->take_retired(to[i]);
            any = any || !to[i].empty();
        }
    }
    return any;
}

void IdMemory::give_back(Chain* retired) {
    for (u32 i = 0; i < kPools; ++i) {
        if (!retired[i].empty()) {
            at(i)->reclaim(lock_, retired[i]);
        }
    }
}

void IdMemory::reclaim() {
    Chain retired[kPools];
    if (take_retired(retired)) {
        kt_host_synchronize();
        give_back(retired);
    }
}

void IdMemory::end_reclaim() {
    give_back(waiting_);
    for (u32 i = 0; i < kPools; ++i) {
        if (at(i) != nullptr) {
            (void)at(i)->shrink(lock_);
        }
    }
}

void IdMemory::teardown() {
    for (u32 i = 0; i < kPools; ++i) {
        if (at(i) != nullptr) {
            at(i)->teardown(lock_);
        }
    }
}

u64 IdMemory::bytes() {
    TaskGuard guard(lock_);
    u64 sum = 0;
    for (u32 i = 0; i < kPools; ++i) {
        sum += at(i) != nullptr ? at(i)->bytes() : 0;
    }
    return sum;
}

u64 IdMemory::bytes_in_use() {
    TaskGuard guard(lock_);
    u64 sum = 0;
    for (u32 i = 0; i < kPools; ++i) {
        sum += at(i) != nullptr ? at(i)->bytes_in_use() : 0;
    }
    return sum;
}

}  // namespace ktwin
