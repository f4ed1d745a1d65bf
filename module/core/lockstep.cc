// SPDX-License-Identifier: GPL-2.0-only
#include "core/lockstep.h"

#include "base/memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

bool Lockstep::meet(kt_key key, u32 inode) {
    SpinGuard guard(lock());
    LockstepNamespace* known = table_.find(key);
    if (!listening_ || (known != nullptr && known->inode() == inode)) {
        return true;
    }
    // Its end was skipped, and another has its memory.
    if (known != nullptr) {
        forget(known);
    }
    auto* ns = construct_at<LockstepNamespace>(memory_.namespaces().get(), key, inode);
    if (ns == nullptr) {
        ++unfollowed_;
        return false;
    }
    table_.add(ns);
    return true;
}

void Lockstep::forget(LockstepNamespace* ns) {
    table_.remove(ns);
    ns->ids.clear(memory_.nodes());
    memory_.namespaces().retire(ns);
}

void Lockstep::gone(kt_key key) {
    SpinGuard guard(lock());
    if (LockstepNamespace* ns = table_.find(key)) {
        forget(ns);
    }
}

void Lockstep::cursor_write_begins(kt_key key) {
    SpinGuard guard(lock());
    if (LockstepNamespace* ns = table_.find(key)) {
        ++ns->writes;
    }
}

void Lockstep::cursor_write_ends(kt_key key, bool stored) {
    SpinGuard guard(lock());
    LockstepNamespace* ns = table_.find(key);
    if (ns == nullptr) {
        return;
    }
    // One that began before the namespace was met ends without having begun.
    ns->writes -= ns->writes > 0 ? 1 : 0;
    ns->cursor_stored = ns->cursor_stored || stored;
}

// Reads on from the frontier. kPredicted: the namespace is whole.
Lockstep::Outcome Lockstep::adopt(LockstepNamespace& ns) {
    if (ns.generation != generation_) {
        ns.ids.clear(memory_.nodes());
        ns.frontier = 0;
        ns.generation = generation_;
    }
    for (u32 i = 0; !ns.is_whole() && i < kWordsAnEvent; ++i) {
        u32 first = ns.frontier;
        const u64 used = kt_host_ns_used(ns.key(), &first);
        if (used == 0 || first >= kIds) {
            ns.frontier = kIds;
            ns.ids.set_cursor(kt_host_ns_cursor(ns.key()));
        } else if (ns.ids.reserve_word(first, used, memory_.nodes())) {
            ns.frontier = first + kSlots;
        } else {
            return Outcome::kTwinNoMemory;
        }
    }
    return ns.is_whole() ? Outcome::kPredicted : Outcome::kAdopting;
}

// While a write runs its store may come at any time, later than this too; when none runs all have been made. Of either the
// lock tells, so the kernel's cursor is read after it was taken.
Lockstep::Outcome Lockstep::take_cursor(LockstepNamespace& ns) {
    if (!ns.cursor_in_doubt()) {
        return Outcome::kPredicted;
    }
    ns.cursor_stored = false;
    const u32 cursor = kt_host_ns_cursor(ns.key());
    if (ns.ids.cursor() == cursor) {
        return Outcome::kPredicted;
    }
    ns.ids.set_cursor(cursor);
    return Outcome::kCursorSet;
}

void Lockstep::predict(LockstepNamespace& ns, kt_alloc_call& call) {
    const u32 start = static_cast<u32>(call.start);
    const u32 end = static_cast<u32>(call.end);
    if (call.cyclic && mispredict_ > 0) {
        --mispredict_;
        ns.ids.set_cursor(ns.ids.cursor() + 1);
    }
    call.cursor_before = ns.ids.cursor();
    const Expected<u32> nr = call.cyclic ? ns.ids.reserve_cyclic(start, end, memory_.nodes())
                                         : ns.ids.reserve_lowest(start, end, memory_.nodes());
    call.predicted = nr ? static_cast<i32>(nr.value()) : -static_cast<i32>(nr.error());
    if (nr.error() == Errno::kNoMemory) {
        call.outcome = static_cast<u32>(Outcome::kTwinNoMemory);
    }
}

