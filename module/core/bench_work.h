// SPDX-License-Identifier: GPL-2.0-only
//
// What the bench does with an allocator of ids: loops that differ in nothing but whom they call.
#ifndef KTWIN_CORE_BENCH_WORK_H
#define KTWIN_CORE_BENCH_WORK_H

#include "base/expected.h"
#include "base/types.h"
#include "boundary/types.h"

namespace ktwin {

// One allocator, and the ids in use with it.
struct BenchSide {
    const kt_rival* calls = nullptr;
    void* self = nullptr;
    int (*get)(void* self, void* object) = nullptr;  // calls->cyclic or calls->lowest
    u32* ids = nullptr;                              // live of them
    u32 live = 0;
    u32 at = 0;      // FIFO: the oldest; ITERATE: the next id
    u64 dice = 1;    // the same for all sides
    u64 sink = 0;    // of what was found, so that it is looked for
    u64 object = 0;  // what every id stands for
    int error = 0;   // -errno of an allocation that failed; the work ends there

    // A linear congruential generator's upper half, scaled: 0 to bound - 1.
    u32 below(u32 bound) {
        dice = dice * 6364136223846793005ULL + 1442695040888963407ULL;
        return static_cast<u32>((dice >> 32) * bound >> 32);
    }
    // Takes an id into ids[place]. False: none.
    bool take(u32 place) {
        const int nr = get(self, &object);
        if (nr < 0) {
            error = nr;
            return false;
        }
        ids[place] = static_cast<u32>(nr);
        return true;
    }
};

// count operations; fewer where side.error is set. Context: may sleep.
using BenchWork = void (*)(BenchSide& side, u32 count);

// enum ktwin_ids_work; of those for two CPUs what the first one, or the second, does.
BenchWork bench_work(u32 work, bool second);

}  // namespace ktwin

#endif
