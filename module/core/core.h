// SPDX-License-Identifier: GPL-2.0-only
//
// Core: the one object behind the boundary, everything in the order in which it is built on each other.
#ifndef KTWIN_CORE_CORE_H
#define KTWIN_CORE_CORE_H

#include "core/audit.h"
#include "core/injector.h"
#include "core/kernel_layout.h"
#include "core/lockstep.h"
#include "core/snapshot.h"

namespace ktwin {

class Core : Pinned {
  public:
    explicit Core(const kt_core_config& config)
        : lab_(config.lab),
          memory_(KT_LOCK_TWIN, config.pool_limit, true),
          world_(memory_),
          mirror_(world_),
          audit_(mirror_),
          lockstep_(audit_, config.pool_limit),
          snapshot_(mirror_),
          injector_(mirror_, lockstep_) {}

    // [sleep] kNoMemory; teardown() is due in any case.
    Result setup();
    // [sleep] The probes are off, no stream is open, nobody is inside.
    void teardown();

    bool is_lab() const { return lab_; }
    Mirror& mirror() { return mirror_; }
    Audit& audit() { return audit_; }
    Lockstep& lockstep() { return lockstep_; }
    Snapshot& snapshot() { return snapshot_; }
    Injector& injector() { return injector_; }
    KernelLayout& layout() { return layout_; }

    // [sleep] kNoMemory, kInvalid, kBusy
    Expected<EventStream*> open_stream(kt_key viewer, void* owner, ktwin_ring* ring, u32 capacity);
    void close_stream(EventStream* stream);
    Result acknowledge(EventStream* stream, u64 tail);
    bool is_readable(const EventStream* stream);

    // [sleep] enum ktwin_mirror_op
    Result control(u32 op);
    // [sleep] A pass, and what lockstep has to say, as far as the viewer may know.
    Result run_audit(kt_key viewer, const kt_audit_budget& budget, ktwin_audit& report);
    Result last_audit(kt_key viewer, ktwin_audit& report);

  private:
    const bool lab_;
    TwinMemory memory_;
    PidWorld world_;
    Mirror mirror_;
    Audit audit_;
    Lockstep lockstep_;
    Snapshot snapshot_;
    Injector injector_;
    KernelLayout layout_;
};

}  // namespace ktwin

#endif
