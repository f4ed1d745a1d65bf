// SPDX-License-Identifier: GPL-2.0-only
//
// BackendAllocator: alloc_pid() and free_pid() over namespaces whose numbers another backend hands out (lab_ids.h), in the
// steps of kernel/pid.c: a number at each level, each under the backend's own lock; then, if the namespace still takes
// pids, publication at all of them.
//
// One caller at a time (the laboratory's mutex): a backend may sleep, so the twin's lock, which guards the pids and the
// list of namespaces, is held for those alone.
#ifndef KTWIN_CORE_BACKEND_ALLOCATOR_H
#define KTWIN_CORE_BACKEND_ALLOCATOR_H

#include "core/lab_ids.h"
#include "core/pid_allocator.h"

namespace ktwin {

class BackendAllocator : Pinned {
  public:
    explicit BackendAllocator(PidWorld& world) : world_(world) {}

    // [sleep] As PidAllocator::alloc_pid_locked().
    Expected<TwinPid*> alloc_pid(PidNamespace* ns, PidOrder order, Span<const i32> set_tid);
    // [sleep] Its numbers go at all levels; pid is retired when the last reference goes. Whether a namespace lost its last.
    bool free_pid(TwinPid* pid);

  private:
    PidWorld& world_;
};

}  // namespace ktwin

#endif
