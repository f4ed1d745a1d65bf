// SPDX-License-Identifier: GPL-2.0-only
//
// The kernel's id allocators by what their documentation says, for backends on the host: one slow model for all kinds.
#include <cerrno>

#include "../model/free_runs.h"
#include "fake_host.h"

namespace {

struct FakeIds {
    std::mutex mutex;
    IdrModel model;
    uint32_t limit;
    kt_ids_kind kind;
};

FakeIds& ids_of(void* ids) {
    return *static_cast<FakeIds*>(ids);
}

// A node of a radix tree that may not be had.
bool no_memory() {
    void* node = FakeHost::get().allocate(8, false);
    FakeHost::get().release(node);
    return node == nullptr;
}

int filled(FakeIds& ids, int64_t nr, void* pointer) {
    if (nr < 0) {
        return -ENOSPC;
    }
    ids.model.used()[nr] = reinterpret_cast<uint64_t>(pointer);
    return static_cast<int>(nr);
}

}  // namespace

extern "C" {

void* kt_host_ids_create(enum kt_ids_kind kind, __u32 limit) {
    void* memory = FakeHost::get().allocate(sizeof(FakeIds), false);
    return memory != nullptr ? new (memory) FakeIds{{}, {}, limit, kind} : nullptr;
}
void kt_host_ids_destroy(void* ids) {
    if (ids != nullptr) {
        ids_of(ids).~FakeIds();
        FakeHost::get().release(ids);
    }
}
int kt_host_ids_alloc_lowest(void* ids, __u32 min, __u32 max, void* pointer) {
    if (ids_of(ids).kind == KT_IDS_SBITMAP) {
        return -EOPNOTSUPP;
    }
    std::lock_guard guard(ids_of(ids).mutex);
    return no_memory() ? -ENOMEM : filled(ids_of(ids), ids_of(ids).model.alloc(min, max), pointer);
}
int kt_host_ids_alloc_cyclic(void* ids, __u32 min, __u32 max, void* pointer) {
    if (ids_of(ids).kind != KT_IDS_IDR && ids_of(ids).kind != KT_IDS_XARRAY) {
        return -EOPNOTSUPP;
    }
    std::lock_guard guard(ids_of(ids).mutex);
    return no_memory() ? -ENOMEM : filled(ids_of(ids), ids_of(ids).model.alloc_cyclic(min, max), pointer);
}
int kt_host_ids_alloc_any(void* ids) {
    if (ids_of(ids).kind != KT_IDS_SBITMAP) {
        return -EOPNOTSUPP;
    }
    std::lock_guard guard(ids_of(ids).mutex);
    return no_memory() ? -ENOMEM
                       : filled(ids_of(ids), ids_of(ids).model.alloc(0, ids_of(ids).limit), nullptr);
}
int kt_host_ids_alloc_at(void* ids, __u32 id, void* pointer) {
    const int result = kt_host_ids_alloc_lowest(ids, id, id + 1, pointer);
    return result == -ENOSPC ? -EEXIST : result;
}
void kt_host_ids_publish(void* ids, __u32 id, void* pointer) {
    std::lock_guard guard(ids_of(ids).mutex);
    filled(ids_of(ids), id, pointer);
}
bool kt_host_ids_erase(void* ids, __u32 id) {
    std::lock_guard guard(ids_of(ids).mutex);
    return ids_of(ids).model.remove(id);
}
void* kt_host_ids_find(void* ids, __u32 id) {
    std::lock_guard guard(ids_of(ids).mutex);
    const auto at = ids_of(ids).model.used().find(id);
    return at != ids_of(ids).model.used().end() ? reinterpret_cast<void*>(at->second) : nullptr;
}
void* kt_host_ids_next(void* ids, __u32* id) {
    std::lock_guard guard(ids_of(ids).mutex);
    auto at = ids_of(ids).model.used().lower_bound(*id);
    while (at != ids_of(ids).model.used().end() && at->second == 0) {
        ++at;
    }
    if (at == ids_of(ids).model.used().end()) {
        return nullptr;
    }
    *id = static_cast<__u32>(at->first);
    return reinterpret_cast<void*>(at->second);
}
__u32 kt_host_ids_count(void* ids) {
    std::lock_guard guard(ids_of(ids).mutex);
    return static_cast<__u32>(ids_of(ids).model.used().size());
}
__u32 kt_host_ids_cursor(void* ids) {
    std::lock_guard guard(ids_of(ids).mutex);
    return static_cast<__u32>(ids_of(ids).model.cursor);
}
void kt_host_ids_set_cursor(void* ids, __u32 cursor) {
    std::lock_guard guard(ids_of(ids).mutex);
    ids_of(ids).model.cursor = cursor;
}

}  // extern "C"
