// SPDX-License-Identifier: GPL-2.0-only
#include "core/id_tree.h"

#include "base/memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u32 leaf_start(u32 id) {
    return id - slot_of(id);
}

}  // namespace

// The first free id >= start in the leaf at hand, without a walk; kNone: there is none, or start is not in it.
KT_INLINE u32 IdTree::reserve_near(u32 start, u32 end) {
    if (near_ == nullptr || start - near_start_ >= kSlots) {
        return kNone;
    }
    const u64 open = ~near_->used.load_relaxed() & bits_from(start - near_start_);
    if (open == 0) {
        return kNone;
    }
    const u32 id = near_start_ + lowest_bit(open);
    if (id >= end) {
        return kNone;
    }
    take(id, near_);
    return id;
}

Expected<u32> IdTree::reserve_lowest(u32 min, u32 max, NodePools& pools) {
    const u32 at_hand = reserve_near(min, max);
    if (at_hand != kNone) {
        return at_hand;
    }
    const u32 id = next_free(min, max < kIds ? max : kIds);
    if (id == kNone) {
        return Errno::kNoSpace;
    }
    IdLeaf* leaf = leaf_for(id, pools);
    if (leaf == nullptr) {
        return Errno::kNoMemory;
    }
    take(id, leaf);
    near_ = leaf;
    near_start_ = leaf_start(id);
    return id;
}

Expected<u32> IdTree::reserve_cyclic(u32 min, u32 max, NodePools& pools) {
    const u32 start = cursor_ > min ? cursor_ : min;
    Expected<u32> id = reserve_lowest(start, max, pools);
    if (!id && id.error() == Errno::kNoSpace && start > min) {
        id = reserve_lowest(min, max, pools);
    }
    if (id) {
        cursor_ = id.value() + 1;
    }
    return id;
}

Result IdTree::reserve_at(u32 id, NodePools& pools) {
    if (id >= kIds) {
        return Errno::kRange;
    }
    if (is_used(id)) {
        return Errno::kExists;
    }
    IdLeaf* leaf = leaf_for(id, pools);
    if (leaf == nullptr) {
        return Errno::kNoMemory;
    }
    take(id, leaf);
    return {};
}

void IdTree::publish(u32 id, void* pointer) {
    // Acquire: the caller may be without the lock, and another may have put a larger directory there.
    const DirRef dir(root_[block_of(id)].load_acquire());
    dir.leaf(leaf_of(id))->slots[slot_of(id)].store_release(pointer);
}

Result IdTree::insert(u32 id, void* pointer, NodePools& pools) {
    Result reserved = reserve_at(id, pools);
    if (reserved) {
        publish(id, pointer);
    }
    return reserved;
}

void* IdTree::replace(u32 id, void* pointer) {
    void* old = find(id);
    publish(id, pointer);
    return old;
}

void* IdTree::erase(u32 id, NodePools& pools) {
    IdLeaf* leaf = leaf_at(id);
    const u64 used = leaf != nullptr ? leaf->used.load_relaxed() : 0;
    if ((used & bit(slot_of(id))) == 0) {
        return nullptr;
    }
    Atomic<void*>& slot = leaf->slots[slot_of(id)];
    void* old = slot.load_relaxed();
    slot.store_release(nullptr);
    leaf->used.store_relaxed(used & ~bit(slot_of(id)));
    if (used == kAllOnes) {
        const DirRef dir(root_[block_of(id)].load_relaxed());
        dir.set_full(leaf_of(id), false);
        full_blocks_ &= ~bit(block_of(id));
    }
    count_.sub_exclusive(1);
    if (used == bit(slot_of(id))) {
        linger(leaf_start(id), pools);
    }
    return old;
}

// nullptr: no id of that leaf is used, or id is none.
IdLeaf* IdTree::leaf_at(u32 id) const {
    if (near_ != nullptr && id - near_start_ < kSlots) {
        return near_;
    }
    const DirRef dir(id < kIds ? root_[block_of(id)].load_relaxed() : 0);
    return dir ? dir.leaf(leaf_of(id)) : nullptr;
}

bool IdTree::is_used(u32 id) const {
    const IdLeaf* leaf = leaf_at(id);
    return leaf != nullptr && (leaf->used.load_relaxed() & bit(slot_of(id))) != 0;
}

