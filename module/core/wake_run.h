// SPDX-License-Identifier: GPL-2.0-only
//
// WakeRun: one wake call from its first claim to its last. See wait_queue.h for what an entry goes through.
//
// A call wakes whom it finds queued when it begins; it has a ticket, and every entry carries the last ticket there was
// when it was queued or when it was tried, so nobody is tried twice by one call and a wake_up_all() ends even when the
// woken queue again at once. Entries that were awake (not counted) go back to where they were.
//
// Only a call that wakes every sleeper there is may claim: while an entry is claimed other calls pass it by, which is
// right when its sleeper is awake, or will be, and looks again, and loses a wake-up when the claim was in vain for another
// reason. All others run under the lock.
#ifndef KTWIN_CORE_WAKE_RUN_H
#define KTWIN_CORE_WAKE_RUN_H

#include "core/wait_queue.h"

namespace ktwin {

class WakeRun : Pinned {
  public:
    // ticket: of the call, when it has one already; else 0.
    WakeRun(WaitQueueHead& head, const WakeCall& call, u32 nr, u64 ticket)
        : head_(head), call_(call), left_(nr), all_(nr == 0), ticket_(ticket) {}

    // Both return how many really were asleep.
    u32 run();
    // With the head's lock held (under another name than the analysis knows) from first to last.
    u32 run_locked() TA_NO_ANALYSIS;

  private:
    using Entry = WaitQueueEntry;
    using State = Entry::State;
    struct Claimed {
        Entry* entry;
        bool from_fresh;
    };

    void begin() TA_REQUIRES(head_.lock_);
    void claim_batch() TA_REQUIRES(head_.lock_);
    bool claim_fresh(WaitQueueHead::Lane& lane) TA_REQUIRES(head_.lock_);
    bool claim_tried(WaitQueueHead::Lane& lane) TA_REQUIRES(head_.lock_);
    static Claimed claim(Entry& entry, u64 ticket, bool from_fresh);
    u32 room() const;
    bool has_place() const { return placed_[kind_]; }
    void mark_place(RingNode& before) TA_REQUIRES(head_.lock_);
    void wake_batch();
    void put_back() TA_REQUIRES(head_.lock_);
    bool wake_in_place(WaitQueueHead::Lane& lane, Entry& entry) TA_REQUIRES(head_.lock_);
    void take_places_away() TA_REQUIRES(head_.lock_);

    bool counts() const { return kind_ != static_cast<u32>(WaitKind::kShared); }
    bool is_over() const { return stop_ || exhausted_ || (!all_ && left_ == 0); }

    WaitQueueHead& head_;
    const WakeCall call_;
    u32 left_;  // exclusive entries still to be woken
    const bool all_;
    u64 ticket_;
    u32 woken_ = 0;
    bool stop_ = false;       // a wake function said so
    bool exhausted_ = false;  // every entry there was has been tried
    // Where it is: which list, and on each fresh list, where needed, the place behind what it has tried.
    u32 kind_ = 0;
    bool in_tried_ = false;
    bool marked_ = false;
    bool placed_[kWaitKinds] = {};
    // Made when it is needed: most calls end with their first batch.
    union Place {
        Place() {}
        Entry mark;
    };
    Place places_[kWaitKinds];
    // The batch; after it was woken, the first kept_ of it go back to where they were.
    Claimed batch_[WaitQueueHead::kBatch];
    u32 size_ = 0;
    u32 exclusive_ = 0;  // of those in the batch that count
    u32 kept_ = 0;
};

}  // namespace ktwin

#endif
