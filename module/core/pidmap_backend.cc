// SPDX-License-Identifier: GPL-2.0-only
#include "core/pidmap_backend.h"

#include "base/memory.h"
#include "core/with_memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u32 kPagePool = 0;
constexpr u32 kNodePool = 1;
constexpr u32 kPagesAtStart = 1;
constexpr u32 kNodesAtStart = 64;

}  // namespace

PidmapBackend::PidmapBackend(const IdBackendConfig& config)
    : memory_(config.objects, config.bytes), limit_(config.limit) {
    memory_.setup(kPagePool, sizeof(PidMapPage), kPagesAtStart);
    memory_.setup(kNodePool, sizeof(PidHashNode), kNodesAtStart);
}

Expected<void*> PidmapBackend::create(const IdBackendConfig& config) {
    auto* backend = construct_at<PidmapBackend>(kt_host_alloc_charged(sizeof(PidmapBackend)), config);
    return backend != nullptr ? Expected<void*>(backend) : Errno::kNoMemory;
}

void PidmapBackend::teardown() {
    {
        TaskGuard guard(memory_.lock());
        hash_.clear(memory_.pool(kNodePool));
        map_.clear(memory_.pool(kPagePool));
    }
    memory_.teardown();
}

Result PidmapBackend::add_page(u32 index) {
    TaskGuard guard(memory_.lock());
    if (map_.has_page(index)) {
        return {};
    }
    auto* page = static_cast<PidMapPage*>(memory_.pool(kPagePool).get());
    if (page == nullptr) {
        return Errno::kNoMemory;
    }
    map_.add_page(index, page);
    return {};
}

// The node first, as alloc_pid() has its struct pid before it looks for a number.
template <typename Take>
Expected<u32> PidmapBackend::alloc(Take take, Errno none, void* pointer) {
    PidHashNode* node = nullptr;
    {
        TaskGuard guard(memory_.lock());
        node = static_cast<PidHashNode*>(memory_.pool(kNodePool).get());
    }
    if (node == nullptr) {
        return Errno::kNoMemory;
    }
    PidMap::Taken taken = take();
    Result paged;
    while (paged && taken.missing != PidMap::kNone) {
        paged = add_page(taken.missing);
        taken = paged ? take() : taken;
    }
    TaskGuard guard(memory_.lock());
    if (taken.nr == PidMap::kNone) {
        memory_.pool(kNodePool).put(node);
        return paged ? none : paged.error();
    }
    hash_.add(node, taken.nr, this, pointer);
    return taken.nr;
}

Expected<u32> PidmapBackend::alloc_lowest(u32 min, u32 max, void* pointer) {
    return with_memory(memory_, [&] {
        return alloc([&] { return map_.alloc_lowest(min, max < limit_ ? max : limit_); }, Errno::kNoSpace,
                     pointer);
    });
}

Expected<u32> PidmapBackend::alloc_cyclic(u32 min, u32 max, void* pointer) {
    return with_memory(memory_, [&] {
        return alloc([&] { return map_.alloc_after_last(min, max < limit_ ? max : limit_); }, Errno::kNoSpace,
                     pointer);
    });
}

Result PidmapBackend::alloc_at(u32 id, void* pointer) {
    if (id >= limit_) {
        return Errno::kRange;
    }
    return with_memory(memory_, [&] {
        const Expected<u32> nr = alloc([&] { return map_.alloc_at(id); }, Errno::kExists, pointer);
        return nr ? Result() : Result(nr.error());
    });
}

void PidmapBackend::publish(u32 id, void* pointer) {
    RcuGuard guard;
    hash_.find(id, this)->pointer.store_release(pointer);
}

// detach_pid() and free_pid(): out of the hash, then the bit.
bool PidmapBackend::erase(u32 id) {
    if (id >= limit_) {
        return false;
    }
    {
        TaskGuard guard(memory_.lock());
        PidHashNode* node = hash_.find(id, this);
        if (node == nullptr) {
            return false;
        }
        PidHash::remove(node);
        memory_.pool(kNodePool).retire(node);
    }
    return map_.give_back(id);
}

void* PidmapBackend::find(u32 id) const {
    const PidHashNode* node = hash_.find(id, this);
    return node != nullptr ? node->pointer.load_acquire() : nullptr;
}

IdTree::Found PidmapBackend::next(u32 id) const {
    for (u32 nr = map_.next(id - 1); nr != PidMap::kNone; nr = map_.next(nr)) {
        if (void* pointer = find(nr)) {
            return {nr, pointer};
        }
    }
    return {};
}

}  // namespace ktwin
