// SPDX-License-Identifier: GPL-2.0-only
//
// IdTree maps ids 0 to 4,194,303 to pointers: what lib/idr.c is to the kernel's PID namespaces, built for pids.
//
//   tree: 64 block pointers --> directory: 16 or 1024 leaf pointers --> leaf: used word, 64 slots
//
// Readers (find, next, walks) take no lock; they run inside an RCU section. find() is three dependent loads.
//   A reader sees every id that was published before it began and is still there when it ends; it may or may
//   not see what comes and goes meanwhile. It never sees an id that was reserved but not published, nor one
//   id's pointer at another: nodes are reused only after a grace period.
// The writer is the owner of the tree, who holds the owner's lock (the same that guards the pools). Two leaves it has
// at hand, without a walk: the one of the last id that was reserved, for the next of a cyclic order is mostly in it, and
// the one of the last id that was freed elsewhere. The first stays in place while it is at hand, even when it is empty:
// a fork that exits at once, over and over, takes no node from the pool and retires none but every 64th time. Every
// other leaf goes with its last id.
//
//   what a reader loads     order     what it may count on
//   -------------------     -------   ------------------------------------------------------------------
//   root_[block]            acquire   the directory's size and what it took over from a smaller one
//   leaf pointer            acquire   a leaf that was zero when it was put there
//   slot                    acquire   what was written to the object before it was published
//   used, present           relaxed   nothing: they tell where to look, the slot decides. A published id's bits were
//                                     set before its slot was (release), so who saw the slot would have seen them; who
//                                     began later than the publication, ordered by whatever told him of it, does too.
//   (a slot that was emptied, a leaf or a directory that was taken away: relaxed; an old value is what the reader
//    would have seen a moment before, and it stays readable until the grace period ends)
//
// Allocation gives the same numbers and the same errors as lib/idr.c does for the same calls.
#ifndef KTWIN_CORE_ID_TREE_H
#define KTWIN_CORE_ID_TREE_H

#include "base/expected.h"
#include "core/id_dir.h"
#include "core/node_pools.h"

namespace ktwin {

class IdTree : Pinned {
  public:
    static constexpr u32 kNone = ~u32{0};

    struct Found {
        u32 id = kNone;
        void* pointer = nullptr;
    };

    struct Room {
        u32 vacant = 0;      // ids from 1 to limit - 1 that are free
        u32 hole_start = 0;  // first id of the largest run of free ids among them, 0: none
        u32 hole_length = 0;
    };

    IdTree();

    // --- readers, inside RCU ---

    void* find(u32 id) const {
        const IdLeaf* leaf = leaf_of_reader(id);
        return leaf != nullptr ? leaf->slot(id).load_acquire() : nullptr;
    }
    // The lowest published id >= id; .id kNone: none.
    Found next(u32 id) const {
        const IdLeaf* leaf = leaf_of_reader(id);
        const u64 used = leaf != nullptr ? leaf->used.load_relaxed() & bits_from(slot_of(id)) : 0;
        if (used != 0) [[likely]] {
            const u32 slot = lowest_bit(used);
            if (void* pointer = leaf->slots[slot].load_acquire()) {
                return {leaf_start(id) + slot, pointer};
            }
        }
        return next_elsewhere(id);
    }
    // A walk over the whole tree; what changes meanwhile may be counted or not.
    Room room(u32 limit) const;

    // --- the owner, lock held; [any] ---
    // pointer: what the id is published with at once; nullptr: it is only reserved.

