// SPDX-License-Identifier: GPL-2.0-only
#include "core/namespace_table.h"

#include "base/enforce.h"  // last

namespace ktwin {

PidNamespace* NamespaceTable::find(kt_key key) const {
    PidNamespace* ns = buckets_[bucket_of(key)].load_acquire();
    while (ns != nullptr && ns->key() != key) {
        ns = ns->hash_next.load_acquire();
    }
    return ns;
}

PidNamespace* NamespaceTable::find_inode(u32 inode) const {
    PidNamespace* ns = first();
    while (ns != nullptr && ns->inode() != inode) {
        ns = following(ns);
    }
    return ns;
}

PidNamespace* NamespaceTable::next(u64 after) const {
    PidNamespace* ns = first();
    while (ns != nullptr && ns->serial() <= after) {
        ns = following(ns);
    }
    return ns;
}

void NamespaceTable::add(PidNamespace* ns) {
    Atomic<PidNamespace*>& bucket = buckets_[bucket_of(ns->key())];
    ns->hash_next.store_relaxed(bucket.load_relaxed());
    bucket.store_release(ns);
    order_.push_back(ns);
    count_.add_exclusive(1);
    ns->set_listed(true);
}

// The namespace's own links stay as they are, for readers that stand on it.
void NamespaceTable::remove(PidNamespace* ns) {
    Atomic<PidNamespace*>* link = &buckets_[bucket_of(ns->key())];
    while (link->load_relaxed() != ns) {
        link = &link->load_relaxed()->hash_next;
    }
    link->store_release(ns->hash_next.load_relaxed());
    order_.remove(ns);
    count_.sub_exclusive(1);
    ns->set_listed(false);
}

}  // namespace ktwin
