// SPDX-License-Identifier: GPL-2.0-only
#include "core/tree_backend.h"

#include "base/memory.h"
#include "core/with_memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

Expected<void*> TreeBackend::create(const IdBackendConfig& config) {
    auto* backend = construct_at<TreeBackend>(kt_host_alloc_charged(sizeof(TreeBackend)), config);
    return backend != nullptr ? Expected<void*>(backend) : Errno::kNoMemory;
}

void TreeBackend::teardown() {
    {
        TaskGuard guard(memory_.lock());
        tree_.clear(memory_.nodes());
    }
    memory_.teardown();
}

// The id is published where it is reserved: no second walk.
Expected<u32> TreeBackend::alloc_lowest(u32 min, u32 max, void* pointer) {
    return with_memory(memory_, [this, min, max, pointer]() KT_INLINE_LAMBDA {
        TaskGuard guard(memory_.lock());
        return tree_.reserve_lowest(min, max < limit_ ? max : limit_, memory_.nodes(), pointer);
    });
}

Expected<u32> TreeBackend::alloc_cyclic(u32 min, u32 max, void* pointer) {
    return with_memory(memory_, [this, min, max, pointer]() KT_INLINE_LAMBDA {
        TaskGuard guard(memory_.lock());
        return tree_.reserve_cyclic(min, max < limit_ ? max : limit_, memory_.nodes(), pointer);
    });
}

Expected<u32> TreeBackend::alloc_any(u32 min, u32 max, void* pointer) {
    return with_memory(memory_, [this, min, max, pointer]() KT_INLINE_LAMBDA {
        TaskGuard guard(memory_.lock());
        return tree_.reserve_any(min, max < limit_ ? max : limit_, memory_.nodes(), pointer);
    });
}

Result TreeBackend::alloc_at(u32 id, void* pointer) {
    if (id >= limit_) {
        return Errno::kRange;
    }
    return with_memory(memory_, [this, id, pointer]() KT_INLINE_LAMBDA {
        TaskGuard guard(memory_.lock());
        return tree_.reserve_at(id, memory_.nodes(), pointer);
    });
}

// The id is the caller's, so its leaf stays, and the store needs no lock; the directory above it may be replaced by a
// larger one meanwhile, which keeps the leaf, and the old one is not reused before a grace period.
void TreeBackend::publish(u32 id, void* pointer) {
    RcuGuard guard;
    tree_.publish(id, pointer);
}

bool TreeBackend::erase(u32 id) {
    TaskGuard guard(memory_.lock());
    return tree_.remove(id, memory_.nodes());
}

void TreeBackend::set_cursor(u32 cursor) {
    TaskGuard guard(memory_.lock());
    tree_.set_cursor(cursor);
}

u32 TreeBackend::cursor() {
    TaskGuard guard(memory_.lock());
    return tree_.cursor();
}

}  // namespace ktwin
