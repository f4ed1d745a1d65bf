// SPDX-License-Identifier: GPL-2.0-only
//
// pidmap and pid_hash of 3.9 as a backend. As there, a number is taken from the bitmap without the lock, and the lock
// (pidmap_lock) is held for the hash, and for a page that is missing.
#ifndef KTWIN_CORE_PIDMAP_BACKEND_H
#define KTWIN_CORE_PIDMAP_BACKEND_H

#include "core/id_backend_row.h"
#include "core/id_memory.h"
#include "core/pid_hash.h"
#include "core/pid_map.h"

namespace ktwin {

class PidmapBackend : public IdBackendDefaults, Pinned {
  public:
    explicit PidmapBackend(const IdBackendConfig& config);
    static Expected<void*> create(const IdBackendConfig& config);
    void teardown();

    Expected<u32> alloc_lowest(u32 min, u32 max, void* pointer);
    Expected<u32> alloc_cyclic(u32 min, u32 max, void* pointer);
    Result alloc_at(u32 id, void* pointer);
    void publish(u32 id, void* pointer);
    bool erase(u32 id);
    void* find(u32 id) const;
    // find_ge_pid(): the bitmap says which, the hash what.
    IdTree::Found next(u32 id) const;
    u32 count() const { return map_.count(); }
    u32 cursor() const { return map_.last_pid() + 1; }
    void set_cursor(u32 cursor) { map_.set_last(cursor - 1); }
    u64 bytes() { return sizeof(*this) + memory_.bytes(); }
    u64 bytes_in_use() { return bytes() - memory_.bytes() + memory_.bytes_in_use(); }
    void maintain() { memory_.maintain(); }
    void begin_reclaim() { memory_.begin_reclaim(); }
    void end_reclaim() { memory_.end_reclaim(); }

  private:
    template <typename Take>
    Expected<u32> alloc(Take take, Errno none, void* pointer);
    Result add_page(u32 index);

    IdMemory memory_;
    const u32 limit_;
    PidMap map_;
    PidHash hash_;
};

}  // namespace ktwin

#endif
