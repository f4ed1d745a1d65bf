// SPDX-License-Identifier: GPL-2.0-only
//
// The kernel's wait queue of the paper kernel: a list under a mutex, in the order of kernel/sched/wait.c.
#include <list>
#include <mutex>

#include "boundary/host_api.h"
#include "fake_task.h"

namespace {

struct Entry {
    uint64_t since_ns;
    kt_selected* selected;
    FakeTask* task;
    uint32_t kind;
    bool queued;
};
static_assert(sizeof(Entry) <= sizeof(kt_host_waitq_entry));

struct Queue {
    std::mutex mutex;
    std::list<Entry*> entries;
};

Entry& entry_of(kt_host_waitq_entry* entry) {
    return *reinterpret_cast<Entry*>(entry->opaque);
}
Queue& queue_of(void* queue) {
    return *static_cast<Queue*>(queue);
}

void insert(Queue& queue, Entry& entry) {
    auto place = queue.entries.end();
    if (entry.kind != KT_WAIT_EXCLUSIVE) {
        place = queue.entries.begin();
        while (place != queue.entries.end() && (*place)->kind == KT_WAIT_PRIORITY) {
            ++place;
        }
    }
    queue.entries.insert(place, &entry);
    entry.queued = true;
}

}  // namespace

extern "C" {

void* kt_host_waitq_create() {
    void* memory = kt_host_alloc(sizeof(Queue));
    return memory != nullptr ? new (memory) Queue : nullptr;
}
void kt_host_waitq_destroy(void* queue) {
    if (queue != nullptr) {
        queue_of(queue).~Queue();
        kt_host_free(queue);
    }
}
void kt_host_waitq_entry_init(kt_host_waitq_entry* entry, __u64 since_ns, kt_selected* selected) {
    new (entry->opaque) Entry{since_ns, selected, &FakeTask::current(), 0, false};
}
void kt_host_waitq_prepare(void* queue, kt_host_waitq_entry* entry, __u32 kind, __u32 state) {
    std::lock_guard guard(queue_of(queue).mutex);
    if (!entry_of(entry).queued) {
        entry_of(entry).kind = kind;
        insert(queue_of(queue), entry_of(entry));
    }
    kt_host_set_state(state);
}
void kt_host_waitq_finish(void* queue, kt_host_waitq_entry* entry) {
    kt_host_set_state(KT_TASK_RUNNING);
    std::lock_guard guard(queue_of(queue).mutex);
    if (entry_of(entry).queued) {
        queue_of(queue).entries.remove(&entry_of(entry));
        entry_of(entry).queued = false;
    }
}
__u32 kt_host_waitq_wake(void* queue, const kt_wake_call* call) {
    std::lock_guard guard(queue_of(queue).mutex);
    auto& entries = queue_of(queue).entries;
    uint32_t woken = 0;
    uint32_t left = call->nr;
    for (auto at = entries.begin(); at != entries.end();) {
        Entry& entry = **at;
        const bool wanted =
            call->sequence != 0 || __atomic_load_n(&entry.selected->leave, __ATOMIC_RELAXED) != 0;
        const bool passed_over = call->exclusive_only != 0 && entry.kind == KT_WAIT_SHARED;
        if (!wanted || passed_over || !entry.task->wake(call->mode)) {
            ++at;
            continue;
        }
        if (call->sequence != 0) {
            entry.selected->sequence = call->sequence;
            entry.selected->mode = call->mode;
            entry.selected->order = __atomic_add_fetch(call->order, 1, __ATOMIC_RELAXED);
            ++woken;
        }
        at = entries.erase(at);
        entry.queued = false;
        if (entry.kind != KT_WAIT_SHARED && left != 0 && --left == 0) {
            break;
        }
    }
    return woken;
}
bool kt_host_waitq_active(void* queue) {
    return kt_host_waitq_list(queue, nullptr, 0) != 0;
}
__u32 kt_host_waitq_list(void* queue, kt_waiter* to, __u32 room) {
    std::lock_guard guard(queue_of(queue).mutex);
    uint32_t count = 0;
    for (const Entry* entry : queue_of(queue).entries) {
        if (count < room) {
            to[count] = {entry->task->key(), entry->since_ns,
                         entry->kind == KT_WAIT_SHARED     ? 0
                         : entry->kind == KT_WAIT_PRIORITY ? KTWIN_WAITER_EXCLUSIVE | KTWIN_WAITER_PRIORITY
                                                           : KTWIN_WAITER_EXCLUSIVE,
                         0};
        }
        ++count;
    }
    return count;
}

}  // extern "C"
