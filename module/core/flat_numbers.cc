// SPDX-License-Identifier: GPL-2.0-only
#include "core/flat_numbers.h"

#include "core/id_leaf.h"

#include "base/enforce.h"  // last

namespace ktwin {

Result FlatNumbers::setup(IdBackendKind kind, const IdBackendConfig& config, u32 pid_max) {
    used_ = static_cast<Atomic<u64>*>(kt_host_alloc_charged(bytes(config.limit)));
    if (used_ == nullptr) {
        return Errno::kNoMemory;
    }
    const Expected<IdBackend> made = IdBackend::create(kind, config);
    if (!made) {
        kt_host_free(used_);
        used_ = nullptr;
        return made.error();
    }
    backend_ = made.value();
    limit_ = config.limit;
    pid_max_ = backend_.has(kHasAny) ? limit_ : pid_max;
    return {};
}

void FlatNumbers::teardown() {
    if (used_ == nullptr) {
        return;
    }
    backend_.destroy();
    kt_host_free(used_);
    used_ = nullptr;
}

Expected<u32> FlatNumbers::take(PidOrder order, Span<const i32> set_tid) {
    if (set_tid.size() > 1) {
        return Errno::kInvalid;
    }
    if (set_tid.size() == 1) {
        const i32 tid = set_tid[0];
        if (!backend_.has(kHasAt)) {
            return Errno::kNotSupported;
        }
        if (tid < 1 || static_cast<u32>(tid) >= pid_max_ || (tid != 1 && (used(0) & bit(1)) == 0)) {
            return Errno::kInvalid;
        }
        const Result taken = backend_.alloc_at(static_cast<u32>(tid), nullptr);
        return taken ? Expected<u32>(static_cast<u32>(tid)) : taken.error();
    }
    switch (order) {
        case PidOrder::kLowest:
            return backend_.alloc_lowest(1, pid_max_, nullptr);
        case PidOrder::kAny:
            return backend_.alloc_any(0, pid_max_, nullptr);
        default:
            return Errno::kNotSupported;
    }
}

Expected<u32> FlatNumbers::alloc(PidOrder order, Span<const i32> set_tid) {
    const Expected<u32> nr = take(order, set_tid);
    if (!nr) {
        return nr.error() == Errno::kNoSpace ? Errno::kAgain : nr;
    }
    Atomic<u64>& word = used_[nr.value() / 64];
    word.store_relaxed(word.load_relaxed() | bit(slot_of(nr.value())));
    count_.add_exclusive(1);
    return nr;
}

Result FlatNumbers::give_back(u32 nr) {
    if (nr >= limit_ || (used(nr) & bit(slot_of(nr))) == 0) {
        return Errno::kNotFound;
    }
    Atomic<u64>& word = used_[nr / 64];
    word.store_relaxed(word.load_relaxed() & ~bit(slot_of(nr)));
    count_.sub_exclusive(1);
    (void)backend_.erase(nr);
    return {};
}

Result FlatNumbers::set_pid_max(u32 pid_max) {
    if (backend_.has(kHasAny)) {
        return Errno::kNotSupported;
    }
    pid_max_ = pid_max;
    return {};
}

}  // namespace ktwin
