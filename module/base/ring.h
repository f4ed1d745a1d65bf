// SPDX-License-Identifier: GPL-2.0-only
//
// Ring: a doubly linked list whose nodes leave in constant time without knowing which ring they are on. Guarded by
// whatever guards the ring. The link is the object's base class.
#ifndef KTWIN_BASE_RING_H
#define KTWIN_BASE_RING_H

#include "base/types.h"

namespace ktwin {

class RingNode : Pinned {
  public:
    constexpr RingNode() : next_(this), previous_(this) {}

    bool alone() const { return next_ == this; }
    RingNode* next() const { return next_; }

    void insert_before(RingNode& place) {
        next_ = &place;
        previous_ = place.previous_;
        previous_->next_ = this;
        place.previous_ = this;
    }

    // Nothing happens when it is on no ring.
    void unlink() {
        previous_->next_ = next_;
        next_->previous_ = previous_;
        forget();
    }

    // Cuts out what is between two nodes of a ring, whatever it is. Those cut out do not know it: until each is put on a
    // ring, or forgets, it must be asked nothing.
    static void join(RingNode& before, RingNode& after) {
        before.next_ = &after;
        after.previous_ = &before;
    }
    void forget() { next_ = previous_ = this; }

  private:
    RingNode* next_;
    RingNode* previous_;
};

class Ring : Pinned {
  public:
    constexpr Ring() = default;

    bool empty() const { return head_.alone(); }
    // end() when empty.
    RingNode* first() const { return head_.next(); }
    const RingNode* end() const { return &head_; }
    // The node before the first.
    RingNode* head() { return &head_; }

    void push_back(RingNode& node) { node.insert_before(head_); }
    void push_front(RingNode& node) { node.insert_before(*head_.next()); }

  private:
    RingNode head_;
};

}  // namespace ktwin

#endif
