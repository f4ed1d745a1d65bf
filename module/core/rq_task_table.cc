// SPDX-License-Identifier: GPL-2.0-only
#include "core/rq_task_table.h"

#include "base/enforce.h"  // last

namespace ktwin {

Result RqTaskTable::setup(u32 tasks) {
    u64 count = 1;
    while (count < tasks) {
        count *= 2;
    }
    buckets_ = static_cast<RqTask**>(kt_host_alloc(count * sizeof(void*)));
    mask_ = count - 1;
    return buckets_ != nullptr ? Result() : Result(Errno::kNoMemory);
}

void RqTaskTable::teardown() {
    kt_host_free(static_cast<void*>(buckets_));
    buckets_ = nullptr;
    size_ = 0;
}

RqTask* RqTaskTable::find(kt_key key) const {
    RqTask* task = *bucket(key);
    while (task != nullptr && task->key != key) {
        task = task->bucket_next;
    }
    return task;
}

void RqTaskTable::add(RqTask* task) {
    RqTask** head = bucket(task->key);
    task->bucket_next = *head;
    *head = task;
    ++size_;
}

void RqTaskTable::remove(RqTask* task) {
    RqTask** at = bucket(task->key);
    while (*at != task) {
        at = &(*at)->bucket_next;
    }
    *at = task->bucket_next;
    --size_;
}

RqTask* RqTaskTable::any() {
    if (size_ == 0) {
        return nullptr;
    }
    while (buckets_[hand_] == nullptr) {
        hand_ = (hand_ + 1) & mask_;
    }
    return buckets_[hand_];
}

}  // namespace ktwin
