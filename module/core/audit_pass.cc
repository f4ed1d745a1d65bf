// SPDX-License-Identifier: GPL-2.0-only
#include "core/audit_pass.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

// Pids tried as the anchor of a namespace.
constexpr u32 kAnchors = 8;

}  // namespace

Result AuditPass::run(kt_key viewer, const kt_audit_budget& budget, u64 number,
                      const Mirror::Standing& before, ktwin_audit& report) {
    viewer_ = viewer;
    number_ = number;
    before_ = before;
    report_ = &report;
    round_ = 0;
    candidates_.clear();
    pacer_.start(budget);
    return walk();
}

// The pass is over early, without an error, when the mirror no longer vouches: whoever asked for it sees that too.
Result AuditPass::walk() {
    u32 nr = 1;
    Result result = rounds([&] { return kernel_pids(nr); });
    if (result) {
        result = walk_namespaces();
    }
    return result ? settle() : result;
}

template <typename Round>
Result AuditPass::rounds(Round round) {
    Step step = Step::kOn;
    while (step == Step::kOn && still_vouched()) {
        step = round();
        Result paused = pause(round_);
        if (!paused) {
            return paused;
        }
    }
    return {};
}

Result AuditPass::walk_namespaces() {
    u64 serial = 0;
    return rounds([&] {
        const Step step = next_namespace(serial);
        if (step != Step::kOn) {
            return step;
        }
        u32 nr = 0;
        Result walked = rounds([&] { return twin_entries(serial, nr); });
        nr = 0;
        if (walked) {
            walked = rounds([&] { return child_numbers(serial, nr); });
        }
        return walked ? Step::kOn : Step::kStop;
    });
}

// Between two RCU sections: settles when the next one might not find room for its
// candidates, and gives the CPU away.
Result AuditPass::pause(u32 compared) {
    round_ = 0;
    if (candidates_.left() < kLevels) {
        Result settled = settle();
        if (!settled) {
            return settled;
        }
    }
    return pacer_.spent(compared + 1) ? Result() : Result(Errno::kInterrupted);
}

bool AuditPass::still_vouched() {
    return mirror_.standing().vouches_since(before_);
}

AuditPass::Step AuditPass::kernel_pids(u32& nr) {
    RcuGuard rcu;
    for (u32 i = 0; i < kRound && candidates_.left() >= kLevels; ++i) {
        if (nr >= kPidMaxLimit || !kt_host_pid_ge(static_cast<i32>(nr), &scratch_)) {
            return Step::kEnd;
        }
        nr = static_cast<u32>(scratch_.numbers[0].nr) + 1;
        compare_pid();
    }
    return Step::kOn;
}

// Whether the viewer sees the pid is decided by the kernel's word, not by the twin's: a namespace that the twin missed
// is compared too.
void AuditPass::compare_pid() {
    u32 top = 0;
    while (scratch_.numbers[top].ns != viewer_) {
        if (++top > scratch_.level) {
            return;
        }
    }
    ++report_->pids;
    for (u32 level = top; level <= scratch_.level; ++level) {
        compare_number(level);
    }
}

void AuditPass::compare_number(u32 level) {
    const kt_upid& number = scratch_.numbers[level];
    const u32 nr = static_cast<u32>(number.nr);
    ++report_->checked;
    ++round_;
    const PidNamespace* ns = table().find(number.ns);
    const TwinPid* pid = ns != nullptr ? ns->find(nr) : nullptr;
    if (pid == nullptr || pid->key() != kt_host_pid_in_ns(&scratch_, level)) {
        suspect({number.ns, number.inode, level, nr, static_cast<u32>(scratch_.numbers[0].nr)}, true);
    }
}

const PidNamespace* AuditPass::listed(u64 serial) const {
    const PidNamespace* ns = table().next(serial - 1);
    return ns != nullptr && ns->serial() == serial ? ns : nullptr;
}

AuditPass::Step AuditPass::next_namespace(u64& serial) {
    RcuGuard rcu;
    const Viewer viewer(table(), viewer_);
    const PidNamespace* ns = table().next(serial);
    while (ns != nullptr && !viewer.sees(ns)) {
        ns = NamespaceTable::following(ns);
    }
    if (ns == nullptr) {
        return Step::kEnd;
    }
    serial = ns->serial();
    ++report_->namespaces;
    return Step::kOn;
}

