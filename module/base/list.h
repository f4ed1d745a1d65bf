// SPDX-License-Identifier: GPL-2.0-only
//
// Intrusive lists.
//
// Chain: singly linked, for objects that change hands in bulk. The link is the object's base class.
//
// RcuList: doubly linked for its writer, who holds a lock; readers go forward only, without a lock, inside an RCU
// section. An object that was unlinked keeps its forward pointer, so a reader standing on it finds the way on; it may
// be reused only after a grace period. A reader meets every object that is linked during its whole walk once, and
// others at most once.
#ifndef KTWIN_BASE_LIST_H
#define KTWIN_BASE_LIST_H

#include "base/atomic.h"

namespace ktwin {

struct ChainNode {
    ChainNode* chain_next = nullptr;
};

class Chain {
  public:
    bool empty() const { return first_ == nullptr; }
    u32 size() const { return size_; }

    void push(ChainNode* node) {
        node->chain_next = first_;
        first_ = node;
        if (last_ == nullptr) {
            last_ = node;
        }
        ++size_;
    }

    ChainNode* pop() {
        ChainNode* node = first_;
        if (node != nullptr) {
            first_ = node->chain_next;
            if (first_ == nullptr) {
                last_ = nullptr;
            }
            node->chain_next = nullptr;
            --size_;
        }
        return node;
    }

    // Moves everything from the other chain here, in constant time.
    void splice(Chain& other) {
        if (other.empty()) {
            return;
        }
        other.last_->chain_next = first_;
        first_ = other.first_;
        if (last_ == nullptr) {
            last_ = other.last_;
        }
        size_ += other.size_;
        other = Chain();
    }

    ChainNode* first() const { return first_; }

  private:
    ChainNode* first_ = nullptr;
    ChainNode* last_ = nullptr;
    u32 size_ = 0;
};

template <typename T>
struct RcuLink {
    Atomic<T*> next;
    T* previous = nullptr;
};

template <typename T, RcuLink<T> T::*kLink>
class RcuList {
  public:
    // For readers and the writer.
    T* first() const { return first_.load_acquire(); }
    static T* next(const T* at) { return (at->*kLink).next.load_acquire(); }

    // Writer. Release: whoever finds the object through its predecessor finds it complete.
    void push_back(T* object) {
        RcuLink<T>& link = object->*kLink;
        link.next.store_relaxed(nullptr);
        link.previous = last_;
        (last_ != nullptr ? (last_->*kLink).next : first_).store_release(object);
        last_ = object;
    }

    // Writer. The object's own forward pointer stays.
    void remove(T* object) {
        RcuLink<T>& link = object->*kLink;
        T* next = link.next.load_relaxed();
        (link.previous != nullptr ? (link.previous->*kLink).next : first_).store_release(next);
        if (next != nullptr) {
            (next->*kLink).previous = link.previous;
        } else {
            last_ = link.previous;
        }
    }

    // Writer.
    T* last() const { return last_; }

  private:
    Atomic<T*> first_;
    T* last_ = nullptr;
};

}  // namespace ktwin

#endif
