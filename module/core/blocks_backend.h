// SPDX-License-Identifier: GPL-2.0-only
//
// IdBlocks as a backend: the twin with a block a CPU.
#ifndef KTWIN_CORE_BLOCKS_BACKEND_H
#define KTWIN_CORE_BLOCKS_BACKEND_H

#include "base/cpu.h"
#include "core/id_backend_row.h"
#include "core/id_blocks.h"
#include "core/id_memory.h"

namespace ktwin {

class BlocksBackend : public IdBackendDefaults, Pinned {
  public:
    BlocksBackend(const IdBackendConfig& config, Span<Atomic<IdBlock*>> directory, Span<IdBlocks::Cpu> cpus);
    // kInvalid: the limit is too small for that many CPUs.
    static Expected<void*> create(const IdBackendConfig& config);
    void teardown();

    // What both do mostly, without a call: no register is saved for it.
    KT_INLINE Expected<u32> alloc_any(u32 min, u32 max, void* pointer) {
        max = max < limit_ ? max : limit_;
        u32 id = 0;
        {
            const OnCpu here;
            id = blocks_.reserve(here.cpu(), min, max, pointer);
        }
        return id != IdBlocks::kNone ? Expected<u32>(id) : alloc_slowly(min, max, pointer);
    }
    KT_INLINE bool erase(u32 id) {
        IdBlocks::Erased erased = IdBlocks::Erased::kNotUsed;
        {
            const OnCpu here;
            erased = blocks_.erase(here.cpu(), id);
        }
        if (erased == IdBlocks::Erased::kMaybeEmpty) [[unlikely]] {
            drop_if_empty(id);
        }
        return erased != IdBlocks::Erased::kNotUsed;
    }
    Result alloc_at(u32 id, void* pointer);
    void publish(u32 id, void* pointer);
    void* find(u32 id) const { return blocks_.find(id); }
    IdTree::Found next(u32 id) const { return blocks_.next(id); }
    u32 count() const;
    u64 bytes();
    u64 bytes_in_use() { return bytes() - memory_.bytes() + memory_.bytes_in_use(); }
    void maintain() { memory_.maintain(); }
    void begin_reclaim() { memory_.begin_reclaim(); }
    void end_reclaim() { memory_.end_reclaim(); }

  private:
    [[gnu::noinline]] Expected<u32> alloc_slowly(u32 min, u32 max, void* pointer);
    [[gnu::noinline]] void drop_if_empty(u32 id);
    Expected<u32> reserve_once(u32 min, u32 max, void* pointer, IdBlocks::Shortage shortage);

    IdMemory memory_;
    const u32 limit_;
    void* const directory_memory_;
    void* const cpu_memory_;
    const u64 fixed_bytes_;
    IdBlocks blocks_;
};

}  // namespace ktwin

#endif
