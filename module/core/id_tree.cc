// SPDX-License-Identifier: GPL-2.0-only
#include "core/id_tree.h"

#include "base/memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

// Full, so that nothing is taken from it; nothing is ever written to it.
constinit IdLeaf IdTree::nowhere{{}, Atomic<u64>(kAllOnes), {}};

IdTree::IdTree() {
    for (Atomic<IdDir*>& block : root_) {
        block.store_relaxed(&IdDir::none);
    }
}

KT_INLINE void IdTree::note_full(u32 id) {
    IdDir* dir = dir_at(id);
    dir->set_full(leaf_of(id));
    if (dir->no_room()) {
        full_blocks_ |= bit(block_of(id));
    }
}

[[gnu::noinline]] void IdTree::mark_full(u32 id) {
    note_full(id);
}

// One ctz a level: free slot in the leaf, leaf with room in the block, block with room in the tree. In cyclic order who
// takes a leaf's last id marks it, for the search comes by again much later. Who takes the lowest does not, for it is often
// freed again before anybody looks; then the search marks what it meets, and passes it once.
KT_INLINE IdTree::Spot IdTree::find_free(u32 start, u32 end) {
    u32 id = start;
    while (id < end) {
        IdDir* dir = dir_at(id);
        const u32 index = dir->next_with_room(leaf_of(id));
        if (index == kBlockLeaves) {
            const u32 block = block_of(id) + 1;
            const u64 blocks = block < kBlocks ? ~full_blocks_ & bits_from(block) : 0;
            if (blocks == 0) {
                break;
            }
            id = lowest_bit(blocks) * kBlockIds;
            continue;
        }
        if (index != leaf_of(id)) {
            id = block_of(id) * kBlockIds + index * kSlots;
        }
        IdLeaf* leaf = id % kBlockIds < dir->ids() ? dir->leaf(index) : nullptr;
        if (leaf == nullptr) {
            return {id < end ? id : kNone, nullptr};
        }
        const u64 used = leaf->used.load_relaxed();
        const u64 open = ~used >> slot_of(id);
        if (open != 0) {
            id += lowest_bit(open);
            return {id < end ? id : kNone, leaf};
        }
        if (used == kAllOnes) {
            note_full(id);
        }
        id = leaf_start(id) + kSlots;
    }
    return {kNone, nullptr};
}

// The leaf of id, which has one of its own or gets one now, takes the place of the one before.
KT_INLINE void IdTree::put_at_hand(IdLeaf* leaf, u32 id, NodePools& pools) {
    const Hand before = reserved_;
    if (before.leaf == leaf) {
        return;
    }
    reserved_ = {leaf, leaf_start(id)};
    // What was freed in it meanwhile.
    if (before.start < lowest_after_) {
        lowest_free_ = before.start < lowest_free_ ? before.start : lowest_free_;
        lowest_after_ = lowest_free_;
    }
    if (before.leaf->used.load_relaxed() == 0) {
        drop_leaf(before.start, pools);
    }
}

// order: kCyclic, the next one will be near it. kLowest: anywhere, so what is at hand stays so, unless the leaf is new and
// would have to go with its only id.
KT_INLINE Expected<u32> IdTree::reserve_from(u32 start, u32 end, NodePools& pools, void* pointer,
                                             Order order) {
    Spot spot = find_free(start, end < kIds ? end : kIds);
    if (spot.id == kNone) {
        return Errno::kNoSpace;
    }
    const bool is_new = spot.leaf == nullptr;
    if (is_new) {
        spot.leaf = make_leaf(spot.id, pools);
        if (spot.leaf == nullptr) {
            return Errno::kNoMemory;
        }
    }
    if (is_new || order == Order::kCyclic) {
        put_at_hand(spot.leaf, spot.id, pools);
    } else {
        freed_ = {spot.leaf, leaf_start(spot.id)};
    }
    if (take(spot.leaf, spot.id, spot.leaf->used.load_relaxed(), pointer) && order == Order::kCyclic) {
        note_full(spot.id);
    }
    return spot.id;
}

KT_INLINE Expected<u32> IdTree::reserve_cyclic_from(u32 start, u32 max, NodePools& pools, void* pointer) {
    const Expected<u32> id = reserve_from(start, max, pools, pointer, Order::kCyclic);
    if (id) {
        cursor_ = id.value() + 1;
    }
    return id;
}

[[gnu::noinline]] Expected<u32> IdTree::reserve_cyclic_anew(u32 min, u32 max, NodePools& pools,
                                                            void* pointer) {
    return reserve_cyclic_from(min, max, pools, pointer);
}

