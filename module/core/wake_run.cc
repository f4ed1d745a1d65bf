// SPDX-License-Identifier: GPL-2.0-only
#include "core/wake_run.h"

#include "base/memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

KT_INLINE void WakeRun::begin() {
    ticket_ = ++head_.tickets_;
}

// The entry is this call's alone from here on; the sleeper waits for it.
KT_INLINE WakeRun::Claimed WakeRun::claim(Entry& entry, u64 ticket, bool from_fresh) {
    entry.ticket_ = ticket;
    entry.state_.store_relaxed(State::kClaimed);
    return {&entry, from_fresh};
}

// How many more of the kind it is at may be claimed into this batch.
KT_INLINE u32 WakeRun::room() const {
    const u32 room = WaitQueueHead::kBatch - size_;
    const u32 wanted = left_ - exclusive_;
    if (all_ || wanted >= room) {
        return room;
    }
    return counts() || wanted == 0 ? wanted : room;
}

void WakeRun::mark_place(RingNode& before) {
    auto* mark = construct_at<Entry>(&places_[kind_].mark, Entry::Mark{});
    mark->insert_before(before);
    placed_[kind_] = marked_ = true;
}

// The hold of the lock is this loop, so an entry costs no more than it must: those claimed are not taken off one by one,
// but what stays is joined over them; autoremove ones forget the list when they are woken. False: the batch is full before
// the end of the list.
KT_INLINE bool WakeRun::claim_fresh(WaitQueueHead::Lane& lane) {
    const u64 ticket = ticket_;
    Claimed* const from = batch_ + size_;
    Claimed* const full = from + room();
    Claimed* to = from;
    u32 leaving = 0;
    bool finished = true;
    RingNode* stays = has_place() ? &places_[kind_].mark : lane.fresh.head();
    RingNode* node = stays->next();
    for (RingNode* next = nullptr; node != lane.fresh.end(); node = next) {
        auto& entry = static_cast<Entry&>(*node);
        next = node->next();
        if (entry.mark_ || entry.ticket_ >= ticket) {
            RingNode::join(*stays, entry);
            stays = &entry;
            continue;
        }
        if (to == full) {
            finished = false;
            break;
        }
        if (entry.autoremove_) {
            ++leaving;
        } else {
            lane.tried.push_back(entry);
        }
        *to++ = claim(entry, ticket, true);
    }
    RingNode::join(*stays, *node);
    head_.queued_.sub_exclusive(leaving);
    size_ += to - from;
    exclusive_ += counts() ? to - from : 0;
    // Only who comes back for sure leaves a mark that has to be taken away again.
    if (!finished && size_ == WaitQueueHead::kBatch && !has_place()) {
        mark_place(*node);
    }
    return finished;
}

// Each one tried goes to the end of the list, so that the first one tried by this call, or a later one, is the end.
KT_INLINE bool WakeRun::claim_tried(WaitQueueHead::Lane& lane) {
    while (!lane.tried.empty()) {
        auto& entry = static_cast<Entry&>(*lane.tried.first());
        if (entry.ticket_ >= ticket_) {
            break;
        }
        if (room() == 0) {
            return false;
        }
        entry.unlink();
        lane.tried.push_back(entry);
        if (entry.state_.load_relaxed() == State::kClaimed) {
            entry.ticket_ = ticket_;  // another waker has it; its sleeper looks again after that
        } else {
            batch_[size_++] = claim(entry, ticket_, false);
            exclusive_ += counts() ? 1 : 0;
        }
    }
    return true;
}

KT_INLINE void WakeRun::claim_batch() {
    size_ = exclusive_ = kept_ = 0;
    for (; kind_ < kWaitKinds; ++kind_, in_tried_ = false) {
        WaitQueueHead::Lane& lane = head_.lanes_[kind_];
        if (!in_tried_) {
            if (!lane.fresh.empty() && !claim_fresh(lane)) {
                return;
            }
            in_tried_ = true;
        }
        if (!lane.tried.empty() && !claim_tried(lane)) {
            return;
        }
    }
    exhausted_ = true;
}

