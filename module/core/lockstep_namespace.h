// SPDX-License-Identifier: GPL-2.0-only
//
// LockstepNamespace: the twin of one of the kernel's PID namespaces as its allocator sees it: which numbers are in use,
// reserved ones included, and where the next search begins.
//
// Lifetime: from the first fork into it that was seen until the kernel destroys its idr, which no event follows. All under
// the lockstep's lock; who only looks it up by its key does so with preemption off, and it is retired when it goes.
#ifndef KTWIN_CORE_LOCKSTEP_NAMESPACE_H
#define KTWIN_CORE_LOCKSTEP_NAMESPACE_H

#include "core/id_tree.h"

namespace ktwin {

class LockstepNamespace : public PoolNode {
  public:
    LockstepNamespace(kt_key key, u32 inode) : key_(key), inode_(inode) {}

    kt_key key() const { return key_; }
    u32 inode() const { return inode_; }

    IdTree ids;
    // Numbers below are as the kernel has them, and events at them are applied; those above will be read.
    u32 frontier = 0;
    // Which taking over of the kernel's state this is part of; an old one is begun anew. 0: none.
    u64 generation = 0;
    // Writes to ns_last_pid under way; and whether one that has ended moved the cursor since it was looked at.
    u32 writes = 0;
    bool cursor_stored = false;
    bool cursor_in_doubt() const { return cursor_stored || writes > 0; }

    bool is_whole() const { return frontier == kIds; }

    Atomic<LockstepNamespace*> hash_next;

  private:
    const kt_key key_;
    const u32 inode_;
};

}  // namespace ktwin

#endif