// The search from the cursor on is all there is to it but once a turn.
[[gnu::noinline]] Expected<u32> IdTree::reserve_cyclic_elsewhere(u32 min, u32 max, NodePools& pools,
                                                                 void* pointer) {
    const u32 start = cursor_ > min ? cursor_ : min;
    const Expected<u32> id = reserve_cyclic_from(start, max, pools, pointer);
    const bool turns = !id && id.error() == Errno::kNoSpace && start > min;
    return turns ? reserve_cyclic_anew(min, max, pools, pointer) : id;
}

// It was the lowest free one from min on.
KT_INLINE void IdTree::note_lowest_taken(u32 min, u32 id) {
    if (min != lowest_from_ || id > lowest_free_) {
        lowest_from_ = min;
        lowest_free_ = lowest_after_ = id + 1;
    } else if (id == lowest_free_) {
        lowest_free_ = lowest_after_ = lowest_after_ > id ? lowest_after_ : id + 1;
    }
}

// The lowest is in the leaf of reserved_, where nobody notes what is freed, or it is not below lowest_free_.
Expected<u32> IdTree::reserve_lowest(u32 min, u32 max, NodePools& pools, void* pointer) {
    const u32 start = min == lowest_from_ && lowest_free_ > min ? lowest_free_ : min;
    u32 id = kNone;
    if (reserved_.start <= start) {
        id =
            take_from(reserved_, reserved_.start > min ? reserved_.start : min, max, pointer, Order::kLowest);
    }
    if (id == kNone) {
        id = take_from(freed_, start, max, pointer, Order::kLowest);
    }
    if (id == kNone) {
        const Expected<u32> found = reserve_from(start, max, pools, pointer, Order::kLowest);
        if (!found) {
            return found;
        }
        id = found.value();
    }
    note_lowest_taken(min, id);
    return id;
}

Expected<u32> IdTree::reserve_any(u32 min, u32 max, NodePools& pools, void* pointer) {
    u32 id = take_from(freed_, freed_.start > min ? freed_.start : min, max, pointer, Order::kLowest);
    if (id == kNone) {
        id =
            take_from(reserved_, reserved_.start > min ? reserved_.start : min, max, pointer, Order::kLowest);
    }
    return id != kNone ? Expected<u32>(id) : reserve_lowest(min, max, pools, pointer);
}

Result IdTree::reserve_at(u32 id, NodePools& pools, void* pointer) {
    if (id >= kIds) {
        return Errno::kRange;
    }
    IdLeaf* leaf = leaf_at(id);
    if (leaf == nullptr) {
        leaf = make_leaf(id, pools);
    }
    if (leaf == nullptr) {
        return Errno::kNoMemory;
    }
    const u64 used = leaf->used.load_relaxed();
    if ((used & bit(slot_of(id))) != 0) {
        return Errno::kExists;
    }
    put_at_hand(leaf, id, pools);
    take(leaf, id, used, pointer);
    return {};
}

Result IdTree::reserve_word(u32 first, u64 bits, NodePools& pools) {
    IdLeaf* leaf = leaf_at(first);
    if (leaf == nullptr) {
        leaf = make_leaf(first, pools);
    }
    if (leaf == nullptr) {
        return Errno::kNoMemory;
    }
    // All but the lowest as a word; that one as any other, with what is noted of a leaf that is taken from.
    const u64 others = bits & (bits - 1);
    leaf->used.store_relaxed(others);
    count_.add_exclusive(count_bits(others));
    return reserve_at(first + lowest_bit(bits), pools);
}

void IdTree::publish(u32 id, void* pointer) {
    // Acquire: without the lock, the directory may have been put there this moment.
    const IdDir* dir = root_[block_of(id)].load_acquire();
    dir->leaf(leaf_of(id))->slot(id).store_release(pointer);
}

void* IdTree::replace(u32 id, void* pointer) {
    void* old = find(id);
    publish(id, pointer);
    return old;
}

// Outside of the leaf of reserved_.
KT_INLINE void IdTree::note_free(u32 id) {
    if (id < lowest_free_) {
        lowest_after_ = lowest_free_;
        lowest_free_ = id;
    } else if (id != lowest_free_ && id < lowest_after_) {
        lowest_after_ = id;
    }
}

// Its leaf is full until now. False: it is the leaf of nowhere that looks full.
KT_INLINE bool IdTree::note_room(u32 id) {
    if (id >= kIds) {
        return false;
    }
    dir_at(id)->clear_full(leaf_of(id));
    full_blocks_ &= ~bit(block_of(id));
    return true;
}

