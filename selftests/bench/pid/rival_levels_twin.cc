// SPDX-License-Identifier: GPL-2.0-only
//
// The twin's alloc_pid() and free_pid() through the same levels as rival_levels.c: PidAllocator.
#include "core/pid_allocator.h"
#include "rival.h"

#include <cstdlib>
#include <new>

namespace {

using namespace ktwin;

constexpr u32 kPids = 100000;

struct Own {
    explicit Own(u32 levels, u32 limit) : memory(KT_LOCK_LAB, kPids, false), world(memory), pids(world) {
        if (!memory.refill()) {
            abort();
        }
        for (u32 level = 0; level <= levels; ++level) {
            deepest = pids.create_namespace(deepest, limit).value();
            (void)alloc();
        }
        // Until the pools have the size this work needs.
        for (u32 round = 0; round < 12; ++round) {
            for (u32 i = 0; i < 1000; ++i) {
                pids.free_pid(alloc());
            }
            memory.maintain();
        }
    }
    TwinPid* alloc() {
        const Expected<TwinPid*> made = pids.alloc_pid(deepest, Span<const i32>());
        if (!made) {
            abort();
        }
        return made.value();
    }

    TwinMemory memory;
    PidWorld world;
    PidAllocator pids;
    PidNamespace* deepest = nullptr;
    TwinPid* pid = nullptr;
};

template <u32 kDeepest>
void* create(unsigned int limit) {
    return new Own(kDeepest, limit);
}
int one(void* self, void*) {
    Own& own = *static_cast<Own*>(self);
    own.pid = own.alloc();
    return static_cast<int>(own.pid->nr(0));
}
void put(void* self, int) {
    Own& own = *static_cast<Own*>(self);
    own.pids.free_pid(own.pid);
}
void rest(void* self) {
    static_cast<Own*>(self)->memory.maintain();
}
// The process ends soon: nothing is given back.
void destroy(void*) {}

template <u32 kDeepest>
constexpr struct rival levels() {
    struct rival row = {};
    row.name = "twin";
    row.create = create<kDeepest>;
    row.destroy = destroy;
    row.cyclic = one;
    row.put = put;
    row.rest = rest;
    return row;
}

}  // namespace

extern "C" {
constinit const struct rival rival_twin_8 = levels<8>();
constinit const struct rival rival_twin_32 = levels<32>();
}
