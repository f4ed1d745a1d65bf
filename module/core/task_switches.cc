// SPDX-License-Identifier: GPL-2.0-only
#include "core/task_switches.h"

#include "base/bits.h"
#include "boundary/host_api.h"

#include "base/enforce.h"  // last

namespace ktwin {

static_assert(is_power_of_two(TaskSwitches::kSlots));

Result TaskSwitches::setup() {
    // Zero is the state of a free slot.
    slots_ = static_cast<Slot*>(kt_host_alloc(kSlots * sizeof(Slot)));
    return slots_ != nullptr ? Result() : Result(Errno::kNoMemory);
}

void TaskSwitches::teardown() {
    kt_host_free(slots_);
    slots_ = nullptr;
}

TaskSwitches::Slot& TaskSwitches::behind(kt_key key, u32 steps) const {
    return slots_[(mix(key) + steps) & (kSlots - 1)];
}

TaskSwitches::Slot* TaskSwitches::find(kt_key key) const {
    for (u32 i = 0; i < kWindow; ++i) {
        Slot& slot = behind(key, i);
        if (slot.key.load_relaxed() == key) {
            return &slot;
        }
    }
    return nullptr;
}

TaskSwitches::Slot* TaskSwitches::take(kt_key key) {
    for (u32 i = 0; i < kWindow; ++i) {
        Slot& slot = behind(key, i);
        u64 nobody = 0;
        // Acquire: with the release in end(), the counts that the last owner cleared are seen as cleared.
        if (slot.key.load_relaxed() == 0 && slot.key.compare_exchange_acquire(nobody, key)) {
            return &slot;
        }
    }
    return nullptr;
}

bool TaskSwitches::add(kt_key key, i32 nr, u32 what) {
    Slot* slot = find(key);
    slot = slot != nullptr ? slot : take(key);
    if (slot == nullptr) {
        return false;
    }
    // Anew each time: exec() from another thread changes it.
    slot->nr.store_relaxed(nr);
    slot->counts.add(what);
    return true;
}

u64 TaskSwitches::end(kt_key key) {
    Slot* slot = find(key);
    if (slot == nullptr) {
        return 0;
    }
    const u64 total = slot->counts.total();
    slot->counts.clear();
    slot->key.store_release(0);
    return total;
}

u32 TaskSwitches::read(u64& cursor, Span<kt_task_switches> to) const {
    u32 filled = 0;
    for (; cursor < kSlots && filled < to.size(); ++cursor) {
        const Slot& slot = slots_[cursor];
        const kt_key key = slot.key.load_acquire();
        if (key == 0) {
            continue;
        }
        kt_task_switches& record = to[filled];
        record = {};
        record.key = key;
        record.nr = slot.nr.load_relaxed();
        slot.counts.copy(record.counts.classes, record.counts.leaves);
        if (slot.key.load_acquire() == key) {
            ++filled;
        }
    }
    return filled;
}

}  // namespace ktwin