[[gnu::noinline]] bool IdTree::remove_from_full(IdLeaf* leaf, u32 id) {
    if (!note_room(id)) {
        return false;
    }
    clear(leaf, id, kAllOnes);
    return true;
}

[[gnu::noinline]] bool IdTree::remove_elsewhere(u32 id, NodePools& pools) {
    if (id - freed_.start >= kSlots) {
        IdLeaf* leaf = leaf_at(id);
        if (leaf == nullptr) {
            return false;
        }
        freed_ = {leaf, leaf_start(id)};
    }
    const u64 used = freed_.leaf->used.load_relaxed();
    if ((used & bit(slot_of(id))) == 0 || (used == kAllOnes && !note_room(id))) {
        return false;
    }
    clear(freed_.leaf, id, used);
    note_free(id);
    if (freed_.leaf->used.load_relaxed() == 0) {
        drop_leaf(freed_.start, pools);
    }
    return true;
}

bool IdTree::is_used(u32 id) const {
    const IdLeaf* leaf = leaf_at(id);
    return leaf != nullptr && (leaf->used.load_relaxed() & bit(slot_of(id))) != 0;
}

// It is empty, and not at hand for the next id.
void IdTree::drop_leaf(u32 start, NodePools& pools) {
    IdDir* dir = dir_at(start);
    IdLeaf* leaf = dir->leaf(leaf_of(start));
    dir->detach(leaf_of(start));
    if (freed_.leaf == leaf) {
        freed_ = {&nowhere, kNowhere};
    }
    pools.leaves.retire(leaf);
    if (dir->attached() == 0) {
        drop_dir(block_of(start), dir, pools);
    }
}

void IdTree::drop_dir(u32 block, IdDir* dir, NodePools& pools) {
    root_[block].store_relaxed(&IdDir::none);
    full_blocks_ &= ~bit(block);
    Pool& pool = dir->ids() == kBlockIds ? pools.full_dirs : pools.small_dirs;
    pool.retire(dir);
}

// Puts a leaf where there is none.
IdLeaf* IdTree::make_leaf(u32 id, NodePools& pools) {
    IdDir* dir = dir_for(id, pools);
    if (dir == nullptr) {
        return nullptr;
    }
    auto* leaf = static_cast<IdLeaf*>(pools.leaves.get());
    if (leaf != nullptr) {
        dir->attach(leaf_of(id), leaf);
    } else if (dir->attached() == 0) {
        drop_dir(block_of(id), dir, pools);
    }
    return leaf;
}

// The directory of the block that id is in, of a size that has a place for its leaf. nullptr: no memory.
IdDir* IdTree::dir_for(u32 id, NodePools& pools) {
    const u32 block = block_of(id);
    IdDir* dir = root_[block].load_relaxed();
    if (id % kBlockIds < dir->ids()) {
        return dir;
    }
    if (dir != &IdDir::none) {
        return grow(block, dir, pools);
    }
    const bool is_small = id % kBlockIds < IdDir::kSmallIds;
    Pool& pool = is_small ? pools.small_dirs : pools.full_dirs;
    dir = IdDir::begin(pool.get(), is_small ? IdDir::kSmallIds : kBlockIds);
    if (dir != nullptr) {
        // Release: who finds the directory finds its size.
        root_[block].store_release(dir);
    }
    return dir;
}

// Replaces the small directory by a full one. Readers that stand on the small one still find all leaves it had.
IdDir* IdTree::grow(u32 block, IdDir* small, NodePools& pools) {
    IdDir* full = IdDir::begin(pools.full_dirs.get(), kBlockIds);
    if (full == nullptr) {
        return nullptr;
    }
    full->take_over(*small);
    root_[block].store_release(full);
    pools.small_dirs.retire(small);
    return full;
}

void IdTree::clear(NodePools& pools) {
    for (u32 block = 0; block < kBlocks; ++block) {
        IdDir* dir = root_[block].load_relaxed();
        if (dir == &IdDir::none) {
            continue;
        }
        for (u32 i = dir->next_present(0); i < kBlockLeaves; i = dir->next_present(i + 1)) {
            pools.leaves.retire(dir->leaf(i));
        }
        drop_dir(block, dir, pools);
    }
    count_.store_relaxed(0);
    reserved_ = freed_ = {&nowhere, kNowhere};
    lowest_free_ = lowest_after_ = lowest_from_;
    full_blocks_ = 0;
}

}  // namespace ktwin
