// SPDX-License-Identifier: GPL-2.0-only
//
// The directory of one block (65,536 ids): 1024 leaf pointers, or only the first 16 as long as no more is
// needed, which is what most PID namespaces ever use. The size is told by the low bit of the pointer to it,
// so a reader needs no load to know it.
//
//   DirRef  63 ............................ 1 | 0
//           address of SmallDir or FullDir    | 1: FullDir
#ifndef KTWIN_CORE_ID_DIR_H
#define KTWIN_CORE_ID_DIR_H

#include "core/id_leaf.h"

namespace ktwin {

// All but leaves and present is the writer's only.
template <u32 kLeaves>
struct IdDir : PoolNode {
    static constexpr u32 kWords = (kLeaves + 63) / 64;

    u32 attached;      // leaves there
    u32 full_words;    // bit w: full[w] is all ones
    u64 full[kWords];  // bit: the leaf has no free slot
    Atomic<u64>
        present[kWords];  // bit: the leaf is there. A hint for readers, set after the pointer, cleared before
    Atomic<IdLeaf*> leaves[kLeaves];
};

using SmallDir = IdDir<16>;
using FullDir = IdDir<kBlockLeaves>;

class DirRef {
  public:
    static constexpr u32 kSmallLeaves = 16;

    DirRef() = default;
    explicit DirRef(usize raw) : raw_(raw) {}
    explicit DirRef(SmallDir* dir) : raw_(reinterpret_cast<usize>(dir)) {}
    explicit DirRef(FullDir* dir) : raw_(reinterpret_cast<usize>(dir) | kFullTag) {}

    explicit operator bool() const { return raw_ != 0; }
    usize raw() const { return raw_; }
    bool is_full_size() const { return (raw_ & kFullTag) != 0; }
    SmallDir* small() const { return reinterpret_cast<SmallDir*>(raw_); }
    FullDir* full() const { return reinterpret_cast<FullDir*>(raw_ & ~kFullTag); }
    bool covers(u32 leaf) const { return is_full_size() || leaf < kSmallLeaves; }

    // Readers and the writer; nullptr: no such leaf.
    IdLeaf* leaf(u32 index) const {
        if (is_full_size()) {
            return full()->leaves[index].load_acquire();
        }
        return index < kSmallLeaves ? small()->leaves[index].load_acquire() : nullptr;
    }
    // Readers and the writer: lowest leaf >= index that is there, or kBlockLeaves.
    u32 next_present(u32 index) const;

    // The writer.
    u32 attached() const { return is_full_size() ? full()->attached : small()->attached; }
    void attach(u32 index, IdLeaf* leaf) const;
    void detach(u32 index) const;
    void set_full(u32 index, bool is_full) const;
    // Lowest leaf >= index with a free slot (one that is not there has 64), or kBlockLeaves.
    u32 next_with_room(u32 index) const;
    bool no_room() const { return is_full_size() && full()->full_words == 0xffff; }

  private:
    static constexpr usize kFullTag = 1;

    usize raw_ = 0;
};

}  // namespace ktwin

#endif
