// SPDX-License-Identifier: GPL-2.0-only
//
// The twin's IdTree as a backend: one lock for its writers, none for its readers.
#ifndef KTWIN_CORE_TREE_BACKEND_H
#define KTWIN_CORE_TREE_BACKEND_H

#include "core/id_backend_row.h"
#include "core/id_memory.h"

namespace ktwin {

class TreeBackend : public IdBackendDefaults, Pinned {
  public:
    explicit TreeBackend(const IdBackendConfig& config)
        : memory_(config.objects, config.bytes), limit_(config.limit) {
        memory_.setup_tree();
    }
    static Expected<void*> create(const IdBackendConfig& config);
    void teardown();

    Expected<u32> alloc_lowest(u32 min, u32 max, void* pointer);
    Expected<u32> alloc_cyclic(u32 min, u32 max, void* pointer);
    Expected<u32> alloc_any(u32 min, u32 max, void* pointer);
    Result alloc_at(u32 id, void* pointer);
    void publish(u32 id, void* pointer);
    bool erase(u32 id);
    void* find(u32 id) const { return tree_.find(id); }
    IdTree::Found next(u32 id) const { return tree_.next(id); }
    u32 count() const { return tree_.count(); }
    u32 cursor();
    void set_cursor(u32 cursor);
    u64 bytes() { return sizeof(*this) + memory_.bytes(); }
    u64 bytes_in_use() { return sizeof(tree_) + memory_.bytes_in_use(); }
    void maintain() { memory_.maintain(); }
    void begin_reclaim() { memory_.begin_reclaim(); }
    void end_reclaim() { memory_.end_reclaim(); }

  private:
    IdMemory memory_;
    const u32 limit_;
    IdTree tree_;
};

}  // namespace ktwin

#endif
