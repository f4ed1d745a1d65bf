// SPDX-License-Identifier: GPL-2.0-only
//
// The directory of one block (65,536 ids): 1024 leaf pointers, or only the first 16 as long as no more is
// needed, which is what most PID namespaces ever use.
//
//   IdDir | leaf pointers, one for 64 ids | present, a bit each | Tally | full, a bit each
//         '-- readers ---------------------------------------'  '-- the writer ---------'
//
// Where a part begins follows from the number of ids, which stands in the directory itself and never changes: a
// reader compares once and needs to know nothing else of the size; where the writer's begins stands beside it. A block that
// has no directory has IdDir::none, which is for no id at all, so that there is always one to compare with.
#ifndef KTWIN_CORE_ID_DIR_H
#define KTWIN_CORE_ID_DIR_H

#include "core/id_leaf.h"

namespace ktwin {

class IdDir : public PoolNode {
  public:
    static constexpr u32 kSmallIds = 16 * kSlots;

    // Of one for so many ids, with all of its parts.
    static constexpr u32 bytes(u32 ids) {
        return static_cast<u32>(sizeof(IdDir) + leaves_in(ids) * sizeof(void*) +
                                u64{2} * words_in(ids) * sizeof(u64) + sizeof(Tally));
    }
    // From a pool: zero but for the link.
    static IdDir* begin(PoolNode* node, u32 ids) {
        auto* dir = static_cast<IdDir*>(node);
        if (dir != nullptr) {
            dir->ids_ = ids;
            dir->full_at_ = bytes(ids) - words_in(ids) * u32{sizeof(u64)};
        }
        return dir;
    }
    static IdDir none;

    // It is for the ids of its block below this.
    u32 ids() const { return ids_; }
    // Readers and the writer. nullptr: no such leaf; index is below ids() / kSlots.
    IdLeaf* leaf(u32 index) const { return leaves()[index].load_acquire(); }
    // Readers and the writer: lowest leaf >= index that is there, or kBlockLeaves.
    u32 next_present(u32 index) const;

    // --- the writer ---

    u32 attached() const { return tally().attached; }
    void attach(u32 index, IdLeaf* leaf);
    void detach(u32 index);
    // A leaf that is marked has no free slot; one that has none need not be marked.
    KT_INLINE void set_full(u32 index) {
        u64& word = full()[index / 64];
        word |= bit(index % 64);
        if (word == kAllOnes) {
            tally().full_words |= u32{1} << (index / 64);
        }
    }
    KT_INLINE void clear_full(u32 index) {
        u64& word = full()[index / 64];
        if (word == kAllOnes) {
            tally().full_words &= ~(u32{1} << (index / 64));
        }
        word &= ~bit(index % 64);
    }
    // Lowest leaf >= index that is not marked (one that is not there has 64 free slots), or kBlockLeaves.
    u32 next_with_room(u32 index) const {
        if (index >= leaves_in(ids_)) {
            return index;
        }
        const u64 here = ~full()[index / 64] >> index % 64;
        return here != 0 ? index + lowest_bit(here) : later_word_with_room(index / 64);
    }
    bool no_room() const { return ids_ == kBlockIds && tally().full_words == 0xffff; }
    // Takes over what a smaller one has; this one is empty and nobody sees it yet.
    void take_over(const IdDir& smaller);

  private:
    // Bits of leaves that a small directory has no place for are never set: it has none but its one word.
    u32 later_word_with_room(u32 word) const;

    struct Tally {
        u32 attached;    // leaves there
        u32 full_words;  // bit w: full()[w] is all ones
    };

    static constexpr u32 leaves_in(u32 ids) { return ids / kSlots; }
    static constexpr u32 words_in(u32 ids) { return (leaves_in(ids) + 63) / 64; }

    const Atomic<IdLeaf*>* leaves() const { return reinterpret_cast<const Atomic<IdLeaf*>*>(this + 1); }
    Atomic<IdLeaf*>* leaves() { return reinterpret_cast<Atomic<IdLeaf*>*>(this + 1); }
    // Bit: the leaf is there. A hint for readers, set after the pointer, cleared before.
    const Atomic<u64>* present() const {
        return reinterpret_cast<const Atomic<u64>*>(leaves() + leaves_in(ids_));
    }
    Atomic<u64>* present() { return reinterpret_cast<Atomic<u64>*>(leaves() + leaves_in(ids_)); }
    // Bit: marked.
    const u64* full() const {
        return reinterpret_cast<const u64*>(reinterpret_cast<const u8*>(this) + full_at_);
    }
    u64* full() { return reinterpret_cast<u64*>(reinterpret_cast<u8*>(this) + full_at_); }
    const Tally& tally() const { return reinterpret_cast<const Tally*>(full())[-1]; }
    Tally& tally() { return reinterpret_cast<Tally*>(full())[-1]; }

    u32 ids_ = 0;
    u32 full_at_ = 0;
};
static_assert(sizeof(IdDir) % sizeof(void*) == 0, "the leaf pointers begin at its end");

}  // namespace ktwin

#endif