AuditPass::Step AuditPass::twin_entries(u64 serial, u32& nr) {
    RcuGuard rcu;
    const PidNamespace* ns = listed(serial);
    if (ns == nullptr) {
        return Step::kEnd;
    }
    for (u32 i = 0; i < kRound && candidates_.left() >= kLevels; ++i) {
        const IdTree::Found found = ns->ids().next(nr);
        if (found.pointer == nullptr) {
            return Step::kEnd;
        }
        nr = found.id + 1;
        ++round_;
        compare_entry(*ns, *static_cast<TwinPid*>(found.pointer), found.id);
    }
    return Step::kOn;
}

// In a child namespace it is enough that the initial one has the same struct pid at its number there: its
// other numbers never change. That the child's idr agrees is what phases 1 and 3 look at.
void AuditPass::compare_entry(const PidNamespace& ns, const TwinPid& pid, u32 nr) {
    const Place place = {ns.key(), ns.inode(), ns.level(), nr, pid.root_nr()};
    if (kt_host_pid_at(static_cast<i32>(pid.root_nr())) != pid.key() || is_broken(pid, &ns, place)) {
        suspect(place, false);
    }
}

AuditPass::Step AuditPass::child_numbers(u64 serial, u32& nr) {
    RcuGuard rcu;
    const PidNamespace* ns = listed(serial);
    if (ns == nullptr || ns->level() == 0) {
        return Step::kEnd;
    }
    IdTree::Found anchor_pid = ns->ids().next(0);
    u32 anchors = 0;
    for (u32 i = 0; i < kRound && candidates_.left() >= kLevels && anchor_pid.pointer != nullptr;) {
        const kt_ns_anchor anchor = anchor_of(*ns, *static_cast<TwinPid*>(anchor_pid.pointer));
        int found_nr = 0;
        int root_nr = 0;
        kt_key key = 0;
        const int found = kt_host_ns_ge(&anchor, static_cast<i32>(nr), &found_nr, &key, &root_nr);
        if (found == 0) {
            return Step::kEnd;
        }
        if (found < 0) {
            // The pid is gone, or was never there. Without any that holds, the namespace is going away.
            anchor_pid = ++anchors < kAnchors ? ns->ids().next(anchor_pid.id + 1) : IdTree::Found();
            continue;
        }
        nr = static_cast<u32>(found_nr) + 1;
        ++i;
        ++round_;
        const TwinPid* pid = ns->find(static_cast<u32>(found_nr));
        if (pid == nullptr || pid->key() != key) {
            suspect(
                {ns->key(), ns->inode(), ns->level(), static_cast<u32>(found_nr), static_cast<u32>(root_nr)},
                false);
        }
    }
    return anchor_pid.pointer != nullptr ? Step::kOn : Step::kEnd;
}

bool AuditPass::is_broken(const TwinPid& pid, const PidNamespace* ns, const Place& place) const {
    if (pid.level() < place.level || pid.ns(place.level) != ns || pid.nr(place.level) != place.nr) {
        return true;
    }
    const PidNamespace* top = root();
    return top == nullptr || top->find(pid.root_nr()) != &pid;
}

// Without an anchor that holds the kernel has nobody there that either side knows of.
kt_key AuditPass::kernel_side(const Place& place, const PidNamespace* ns) const {
    if (place.level == 0) {
        return kt_host_pid_at(static_cast<i32>(place.nr));
    }
    kt_key key = 0;
    kt_ns_anchor anchor = {place.ns, place.level, static_cast<i32>(place.anchor_root_nr)};
    if (place.anchor_root_nr != 0 && kt_host_ns_at(&anchor, static_cast<i32>(place.nr), &key)) {
        return key;
    }
    IdTree::Found found = ns != nullptr ? ns->ids().next(0) : IdTree::Found();
    for (u32 i = 0; i < kAnchors && found.pointer != nullptr; ++i) {
        anchor = anchor_of(*ns, *static_cast<TwinPid*>(found.pointer));
        if (kt_host_ns_at(&anchor, static_cast<i32>(place.nr), &key)) {
            return key;
        }
        found = ns->ids().next(found.id + 1);
    }
    return 0;
}

Sides AuditPass::read(const Place& place) const {
    Sides sides;
    const PidNamespace* ns = table().find(place.ns);
    if (const TwinPid* pid = ns != nullptr ? ns->find(place.nr) : nullptr) {
        sides.twin = pid->key();
        sides.twin_serial = pid->serial();
        sides.broken = is_broken(*pid, ns, place);
    }
    sides.kernel = kernel_side(place, ns);
    return sides;
}

}  // namespace ktwin