    // As idr_alloc_cyclic(min, max): the first free id from the cursor on, else from min on; below max. The
    // cursor moves behind it. kNoSpace, kNoMemory; the cursor stays then.
    Expected<u32> reserve_cyclic(u32 min, u32 max, NodePools& pools, void* pointer = nullptr) {
        const u32 start = cursor_ > min ? cursor_ : min;
        const u32 id = take_from(reserved_, start, max, pointer, Order::kCyclic);
        if (id == kNone) [[unlikely]] {
            return reserve_cyclic_elsewhere(min, max, pools, pointer);
        }
        cursor_ = id + 1;
        return id;
    }
    // As idr_alloc(min, max): the lowest free id. The cursor stays.
    Expected<u32> reserve_lowest(u32 min, u32 max, NodePools& pools, void* pointer = nullptr);
    // Some free id, the one that costs least: of the leaf that was freed in last, else of the one that was reserved in
    // last, else the lowest. The cursor stays. kNoSpace: there is none.
    Expected<u32> reserve_any(u32 min, u32 max, NodePools& pools, void* pointer = nullptr);
    // As idr_alloc(id, id + 1), with the error that kernel/pid.c makes of ENOSPC: kExists. kRange: not an id.
    Result reserve_at(u32 id, NodePools& pools, void* pointer = nullptr);
    // Reserves those of the 64 ids from first on whose bit is set; none of the 64 is used yet. kNoMemory.
    Result reserve_word(u32 first, u64 bits, NodePools& pools);
    // Fills a reserved id. Release: whoever finds the pointer finds what was written to the object before. The caller
    // may be without the lock, inside RCU: the id is his, so its leaf stays; another may put a larger directory above
    // it, which has the same leaf, and the old one may be read until the RCU section ends.
    void publish(u32 id, void* pointer);
    // The same for who holds the lock: without a walk when it is the id that was reserved last, or near it.
    void publish_locked(u32 id, void* pointer) {
        if (id - reserved_.start < kSlots) {
            reserved_.leaf->slot(id).store_release(pointer);
        } else {
            publish(id, pointer);
        }
    }
    Result insert(u32 id, void* pointer, NodePools& pools) { return reserve_at(id, pools, pointer); }
    // Puts another pointer at a used id and returns the old one.
    void* replace(u32 id, void* pointer);
    // Frees an id, published or only reserved; returns what was there.
    void* erase(u32 id, NodePools& pools) {
        void* old = find(id);
        remove(id, pools);
        return old;
    }
    // The same; false: it was not used.
    bool remove(u32 id, NodePools& pools) {
        if (id - reserved_.start < kSlots) [[likely]] {
            // It may become empty: it stays as long as it is at hand.
            return remove_in(reserved_.leaf, id);
        }
        return remove_elsewhere(id, pools);
    }
    bool is_used(u32 id) const;

    u32 cursor() const { return cursor_; }
    void set_cursor(u32 cursor) { cursor_ = cursor; }
    // Used ids, published or reserved. Readers may look too.
    u32 count() const { return count_.load_relaxed(); }
    // Gives all nodes to the pools. The tree is empty but may be in use by readers.
    void clear(NodePools& pools);

  private:
    struct Hand {
        IdLeaf* leaf;
        u32 start;
    };
    // No id lies within 64 of it that could be reserved, and the leaf with it looks full, so nothing is taken from it;
    // remove() of a number that is no id at all comes by it and is sent away there (remove_from_full()).
    static constexpr u32 kNowhere = ~u32{63};
    static IdLeaf nowhere;

    enum class Order : u8 { kCyclic, kLowest };

    struct Spot {
        u32 id;        // kNone: there is none
        IdLeaf* leaf;  // nullptr: it is to be made
    };

