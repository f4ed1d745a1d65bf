// SPDX-License-Identifier: GPL-2.0-only
//
// How many objects several pools may hold together, in all states, and how many bytes. Under the twin's lock.
#ifndef KTWIN_CORE_POOL_BUDGET_H
#define KTWIN_CORE_POOL_BUDGET_H

#include "base/atomic.h"
#include "boundary/types.h"

namespace ktwin {

// Bytes of all that a laboratory holds, whatever lock its parts have. Only sums: relaxed is enough.
class ByteBudget {
  public:
    explicit ByteBudget(u64 limit) : limit_(limit) {}

    bool take(u64 bytes) {
        u64 used = used_.load_relaxed();
        do {
            if (bytes > limit_ - used) {
                return false;
            }
        } while (!used_.compare_exchange_acquire(used, used + bytes));
        const u64 now = used + bytes;
        u64 most = most_.load_relaxed();
        while (now > most && !most_.compare_exchange_acquire(most, now)) {}
        return true;
    }
    // As many objects of a size as there is room for, at most count.
    u32 take_objects(u32 count, u32 size) {
        while (count != 0 && !take(u64{count} * size)) {
            const u64 fit = (limit_ - used()) / size;
            count = fit < count ? static_cast<u32>(fit) : count - 1;
        }
        return count;
    }
    void give_back(u64 bytes) { (void)used_.fetch_sub_acq_rel(bytes); }
    u64 used() const { return used_.load_relaxed(); }
    u64 most() const { return most_.load_relaxed(); }

  private:
    const u64 limit_;
    Atomic<u64> used_;
    Atomic<u64> most_;
};

// What an object takes of the kernel's memory: the size of its kmalloc class, from 8 KiB on a power of two of pages.
// kvzalloc() falls back to single pages of vmalloc's only where it finds no such run; that is less. A leaf has a cache.
constexpr u32 slab_bytes(u32 size) {
    if (size == KT_LEAF_BYTES) {
        return size;
    }
    if (size > 64 && size <= 96) {
        return 96;
    }
    if (size > 128 && size <= 192) {
        return 192;
    }
    u32 rounded = 8;
    while (rounded < size) {
        rounded *= 2;
    }
    return rounded;
}
static_assert(slab_bytes(8) == 8 && slab_bytes(65) == 96 && slab_bytes(97) == 128 && slab_bytes(129) == 192);
static_assert(slab_bytes(193) == 256 && slab_bytes(4104) == 8192 && slab_bytes(8472) == 16384);

class PoolBudget {
  public:
    // bytes: nullptr, or what a laboratory may hold; then its memory is charged to who uses it.
    explicit PoolBudget(u32 limit, ByteBudget* bytes = nullptr) : limit_(limit), bytes_(bytes) {}

    // Takes up to count objects; says how many it got.
    u32 take(u32 count, u32 object_size) {
        const u32 room = count < limit_ - total_ ? count : limit_ - total_;
        const u32 got = bytes_ != nullptr ? bytes_->take_objects(room, slab_bytes(object_size)) : room;
        total_ += got;
        return got;
    }
    void give_back(u32 count, u32 object_size) {
        total_ -= count;
        if (bytes_ != nullptr) {
            bytes_->give_back(u64{count} * slab_bytes(object_size));
        }
    }
    u32 limit() const { return limit_; }
    bool is_charged() const { return bytes_ != nullptr; }

  private:
    const u32 limit_;
    u32 total_ = 0;
    ByteBudget* const bytes_;
};

}  // namespace ktwin

#endif
