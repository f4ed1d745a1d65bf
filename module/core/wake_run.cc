// SPDX-License-Identifier: GPL-2.0-only
#include "core/wake_run.h"

#include "base/enforce.h"  // last

namespace ktwin {

void WakeRun::begin() {
    ticket_ = ++head_.tickets_;
}

// The entry is this call's alone from here on; the sleeper waits for it.
void WakeRun::claim(Entry& entry, bool from_fresh) {
    entry.ticket_ = ticket_;
    entry.state_.store_relaxed(State::kClaimed);
    batch_[size_++] = {&entry, from_fresh};
    exclusive_ += counts() ? 1 : 0;
}

void WakeRun::mark_place(RingNode& before) {
    places_[kind_].insert_before(before);
    marked_ = true;
}

// False: the batch is full before the end of the list.
bool WakeRun::claim_fresh(WaitQueueHead::Lane& lane) {
    Entry& place = places_[kind_];
    RingNode* node = place.alone() ? lane.fresh.first() : place.next();
    while (node != lane.fresh.end()) {
        auto& entry = static_cast<Entry&>(*node);
        node = node->next();
        if (entry.mark_ || entry.ticket_ >= ticket_) {
            continue;
        }
        if (is_full()) {
            // Only who comes back for sure leaves a mark that has to be taken away again.
            if (size_ == WaitQueueHead::kBatch && place.alone()) {
                mark_place(entry);
            }
            return false;
        }
        entry.unlink();
        if (entry.autoremove_) {
            head_.queued_.sub_exclusive(1);
        } else {
            lane.tried.push_back(entry);
        }
        claim(entry, true);
    }
    return true;
}

// Each one tried goes to the end of the list, so that the first one tried by this call, or a later one, is the end.
bool WakeRun::claim_tried(WaitQueueHead::Lane& lane) {
    while (!lane.tried.empty()) {
        auto& entry = static_cast<Entry&>(*lane.tried.first());
        if (entry.ticket_ >= ticket_) {
            break;
        }
        if (is_full()) {
            return false;
        }
        entry.unlink();
        lane.tried.push_back(entry);
        if (entry.state_.load_relaxed() == State::kClaimed) {
            entry.ticket_ = ticket_;  // another waker has it; its sleeper looks again after that
        } else {
            claim(entry, false);
        }
    }
    return true;
}

void WakeRun::claim_batch() {
    size_ = exclusive_ = kept_ = 0;
    for (; kind_ < kWaitKinds; ++kind_, in_tried_ = false) {
        WaitQueueHead::Lane& lane = head_.lanes_[kind_];
        if (!in_tried_) {
            if (!claim_fresh(lane)) {
                return;
            }
            in_tried_ = true;
        }
        if (!claim_tried(lane)) {
            return;
        }
    }
    exhausted_ = true;
}

void WakeRun::wake_batch() {
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
    if (!is_over() && !in_tried_ && places_[kind_].alone()) {
        mark_place(*head_.lanes_[kind_].fresh.first());
    }
    RingNode* before[kWaitKinds];
    for (u32 kind = 0; kind < kWaitKinds; ++kind) {
        before[kind] = places_[kind].alone() ? head_.lanes_[kind].fresh.first() : &places_[kind];
    }
    while (kept_ != 0) {
        const Claimed& claimed = batch_[--kept_];
        Entry& entry = *claimed.entry;
        entry.unlink();
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
    for (Entry& place : places_) {
        place.unlink();
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
