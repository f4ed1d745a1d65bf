// SPDX-License-Identifier: GPL-2.0-only
#include "core/id_dir.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

template <typename Dir>
void attach_to(Dir* dir, u32 index, IdLeaf* leaf) {
    // Release: whoever finds the leaf finds it zeroed.
    dir->leaves[index].store_release(leaf);
    Atomic<u64>& word = dir->present[index / 64];
    word.store_release(word.load_relaxed() | bit(index % 64));
    ++dir->attached;
}

template <typename Dir>
void detach_from(Dir* dir, u32 index) {
    Atomic<u64>& word = dir->present[index / 64];
    word.store_relaxed(word.load_relaxed() & ~bit(index % 64));
    dir->leaves[index].store_relaxed(nullptr);
    --dir->attached;
}

template <typename Dir>
void mark_full(Dir* dir, u32 index, bool is_full) {
    u64& word = dir->full[index / 64];
    word = is_full ? word | bit(index % 64) : word & ~bit(index % 64);
    const u32 mask = u32{1} << (index / 64);
    dir->full_words = word == kAllOnes ? dir->full_words | mask : dir->full_words & ~mask;
}

}  // namespace

void DirRef::attach(u32 index, IdLeaf* leaf) const {
    is_full_size() ? attach_to(full(), index, leaf) : attach_to(small(), index, leaf);
}

void DirRef::detach(u32 index) const {
    is_full_size() ? detach_from(full(), index) : detach_from(small(), index);
}

void DirRef::set_full(u32 index, bool is_full) const {
    is_full_size() ? mark_full(full(), index, is_full) : mark_full(small(), index, is_full);
}

u32 DirRef::next_present(u32 index) const {
    if (!is_full_size()) {
        const u64 word = index < kSmallLeaves ? small()->present[0].load_acquire() & bits_from(index) : 0;
        return word != 0 ? lowest_bit(word) : kBlockLeaves;
    }
    if (index >= kBlockLeaves) {
        return kBlockLeaves;
    }
    u64 mask = bits_from(index % 64);
    for (u32 w = index / 64; w < FullDir::kWords; ++w) {
        const u64 word = full()->present[w].load_acquire() & mask;
        if (word != 0) {
            return w * 64 + lowest_bit(word);
        }
        mask = kAllOnes;
    }
    return kBlockLeaves;
}

u32 DirRef::next_with_room(u32 index) const {
    if (index >= kBlockLeaves) {
        return kBlockLeaves;
    }
    if (!is_full_size()) {
        // Bits 16 to 63 of the word are never set: those leaves are not there and so have room.
        return index < kSmallLeaves ? lowest_bit(~small()->full[0] & bits_from(index)) : index;
    }
    const u32 word = index / 64;
    const u64 here = ~full()->full[word] & bits_from(index % 64);
    if (here != 0) {
        return word * 64 + lowest_bit(here);
    }
    const u32 later = ~full()->full_words & 0xffff & ~((u32{2} << word) - 1);
    if (later == 0) {
        return kBlockLeaves;
    }
    const u32 w = lowest_bit(later);
    return w * 64 + lowest_bit(~full()->full[w]);
}

}  // namespace ktwin
