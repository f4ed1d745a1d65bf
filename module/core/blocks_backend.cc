// SPDX-License-Identifier: GPL-2.0-only
#include "core/blocks_backend.h"

#include "base/memory.h"
#include "core/with_memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u32 kBlocksPool = 0;
constexpr u32 kBlocksAtStart = 8;

}  // namespace

BlocksBackend::BlocksBackend(const IdBackendConfig& config, Span<Atomic<IdBlock*>> directory,
                             Span<IdBlocks::Cpu> cpus)
    : memory_(config.objects, config.bytes),
      limit_(config.limit),
      directory_memory_(directory.data()),
      cpu_memory_(cpus.data()),
      fixed_bytes_(directory.size() * sizeof(void*) + cpus.size() * sizeof(IdBlocks::Cpu)),
      blocks_(directory, cpus) {
    memory_.setup(kBlocksPool, sizeof(IdBlock), kBlocksAtStart);
}

Expected<void*> BlocksBackend::create(const IdBackendConfig& config) {
    if (!IdBlocks::fits(config.limit, config.cpus)) {
        return Errno::kInvalid;
    }
    // Zeroed memory is what an empty directory and an idle CPU are.
    const u32 entries = IdBlocks::blocks_for(config.limit);
    auto* directory =
        static_cast<Atomic<IdBlock*>*>(kt_host_alloc_charged(entries * sizeof(Atomic<IdBlock*>)));
    auto* cpus = static_cast<IdBlocks::Cpu*>(kt_host_alloc_charged(config.cpus * sizeof(IdBlocks::Cpu)));
    void* memory =
        directory != nullptr && cpus != nullptr ? kt_host_alloc_charged(sizeof(BlocksBackend)) : nullptr;
    if (memory == nullptr) {
        kt_host_free(directory);
        kt_host_free(cpus);
        return Errno::kNoMemory;
    }
    return construct_at<BlocksBackend>(memory, config, Span<Atomic<IdBlock*>>(directory, entries),
                                       Span<IdBlocks::Cpu>(cpus, config.cpus));
}

void BlocksBackend::teardown() {
    {
        TaskGuard guard(memory_.lock());
        blocks_.clear(memory_.pool(kBlocksPool));
    }
    memory_.teardown();
    kt_host_free(directory_memory_);
    kt_host_free(cpu_memory_);
}

Expected<u32> BlocksBackend::reserve_once(u32 min, u32 max, void* pointer, IdBlocks::Shortage shortage) {
    const OnCpu here;
    const u32 id = blocks_.reserve_further(here.cpu(), min, max, pointer);
    if (id != IdBlocks::kNone) {
        return id;
    }
    const Expected<u32> found = [&] {
        TaskGuard guard(memory_.lock());
        return blocks_.reserve_slowly(here.cpu(), min, max, shortage, memory_.pool(kBlocksPool));
    }();
    if (found && pointer != nullptr) {
        blocks_.publish(found.value(), pointer);
    }
    return found;
}

Expected<u32> BlocksBackend::alloc_slowly(u32 min, u32 max, void* pointer) {
    const Expected<u32> id = reserve_once(min, max, pointer, IdBlocks::Shortage::kTell);
    if (id.error() != Errno::kNoMemory) {
        return id;
    }
    (void)memory_.refill();
    return with_memory(memory_, [&] { return reserve_once(min, max, pointer, IdBlocks::Shortage::kGoOn); });
}

Result BlocksBackend::alloc_at(u32 id, void* pointer) {
    if (id >= limit_) {
        return Errno::kRange;
    }
    return with_memory(memory_, [&] {
        TaskGuard guard(memory_.lock());
        const Result reserved = blocks_.reserve_at(id, memory_.pool(kBlocksPool));
        if (reserved && pointer != nullptr) {
            blocks_.publish(id, pointer);
        }
        return reserved;
    });
}

// The id is the caller's and so keeps its block.
void BlocksBackend::publish(u32 id, void* pointer) {
    RcuGuard guard;
    blocks_.publish(id, pointer);
}

// Meanwhile another CPU may have taken a number in the block, or taken it away: what is there now decides, under the lock.
void BlocksBackend::drop_if_empty(u32 id) {
    TaskGuard guard(memory_.lock());
    blocks_.drop_if_empty(id, memory_.pool(kBlocksPool));
}

u32 BlocksBackend::count() const {
    RcuGuard guard;
    return blocks_.count();
}

u64 BlocksBackend::bytes() {
    return sizeof(*this) + fixed_bytes_ + memory_.bytes();
}

}  // namespace ktwin
