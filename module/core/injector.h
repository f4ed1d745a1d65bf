// SPDX-License-Identifier: GPL-2.0-only
//
// Injector: makes the twin wrong on purpose, so that the audit can be seen to notice. Laboratory only.
#ifndef KTWIN_CORE_INJECTOR_H
#define KTWIN_CORE_INJECTOR_H

#include "core/lockstep.h"
#include "core/viewer.h"

namespace ktwin {

class Injector : Pinned {
  public:
    Injector(Mirror& mirror, Lockstep& lockstep)
        : mirror_(mirror), lockstep_(lockstep), world_(mirror.world()) {}

    // [sleep] kNotFound, kExists, kInvalid, kNoMemory, kNoData: the mirror is off, or lockstep is.
    Result inject(kt_key viewer, const ktwin_inject& inject);

  private:
    Result change(kt_key viewer, const ktwin_inject& inject);
    Result drop(PidNamespace* ns, u32 nr) TA_REQUIRES(world_.lock());
    Result add(PidNamespace* ns, u32 nr) TA_REQUIRES(world_.lock());
    Result swap(PidNamespace* ns, u32 nr) TA_REQUIRES(world_.lock());
    Expected<TwinPid*> invent(PidNamespace* ns, u32 nr) TA_REQUIRES(world_.lock());

    Mirror& mirror_;
    Lockstep& lockstep_;
    PidWorld& world_;
};

}  // namespace ktwin

#endif
