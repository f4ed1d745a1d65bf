// SPDX-License-Identifier: GPL-2.0-only
//
// The namespaces that lockstep follows, by key. Every idr of the kernel asks here whether it is one of them, so the
// answer takes no lock: find() runs with preemption off. The writer holds the lockstep's lock.
#ifndef KTWIN_CORE_LOCKSTEP_TABLE_H
#define KTWIN_CORE_LOCKSTEP_TABLE_H

#include "core/lockstep_namespace.h"

namespace ktwin {

class LockstepTable : Pinned {
  public:
    LockstepNamespace* find(kt_key key) const {
        LockstepNamespace* ns = bucket(key).load_acquire();
        while (ns != nullptr && ns->key() != key) {
            ns = ns->hash_next.load_acquire();
        }
        return ns;
    }
    u32 count() const { return count_; }

    void add(LockstepNamespace* ns) {
        Atomic<LockstepNamespace*>& head = buckets_[index_of(ns->key())];
        ns->hash_next.store_relaxed(head.load_relaxed());
        head.store_release(ns);
        ++count_;
    }
    // Its own link stays as it is, for who stands on it.
    void remove(LockstepNamespace* ns) {
        Atomic<LockstepNamespace*>* link = &buckets_[index_of(ns->key())];
        while (link->load_relaxed() != ns) {
            link = &link->load_relaxed()->hash_next;
        }
        link->store_release(ns->hash_next.load_relaxed());
        --count_;
    }
    // Any one; nullptr: there is none. From the bucket given on, which it moves.
    LockstepNamespace* any(u32& from) const {
        for (; from < kBuckets; ++from) {
            if (LockstepNamespace* ns = buckets_[from].load_relaxed()) {
                return ns;
            }
        }
        return nullptr;
    }

  private:
    static constexpr u32 kBuckets = 1024;

    static u32 index_of(kt_key key) { return static_cast<u32>(mix(key)) % kBuckets; }
    const Atomic<LockstepNamespace*>& bucket(kt_key key) const { return buckets_[index_of(key)]; }

    Atomic<LockstepNamespace*> buckets_[kBuckets];
    u32 count_ = 0;
};

}  // namespace ktwin

#endif
