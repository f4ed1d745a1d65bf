// SPDX-License-Identifier: GPL-2.0-only
#include "core/herd_log.h"

#include "base/enforce.h"  // last

namespace ktwin {

// The slot of the call; nullptr: a newer one has it.
HerdLog::Call* HerdLog::find(u64 sequence) {
    Call& call = calls_[sequence % kCalls];
    if (call.sequence > sequence) {
        return nullptr;
    }
    if (call.sequence < sequence) {
        call = Call();
        call.sequence = sequence;
    }
    return &call;
}

HerdLog::Herd HerdLog::judge(const Call& call) {
    if (!call.over || call.woken < KTWIN_HERD_MIN ||
        call.progressed + call.futile + call.unknown != call.woken || call.futile * 2 < call.woken) {
        return {};
    }
    ++herds_;
    return {call.sequence, call.woken, call.futile};
}

HerdLog::Herd HerdLog::called(u64 sequence, u32 woken) {
    most_ = woken > most_ ? woken : most_;
    Call* call = find(sequence);
    if (call == nullptr) {
        return {};
    }
    call->woken += woken;
    call->over = true;
    return judge(*call);
}

void HerdLog::passed_on(u64 sequence, u32 woken) {
    Call* call = find(sequence);
    if (call != nullptr) {
        call->woken += woken;
    }
}

HerdLog::Herd HerdLog::ended(u64 sequence, End end) {
    futile_ += end == End::kFutile ? 1 : 0;
    Call* call = find(sequence);
    if (call == nullptr) {
        return {};
    }
    ++(end == End::kFutile ? call->futile : end == End::kProgress ? call->progressed : call->unknown);
    return judge(*call);
}

}  // namespace ktwin