    KT_INLINE const IdLeaf* leaf_of_reader(u32 id) const {
        // Most numbers are below 65,536: the first directory, and no other.
        const IdDir* dir = root_[0].load_acquire();
        u32 at = id;
        if (at >= dir->ids()) [[unlikely]] {
            if (id >= kIds) {
                return nullptr;
            }
            dir = root_[block_of(id)].load_acquire();
            at = id % kBlockIds;
            if (at >= dir->ids()) {
                return nullptr;
            }
        }
        return dir->leaf(at / kSlots);
    }
    // The lowest free id from start on that is in the leaf at hand: there is no lower one from start on. kNone: none is,
    // or start is not in it.
    KT_INLINE u32 take_from(const Hand& hand, u32 start, u32 end, void* pointer, Order order) {
        const u32 slot = start - hand.start;
        if (slot >= kSlots) {
            return kNone;
        }
        const u64 used = hand.leaf->used.load_relaxed();
        const u64 open = ~used >> slot;
        if (open == 0) {
            return kNone;
        }
        const u32 id = start + lowest_bit(open);
        if (id >= end) {
            return kNone;
        }
        if (take(hand.leaf, id, used, pointer) && order == Order::kCyclic) [[unlikely]] {
            mark_full(id);
        }
        return id;
    }
    // Whether the leaf is full now.
    KT_INLINE bool take(IdLeaf* leaf, u32 id, u64 used, void* pointer) {
        // The bit first, for readers that look for the next id: release orders it before the slot.
        used |= bit(slot_of(id));
        leaf->used.store_relaxed(used);
        leaf->slot(id).store_release(pointer);
        count_.add_exclusive(1);
        return used == kAllOnes;
    }
    KT_INLINE bool remove_in(IdLeaf* leaf, u32 id) {
        const u64 used = leaf->used.load_relaxed();
        if ((used >> slot_of(id) & 1) == 0) [[unlikely]] {
            return false;
        }
        if (used == kAllOnes) [[unlikely]] {
            return remove_from_full(leaf, id);
        }
        clear(leaf, id, used);
        return true;
    }
    KT_INLINE void clear(IdLeaf* leaf, u32 id, u64 used) {
        // Relaxed: nothing that was written before matters to who finds nothing.
        leaf->slot(id).store_relaxed(nullptr);
        leaf->used.store_relaxed(used & ~bit(slot_of(id)));
        count_.sub_exclusive(1);
    }

    IdDir* dir_at(u32 id) const { return root_[block_of(id)].load_relaxed(); }
    // nullptr: no id of that leaf is used, or id is none.
    KT_INLINE IdLeaf* leaf_at(u32 id) const {
        if (id >= kIds) {
            return nullptr;
        }
        const IdDir* dir = dir_at(id);
        return id % kBlockIds < dir->ids() ? dir->leaf(leaf_of(id)) : nullptr;
    }
    Found next_elsewhere(u32 id) const;
    inline void note_full(u32 id);
    void mark_full(u32 id);
    // The inline ones are id_tree.cc's own: each call would cost as much as what it does.
    inline Spot find_free(u32 start, u32 end);
    inline Expected<u32> reserve_from(u32 start, u32 end, NodePools& pools, void* pointer, Order order);
    inline Expected<u32> reserve_cyclic_from(u32 start, u32 max, NodePools& pools, void* pointer);
    Expected<u32> reserve_cyclic_anew(u32 min, u32 max, NodePools& pools, void* pointer);
    Expected<u32> reserve_cyclic_elsewhere(u32 min, u32 max, NodePools& pools, void* pointer);
    bool remove_elsewhere(u32 id, NodePools& pools);
    inline void note_free(u32 id);
    inline void note_lowest_taken(u32 min, u32 id);
    inline bool note_room(u32 id);
    inline void put_at_hand(IdLeaf* leaf, u32 id, NodePools& pools);
    bool remove_from_full(IdLeaf* leaf, u32 id);
    IdLeaf* make_leaf(u32 id, NodePools& pools);
    IdDir* dir_for(u32 id, NodePools& pools);
    IdDir* grow(u32 block, IdDir* small, NodePools& pools);
    void drop_dir(u32 block, IdDir* dir, NodePools& pools);
    void drop_leaf(u32 id, NodePools& pools);

    // The readers' part.
    Atomic<IdDir*> root_[kBlocks];
    // The writer's part, a cache line or more away, so that allocating does not take the line from the readers.
    u8 apart_[64] = {};
    Hand reserved_ = {&nowhere, kNowhere};  // of the last id that was reserved
    u32 cursor_ = 0;
    Atomic<u32> count_;
    // Of the last id that was freed in another leaf than that, or was the lowest. Forgotten when it goes; a directory that grows keeps
    // its leaves.
    Hand freed_ = {&nowhere, kNowhere};
    // No id in [lowest_from_, lowest_free_), and none in (lowest_free_, lowest_after_), is free but in the leaf of
    // reserved_, where nobody keeps this up to date.
    u32 lowest_from_ = 0;
    u32 lowest_free_ = 0;
    u32 lowest_after_ = 0;
    u64 full_blocks_ = 0;  // bit: all leaves of the block are marked full
};

}  // namespace ktwin

#endif
