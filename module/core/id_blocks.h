// SPDX-License-Identifier: GPL-2.0-only
//
// IdBlocks: ids in blocks of 512, of which each CPU owns one and takes from it without a lock.
//
//   directory: one pointer a block --> block: 8 used words, 512 slots
//
//   an owner's claim      a free                    a steal, a change of owner, attach and detach
//   ----------------      ----------------------    ------------------------------------------------
//   lock or  bit          slot = nullptr            under the lock: claims are lock or as well
//   slot = pointer        frees: odd                a block goes when no CPU owns it and no bit is set
//                         lock and ~bit
//                         frees: even
//                         last bit and no owner: lock, look again, detach
//
// The bits are the only truth, and everybody sees them: whoever finds no room in blocks of its own or of nobody steals
// from the others', one bit at a time. So it fails only when at one instant of the call no id was free (see reserve_slowly()).
//
// What makes each step safe, without a lock:
//  - Two claims of one bit: "lock or" tells one of them that the bit was set.
//  - A claim in a block that goes: a block goes only without an owner, and who owns it changes only on the CPU that
//    does, with preemption off, under the lock; thieves hold the lock.
//  - A claim of what is being freed: the slot is emptied before the bit is cleared (release), and filled after the claim
//    (acquire), so the new pointer is never the one that is overwritten.
//  - The last free against the owner's leaving: each writes (bit, owner) before it reads the other's, all sequentially
//    consistent, so at least one of them sees an empty block without an owner and detaches it, under the lock, once.
//  - Readers, and who frees last, look at a block only inside RCU or with preemption off; it is reused after a grace
//    period, which waits for both.
// selftests/model/id_blocks.pml is this protocol for spin.
//
// For large limits only (fits()): a CPU must not keep a noticeable part of the ids to itself. Numbers rise in each block
// and blocks are taken in turn, so that a number is not reused soon; they are in no order between CPUs.
#ifndef KTWIN_CORE_ID_BLOCKS_H
#define KTWIN_CORE_ID_BLOCKS_H

#include "base/expected.h"
#include "base/span.h"
#include "core/id_tree.h"

namespace ktwin {

inline constexpr u32 kIdBlockIds = 512;
inline constexpr u32 kIdBlockWords = kIdBlockIds / 64;

struct IdBlock : PoolNode {
    Atomic<u32> owner;  // CPU + 1; 0: nobody's
    Atomic<u64> used[kIdBlockWords];
    Atomic<void*> slots[kIdBlockIds];
};

class IdBlocks : Pinned {
  public:
    static constexpr u32 kNone = IdTree::kNone;

    // A CPU's own line.
    struct Cpu {
        IdBlock* block = nullptr;
        u32 first = 0;      // id of the block's first
        u32 next_slot = 0;  // where it looks next
        // Odd: a free is under way. Written by this CPU, read by who finds nothing.
        Atomic<u64> frees;
        u8 apart_[64 - 3 * sizeof(u64)] = {};
    };
    static_assert(sizeof(Cpu) == 64);

    static constexpr bool fits(u32 limit, u32 cpus) {
        return cpus != 0 && limit / (8 * kIdBlockIds) >= cpus && limit <= kIds;
    }
    static constexpr u32 blocks_for(u32 limit) { return (limit + kIdBlockIds - 1) / kIdBlockIds; }

    // directory: blocks_for(limit) entries, all empty.
    IdBlocks(Span<Atomic<IdBlock*>> directory, Span<Cpu> cpus) : directory_(directory), cpus_(cpus) {}

    // --- readers, inside RCU ---
    void* find(u32 id) const;
    IdTree::Found next(u32 id) const;
    // Used ids; what changes meanwhile may be counted or not.
    u32 count() const;

    // --- preemption off on the CPU given, no lock ---

