// SPDX-License-Identifier: GPL-2.0-only
#include "core/sched_weight.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u32 kNices = 40;

// By nice + 20: a factor of about 1.25 from one to the next. The numbers are the scheduler's interface to the world.
constexpr u32 kWeights[kNices] = {
    88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916,  // -20
    9548,  7620,  6100,  4904,  3906,  3121,  2501,  1991,  1586,  1277,   // -10
    1024,  820,   655,   526,   423,   335,   272,   215,   172,   137,    // 0
    110,   87,    70,    56,    45,    36,    29,    23,    18,    15,     // 10
};

// A slip of a digit would show: each is 1.16 to 1.31 times the next.
constexpr bool steps_are_even() {
    for (u32 i = 0; i + 1 < kNices; ++i) {
        if (kWeights[i] * 100 < kWeights[i + 1] * 116 || kWeights[i] * 100 > kWeights[i + 1] * 131) {
            return false;
        }
    }
    return true;
}
static_assert(steps_are_even() && kWeights[20] == kNice0Weight);

}  // namespace

u64 sched_weight(const SchedParams& params) {
    return params.policy == SchedPolicy::kIdle ? kIdleWeight : kWeights[params.static_prio() - kMaxRtPrio];
}

}  // namespace ktwin
