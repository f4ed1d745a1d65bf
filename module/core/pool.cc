// SPDX-License-Identifier: GPL-2.0-only
#include "core/pool.h"

#include "base/memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

// The pool is refilled in portions of this many, so that the lock is never held for long
// and a failure wastes little.
constexpr u32 kPortion = 64;
// Refills without need before the target shrinks: about a minute of periodic maintenance.
constexpr u32 kCalm = 60;

u32 allocate_chain(u32 object_size, u32 count, bool charged, Chain& to) {
    u32 made = 0;
    for (; made < count; ++made) {
        auto* node =
            construct_at<PoolNode>(charged ? kt_host_alloc_charged(object_size) : kt_host_alloc(object_size));
        if (node == nullptr) {
            break;
        }
        to.push(node);
    }
    return made;
}

// A laboratory's pool may have millions: the CPU is given away in between.
void free_chain(Chain& chain) {
    while (PoolNode* node = chain.pop()) {
        kt_host_free(node);
        if (chain.size() % kPortion == kPortion - 1) {
            (void)kt_host_breathe(0);
        }
    }
}

}  // namespace

void Pool::setup(u32 object_size, u32 start, PoolBudget* budget, Kicker* kicker) {
    object_size_ = object_size;
    start_ = start;
    target_ = start;
    budget_ = budget;
    kicker_ = kicker;
}

void Pool::note_low() {
    const u32 ready = ready_.size();
    low_ = ready < low_ ? ready : low_;
    period_low_ = ready < period_low_ ? ready : period_low_;
    if (ready < target_ / 2) {
        kicker_->kick();
    }
}

PoolNode* Pool::get_ready() {
    PoolNode* node = ready_.pop();
    if (node == nullptr) {
        ++empty_;
    }
    note_low();
    return node;
}

// Who is charged can wait for memory, and what is taken atomically is not charged to anybody.
PoolNode* Pool::get_atomic() {
    if (budget_->is_charged()) {
        return nullptr;
    }
    if (budget_->take(1, object_size_) == 0) {
        ++failed_;
        return nullptr;
    }
    auto* node = construct_at<PoolNode>(kt_host_alloc_atomic(object_size_));
    if (node == nullptr) {
        budget_->give_back(1, object_size_);
        ++failed_;
        return nullptr;
    }
    ++total_;
    return node;
}

PoolNode* Pool::get() {
    PoolNode* node = get_ready();
    return node != nullptr ? node : get_atomic();
}

void Pool::put(PoolNode* node) {
    memset(static_cast<void*>(node), 0, object_size_);
    ready_.push(node);
}

void Pool::retire(PoolNode* node) {
    retired_.push(node);
    if (retired_.size() > target_) {
        kicker_->kick();
    }
}

// Under the lock: how many to allocate now. What it returns is taken from the budget already.
u32 Pool::plan(u32 wanted) {
    if (!filled_) {
        filled_ = true;
    } else if (period_low_ < target_ / 4 && target_ < budget_->limit()) {
        target_ *= 2;
        calm_ = 0;
    } else {
        decay();
    }
    period_low_ = ready_.size();
    const u32 goal = wanted > target_ ? wanted : target_;
    return ready_.size() < goal ? budget_->take(goal - ready_.size(), object_size_) : 0;
}

void Pool::decay() {
    if (period_low_ <= target_ - target_ / 4 || target_ <= start_) {
        calm_ = 0;
    } else if (++calm_ >= kCalm) {
        calm_ = 0;
        target_ /= 2;
    }
}

// Adds what was allocated for a portion of the plan; gives the rest of the portion back to the budget.
bool Pool::adopt(SpinLock& lock, Chain& fresh, u32 planned) {
    SpinGuard guard(lock);
    const u32 made = fresh.size();
    total_ += made;
    budget_->give_back(planned - made, object_size_);
    ready_.splice(fresh);
    return made == planned;
}

bool Pool::refill(SpinLock& lock, u32 wanted) {
    u32 left = 0;
    {
        SpinGuard guard(lock);
        left = plan(wanted);
    }
    while (left > 0) {
        const u32 portion = left < kPortion ? left : kPortion;
        Chain fresh;
        const u32 made = allocate_chain(object_size_, portion, budget_->is_charged(), fresh);
        if (!adopt(lock, fresh, portion)) {
            SpinGuard guard(lock);
            budget_->give_back(left - portion, object_size_);
            break;
        }
        left -= made;
    }
    SpinGuard guard(lock);
    period_low_ = ready_.size();
    if (!low_known_) {
        low_known_ = true;
        low_ = ready_.size();
    }
    return ready_.size() >= wanted;
}

bool Pool::ensure(SpinLock& lock, u32 wanted) {
    {
        SpinGuard guard(lock);
        if (ready_.size() >= wanted) {
            return true;
        }
    }
    return refill(lock, wanted);
}

void Pool::reclaim(SpinLock& lock, Chain& retired) {
    Chain kept;
    u32 room = 0;
    {
        SpinGuard guard(lock);
        const u32 high = target_ * 2;
        room = ready_.size() < high ? high - ready_.size() : 0;
    }
    while (kept.size() < room) {
        PoolNode* node = retired.pop();
        if (node == nullptr) {
            break;
        }
        memset(static_cast<void*>(node), 0, object_size_);
        kept.push(node);
        if (kept.size() % kPortion == 0) {
            (void)kt_host_breathe(0);
        }
    }
    const u32 surplus = retired.size();
    free_chain(retired);
    SpinGuard guard(lock);
    ready_.splice(kept);
    total_ -= surplus;
    budget_->give_back(surplus, object_size_);
}

u32 Pool::kept() const {
    return start_ < kPortion ? start_ : kPortion;
}

u32 Pool::idle() const {
    const u32 ready = ready_.size() > kept() ? ready_.size() - kept() : 0;
    return ready + retired_.size() + aging_.size();
}

void Pool::take_surplus(u32 most, Chain& surplus) {
    if (aging_.empty() && !retired_.empty()) {
        aging_.splice(retired_);
        grace_ = kt_host_grace_begin();
    }
    const bool aged = !aging_.empty() && kt_host_grace_over(grace_);
    while (aged && !aging_.empty() && surplus.size() < most) {
        surplus.push(aging_.pop());
    }
    while (ready_.size() > kept() && surplus.size() < most) {
        surplus.push(ready_.pop());
    }
}

// In portions, like refill(); the target falls back to where it began.
u32 Pool::shrink(SpinLock& lock, u32 most) {
    u32 given = 0;
    while (given < most) {
        Chain surplus;
        {
            SpinGuard guard(lock);
            target_ = start_;
            take_surplus(most - given < kPortion ? most - given : kPortion, surplus);
            total_ -= surplus.size();
            budget_->give_back(surplus.size(), object_size_);
        }
        if (surplus.empty()) {
            break;
        }
        given += surplus.size();
        free_chain(surplus);
    }
    return given;
}

void Pool::teardown(SpinLock& lock) {
    Chain all;
    {
        SpinGuard guard(lock);
        all.splice(ready_);
        take_retired(all);
        total_ -= all.size();
        budget_->give_back(all.size(), object_size_);
    }
    free_chain(all);
}

void Pool::add_to(ktwin_pool& summary) const {
    summary.ready += ready_.size();
    summary.total += total_;
    summary.low += low_;
    summary.empty += empty_;
    summary.failed += failed_;
}

}  // namespace ktwin
