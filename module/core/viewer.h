// SPDX-License-Identifier: GPL-2.0-only
//
// Viewer: the namespace from which somebody looks. It shows that namespace and those below it, levels counted
// from it. Valid inside the RCU section it was found in.
#ifndef KTWIN_CORE_VIEWER_H
#define KTWIN_CORE_VIEWER_H

#include "core/namespace_table.h"

namespace ktwin {

class Viewer {
  public:
    Viewer(const NamespaceTable& table, kt_key key) : table_(table), ns_(table.find(key)) {}

    // False: the twin does not know the namespace (yet), so nothing is visible.
    explicit operator bool() const { return ns_ != nullptr; }
    const PidNamespace* ns() const { return ns_; }
    u32 level() const { return ns_->level(); }

    bool sees(const PidNamespace* ns) const { return ns_ != nullptr && ns->is_at_or_below(ns_); }
    bool sees(const TwinPid& pid) const {
        return ns_ != nullptr && pid.level() >= level() && pid.ns(level()) == ns_;
    }

    // By inode; 0: the viewer's own. nullptr: not there, or not visible.
    const PidNamespace* find_inode(u32 inode) const {
        if (inode == 0 || ns_ == nullptr) {
            return ns_;
        }
        const PidNamespace* ns = table_.find_inode(inode);
        return ns != nullptr && sees(ns) ? ns : nullptr;
    }

    // The pid in the viewer's numbers.
    void translate(const TwinPid& pid, ktwin_pid& to) const {
        to.serial = shown_serial(pid.serial(), level());
        to.born_ns = pid.born_ns();
        to.depth = pid.level() - level() + 1;
        to.flags = 0;
        for (u32 i = 0; i < kLevels; ++i) {
            to.upids[i] = {0, 0};
            if (i < to.depth) {
                to.upids[i] = {pid.ns(level() + i)->inode(), static_cast<i32>(pid.nr(level() + i))};
            }
        }
    }

  private:
    const NamespaceTable& table_;
    const PidNamespace* ns_;
};

// A pid of ns that the kernel may have, so that it keeps ns alive there: by it the kernel's side looks into ns.
inline kt_ns_anchor anchor_of(const PidNamespace& ns, const TwinPid& pid) {
    return {ns.key(), ns.level(), static_cast<i32>(pid.root_nr())};
}

}  // namespace ktwin

#endif
