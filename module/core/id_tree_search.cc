// SPDX-License-Identifier: GPL-2.0-only
#include "core/hole_finder.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

// The lowest published slot >= slot. The used word tells where to look; the slot itself decides.
IdTree::Found next_in_leaf(const IdLeaf* leaf, u32 first, u32 slot) {
    u64 used = leaf->used.load_relaxed() & bits_from(slot);
    for (; used != 0; used &= used - 1) {
        const u32 index = lowest_bit(used);
        if (void* pointer = leaf->slots[index].load_acquire()) {
            return {first + index, pointer};
        }
    }
    return {};
}

// From slot of leaf leaf_index on.
IdTree::Found next_in_block(const IdDir* dir, u32 first, u32 leaf_index, u32 slot) {
    for (u32 i = dir->next_present(leaf_index); i < kBlockLeaves; i = dir->next_present(i + 1)) {
        const IdLeaf* leaf = dir->leaf(i);
        if (leaf == nullptr) {
            continue;
        }
        const IdTree::Found found = next_in_leaf(leaf, first + i * kSlots, i == leaf_index ? slot : 0);
        if (found.pointer != nullptr) {
            return found;
        }
    }
    return {};
}

}  // namespace

IdTree::Found IdTree::next_elsewhere(u32 id) const {
    if (id >= kIds) {
        return {};
    }
    const u32 start = block_of(id);
    for (u32 block = start; block < kBlocks; ++block) {
        const IdDir* dir = root_[block].load_acquire();
        const bool here = block == start;
        const Found found =
            next_in_block(dir, block * kBlockIds, here ? leaf_of(id) : 0, here ? slot_of(id) : 0);
        if (found.pointer != nullptr) {
            return found;
        }
    }
    return {};
}

IdTree::Room IdTree::room(u32 limit) const {
    HoleFinder finder(limit < kIds ? limit : kIds);
    u32 next_id = 0;
    for (u32 block = 0; block < kBlocks && block * kBlockIds < limit; ++block) {
        const IdDir* dir = root_[block].load_acquire();
        for (u32 i = dir->next_present(0); i < kBlockLeaves; i = dir->next_present(i + 1)) {
            const IdLeaf* leaf = dir->leaf(i);
            const u32 first = block * kBlockIds + i * kSlots;
            finder.free_run(next_id, first);
            finder.leaf(first, leaf != nullptr ? leaf->used.load_relaxed() : 0);
            next_id = first + kSlots;
        }
    }
    finder.free_run(next_id, limit);
    return finder.room();
}

}  // namespace ktwin
