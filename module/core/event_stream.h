// SPDX-License-Identifier: GPL-2.0-only
//
// EventStream: one reader's ring of events, in the form user space maps.
//
// The core writes, user space only reads (its mapping is read-only), and acknowledges by ioctl. An event that finds
// no room is counted and dropped; what was not acknowledged is never overwritten. All under the twin's lock.
//
//   append                                    reader in user space
//     write record[head % capacity]             h = load_acquire(ring.head)
//     store_release(ring.head, head + 1)        read records below h
#ifndef KTWIN_CORE_EVENT_STREAM_H
#define KTWIN_CORE_EVENT_STREAM_H

#include "base/expected.h"
#include "core/pid_namespace.h"

namespace ktwin {

class EventStream : Pinned {
  public:
    static constexpr u32 kPage = 4096;
    static constexpr u32 kMinCapacity = 64;
    static constexpr u32 kMaxCapacity = 1048576;

    static constexpr bool is_valid(u32 capacity) {
        return capacity >= kMinCapacity && capacity <= kMaxCapacity && is_power_of_two(capacity);
    }
    // One page, and whole pages of records.
    static constexpr u64 bytes(u32 capacity) { return kPage + u64{capacity} * sizeof(ktwin_event); }

    EventStream(kt_key viewer, void* owner, ktwin_ring* ring, u32 capacity);

    kt_key viewer() const { return viewer_; }
    // The namespace it looks from is gone: its key may come to mean another one.
    void close_view() { viewer_ = 0; }

    // Everything of the event is set but index. True: it was stored; false: lost.
    bool append(const ktwin_event& event);
    Result acknowledge(u64 tail);
    bool readable() const { return head_ != tail_; }

  private:
    kt_key viewer_;
    void* const owner_;
    ktwin_ring* const ring_;
    const u32 capacity_;
    u64 head_ = 0;
    u64 tail_ = 0;
    u64 lost_ = 0;
};

static_assert(sizeof(ktwin_event) == 64 && sizeof(ktwin_ring) <= EventStream::kPage);

}  // namespace ktwin

#endif