bool Lockstep::request(kt_alloc_call& call) {
    if (!follows(call.ns)) {
        return false;
    }
    SpinGuard guard(lock());
    LockstepNamespace* ns = table_.find(call.ns);
    if (armed_.load_relaxed() == 0 || ns == nullptr) {
        return false;
    }
    // Before anything that is known of it is believed: if its end was skipped, its memory is another namespace's now.
    (void)missed_more();
    Outcome outcome = adopt(*ns);
    if (outcome == Outcome::kPredicted && call.cyclic) {
        outcome = take_cursor(*ns);
    }
    call.outcome = static_cast<u32>(outcome);
    if (outcome == Outcome::kPredicted || outcome == Outcome::kCursorSet) {
        predict(*ns, call);
    }
    return true;
}

// What the twin did not, or not rightly, foresee.
void Lockstep::copy(LockstepNamespace& ns, const kt_alloc_call& call, i32 result) {
    if (result < 0) {
        return;
    }
    const u32 nr = static_cast<u32>(result);
    if (nr < ns.frontier) {
        const Result reserved = ns.ids.reserve_at(nr, memory_.nodes());
        if (!reserved) {
            ns.generation = 0;
        }
        // It had been in use, as far as the twin knew.
        if (reserved.error() == Errno::kExists && !missed_more()) {
            ++contradicted_;
        }
    }
    if (call.cyclic && ns.is_whole()) {
        ns.ids.set_cursor(nr + 1);
    }
}

bool Lockstep::missed_more() {
    const u64 missed = kt_host_lockstep_missed();
    if (missed == missed_seen_) {
        return false;
    }
    missed_seen_ = missed;
    ++generation_;
    return true;
}

// Whether the kernel could have come to it from another cursor. That there is none left does not depend on the cursor.
bool Lockstep::is_of_some_cursor(const LockstepNamespace& ns, const kt_alloc_call& call, i32 result) {
    return result >= call.start && result < call.end && !ns.ids.is_used(static_cast<u32>(result));
}

Lockstep::Outcome Lockstep::differs(LockstepNamespace& ns, const kt_alloc_call& call, i32 result) {
    if (ns.generation != generation_ || missed_more()) {
        return Outcome::kMissed;
    }
    if (call.predicted >= 0) {
        (void)ns.ids.erase(static_cast<u32>(call.predicted), memory_.nodes());
        ns.ids.set_cursor(call.cursor_before);
    }
    if (result == -static_cast<i32>(Errno::kNoMemory)) {
        return Outcome::kKernelNoMemory;
    }
    if (call.cyclic && ns.cursor_in_doubt() && is_of_some_cursor(ns, call, result)) {
        copy(ns, call, result);
        return Outcome::kCursorSet;
    }
    ns.generation = 0;
    return Outcome::kMispredicted;
}

Lockstep::Outcome Lockstep::judge(LockstepNamespace& ns, const kt_alloc_call& call, i32 result) {
    const Outcome expected = static_cast<Outcome>(call.outcome);
    if (expected == Outcome::kPredicted || expected == Outcome::kCursorSet) {
        return call.predicted == result ? expected : differs(ns, call, result);
    }
    if (ns.generation == generation_) {
        copy(ns, call, result);
    }
    return expected;
}

void Lockstep::result(const kt_alloc_call& call, i32 result) {
    Outcome outcome = Outcome::kPredicted;
    u32 inode = 0;
    {
        SpinGuard guard(lock());
        LockstepNamespace* ns = table_.find(call.ns);
        if (armed_.load_relaxed() == 0 || ns == nullptr) {
            return;
        }
        outcome = judge(*ns, call, result);
        inode = ns->inode();
        ++counts_[static_cast<u32>(outcome)];
    }
    if (outcome == Outcome::kMispredicted) {
        audit_.mispredicted(call.ns, inode, result, call.predicted);
    }
}

void Lockstep::removed(kt_key key, u32 nr, bool first_failed) {
    SpinGuard guard(lock());
    LockstepNamespace* ns = table_.find(key);
    if (armed_.load_relaxed() == 0 || ns == nullptr || ns->generation != generation_) {
        return;
    }
    if (nr < ns->frontier) {
        if (!ns->ids.is_used(nr)) {
            contradicted_ += missed_more() ? 0 : 1;
            ns->generation = 0;
            return;
        }
        (void)ns->ids.erase(nr, memory_.nodes());
    }
    if (first_failed) {
        ns->ids.set_cursor(0);
    }
}

}  // namespace ktwin
