// SPDX-License-Identifier: GPL-2.0-only
#include "core/comparison.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u32 kPhase = 4096;     // operations with the same share of allocations
constexpr u32 kReclaim = 16384;  // operations between two grace periods
constexpr u32 kBreath = 256;     // operations between two points where the CPU is given away

}  // namespace

Result Comparison::run() {
    Result result = setup();
    if (result) {
        result = operate();
    }
    teardown();
    return result;
}

Result Comparison::setup() {
    Result result = memory_.refill();
    for (u32 i = 0; result && i < request_.levels; ++i) {
        const Expected<PidNamespace*> ns =
            allocator_.create_namespace(i > 0 ? ns_[i - 1] : nullptr, request_.pid_max);
        if (!ns) {
            return ns.error();
        }
        ns_[i] = ns.value();
    }
    return result ? kernel_.setup(request_.levels, request_.pid_max) : result;
}

void Comparison::teardown() {
    free_all();
    for (u32 i = request_.levels; i-- > 0;) {
        if (ns_[i] != nullptr) {
            allocator_.delete_namespace(ns_[i]);
        }
    }
    memory_.teardown();
    kernel_.teardown();
}

void Comparison::free_all() {
    while (ns_[0] != nullptr) {
        TwinPid* pid = PidAllocator::next(1, *ns_[0]);
        if (pid == nullptr) {
            return;
        }
        allocator_.free_pid(pid);
    }
}

Result Comparison::operate() {
    Result result = first_pids();
    for (u32 i = 0; result && i < request_.operations; ++i) {
        const u32 dice = random_.below(100);
        if (dice < 15) {
            random_find();
        } else if (dice < 25) {
            random_next();
        } else if (random_.below(100) < alloc_percent_) {
            result = random_alloc();
        } else {
            random_free();
        }
        if (result) {
            result = upkeep(i);
        }
    }
    return result;
}

Result Comparison::upkeep(u32 operation) {
    if (operation % kPhase == 0) {
        const u32 shares[] = {95, 50, 20, 70, 50, 99, 40, 55};
        alloc_percent_ = shares[random_.below(8)];
    }
    if (operation % kReclaim == kReclaim - 1) {
        memory_.reclaim();
    }
    if (operation % kBreath == 0 && !kt_host_breathe(0)) {
        return Errno::kInterrupted;
    }
    return {};
}

// The init of each namespace, number 1 in it; it stays to the end.
Result Comparison::first_pids() {
    Result result;
    for (u32 level = 0; result && level < request_.levels; ++level) {
        result = alloc(level, Span<const i32>());
    }
    return result;
}

void Comparison::expect(bool same) {
    ++request_.compared;
    request_.differences += same ? 0 : 1;
}

// Of all errors only that of memory ends the run; what it leaves behind on the two sides is not the same.
Result Comparison::alloc(u32 level, Span<const i32> set_tid) {
    const Result enough = memory_.reserve(level);
    if (!enough) {
        return enough;
    }
    const Expected<TwinPid*> twin = allocator_.alloc_pid(ns_[level], set_tid);
    const Result kernel = kernel_.alloc_pid(level, set_tid, numbers_);
    if (twin.error() == Errno::kNoMemory || kernel.error() == Errno::kNoMemory) {
        return Errno::kNoMemory;
    }
    compare_result(level, twin, kernel);
    compare_cursors(level);
    return {};
}

void Comparison::compare_result(u32 level, const Expected<TwinPid*>& twin, Result kernel) {
    expect(twin.error() == kernel.error());
    if (twin && kernel) {
        for (u32 i = 0; i <= level; ++i) {
            expect(twin.value()->nr(i) == numbers_[i]);
        }
    } else if (twin.error() == Errno::kAgain && kernel.error() == Errno::kAgain) {
        ++request_.exhausted;
    }
}

void Comparison::compare_cursors(u32 level) {
    for (u32 i = 0; i <= level; ++i) {
        const u32 cursor = ns_[i]->ids().cursor();
        expect(cursor == kernel_.cursor(i));
        request_.wraps += cursor < cursors_[i] ? 1 : 0;
        cursors_[i] = cursor;
    }
}

Result Comparison::random_alloc() {
    const u32 level = random_.below(request_.levels);
    if (random_.below(10) != 0) {
        return alloc(level, Span<const i32>());
    }
    const u32 count = 1 + random_.below(level + 1);
    for (u32 i = 0; i < count; ++i) {
        tids_[i] = static_cast<i32>(random_.below(request_.pid_max + 2));
    }
    return alloc(level, Span<const i32>(tids_, count));
}

// One at or after a random number. Never the init of a namespace: without it there would be no more pids in it.
TwinPid* Comparison::random_pid() {
    TwinPid* pid = PidAllocator::next(random_.below(request_.pid_max), *ns_[0]);
    return pid != nullptr && pid->nr(pid->level()) != 1 ? pid : nullptr;
}

void Comparison::random_free() {
    TwinPid* pid = random_pid();
    if (pid == nullptr) {
        return;
    }
    const u32 level = pid->level();
    for (u32 i = 0; i <= level; ++i) {
        numbers_[i] = pid->nr(i);
    }
    allocator_.free_pid(pid);
    expect(kernel_.free_pid(level, numbers_) == level + 1);
}

void Comparison::random_find() {
    const u32 level = random_.below(request_.levels);
    const u32 nr = random_.below(request_.pid_max + 2);
    expect(PidAllocator::is_allocated(nr, *ns_[level]) == kernel_.find(level, nr));
}

void Comparison::random_next() {
    const u32 level = random_.below(request_.levels);
    const u32 nr = random_.below(request_.pid_max + 2);
    const TwinPid* pid = PidAllocator::next(nr, *ns_[level]);
    expect((pid != nullptr ? static_cast<i32>(pid->nr(level)) : -1) == kernel_.next(level, nr));
}

}  // namespace ktwin
