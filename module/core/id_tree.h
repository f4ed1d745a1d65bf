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
// The writer is the owner of the tree, who holds the owner's lock (the same that guards the pools).
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

    // --- readers, inside RCU ---

    void* find(u32 id) const {
        if (id >= kIds) {
            return nullptr;
        }
        const DirRef dir(root_[block_of(id)].load_acquire());
        if (!dir) {
            return nullptr;
        }
        const IdLeaf* leaf = dir.leaf(leaf_of(id));
        return leaf != nullptr ? leaf->slots[slot_of(id)].load_acquire() : nullptr;
    }
    // The lowest published id >= id; .id kNone: none.
    Found next(u32 id) const;
    // A walk over the whole tree; what changes meanwhile may be counted or not.
    Room room(u32 limit) const;

    // --- the owner, lock held; [any] ---

    // As idr_alloc_cyclic(min, max): the first free id from the cursor on, else from min on; below max. The
    // cursor moves behind it. kNoSpace, kNoMemory; the cursor stays then.
    Expected<u32> reserve_cyclic(u32 min, u32 max, NodePools& pools);
    // As idr_alloc(min, max): the lowest free id. The cursor stays.
    Expected<u32> reserve_lowest(u32 min, u32 max, NodePools& pools);
    // As idr_alloc(id, id + 1), with the error that kernel/pid.c makes of ENOSPC: kExists. kRange: not an id.
    Result reserve_at(u32 id, NodePools& pools);
    // Fills a reserved id. Release: whoever finds the pointer finds what was written to the object before.
    void publish(u32 id, void* pointer);
    Result insert(u32 id, void* pointer, NodePools& pools);
    // Puts another pointer at a used id and returns the old one.
    void* replace(u32 id, void* pointer);
    // Frees an id, published or only reserved; returns what was there.
    void* erase(u32 id, NodePools& pools);
    bool is_used(u32 id) const;

    u32 cursor() const { return cursor_; }
    void set_cursor(u32 cursor) { cursor_ = cursor; }
    // Used ids, published or reserved. Readers may look too.
    u32 count() const { return count_.load_relaxed(); }
    // Gives all nodes to the pools. The tree is empty but may be in use by readers.
    void clear(NodePools& pools);

  private:
    u32 next_free(u32 start, u32 end) const;
    u32 reserve_near(u32 start, u32 end);
    IdLeaf* leaf_at(u32 id) const;
    IdLeaf* leaf_for(u32 id, NodePools& pools);
    DirRef dir_for(u32 id, NodePools& pools);
    DirRef grow(u32 block, DirRef small, NodePools& pools);
    void drop_dir(u32 block, DirRef dir, NodePools& pools);
    void drop_leaf(u32 id, NodePools& pools);
    void linger(u32 id, NodePools& pools);
    void take(u32 id, IdLeaf* leaf);

    // The readers' part.
    Atomic<usize> root_[kBlocks];
    // The writer's part, a cache line or more away, so that allocating does not take the line from the readers.
    u8 apart_[64] = {};
    u32 cursor_ = 0;
    // First id of the one leaf that is empty and still in place, kNone: there is none. A fork that exits at
    // once, over and over, so takes no node from the pool and retires none but every 64th time.
    u32 lingering_ = kNone;
    Atomic<u32> count_;
    u64 full_blocks_ = 0;
    // The leaf that the last id came from, and its first id: most of what comes next is about the same one.
    IdLeaf* near_ = nullptr;
    u32 near_start_ = 0;
};

}  // namespace ktwin

#endif
