// SPDX-License-Identifier: GPL-2.0-only
//
// The kernel's own id allocators as backends: each call is one of theirs (boundary/host_api.h, kt_host_ids_*).
#ifndef KTWIN_CORE_HOST_BACKEND_H
#define KTWIN_CORE_HOST_BACKEND_H

#include "core/id_backend_row.h"

namespace ktwin {

class HostBackend : public IdBackendDefaults, Pinned {
  public:
    HostBackend(void* ids, u32 limit) : ids_(ids), limit_(limit) {}
    template <kt_ids_kind kKind>
    static Expected<void*> create(const IdBackendConfig& config) {
        return create_kind(kKind, config.limit);
    }
    void teardown() { kt_host_ids_destroy(ids_); }

    Expected<u32> alloc_lowest(u32 min, u32 max, void* pointer);
    Expected<u32> alloc_cyclic(u32 min, u32 max, void* pointer);
    Expected<u32> alloc_any(u32 min, u32 max, void* pointer);
    Result alloc_at(u32 id, void* pointer);
    void publish(u32 id, void* pointer) { kt_host_ids_publish(ids_, id, pointer); }
    bool erase(u32 id) { return id < limit_ && kt_host_ids_erase(ids_, id); }
    void* find(u32 id) { return id < limit_ ? kt_host_ids_find(ids_, id) : nullptr; }
    IdTree::Found next(u32 id);
    u32 count() { return kt_host_ids_count(ids_); }
    u32 cursor() { return kt_host_ids_cursor(ids_); }
    void set_cursor(u32 cursor) { kt_host_ids_set_cursor(ids_, cursor); }

  private:
    static Expected<void*> create_kind(kt_ids_kind kind, u32 limit);

    void* const ids_;
    const u32 limit_;
};

}  // namespace ktwin

#endif
