// SPDX-License-Identifier: GPL-2.0-only
#include "core/bench_ids.h"

#include "boundary/host_api.h"
#include "core/bench_pair.h"
#include "core/bench_rivals.h"
#include "core/id_blocks.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u32 kPiece = 1024;  // operations of one level without a breath
constexpr u32 kRoom = 32;     // ids that are never in use: two CPUs may each be about to take one
constexpr u32 kLimitMin = 64;
constexpr u32 kOperationsMax = 1048576;
constexpr u32 kLevelsMax = 32;

bool looks_up(u32 work) {
    return work == KTWIN_IDS_FIND || work == KTWIN_IDS_FIND_CHAIN || work == KTWIN_IDS_WRITER ||
           work == KTWIN_IDS_READER;
}

// Which needs ids to work on.
bool needs_live(u32 work) {
    return work == KTWIN_IDS_FIFO || work == KTWIN_IDS_CHURN || work == KTWIN_IDS_ITERATE || looks_up(work);
}

bool is_in_range(const ktwin_bench_ids& request) {
    const u32 room = request.limit - kRoom;
    const bool fill = request.work == KTWIN_IDS_FILL;
    return request.limit >= kLimitMin && request.limit <= kIds && request.live < room &&
           u64{request.live} * (request.spread > 1 ? request.spread : 1) < request.limit &&
           request.operations >= 1 && request.operations <= kOperationsMax && request.rounds >= 1 &&
           request.levels >= 1 && request.levels <= kLevelsMax &&
           (!fill || (request.live == 0 && request.operations < room)) &&
           (!needs_live(request.work) || request.live != 0);
}

bool can(const kt_rival& rival, const ktwin_bench_ids& request, u32 who) {
    const bool pids = who == KTWIN_IDS_TWIN_PIDS || who == KTWIN_IDS_KERNEL_PIDS;
    if (pids ? request.work != KTWIN_IDS_PING_PONG || request.live != 0 : request.levels != 1) {
        return false;
    }
    return ((request.flags & KTWIN_IDS_LOWEST) != 0 ? rival.lowest : rival.cyclic) != nullptr &&
           (!looks_up(request.work) || rival.find != nullptr) &&
           (request.work != KTWIN_IDS_ITERATE || rival.next != nullptr) &&
           (request.spread <= 1 || rival.at != nullptr);
}

void sort(u64* values, u32 count) {
    for (u32 i = 1; i < count; ++i) {
        const u64 value = values[i];
        u32 at = i;
        for (; at > 0 && values[at - 1] > value; --at) {
            values[at] = values[at - 1];
        }
        values[at] = value;
    }
}

}  // namespace

Result IdBench::check(const ktwin_bench_ids& request, u32 cpus) {
    if ((request.flags & ~KTWIN_IDS_LOWEST) != 0 || request.work > KTWIN_IDS_READER || request.zero != 0) {
        return Errno::kInvalid;
    }
    for (const u32 who : request.who) {
        if (who == KTWIN_IDS_NONE || rival_of(who) == nullptr) {
            return Errno::kInvalid;
        }
    }
    if (!is_in_range(request) || request.rounds > kRoundsMax) {
        return Errno::kRange;
    }
    for (const u32 who : request.who) {
        if (!can(*rival_of(who), request, who)) {
            return Errno::kNotSupported;
        }
        if (who == KTWIN_IDS_BLOCKS && !IdBlocks::fits(request.limit, cpus)) {
            return Errno::kRange;
        }
    }
    return {};
}

Result IdBench::run() {
    Result result;
    for (u32 i = 0; result && i < kSides; ++i) {
        result = setup(sides_[i], who(i));
    }
    for (u32 i = 0; result && i < 2; ++i) {
        kt_rival_bytes bytes = {};
        if (sides_[i].calls->bytes != nullptr) {
            sides_[i].calls->bytes(sides_[i].self, &bytes);
        }
        request_.sides[i].bytes = bytes.used;
        request_.sides[i].ready = bytes.ready;
    }
    if (result) {
        result = rounds();
    }
    for (u32 i = 0; i < kSides; ++i) {
        if (result) {
            answer(i);
        }
        teardown(i);
    }
    return result;
}

Result IdBench::setup(BenchSide& side, u32 who) {
    const u32 most = request_.work == KTWIN_IDS_FILL ? request_.operations : request_.live;
    const kt_rival_config config = {request_.limit, request_.levels, cpus_, request_.operations};
    side.calls = rival_of(who);
    side.get = (request_.flags & KTWIN_IDS_LOWEST) != 0 ? side.calls->lowest : side.calls->cyclic;
    // One that has to be filled to be thinned out has them all for a while.
    const u32 room = side.calls->at == nullptr && who != KTWIN_IDS_NONE ? request_.limit : most + 1;
    side.ids = static_cast<u32*>(kt_host_alloc_charged(u64{room} * sizeof(u32)));
    side.self = side.ids != nullptr ? side.calls->create(&config) : nullptr;
    if (side.self == nullptr) {
        return Errno::kNoMemory;
    }
    const Result populated = populate(side);
    side.dice = 1;
    side.calls->rest(side.self);
    return populated;
}