// The leaf from start on is empty: it stays until the next one is.
void IdTree::linger(u32 start, NodePools& pools) {
    if (lingering_ != kNone && lingering_ != start) {
        drop_leaf(lingering_, pools);
    }
    lingering_ = start;
}

void IdTree::drop_leaf(u32 id, NodePools& pools) {
    const DirRef dir(root_[block_of(id)].load_relaxed());
    IdLeaf* leaf = dir.leaf(leaf_of(id));
    dir.detach(leaf_of(id));
    near_ = near_ != leaf ? near_ : nullptr;
    pools.leaves.retire(leaf);
    if (dir.attached() == 0) {
        drop_dir(block_of(id), dir, pools);
    }
}

void IdTree::drop_dir(u32 block, DirRef dir, NodePools& pools) {
    root_[block].store_relaxed(0);
    full_blocks_ &= ~bit(block);
    if (dir.is_full_size()) {
        pools.full_dirs.retire(dir.full());
    } else {
        pools.small_dirs.retire(dir.small());
    }
}

void IdTree::take(u32 id, IdLeaf* leaf) {
    const u64 used = leaf->used.load_relaxed() | bit(slot_of(id));
    leaf->used.store_relaxed(used);
    count_.add_exclusive(1);
    if (lingering_ == leaf_start(id)) {
        lingering_ = kNone;
    }
    if (used == kAllOnes) {
        const DirRef dir(root_[block_of(id)].load_relaxed());
        dir.set_full(leaf_of(id), true);
        if (dir.no_room()) {
            full_blocks_ |= bit(block_of(id));
        }
    }
}

IdLeaf* IdTree::leaf_for(u32 id, NodePools& pools) {
    const DirRef dir = dir_for(id, pools);
    if (!dir) {
        return nullptr;
    }
    IdLeaf* leaf = dir.leaf(leaf_of(id));
    if (leaf != nullptr) {
        return leaf;
    }
    leaf = static_cast<IdLeaf*>(pools.leaves.get());
    if (leaf != nullptr) {
        dir.attach(leaf_of(id), leaf);
    } else if (dir.attached() == 0) {
        drop_dir(block_of(id), dir, pools);
    }
    return leaf;
}

// The directory of the block that id is in, of a size that has a place for its leaf.
DirRef IdTree::dir_for(u32 id, NodePools& pools) {
    const u32 block = block_of(id);
    const DirRef dir(root_[block].load_relaxed());
    if (dir) {
        return dir.covers(leaf_of(id)) ? dir : grow(block, dir, pools);
    }
    DirRef made;
    if (leaf_of(id) < DirRef::kSmallLeaves) {
        made = DirRef(static_cast<SmallDir*>(pools.small_dirs.get()));
    } else if (auto* full = static_cast<FullDir*>(pools.full_dirs.get())) {
        made = DirRef(full);
    }
    root_[block].store_release(made.raw());
    return made;
}

// Replaces the small directory by a full one. Readers that stand on the small one still find all leaves it had.
DirRef IdTree::grow(u32 block, DirRef old, NodePools& pools) {
    auto* full = static_cast<FullDir*>(pools.full_dirs.get());
    if (full == nullptr) {
        return DirRef();
    }
    const SmallDir* small = old.small();
    for (u32 i = 0; i < DirRef::kSmallLeaves; ++i) {
        full->leaves[i].store_relaxed(small->leaves[i].load_relaxed());
    }
    full->present[0].store_relaxed(small->present[0].load_relaxed());
    full->full[0] = small->full[0];
    full->attached = small->attached;
    const DirRef grown(full);
    root_[block].store_release(grown.raw());
    pools.small_dirs.retire(old.small());
    return grown;
}

void IdTree::clear(NodePools& pools) {
    for (u32 block = 0; block < kBlocks; ++block) {
        const DirRef dir(root_[block].load_relaxed());
        if (!dir) {
            continue;
        }
        for (u32 i = dir.next_present(0); i < kBlockLeaves; i = dir.next_present(i + 1)) {
            pools.leaves.retire(dir.leaf(i));
        }
        drop_dir(block, dir, pools);
    }
    count_.store_relaxed(0);
    lingering_ = kNone;
    near_ = nullptr;
    full_blocks_ = 0;
}

}  // namespace ktwin
