// SPDX-License-Identifier: GPL-2.0-only
//
// HerdLog: what became of those that each of the last wake calls woke. A sleeper that was woken made progress, or found
// that another had been quicker and slept again: a futile wake. A call that woke many of which most were futile is a
// herd. The judgement falls when the last of the call's sleepers has said what became of it; a call that was pushed out
// of the log by newer ones before that is not judged.
#ifndef KTWIN_CORE_HERD_LOG_H
#define KTWIN_CORE_HERD_LOG_H

#include "base/types.h"
#include "boundary/types.h"

namespace ktwin {

class HerdLog {
  public:
    struct Herd {
        u64 sequence = 0;  // 0: it was none
        u32 woken = 0;
        u32 futile = 0;
    };

    enum class End { kProgress, kFutile, kUnknown };

    // The wake call is over and woke so many.
    Herd called(u64 sequence, u32 woken);
    // One of those it woke did not need it, and so many others were woken in its place.
    void passed_on(u64 sequence, u32 woken);
    // One of those it woke says what became of it; that may be before called().
    Herd ended(u64 sequence, End end);

    u64 futile() const { return futile_; }
    u64 herds() const { return herds_; }
    u64 most() const { return most_; }

  private:
    struct Call {
        u64 sequence = 0;
        u32 woken = 0;
        u32 progressed = 0;
        u32 futile = 0;
        u32 unknown = 0;
        bool over = false;
    };
    static constexpr u32 kCalls = 64;

    Call* find(u64 sequence);
    Herd judge(const Call& call);

    Call calls_[kCalls];
    u64 futile_ = 0;
    u64 herds_ = 0;
    u64 most_ = 0;
};

}  // namespace ktwin

#endif