KT_INLINE void WakeRun::wake_batch() {
    for (u32 i = 0; i < size_; ++i) {
        const Claimed claimed = batch_[i];
        Entry& entry = *claimed.entry;
        if (stop_) {
            batch_[kept_++] = claimed;  // not asked
            continue;
        }
        const int result = entry.function_(entry, call_);
        stop_ = result < 0;
        if (result > 0) {
            ++woken_;
            if (!all_ && entry.kind_ != WaitKind::kShared) {
                --left_;
            }
            entry.woken_.store_relaxed(true);
            if (entry.autoremove_) {
                entry.forget();
            }
            // Release: nothing of this waker touches the entry afterwards; its sleeper may let it go.
            entry.state_.store_release(entry.autoremove_ ? State::kIdle : State::kQueued);
        } else if (claimed.from_fresh) {
            batch_[kept_++] = claimed;
        } else {
            entry.state_.store_release(State::kQueued);
        }
    }
}

// Back to the front, in their order, with the place to go on behind them on the list that is not finished.
void WakeRun::put_back() {
    if (!is_over() && !in_tried_ && !has_place()) {
        mark_place(*head_.lanes_[kind_].fresh.first());
    }
    RingNode* before[kWaitKinds];
    for (u32 kind = 0; kind < kWaitKinds; ++kind) {
        before[kind] = placed_[kind] ? &places_[kind].mark : head_.lanes_[kind].fresh.first();
    }
    while (kept_ != 0) {
        const Claimed& claimed = batch_[--kept_];
        Entry& entry = *claimed.entry;
        if (!entry.autoremove_) {
            entry.unlink();  // the others are on no list
        }
        if (claimed.from_fresh) {
            RingNode*& place = before[static_cast<u32>(entry.kind_)];
            if (entry.autoremove_) {
                head_.queued_.add_exclusive(1);
            }
            entry.insert_before(*place);
            place = &entry;
        } else {
            entry.ticket_ = 0;  // a call that began before this one must not take it for the end
            head_.lane(entry.kind_).tried.push_front(entry);
        }
        entry.state_.store_release(State::kQueued);
    }
}

void WakeRun::take_places_away() {
    for (u32 kind = 0; kind < kWaitKinds; ++kind) {
        if (placed_[kind]) {
            places_[kind].mark.unlink();
        }
    }
}

u32 WakeRun::run() {
    do {
        // From the claim until the last of the batch is let go: see wait_queue.h.
        kt_host_preempt_disable();
        {
            SpinGuard guard(head_.lock_);
            if (ticket_ == 0) {
                begin();
            }
            claim_batch();
        }
        wake_batch();
        if (kept_ != 0) {
            SpinGuard guard(head_.lock_);
            put_back();
        }
        kt_host_preempt_enable();
    } while (!is_over());
    if (marked_) {
        SpinGuard guard(head_.lock_);
        take_places_away();
    }
    return woken_;
}

// True: go on with the next.
bool WakeRun::wake_in_place(WaitQueueHead::Lane& lane, Entry& entry) {
    const int result = entry.function_(entry, call_);
    if (result > 0) {
        ++woken_;
        if (!all_ && counts()) {
            --left_;
        }
        entry.ticket_ = ticket_;
        entry.woken_.store_relaxed(true);
        entry.unlink();
        if (entry.autoremove_) {
            head_.queued_.sub_exclusive(1);
            entry.state_.store_release(State::kIdle);  // its sleeper may let it go from here on
        } else {
            lane.tried.push_back(entry);
        }
    }
    return result >= 0 && (all_ || left_ != 0);
}

// As __wake_up_common(): an entry that is not woken is neither moved nor marked, so no other call, locked or not, can
// take it for one that was awake and will look again.
u32 WakeRun::run_locked() {
    begin();
    for (kind_ = 0; kind_ < kWaitKinds; ++kind_) {
        WaitQueueHead::Lane& lane = head_.lanes_[kind_];
        Ring* const rings[] = {&lane.fresh, &lane.tried};
        for (Ring* ring : rings) {
            RingNode* next = nullptr;
            for (RingNode* node = ring->first(); node != ring->end(); node = next) {
                auto& entry = static_cast<Entry&>(*node);
                next = node->next();
                if (entry.ticket_ == ticket_) {
                    break;  // woken just now, and so are those behind it
                }
                if (!entry.mark_ && !entry.is_claimed() && !wake_in_place(lane, entry)) {
                    return woken_;
                }
            }
        }
    }
    return woken_;
}

}  // namespace ktwin
