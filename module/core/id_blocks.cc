// SPDX-License-Identifier: GPL-2.0-only
#include "core/id_blocks.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u32 index_of(u32 id) {
    return id / kIdBlockIds;
}
constexpr u32 place_of(u32 id) {
    return id % kIdBlockIds;
}

bool is_empty(const IdBlock& block) {
    for (const Atomic<u64>& word : block.used) {
        if (word.load_seq_cst() != 0) {
            return false;
        }
    }
    return true;
}

}  // namespace

// The slots of block index that are in [min, max).
IdBlocks::Range IdBlocks::range_in(u32 index, u32 min, u32 max) {
    const u32 first = index * kIdBlockIds;
    const u32 start = min > first ? min - first : 0;
    const u32 end = max > first ? max - first : 0;
    return {start, end < kIdBlockIds ? end : kIdBlockIds};
}

// The first free slot of the range, or kNone. The owner, who may lose a bit to a thief, or a thief.
u32 IdBlocks::claim(IdBlock* block, Range range) {
    u32 slot = range.start;
    while (slot < range.end) {
        Atomic<u64>& word = block->used[slot / 64];
        // Relaxed: a look only, the claim below decides.
        const u64 open = ~word.load_relaxed() & bits_from(slot % 64);
        if (open == 0) {
            slot = (slot / 64 + 1) * 64;
            continue;
        }
        slot = slot / 64 * 64 + lowest_bit(open);
        if (slot >= range.end) {
            break;
        }
        // Acquire: pairs with erase(); what it wrote to the slot is behind us.
        const u64 mask = bit(slot % 64);
        if ((word.fetch_or_acquire(mask) & mask) == 0) {
            return slot;
        }
    }
    return kNone;
}

u32 IdBlocks::reserve_further(u32 cpu, u32 min, u32 max, void* pointer) {
    Cpu& own = cpus_[cpu];
    if (own.block == nullptr) {
        return kNone;
    }
    Range range = range_in(index_of(own.first), min, max);
    range.start = range.start > own.next_slot ? range.start : own.next_slot;
    const u32 slot = claim(own.block, range);
    if (slot == kNone) {
        return kNone;
    }
    own.next_slot = slot + 1;
    own.block->slots[slot].store_release(pointer);
    return own.first + slot;
}

// Release: who finds the pointer finds the object. The bit is the caller's, so nobody else writes the slot, and the block
// stays, for it is not empty.
void IdBlocks::publish(u32 id, void* pointer) const {
    block_of_id(id)->slots[place_of(id)].store_release(pointer);
}

IdBlock* IdBlocks::attach(u32 index, Pool& pool) {
    auto* block = static_cast<IdBlock*>(pool.get());
    if (block != nullptr) {
        // Release: who finds the block finds it zeroed.
        directory_[index].store_release(block);
    }
    return block;
}

// Nobody can claim in it: the lock is held, and it has no owner. Who holds a bit keeps it there.
void IdBlocks::detach_empty(u32 index, Pool& pool) {
    IdBlock* block = directory_[index].load_relaxed();
    if (block != nullptr && block->owner.load_seq_cst() == 0 && is_empty(*block)) {
        // Relaxed: who still finds it finds it empty, and it is not reused before he has left.
        directory_[index].store_relaxed(nullptr);
        pool.retire(block);
    }
}

void IdBlocks::drop_if_empty(u32 id, Pool& pool) {
    detach_empty(index_of(id), pool);
}

void IdBlocks::leave(Cpu& cpu, Pool& pool) {
    if (cpu.block == nullptr) {
        return;
    }
    cpu.block->owner.store_seq_cst(0);
    cpu.block = nullptr;
    detach_empty(index_of(cpu.first), pool);
}

// The next block in turn that nobody owns and that has room. kNoMemory: none, but one that is not there would have had.
Expected<u32> IdBlocks::adopt(u32 cpu, u32 min, u32 max, Shortage shortage, Pool& pool) {
    const u32 low = index_of(min);
    const u32 blocks = index_of(max - 1) - low + 1;
    const u32 turn = turn_ >= low && turn_ - low < blocks ? turn_ - low : 0;
    Errno none = Errno::kNoSpace;
    for (u32 i = 0; i < blocks && (none == Errno::kNoSpace || shortage == Shortage::kGoOn); ++i) {
        const u32 index = low + (turn + i) % blocks;
        IdBlock* block = directory_[index].load_relaxed();
        if (block == nullptr && none == Errno::kNoSpace) {
            block = attach(index, pool);
        }
        if (block == nullptr) {
            none = Errno::kNoMemory;
            continue;
        }
        if (block->owner.load_relaxed() != 0) {
            continue;
        }
        const u32 slot = claim(block, range_in(index, min, max));
        if (slot != kNone) {
            block->owner.store_seq_cst(cpu + 1);
            Cpu& own = cpus_[cpu];
            own.block = block;
            own.first = index * kIdBlockIds;
            own.next_slot = slot + 1;
            turn_ = index + 1;
            return own.first + slot;
        }
    }
    return none;
}

