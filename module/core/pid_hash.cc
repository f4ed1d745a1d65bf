// SPDX-License-Identifier: GPL-2.0-only
#include "core/pid_hash.h"

#include "base/enforce.h"  // last

namespace ktwin {

void PidHash::add(PidHashNode* node, u32 nr, const void* ns, void* pointer) {
    Atomic<PidHashNode*>& bucket = buckets_[bucket_of(nr, ns)];
    PidHashNode* first = bucket.load_relaxed();
    node->nr = nr;
    node->ns = ns;
    node->pointer.store_relaxed(pointer);
    node->next.store_relaxed(first);
    node->link = &bucket;
    if (first != nullptr) {
        first->link = &node->next;
    }
    // Release: who finds the node finds it complete.
    bucket.store_release(node);
}

// Its own forward pointer stays, for the reader that stands on it.
void PidHash::remove(PidHashNode* node) {
    PidHashNode* next = node->next.load_relaxed();
    node->link->store_release(next);
    if (next != nullptr) {
        next->link = node->link;
    }
}

void PidHash::clear(Pool& pool) {
    for (Atomic<PidHashNode*>& bucket : buckets_) {
        while (PidHashNode* node = bucket.load_relaxed()) {
            remove(node);
            pool.retire(node);
        }
    }
}

}  // namespace ktwin
