// SPDX-License-Identifier: GPL-2.0-only
#include "core/tree_backend.h"

#include "base/memory.h"
#include "core/with_memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

Expected<void*> TreeBackend::create(const IdBackendConfig& config) {
    auto* backend = construct_at<TreeBackend>(kt_host_alloc(sizeof(TreeBackend)), config);
    return backend != nullptr ? Expected<void*>(backend) : Errno::kNoMemory;
}

void TreeBackend::teardown() {
    {
        SpinGuard guard(memory_.lock());
        tree_.clear(memory_.nodes());
    }
    memory_.teardown();
}

Expected<u32> TreeBackend::alloc_lowest(u32 min, u32 max, void* pointer) {
    return with_memory(memory_, [&] {
        SpinGuard guard(memory_.lock());
        const Expected<u32> id = tree_.reserve_lowest(min, max < limit_ ? max : limit_, memory_.nodes());
        if (id && pointer != nullptr) {
            tree_.publish(id.value(), pointer);
        }
        return id;
    });
}

Expected<u32> TreeBackend::alloc_cyclic(u32 min, u32 max, void* pointer) {
    return with_memory(memory_, [&] {
        SpinGuard guard(memory_.lock());
        const Expected<u32> id = tree_.reserve_cyclic(min, max < limit_ ? max : limit_, memory_.nodes());
        if (id && pointer != nullptr) {
            tree_.publish(id.value(), pointer);
        }
        return id;
    });
}

Result TreeBackend::alloc_at(u32 id, void* pointer) {
    if (id >= limit_) {
        return Errno::kRange;
    }
    return with_memory(memory_, [&] {
        SpinGuard guard(memory_.lock());
        return tree_.insert(id, pointer, memory_.nodes());
    });
}

// The id is the caller's, so its leaf stays, and the store needs no lock; the directory above it may be replaced by a
// larger one meanwhile, which keeps the leaf, and the old one is not reused before a grace period.
void TreeBackend::publish(u32 id, void* pointer) {
    RcuGuard guard;
    tree_.publish(id, pointer);
}

bool TreeBackend::erase(u32 id) {
    SpinGuard guard(memory_.lock());
    const u32 before = tree_.count();
    tree_.erase(id, memory_.nodes());
    return tree_.count() != before;
}

u32 TreeBackend::cursor() {
    SpinGuard guard(memory_.lock());
    return tree_.cursor();
}

}  // namespace ktwin
