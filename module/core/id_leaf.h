// SPDX-License-Identifier: GPL-2.0-only
//
// 64 consecutive ids: a word that says which are used, and what each holds.
//
//   id   21 .......... 16 15 ........... 6 5 ......... 0
//        block in the tree  leaf in block    slot in leaf
#ifndef KTWIN_CORE_ID_LEAF_H
#define KTWIN_CORE_ID_LEAF_H

#include "base/atomic.h"
#include "base/bits.h"
#include "core/pool.h"

namespace ktwin {

inline constexpr u32 kSlots = 64;          // ids a leaf
inline constexpr u32 kBlockLeaves = 1024;  // leaves a block
inline constexpr u32 kBlockIds = kSlots * kBlockLeaves;
inline constexpr u32 kBlocks = 64;  // blocks a tree
inline constexpr u32 kIds = kBlockIds * kBlocks;
static_assert(kIds == 4194304, "PID_MAX_LIMIT of 64-bit kernels");

constexpr u32 block_of(u32 id) {
    return id / kBlockIds;
}
constexpr u32 leaf_of(u32 id) {
    return id / kSlots % kBlockLeaves;
}
constexpr u32 slot_of(u32 id) {
    return id % kSlots;
}
// The first id of its leaf.
constexpr u32 leaf_start(u32 id) {
    return id - slot_of(id);
}

struct IdLeaf : PoolNode {
    // A set bit: reserved, and what is in the slot is published (or will be). Written by the owner, who holds
    // the lock; readers use it as a hint where to look. A bit is set before its slot is, and cleared after.
    Atomic<u64> used;
    Atomic<void*> slots[kSlots];

    Atomic<void*>& slot(u32 id) { return slots[usize{id} % kSlots]; }
    const Atomic<void*>& slot(u32 id) const { return slots[usize{id} % kSlots]; }
};

static_assert(sizeof(IdLeaf) == KT_LEAF_BYTES, "the kernel has a cache of this size");

}  // namespace ktwin

#endif
