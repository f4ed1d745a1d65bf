// SPDX-License-Identifier: GPL-2.0-only
#include "core/event_stream.h"

#include "base/enforce.h"  // last

namespace ktwin {

EventStream::EventStream(kt_key viewer, void* owner, ktwin_ring* ring, u32 capacity)
    : viewer_(viewer), owner_(owner), ring_(ring), capacity_(capacity) {
    ring_->bytes = bytes(capacity);
    ring_->capacity = capacity;
    ring_->record_size = sizeof(ktwin_event);
    ring_->offset = kPage;
}

bool EventStream::append(const ktwin_event& event) {
    if (head_ - tail_ == capacity_) {
        store_relaxed<__u64>(&ring_->lost, ++lost_);
        return false;
    }
    auto* records = reinterpret_cast<ktwin_event*>(reinterpret_cast<u8*>(ring_) + kPage);
    ktwin_event& record = records[head_ & (capacity_ - 1)];
    record = event;
    record.index = head_;
    const bool was_empty = head_ == tail_;
    // Pairs with the reader's acquire load of head, see above.
    store_release<__u64>(&ring_->head, ++head_);
    if (was_empty) {
        kt_host_stream_wake(owner_);
    }
    return true;
}

Result EventStream::acknowledge(u64 tail) {
    if (tail < tail_ || tail > head_) {
        return Errno::kRange;
    }
    tail_ = tail;
    store_relaxed<__u64>(&ring_->tail, tail);
    return {};
}

}  // namespace ktwin