// The core's own are torn down under one hold of their lock: not with millions in it. From the last to the first, so that
// pidmap finds each at the head of its chain.
void IdBench::drain(BenchSide& side) {
    while (side.live > 0) {
        side.calls->put(side.self, side.ids[--side.live]);
        if (side.live % kPiece == 0) {
            (void)kt_host_breathe(0);
        }
    }
}

void IdBench::teardown(u32 index) {
    BenchSide& side = sides_[index];
    if (side.self != nullptr) {
        if (kt_host_rival(who(index)) == nullptr) {
            drain(side);
        }
        side.calls->destroy(side.self);
    }
    kt_host_free(side.ids);
}

Result IdBench::breathe(u32 operation) {
    return operation % kPiece != 0 || kt_host_breathe(0) ? Result() : Result(Errno::kInterrupted);
}

Result IdBench::populate(BenchSide& side) {
    if (request_.spread > 1) {
        return take_spread(side);
    }
    if (request_.work != KTWIN_IDS_CHURN || (request_.flags & KTWIN_IDS_LOWEST) != 0) {
        return take_first(side, request_.live);
    }
    return side.calls->at != nullptr ? strew(side) : thin_out(side);
}

Result IdBench::take_first(BenchSide& side, u32 count) {
    Result result;
    while (result && side.live < count) {
        if (!side.take(side.live)) {
            return static_cast<Errno>(-side.error);
        }
        result = breathe(++side.live);
    }
    return result;
}

Result IdBench::take_spread(BenchSide& side) {
    if (side.calls->at == nullptr) {
        return Errno::kNotSupported;
    }
    Result result;
    while (result && side.live < request_.live) {
        const u32 nr = 1 + side.live * request_.spread;
        const int error = side.calls->at(side.self, nr, &side.object);
        if (error != 0) {
            return static_cast<Errno>(-error);
        }
        side.ids[side.live] = nr;
        result = breathe(++side.live);
    }
    return result;
}

// live of all ids below limit, each as likely as any other, the same for all sides.
Result IdBench::strew(BenchSide& side) {
    Result result;
    for (u32 nr = 1; result && side.live < request_.live; ++nr) {
        if (side.below(request_.limit - nr) < request_.live - side.live) {
            const int error = side.calls->at(side.self, nr, &side.object);
            if (error != 0) {
                return static_cast<Errno>(-error);
            }
            side.ids[side.live++] = nr;
        }
        result = breathe(nr);
    }
    return result;
}

// The same for one that cannot be told which id: all, and then any of them given back until live are left.
Result IdBench::thin_out(BenchSide& side) {
    Result result = take_first(side, request_.limit - kRoom);
    while (result && side.live > request_.live) {
        const u32 place = side.below(side.live);
        side.calls->put(side.self, side.ids[place]);
        side.ids[place] = side.ids[--side.live];
        result = breathe(side.live);
    }
    return result;
}

Result IdBench::empty(BenchSide& side) {
    Result result;
    while (result && side.live > 0) {
        side.calls->put(side.self, side.ids[--side.live]);
        result = breathe(side.live);
    }
    return result;
}

// Round 0 warms up.
Result IdBench::rounds() {
    for (u32 number = 0; number <= request_.rounds; ++number) {
        for (u32 i = 0; i < kSides; ++i) {
            if (request_.work == KTWIN_IDS_FILL) {
                const Result emptied = empty(sides_[i]);
                if (!emptied) {
                    return emptied;
                }
            }
            sides_[i].calls->rest(sides_[i].self);
            const Expected<u64> took = is_pair() ? window(sides_[i]) : round(sides_[i]);
            if (!took) {
                return took.error();
            }
            samples_[i][number > 0 ? number - 1 : 0] = took.value();
        }
    }
    return {};
}

Expected<u64> IdBench::round(BenchSide& side) {
    const BenchWork work = bench_work(request_.work, false);
    const u32 piece = kPiece / request_.levels;
    u64 took = 0;
    for (u32 done = 0; done < request_.operations; done += piece) {
        const u32 left = request_.operations - done;
        kt_host_stay(true);
        const u64 start = kt_host_clock_ns();
        work(side, left < piece ? left : piece);
        took += kt_host_clock_ns() - start;
        kt_host_stay(false);
        if (side.error != 0) {
            return static_cast<Errno>(-side.error);
        }
        if (!kt_host_breathe(0)) {
            return Errno::kInterrupted;
        }
    }
    return took;
}

// What as many operations as a round has would take.
Expected<u64> IdBench::window(BenchSide& side) {
    BenchPair pair(side, request_.work);
    const Result result = pair.run();
    if (!result) {
        return result.error();
    }
    const u64 done = request_.work == KTWIN_IDS_TWO      ? pair.first() + pair.second()
                     : request_.work == KTWIN_IDS_WRITER ? pair.first()
                                                         : pair.second();
    return BenchPair::kWindowNs * request_.operations / done;
}

void IdBench::answer(u32 index) {
    const u32 count = request_.rounds;
    u64* samples = samples_[index];
    ktwin_bench_ids_side& to = request_.sides[index];
    sort(samples, count);
    to.min = samples[0];
    to.median = samples[count / 2];
    to.max = samples[count - 1];
    for (u32 i = 0; i < sides_[index].live; ++i) {
        to.sum += sides_[index].ids[i];
    }
}

}  // namespace ktwin