    // kNone: none where the CPU looks first; reserve_further() and reserve_slowly() may have one. pointer: what the id is
    // published with at once; nullptr: it is only reserved.
    KT_INLINE u32 reserve(u32 cpu, u32 min, u32 max, void* pointer) {
        Cpu& own = cpus_[cpu];
        if (own.block == nullptr || own.next_slot >= kIdBlockIds) [[unlikely]] {
            return kNone;
        }
        // Relaxed: a look only, the claim decides.
        Atomic<u64>& word = own.block->used[own.next_slot / 64];
        const u64 open = ~word.load_relaxed() >> own.next_slot % 64;
        const u32 slot = own.next_slot + (open != 0 ? lowest_bit(open) : 0);
        const u32 id = own.first + slot;
        // Acquire: as in claim().
        if (open == 0 || id < min || id >= max ||
            (word.fetch_or_acquire(bit(slot % 64)) & bit(slot % 64)) != 0) [[unlikely]] {
            return kNone;
        }
        own.next_slot = slot + 1;
        // Release: as in publish().
        own.block->slots[slot].store_release(pointer);
        return id;
    }
    // The same in the rest of the CPU's own block. kNone: there is none.
    u32 reserve_further(u32 cpu, u32 min, u32 max, void* pointer);
    // The id is the caller's.
    void publish(u32 id, void* pointer) const;
    enum class Erased { kNotUsed, kDone, kMaybeEmpty };
    // kMaybeEmpty: call drop_if_empty().
    KT_INLINE Erased erase(u32 cpu, u32 id) {
        IdBlock* block = block_of_id(id);
        if (block == nullptr) [[unlikely]] {
            return Erased::kNotUsed;
        }
        Atomic<u64>& word = block->used[id % kIdBlockIds / 64];
        if ((word.load_relaxed() & bit(id % 64)) == 0) [[unlikely]] {
            return Erased::kNotUsed;
        }
        Atomic<u64>& frees = cpus_[cpu].frees;
        // Relaxed: the bit's own order puts it before the next claim. The counts are only written by this CPU; release,
        // and the locked operation between them, keep odd before the bit goes and even behind it, for who adds them up.
        block->slots[id % kIdBlockIds].store_relaxed(nullptr);
        const u64 before = frees.load_relaxed();
        frees.store_release(before + 1);
        word.and_seq_cst(~bit(id % 64));
        frees.store_release(before + 2);
        // Of several that clear the last bits the last one sees an empty word; another may too, and finds nothing to do.
        return word.load_seq_cst() == 0 && block->owner.load_seq_cst() == 0 ? Erased::kMaybeEmpty
                                                                            : Erased::kDone;
    }

    // --- preemption off on the CPU given, and the lock held ---

    // Where there is no memory for a block: say so at once, for who can get some, or first look whether those that are
    // there have a number.
    enum class Shortage { kTell, kGoOn };
    // From a block that is nobody's, which becomes the CPU's; else from anybody's. kNoSpace, kNoMemory.
    Expected<u32> reserve_slowly(u32 cpu, u32 min, u32 max, Shortage shortage, Pool& pool);
    Result reserve_at(u32 id, Pool& pool);
    void drop_if_empty(u32 id, Pool& pool);
    void clear(Pool& pool);

  private:
    struct Range {
        u32 start;  // slots of a block
        u32 end;
    };
    static Range range_in(u32 index, u32 min, u32 max);
    static u32 claim(IdBlock* block, Range range);

    IdBlock* block_of_id(u32 id) const {
        return id / kIdBlockIds < directory_.size() ? directory_[id / kIdBlockIds].load_acquire() : nullptr;
    }
    IdBlock* attach(u32 index, Pool& pool);
    void detach_empty(u32 index, Pool& pool);
    void leave(Cpu& cpu, Pool& pool);
    Expected<u32> adopt(u32 cpu, u32 min, u32 max, Shortage shortage, Pool& pool);
    u32 steal(u32 min, u32 max);
    u64 frees_settled() const;

    const Span<Atomic<IdBlock*>> directory_;
    const Span<Cpu> cpus_;
    u32 turn_ = 0;  // the block to be taken next
};

}  // namespace ktwin

#endif
