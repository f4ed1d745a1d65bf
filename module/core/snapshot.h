// SPDX-License-Identifier: GPL-2.0-only
//
// Snapshot: what is shown of the twin, to whoever asks: ioctl and debugfs get the same.
//
// No lock is taken but for system-wide counters. Each record is read inside one RCU section; between sections
// the reader goes on from a key (a number, a serial), so what exists all the time is met exactly once.
#ifndef KTWIN_CORE_SNAPSHOT_H
#define KTWIN_CORE_SNAPSHOT_H

#include "base/span.h"
#include "boundary/core_api.h"
#include "core/mirror.h"
#include "core/viewer.h"

namespace ktwin {

class Snapshot : Pinned {
  public:
    struct Progress {
        u32 filled = 0;
        bool more = false;
    };

    explicit Snapshot(Mirror& mirror) : mirror_(mirror) {}

    void status(kt_key viewer, bool lab, ktwin_status& status);
    Expected<Progress> namespaces(kt_key viewer, u32 inode, u64& cursor, Span<ktwin_ns> to);
    Expected<Progress> pids(kt_key viewer, u32 inode, u64& cursor, Span<ktwin_pid> to);
    Result resolve(kt_key viewer, u32 inode, u32 nr, kt_resolved& resolved);

  private:
    static void collect_anchors(const PidNamespace& ns, u32 nr, kt_resolved& resolved);
    // Namespaces shown in one RCU section; each may need a walk over its tree.
    static constexpr u32 kNamespaceRound = 8;

    // Whether there is anything to show: a twin that is being populated would show a part for the whole.
    Result readiness() const;
    Errno missing() const;
    const NamespaceTable& table() const { return mirror_.world().table(); }
    Result namespaces_round(kt_key viewer, u32 inode, u64& cursor, Span<ktwin_ns> to, Progress& progress);
    Result pids_round(kt_key viewer, u32 inode, u64& cursor, Span<ktwin_pid> to, Progress& progress);
    void describe(const Viewer& viewer, const PidNamespace& ns, ktwin_ns& to) const;
    u32 visible_namespaces(const Viewer& viewer) const;

    Mirror& mirror_;
};

}  // namespace ktwin

#endif
