// SPDX-License-Identifier: GPL-2.0-only
//
// IdBench: two allocators of ids and nobody, by turns, on the same work (KTWIN_IOC_BENCH_IDS). A round is done in pieces
// short enough for those who wait for the CPU; between them nothing is measured, and a signal ends it.
//
// Memory: the ids of three sides and two allocators full of them, 300 MB at the very most (pidmap and its hash with four
// million). The ids are charged to the caller. Nodes are not: neither are those of the kernel's own pids, and what
// charging takes is not what is measured.
#ifndef KTWIN_CORE_BENCH_IDS_H
#define KTWIN_CORE_BENCH_IDS_H

#include "core/bench_work.h"

namespace ktwin {

class IdBench : Pinned {
  public:
    IdBench(ktwin_bench_ids& request, u32 cpus) : request_(request), cpus_(cpus) {}

    // kInvalid, kRange, kNotSupported: as the uapi header says.
    static Result check(const ktwin_bench_ids& request, u32 cpus);
    // [sleep] Once.
    Result run();

  private:
    static constexpr u32 kSides = 3;  // who[0], who[1], nobody
    static constexpr u32 kRoundsMax = 101;

    bool is_pair() const { return request_.work >= KTWIN_IDS_TWO; }
    u32 who(u32 index) const { return index < 2 ? request_.who[index] : u32{KTWIN_IDS_NONE}; }
    Result setup(BenchSide& side, u32 who);
    static void drain(BenchSide& side);
    void teardown(u32 index);
    Result populate(BenchSide& side);
    Result take_first(BenchSide& side, u32 count);
    Result take_spread(BenchSide& side);
    Result strew(BenchSide& side);
    Result thin_out(BenchSide& side);
    Result empty(BenchSide& side);
    Result breathe(u32 operation);
    Result rounds();
    Expected<u64> round(BenchSide& side);
    Expected<u64> window(BenchSide& side);
    void answer(u32 index);

    ktwin_bench_ids& request_;
    const u32 cpus_;
    BenchSide sides_[kSides];
    u64 samples_[kSides][kRoundsMax] = {};
};

}  // namespace ktwin

#endif
