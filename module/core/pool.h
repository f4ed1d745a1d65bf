// SPDX-License-Identifier: GPL-2.0-only
//
// A pool of objects of one size, allocated ahead, because a hook cannot wait for memory.
//
//   free host memory --refill()--> ready --get()--> in use --put()-----------------------> ready
//                                                         --retire()--> retired --reclaim--> ready or host
//
// get, put and retire run under the twin's lock, in any context. refill and reclaim run in process context
// and hold the lock only to move what is ready: allocating, clearing, freeing and waiting happen outside. The
// pool grows on demand: its target doubles when fewer than a quarter of it was ready, up to the budget, and
// is halved again after it was not needed for a while. An object that is ready is zero but for its link.
#ifndef KTWIN_CORE_POOL_H
#define KTWIN_CORE_POOL_H

#include "base/list.h"
#include "base/lock.h"
#include "core/kicker.h"
#include "core/pool_budget.h"

namespace ktwin {

// Base of everything that comes from a pool. RCU readers never look at the link, so it may
// change while they read on.
using PoolNode = ChainNode;

class Pool : Pinned {
  public:
    // After construction, before use. object_size includes the PoolNode.
    void setup(u32 object_size, u32 start, PoolBudget* budget, Kicker* kicker);

    // [any, lock held] nullptr: none ready, or none to be had at all.
    PoolNode* get_ready();
    PoolNode* get_atomic();
    PoolNode* get();

    // [any, lock held] No reader has ever seen the object, or a grace period has passed.
    void put(PoolNode* node);
    // [any, lock held] Readers may still look at the object.
    void retire(PoolNode* node);

    // [sleep, lock not held] Brings "ready" up to the target, or to at least wanted. False:
    // no memory, or at the limit.
    bool refill(SpinLock& lock, u32 wanted);
    // [sleep, lock not held] Refills only when fewer than wanted are ready.
    bool ensure(SpinLock& lock, u32 wanted);
    // [any, lock held] Hands over what waits for a grace period.
    void take_retired(Chain& to) {
        to.splice(retired_);
        to.splice(aging_);
    }
    // [sleep, lock not held] A grace period has passed since take_retired().
    void reclaim(SpinLock& lock, Chain& retired);
    // [sleep, lock not held] Gives back what is ready, but for a portion, and what has waited for a grace period that is
    // over, up to so many; how many. Waits for nothing: of what was retired meanwhile the next call gives back some.
    u32 shrink(SpinLock& lock, u32 most = ~u32{0});
    // [any, lock held] How many those are, or will be.
    u32 idle() const;
    // [sleep] Frees everything; nothing is in use, no reader is left.
    void teardown(SpinLock& lock);

    // [any, lock held] Adds this pool to a summary; the limit is the budget's, so it is not added.
    void add_to(ktwin_pool& summary) const;
    // [any, lock held]
    u64 bytes() const { return u64{total_} * object_size_; }
    // [any, lock held] Without what is ready or waits for a grace period.
    u64 bytes_in_use() const {
        return u64{total_ - ready_.size() - retired_.size() - aging_.size()} * object_size_;
    }
    u32 total() const { return total_; }
    // [any, lock held]
    u32 ready() const { return ready_.size(); }
    u32 object_size() const { return object_size_; }

  private:
    u32 plan(u32 wanted);
    bool adopt(SpinLock& lock, Chain& fresh, u32 planned);
    void note_low();
    void decay();

    u32 kept() const;
    void take_surplus(u32 most, Chain& surplus);

    Chain ready_;
    Chain retired_;
    Chain aging_;  // retired until shrink() came by; reusable when grace_ is over
    u64 grace_ = 0;
    PoolBudget* budget_ = nullptr;
    Kicker* kicker_ = nullptr;
    u32 object_size_ = 0;
    u32 start_ = 0;
    u32 target_ = 0;
    u32 total_ = 0;
    u32 low_ = 0;          // since load
    u32 period_low_ = 0;   // since the last refill
    u32 calm_ = 0;         // refills in a row that found more than three quarters ready
    bool filled_ = false;  // once; "lowest since load" starts there
    bool low_known_ = false;
    u64 empty_ = 0;
    u64 failed_ = 0;
};

}  // namespace ktwin

#endif
