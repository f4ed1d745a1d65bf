// SPDX-License-Identifier: GPL-2.0-only
//
// The namespaces the twin knows: by key, and in the order in which they were first seen (parents before children).
//
// Readers take no lock; inside one RCU section they meet each namespace that is listed all the time exactly
// once. Across sections they go on from a serial number. The writer holds the twin's lock.
#ifndef KTWIN_CORE_NAMESPACE_TABLE_H
#define KTWIN_CORE_NAMESPACE_TABLE_H

#include "core/pid_namespace.h"

namespace ktwin {

class NamespaceTable : Pinned {
  public:
    // --- readers, inside RCU ---
    PidNamespace* find(kt_key key) const;
    PidNamespace* find_inode(u32 inode) const;
    // The first with a serial above after.
    PidNamespace* next(u64 after) const;
    PidNamespace* first() const { return order_.first(); }
    static PidNamespace* following(const PidNamespace* ns) { return decltype(order_)::next(ns); }
    u32 count() const { return count_.load_relaxed(); }

    // --- the writer ---
    void add(PidNamespace* ns);
    void remove(PidNamespace* ns);
    PidNamespace* last() const { return order_.last(); }
    static PidNamespace* before(const PidNamespace* ns) { return ns->order.previous; }

  private:
    static constexpr u32 kBuckets = 1024;

    static u32 bucket_of(kt_key key) { return static_cast<u32>(mix(key)) % kBuckets; }

    Atomic<PidNamespace*> buckets_[kBuckets];
    RcuList<PidNamespace, &PidNamespace::order> order_;
    Atomic<u32> count_;
};

}  // namespace ktwin

#endif
