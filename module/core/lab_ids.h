// SPDX-License-Identifier: GPL-2.0-only
//
// LabIds: the numbers of a laboratory's namespace when another backend than the twin hands them out; and what asks for
// a number wherever it is kept.
//
// Lifetime: made with its namespace, and destroyed a grace period after the namespace was unlisted, when no number is
// left in it. Writers are one at a time.
#ifndef KTWIN_CORE_LAB_IDS_H
#define KTWIN_CORE_LAB_IDS_H

#include "core/id_backend.h"
#include "core/pid_namespace.h"

namespace ktwin {

struct LabIds {
    IdBackend backend;
    Atomic<u32> count;  // the kernel's own do not count; readers look, too
    LabIds* next_dead = nullptr;
    // What the kernel's trees take is not ours to count: the most that so many numbers can need is charged instead, each
    // alone in its nodes, until all that the tree can have is paid for.
    ByteBudget* bytes = nullptr;
    u64 most = 0;
    u64 each = 0;

    u64 worth(u64 numbers) const { return numbers * each < most ? numbers * each : most; }
    // False: there is no room for one more.
    [[nodiscard]] bool charge_one() const {
        const u64 now = count.load_relaxed();
        return bytes->take(worth(now + 1) - worth(now));
    }
    void discharge_one() const {
        const u64 now = count.load_relaxed();
        bytes->give_back(worth(now + 1) - worth(now));
    }
};

// Readers, inside RCU.
inline TwinPid* lab_find(const PidNamespace& ns, u32 nr) {
    const LabIds* ids = ns.lab_ids();
    return ids == nullptr ? ns.find(nr) : static_cast<TwinPid*>(ids->backend.find(nr));
}

inline IdTree::Found lab_next(const PidNamespace& ns, u32 nr) {
    const LabIds* ids = ns.lab_ids();
    return ids == nullptr ? ns.ids().next(nr) : ids->backend.next(nr);
}

inline u32 lab_count(const PidNamespace& ns) {
    const LabIds* ids = ns.lab_ids();
    return ids == nullptr ? ns.ids().count() : ids->count.load_relaxed();
}

inline u32 lab_cursor(const PidNamespace& ns) {
    const LabIds* ids = ns.lab_ids();
    return ids == nullptr ? ns.ids().cursor() : ids->backend.cursor();
}

}  // namespace ktwin

#endif
