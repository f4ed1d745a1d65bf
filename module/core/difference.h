// SPDX-License-Identifier: GPL-2.0-only
//
// Where twin and kernel are compared, what each has there, and how a difference is called.
#ifndef KTWIN_CORE_DIFFERENCE_H
#define KTWIN_CORE_DIFFERENCE_H

#include "core/limits.h"

namespace ktwin {

// A number in a namespace.
struct Place {
    kt_key ns = 0;
    u32 inode = 0;
    u32 level = 0;
    u32 nr = 0;
    u32 anchor_root_nr = 0;  // of some pid seen in ns, 0: none; see kt_ns_anchor

    bool operator==(const Place& other) const { return ns == other.ns && nr == other.nr; }
};

// What was read there.
struct Sides {
    kt_key kernel = 0;
    kt_key twin = 0;
    u64 twin_serial = 0;
    bool broken = false;  // the twin's entry contradicts the twin
    // Of an allocation that both made: the numbers, or -errno.
    bool mispredicted = false;
    i32 kernel_nr = 0;
    i32 twin_nr = 0;

    bool agree() const { return kernel == twin && !broken; }
    bool operator==(const Sides& other) const {
        return kernel == other.kernel && twin == other.twin && twin_serial == other.twin_serial &&
               broken == other.broken && mispredicted == other.mispredicted && kernel_nr == other.kernel_nr &&
               twin_nr == other.twin_nr;
    }
    // They do not agree.
    u32 kind() const {
        if (mispredicted) {
            return KTWIN_MISPREDICTED;
        }
        if (kernel == twin) {
            return KTWIN_TWIN_BROKEN;
        }
        if (kernel == 0) {
            return KTWIN_ONLY_TWIN;
        }
        return twin == 0 ? KTWIN_ONLY_KERNEL : KTWIN_OTHER_PID;
    }
};

// A difference that may be one, until it has stood long enough.
struct Candidate {
    Place place;
    Sides sides;
    u32 stood = 0;         // grace periods it stood unchanged
    u32 changed = 0;       // times it was found different, and different from before
    bool counted = false;  // its number is in "checked" already
};

// Who may see it: the serials of the namespace and its ancestors, by level. Unlike keys and inodes, never reused.
struct Scope {
    u64 serials[kLevels] = {};

    bool shows_to(u64 serial, u32 level) const { return serials[level] == serial; }
};

}  // namespace ktwin

#endif
