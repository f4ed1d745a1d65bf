// SPDX-License-Identifier: GPL-2.0-only
#include "core/pid_map.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

// find_next_zero_bit(), or with flip kAllOnes find_next_bit(); end: none.
u32 next_offset(const PidMapPage& page, u32 offset, u32 end, u64 flip) {
    u64 mask = bits_from(offset % 64);
    for (u32 w = offset / 64; w * 64 < end; ++w) {
        const u64 word = (~page.words[w].load_relaxed() ^ flip) & mask;
        if (word != 0) {
            const u32 found = w * 64 + lowest_bit(word);
            return found < end ? found : end;
        }
        mask = kAllOnes;
    }
    return end;
}

// pid_before(): going up from base, and round, a comes before b.
bool pid_before(u32 base, u32 a, u32 b) {
    return a - base < b - base;
}

}  // namespace

// Before the first, last_pid is one below number 0.
PidMap::PidMap() : last_pid_(kNone) {
    for (Entry& entry : entries_) {
        entry.free_bits.store_relaxed(kPidMapBits);
    }
}

u32 PidMap::take_in(Entry& entry, u32 offset, u32 end) {
    PidMapPage& page = *entry.page.load_acquire();
    while (entry.free_bits.load_relaxed() != 0 && offset < end) {
        const u64 mask = bit(offset % 64);
        // Looked at first: most often the bit is free, but a locked operation on one that is not would be for nothing.
        Atomic<u64>& word = page.words[offset / 64];
        if ((word.load_relaxed() & mask) == 0 && (word.fetch_or_acquire(mask) & mask) == 0) {
            entry.free_bits.fetch_sub_acq_rel(1);
            return offset;
        }
        offset = next_offset(page, offset, end, 0);
    }
    return kNone;
}

PidMap::Taken PidMap::scan(u32 start, u32 end) {
    for (u32 nr = start; nr < end; nr = (nr / kPidMapBits + 1) * kPidMapBits) {
        const u32 index = nr / kPidMapBits;
        if (!has_page(index)) {
            return {kNone, index};
        }
        const u32 first = index * kPidMapBits;
        const u32 limit = end - first < kPidMapBits ? end - first : kPidMapBits;
        const u32 offset = take_in(entries_[index], nr - first, limit);
        if (offset != kNone) {
            return {first + offset, kNone};
        }
    }
    return {};
}

// 3.9 gave up where last_pid was the number the second round begins with, though that may be free again; this does not.
PidMap::Taken PidMap::alloc_after_last(u32 min, u32 max) {
    const u32 last = last_pid();
    const u32 start = last + 1 > min ? last + 1 : min;
    Taken taken = scan(start, max);
    if (taken.nr == kNone && taken.missing == kNone && start > min) {
        taken = scan(min, max);
    }
    if (taken.nr != kNone) {
        set_last_pid(last, taken.nr);
    }
    return taken;
}

PidMap::Taken PidMap::alloc_at(u32 nr) {
    return scan(nr, nr + 1);
}

// Of several that run at once the one that got furthest counts, whatever the order they come here in.
void PidMap::set_last_pid(u32 base, u32 nr) {
    u32 seen = base;
    while (!last_pid_.compare_exchange_acquire(seen, nr)) {
        if (!pid_before(base, seen, nr)) {
            return;
        }
    }
}

bool PidMap::give_back(u32 nr) {
    Entry& entry = entries_[nr / kPidMapBits];
    PidMapPage* page = entry.page.load_acquire();
    const u64 mask = bit(nr % 64);
    if (page == nullptr) {
        return false;
    }
    Atomic<u64>& word = page->words[nr % kPidMapBits / 64];
    if ((word.load_relaxed() & mask) == 0) {
        return false;
    }
    word.and_seq_cst(~mask);
    entry.free_bits.fetch_add_relaxed(1);
    return true;
}

u32 PidMap::next(u32 last) const {
    for (u32 nr = last + 1; nr < kIds; nr = (nr / kPidMapBits + 1) * kPidMapBits) {
        const PidMapPage* page = entries_[nr / kPidMapBits].page.load_acquire();
        if (page == nullptr) {
            continue;
        }
        const u32 offset = next_offset(*page, nr % kPidMapBits, kPidMapBits, kAllOnes);
        if (offset < kPidMapBits) {
            return nr / kPidMapBits * kPidMapBits + offset;
        }
    }
    return kNone;
}

u32 PidMap::count() const {
    u32 sum = 0;
    for (const Entry& entry : entries_) {
        sum += kPidMapBits - entry.free_bits.load_relaxed();
    }
    return sum;
}

void PidMap::clear(Pool& pool) {
    for (Entry& entry : entries_) {
        if (PidMapPage* page = entry.page.load_relaxed()) {
            pool.retire(page);
        }
        entry.page.store_relaxed(nullptr);
        entry.free_bits.store_relaxed(kPidMapBits);
    }
}

}  // namespace ktwin
