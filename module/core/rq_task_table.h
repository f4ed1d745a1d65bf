// SPDX-License-Identifier: GPL-2.0-only
//
// The tasks the run queues know, by key. Under the lock of the twin.
#ifndef KTWIN_CORE_RQ_TASK_TABLE_H
#define KTWIN_CORE_RQ_TASK_TABLE_H

#include "base/bits.h"
#include "base/expected.h"
#include "core/rq_task.h"

namespace ktwin {

class RqTaskTable : Pinned {
  public:
    // [sleep] About as many buckets as tasks are expected.
    Result setup(u32 tasks);
    // [sleep] Forgets everything; the tasks are their owner's.
    void teardown();

    // [any] nullptr: not known.
    RqTask* find(kt_key key) const;
    // Not in the table yet.
    void add(RqTask* task);
    void remove(RqTask* task);
    // Any task; nullptr: empty. Later calls go on from where the last one found somebody.
    RqTask* any();
    u32 size() const { return size_; }

  private:
    RqTask** bucket(kt_key key) const { return &buckets_[mix(key) & mask_]; }

    RqTask** buckets_ = nullptr;
    u64 mask_ = 0;
    u64 hand_ = 0;
    u32 size_ = 0;
};

}  // namespace ktwin

#endif
