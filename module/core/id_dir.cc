// SPDX-License-Identifier: GPL-2.0-only
#include "core/id_dir.h"

#include "base/enforce.h"  // last

namespace ktwin {

constinit IdDir IdDir::none{};

void IdDir::attach(u32 index, IdLeaf* leaf) {
    // Release: whoever finds the leaf finds it zeroed, and who finds the bit finds the leaf.
    leaves()[index].store_release(leaf);
    Atomic<u64>& word = present()[index / 64];
    word.store_release(word.load_relaxed() | bit(index % 64));
    ++tally().attached;
}

// Relaxed: who still comes by the pointer finds an empty leaf, which is not reused before a grace period.
void IdDir::detach(u32 index) {
    Atomic<u64>& word = present()[index / 64];
    word.store_relaxed(word.load_relaxed() & ~bit(index % 64));
    leaves()[index].store_relaxed(nullptr);
    --tally().attached;
}

u32 IdDir::next_present(u32 index) const {
    u64 mask = bits_from(index % 64);
    const u32 words = words_in(ids_);
    for (u32 w = index / 64; w < words; ++w) {
        const u64 word = present()[w].load_acquire() & mask;
        if (word != 0) {
            return w * 64 + lowest_bit(word);
        }
        mask = kAllOnes;
    }
    return kBlockLeaves;
}

u32 IdDir::later_word_with_room(u32 word) const {
    if (word >= words_in(ids_)) {
        return kBlockLeaves;
    }
    const u32 later = ~tally().full_words & 0xffff & ~((u32{2} << word) - 1);
    if (later == 0) {
        return kBlockLeaves;
    }
    const u32 w = lowest_bit(later);
    return w * 64 + lowest_bit(~full()[w]);
}

void IdDir::take_over(const IdDir& smaller) {
    for (u32 i = 0; i < leaves_in(smaller.ids_); ++i) {
        leaves()[i].store_relaxed(smaller.leaves()[i].load_relaxed());
    }
    for (u32 w = 0; w < words_in(smaller.ids_); ++w) {
        present()[w].store_relaxed(smaller.present()[w].load_relaxed());
        full()[w] = smaller.full()[w];
    }
    tally().attached = smaller.tally().attached;
}

}  // namespace ktwin
