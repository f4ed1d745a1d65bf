// SPDX-License-Identifier: GPL-2.0-only
#include "core/injector.h"

#include "base/enforce.h"  // last

namespace ktwin {

// A pid that the kernel does not have. Its key is odd: no object of the kernel is there.
Expected<TwinPid*> Injector::invent(PidNamespace* ns, u32 nr) {
    const kt_key key = mix(world_.pids_made() + 1) | 1;
    Expected<TwinPid*> pid = world_.make_pid(ns, key, kt_host_time_ns());
    if (pid) {
        pid.value()->number(ns->level()).nr = nr;
        pid.value()->get();
    }
    return pid;
}

Result Injector::drop(PidNamespace* ns, u32 nr) {
    if (ns->find(nr) == nullptr) {
        return Errno::kNotFound;
    }
    world_.remove_entry(ns, nr, NamespaceObserver());
    return {};
}

Result Injector::add(PidNamespace* ns, u32 nr) {
    if (nr == 0 || nr >= kPidMaxLimit) {
        return Errno::kNotFound;
    }
    Expected<TwinPid*> pid = invent(ns, nr);
    if (!pid) {
        return pid.error();
    }
    Result inserted = ns->ids().insert(nr, pid.value(), world_.nodes());
    if (!inserted) {
        world_.put_pid(pid.value());
    }
    return inserted;
}

Result Injector::swap(PidNamespace* ns, u32 nr) {
    if (ns->find(nr) == nullptr) {
        return Errno::kNotFound;
    }
    Expected<TwinPid*> pid = invent(ns, nr);
    if (!pid) {
        return pid.error();
    }
    world_.put_pid(static_cast<TwinPid*>(ns->ids().replace(nr, pid.value())));
    return {};
}

Result Injector::change(kt_key viewer_key, const ktwin_inject& inject) {
    if (inject.nr < 0) {
        return Errno::kNotFound;
    }
    SpinGuard guard(world_.lock());
    const Viewer viewer(world_.table(), viewer_key);
    const PidNamespace* seen = viewer.find_inode(inject.ns);
    PidNamespace* ns = seen != nullptr ? world_.table().find(seen->key()) : nullptr;
    if (ns == nullptr) {
        return Errno::kNotFound;
    }
    const u32 nr = static_cast<u32>(inject.nr);
    switch (inject.kind) {
        case KTWIN_INJECT_DROP:
            return drop(ns, nr);
        case KTWIN_INJECT_ADD:
            return add(ns, nr);
        default:
            return swap(ns, nr);
    }
}

Result Injector::inject(kt_key viewer, const ktwin_inject& inject) {
    if (inject.kind == KTWIN_INJECT_MISPREDICT) {
        return inject.nr < 0 ? Result(Errno::kInvalid) : lockstep_.mispredict(static_cast<u32>(inject.nr));
    }
    if (mirror_.state() == KTWIN_OFF) {
        return Errno::kNoData;
    }
    switch (inject.kind) {
        case KTWIN_INJECT_DROP:
        case KTWIN_INJECT_ADD:
        case KTWIN_INJECT_SWAP:
            return change(viewer, inject);
        case KTWIN_INJECT_SKIP:
        case KTWIN_INJECT_NO_MEMORY:
            if (inject.nr < 0) {
                return Errno::kInvalid;
            }
            inject.kind == KTWIN_INJECT_SKIP ? mirror_.skip_events(static_cast<u32>(inject.nr))
                                             : mirror_.fail_events(static_cast<u32>(inject.nr));
            return {};
        default:
            return Errno::kInvalid;
    }
}

}  // namespace ktwin