u32 IdBlocks::steal(u32 min, u32 max) {
    for (u32 index = index_of(min); index <= index_of(max - 1); ++index) {
        IdBlock* block = directory_[index].load_relaxed();
        const u32 slot = block != nullptr ? claim(block, range_in(index, min, max)) : kNone;
        if (slot != kNone) {
            return index * kIdBlockIds + slot;
        }
    }
    return kNone;
}

// How many frees there were, at an instant when none was under way. A free is a few instructions with preemption off,
// and takes no lock between odd and even, so this wait ends.
u64 IdBlocks::frees_settled() const {
    u64 sum = 0;
    for (const Cpu& cpu : cpus_) {
        u64 frees = cpu.frees.load_acquire();
        while ((frees & 1) != 0) {
            cpu_relax();
            frees = cpu.frees.load_acquire();
        }
        sum += frees;
    }
    return sum;
}

// A look at all bits, one after the other, that finds each set does not prove that all were set at once: one may be
// freed behind our back and another, that we come to later, taken. But bits are only cleared by frees. If none was under
// way before the look and none had begun by its end, no bit was cleared during it, and at its end all were set. Each
// further round means that somebody's free came between, and that somebody else got what it freed.
Expected<u32> IdBlocks::reserve_slowly(u32 cpu, u32 min, u32 max, Shortage shortage, Pool& pool) {
    max = max < directory_.size() * kIdBlockIds ? max : directory_.size() * kIdBlockIds;
    if (min >= max) {
        return Errno::kNoSpace;
    }
    leave(cpus_[cpu], pool);
    const Expected<u32> adopted = adopt(cpu, min, max, shortage, pool);
    if (adopted || (adopted.error() == Errno::kNoMemory && shortage == Shortage::kTell)) {
        return adopted;
    }
    for (;;) {
        const u64 before = frees_settled();
        const u32 stolen = steal(min, max);
        if (stolen != kNone) {
            return stolen;
        }
        // The bits were looked at before the frees are counted again, as in read_seqcount_retry().
        read_barrier();
        if (frees_settled() == before) {
            return adopted.error();
        }
    }
}

Result IdBlocks::reserve_at(u32 id, Pool& pool) {
    if (index_of(id) >= directory_.size()) {
        return Errno::kRange;
    }
    IdBlock* block = directory_[index_of(id)].load_relaxed();
    if (block == nullptr) {
        block = attach(index_of(id), pool);
    }
    if (block == nullptr) {
        return Errno::kNoMemory;
    }
    const u64 mask = bit(id % 64);
    const u64 before = block->used[place_of(id) / 64].fetch_or_acquire(mask);
    return (before & mask) == 0 ? Result() : Errno::kExists;
}

void IdBlocks::clear(Pool& pool) {
    for (Cpu& cpu : cpus_) {
        cpu.block = nullptr;
    }
    for (Atomic<IdBlock*>& entry : directory_) {
        IdBlock* block = entry.load_relaxed();
        entry.store_relaxed(nullptr);
        if (block != nullptr) {
            pool.retire(block);
        }
    }
}

void* IdBlocks::find(u32 id) const {
    const IdBlock* block = block_of_id(id);
    return block != nullptr ? block->slots[place_of(id)].load_acquire() : nullptr;
}

// The used words tell where to look; the slot itself decides.
IdTree::Found IdBlocks::next(u32 id) const {
    u32 slot = place_of(id);
    for (u32 index = index_of(id); index < directory_.size(); ++index, slot = 0) {
        const IdBlock* block = directory_[index].load_acquire();
        while (block != nullptr && slot < kIdBlockIds) {
            const u64 used = block->used[slot / 64].load_relaxed() & bits_from(slot % 64);
            if (used == 0) {
                slot = (slot / 64 + 1) * 64;
                continue;
            }
            slot = slot / 64 * 64 + lowest_bit(used);
            if (void* pointer = block->slots[slot].load_acquire()) {
                return {index * kIdBlockIds + slot, pointer};
            }
            ++slot;
        }
    }
    return {};
}

u32 IdBlocks::count() const {
    u32 sum = 0;
    for (const Atomic<IdBlock*>& entry : directory_) {
        const IdBlock* block = entry.load_acquire();
        for (u32 w = 0; block != nullptr && w < kIdBlockWords; ++w) {
            sum += count_bits(block->used[w].load_relaxed());
        }
    }
    return sum;
}

}  // namespace ktwin
