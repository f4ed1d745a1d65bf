// SPDX-License-Identifier: GPL-2.0-only
#include "core/host_backend.h"

#include "base/memory.h"
#include "boundary/host_api.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

Expected<u32> number_or_error(int result) {
    return result >= 0 ? Expected<u32>(static_cast<u32>(result)) : static_cast<Errno>(-result);
}

}  // namespace

Expected<void*> HostBackend::create_kind(kt_ids_kind kind, u32 limit) {
    void* ids = kt_host_ids_create(kind, limit);
    void* memory = ids != nullptr ? kt_host_alloc_charged(sizeof(HostBackend)) : nullptr;
    if (memory == nullptr) {
        kt_host_ids_destroy(ids);
        return Errno::kNoMemory;
    }
    return construct_at<HostBackend>(memory, ids, limit);
}

Expected<u32> HostBackend::alloc_lowest(u32 min, u32 max, void* pointer) {
    max = max < limit_ ? max : limit_;
    return min < max ? number_or_error(kt_host_ids_alloc_lowest(ids_, min, max, pointer)) : Errno::kNoSpace;
}

Expected<u32> HostBackend::alloc_cyclic(u32 min, u32 max, void* pointer) {
    max = max < limit_ ? max : limit_;
    return min < max ? number_or_error(kt_host_ids_alloc_cyclic(ids_, min, max, pointer)) : Errno::kNoSpace;
}

// An sbitmap_queue hands out all of its numbers; there is no choosing among them.
Expected<u32> HostBackend::alloc_any(u32 min, u32 max, void*) {
    if (min != 0 || max < limit_) {
        return Errno::kInvalid;
    }
    return number_or_error(kt_host_ids_alloc_any(ids_));
}

Result HostBackend::alloc_at(u32 id, void* pointer) {
    if (id >= limit_) {
        return Errno::kRange;
    }
    const int result = kt_host_ids_alloc_at(ids_, id, pointer);
    return result >= 0 ? Result() : static_cast<Errno>(-result);
}

IdTree::Found HostBackend::next(u32 id) {
    u32 at = id;
    void* pointer = id < limit_ ? kt_host_ids_next(ids_, &at) : nullptr;
    return pointer != nullptr ? IdTree::Found{at, pointer} : IdTree::Found{};
}

}  // namespace ktwin
