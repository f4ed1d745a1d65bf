// SPDX-License-Identifier: GPL-2.0-only
//
// PidHash: pid_hash of kernel/pid.c as it was until 4.14: chains of (nr, namespace), for all namespaces together, in
// 4096 buckets (the most the kernel ever gave it). Written under a lock, read inside RCU.
#ifndef KTWIN_CORE_PID_HASH_H
#define KTWIN_CORE_PID_HASH_H

#include "base/atomic.h"
#include "core/pool.h"

namespace ktwin {

// struct upid. In 3.9 it was a part of struct pid; here it comes from a pool and points to what has the number.
struct PidHashNode : PoolNode {
    Atomic<PidHashNode*> next;
    Atomic<PidHashNode*>* link;  // what points here; the writer's
    const void* ns;
    Atomic<void*> pointer;
    u32 nr;
};

class PidHash : Pinned {
  public:
    // Readers, inside RCU, and the writer. nullptr: not there.
    PidHashNode* find(u32 nr, const void* ns) const {
        PidHashNode* node = buckets_[bucket_of(nr, ns)].load_acquire();
        while (node != nullptr && (node->nr != nr || node->ns != ns)) {
            node = node->next.load_acquire();
        }
        return node;
    }

    // The lock held. hlist_add_head_rcu(), hlist_del_rcu().
    void add(PidHashNode* node, u32 nr, const void* ns, void* pointer);
    static void remove(PidHashNode* node);
    void clear(Pool& pool);

  private:
    static constexpr u32 kShift = 12;  // pidhash_shift

    // pid_hashfn(): hash_long() of the sum.
    static u32 bucket_of(u32 nr, const void* ns) {
        const u64 key = nr + reinterpret_cast<usize>(ns);
        return static_cast<u32>((key * 0x9e37fffffffc0001ULL) >> (64 - kShift));
    }

    Atomic<PidHashNode*> buckets_[1 << kShift];
};

}  // namespace ktwin

#endif
