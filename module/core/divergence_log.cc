// SPDX-License-Identifier: GPL-2.0-only
#include "core/divergence_log.h"

#include "base/enforce.h"  // last

namespace ktwin {

Result DivergenceLog::setup() {
    auto* records = static_cast<Record*>(kt_host_alloc((kKept + kRecent) * sizeof(Record)));
    FingerprintSet known;
    const Result ready = known.setup();
    SpinGuard guard(lock_);
    records_ = records;
    known_ = known;
    return records != nullptr ? ready : Result(Errno::kNoMemory);
}

void DivergenceLog::teardown() TA_NO_ANALYSIS {
    kt_host_free(records_);
    known_.teardown();
}

u64 DivergenceLog::fingerprint_of(const Candidate& candidate, u64 epoch) {
    u64 print = mix(candidate.place.ns) ^ mix((u64{candidate.place.inode} << 32) + candidate.place.nr + 1);
    print = mix(print + candidate.sides.kernel);
    print = mix(print + candidate.sides.twin);
    print = mix(print ^ (u64{static_cast<u32>(candidate.sides.kernel_nr)} << 32) ^
                static_cast<u32>(candidate.sides.twin_nr));
    return mix(print + (epoch << 3) + candidate.sides.kind());
}

DivergenceLog::Record& DivergenceLog::slot(u64 index) {
    return records_[index <= kKept ? index - 1 : kKept + (index - kKept - 1) % kRecent];
}

// The lowest index above the one given that is still kept; total_ + 1: none.
u64 DivergenceLog::first_after(u64 index) const {
    const u64 next = index + 1;
    const u64 oldest_recent = total_ > kKept + kRecent ? total_ - kRecent + 1 : kKept + 1;
    return next > kKept && next < oldest_recent ? oldest_recent : next;
}

DivergenceLog::Record* DivergenceLog::find(const Candidate& candidate, u64 epoch) {
    for (u64 index = first_after(0); index <= total_; index = first_after(index)) {
        Record& record = slot(index);
        const bool same_place = record.ns == candidate.place.ns && record.shown.ns == candidate.place.inode &&
                                record.shown.nr == static_cast<i32>(candidate.place.nr);
        const bool same_numbers = record.shown.kernel_nr == candidate.sides.kernel_nr &&
                                  record.shown.twin_nr == candidate.sides.twin_nr;
        if (same_place && same_numbers && record.kernel == candidate.sides.kernel &&
            record.twin == candidate.sides.twin && record.shown.epoch == epoch &&
            record.shown.kind == candidate.sides.kind()) {
            return &record;
        }
    }
    return nullptr;
}

void DivergenceLog::fill(Record& record, const Candidate& candidate, const Scope& scope, u64 epoch) {
    record.ns = candidate.place.ns;
    record.kernel = candidate.sides.kernel;
    record.twin = candidate.sides.twin;
    record.scope = scope;
    record.shown = {};
    record.shown.epoch = epoch;
    record.shown.kernel_hash = record.kernel != 0 ? kt_host_hash_key(record.kernel) : 0;
    record.shown.twin_hash = record.twin != 0 ? kt_host_hash_key(record.twin) : 0;
    record.shown.twin_serial = candidate.sides.twin_serial;
    record.shown.ns = candidate.place.inode;
    record.shown.nr = static_cast<i32>(candidate.place.nr);
    record.shown.kind = candidate.sides.kind();
    record.shown.kernel_nr = candidate.sides.kernel_nr;
    record.shown.twin_nr = candidate.sides.twin_nr;
}

DivergenceLog::Noted DivergenceLog::note(const Candidate& candidate, const Scope& scope, u64 epoch, u64 pass,
                                         u64 now_ns) {
    SpinGuard guard(lock_);
    Record* record = find(candidate, epoch);
    const bool is_new = record == nullptr;
    if (is_new) {
        const u64 print = fingerprint_of(candidate, epoch);
        if (known_.contains(print)) {
            return {0, false, true};
        }
        known_.add(print);
        record = &slot(++total_);
        fill(*record, candidate, scope, epoch);
        record->shown.index = total_;
        record->shown.time_ns = now_ns;
        record->pass = 0;
    }
    const bool is_first = record->pass != pass;
    record->pass = pass;
    record->shown.last_ns = now_ns;
    record->shown.passes += is_first ? 1 : 0;
    return {record->shown.index, is_new, is_first};
}

bool DivergenceLog::read(const Eyes& eyes, u64& cursor, Span<ktwin_divergence> to, u32& filled) {
    filled = 0;
    while (filled < to.size()) {
        SpinGuard guard(lock_);
        // The cursor is the caller's word: behind the last one there is nothing, the number after 2^64 - 1 included.
        const u64 index = cursor < total_ ? first_after(cursor) : total_ + 1;
        if (index > total_) {
            return false;
        }
        cursor = index;
        const Record& record = slot(index);
        if (eyes.all || record.scope.shows_to(eyes.serial, eyes.level)) {
            to[filled++] = record.shown;
        }
    }
    return true;
}

u64 DivergenceLog::count(const Eyes& eyes) {
    SpinGuard guard(lock_);
    if (eyes.all) {
        return total_;
    }
    u64 visible = 0;
    for (u64 index = first_after(0); index <= total_; index = first_after(index)) {
        visible += slot(index).scope.shows_to(eyes.serial, eyes.level) ? 1 : 0;
    }
    return visible;
}

}  // namespace ktwin
