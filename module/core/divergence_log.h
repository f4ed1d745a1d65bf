// SPDX-License-Identifier: GPL-2.0-only
//
// DivergenceLog: the record of confirmed differences. The first 512 are kept as long as the module is loaded,
// of the others the last 512. The same one seen again is not a new one: its last time and its count of passes
// go up. All are counted, so that what is no longer kept is still known to have been; and its fingerprint is kept, so
// that it does not push out others when it is met again.
#ifndef KTWIN_CORE_DIVERGENCE_LOG_H
#define KTWIN_CORE_DIVERGENCE_LOG_H

#include "base/expected.h"
#include "base/lock.h"
#include "base/span.h"
#include "core/difference.h"
#include "core/fingerprint_set.h"

namespace ktwin {

class DivergenceLog : Pinned {
  public:
    struct Noted {
        u64 index;  // 0: known, and no longer kept
        bool is_new;
        bool is_first_in_pass;
    };
    // Through whose eyes: the serial and the level of a namespace; all: the initial one, which sees everything.
    struct Eyes {
        bool all;
        u64 serial;
        u32 level;
    };

    DivergenceLog() : lock_(KT_LOCK_DIVERGENCES) {}

    // [sleep]
    Result setup();
    void teardown();

    // [any] pass tells one pass from another.
    Noted note(const Candidate& candidate, const Scope& scope, u64 epoch, u64 pass, u64 now_ns);
    // [any] Fills records with an index above the cursor, and moves it. True: there may be more.
    bool read(const Eyes& eyes, u64& cursor, Span<ktwin_divergence> to, u32& filled);
    u64 count(const Eyes& eyes);

    static constexpr u64 kKept = 512;
    static constexpr u64 kRecent = 512;

  private:
    struct Record {
        ktwin_divergence shown;
        kt_key ns;
        kt_key kernel;
        kt_key twin;
        u64 pass;
        Scope scope;
    };

    Record& slot(u64 index) TA_REQUIRES(lock_);
    u64 first_after(u64 index) const TA_REQUIRES(lock_);
    Record* find(const Candidate& candidate, u64 epoch) TA_REQUIRES(lock_);
    static u64 fingerprint_of(const Candidate& candidate, u64 epoch);
    void fill(Record& record, const Candidate& candidate, const Scope& scope, u64 epoch) TA_REQUIRES(lock_);

    SpinLock lock_;
    FingerprintSet known_ TA_GUARDED_BY(lock_);
    Record* records_ TA_GUARDED_BY(lock_) = nullptr;
    u64 total_ TA_GUARDED_BY(lock_) = 0;
};

}  // namespace ktwin

#endif
