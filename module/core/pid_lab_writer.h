// SPDX-License-Identifier: GPL-2.0-only
//
// The guards of PidLab's mutex, and what is tried when memory is short; for the sources of PidLab alone.
#ifndef KTWIN_CORE_PID_LAB_WRITER_H
#define KTWIN_CORE_PID_LAB_WRITER_H

#include "core/pid_lab.h"

namespace ktwin {

class TA_SCOPED_CAPABILITY PidLab::Held : Pinned {
  public:
    explicit Held(PidLab& lab) TA_ACQUIRE(lab.memory_.lock(), lab.world_.lock(), lab.allocator_.lock(),
                                          lab.roles_.lock()) TA_NO_ANALYSIS : lock_(lab.memory_.lock()) {
        lock_.acquire_in_task();
    }
    ~Held() TA_RELEASE() TA_NO_ANALYSIS { lock_.release_in_task(); }

  private:
    SpinLock& lock_;
};

// The thread-safety analysis does not follow a lock that is taken only at times.
class PidLab::Writer : Pinned {
  public:
    explicit Writer(PidLab& lab) TA_NO_ANALYSIS : mutex_(lab.is_twin() ? nullptr : &lab.writers_) {
        if (mutex_ != nullptr) {
            mutex_->acquire();
        }
    }
    ~Writer() TA_NO_ANALYSIS {
        if (mutex_ != nullptr) {
            mutex_->release();
        }
    }

  private:
    Mutex* const mutex_;
};

// One at a time, for what a Writer does not hold already.
class PidLab::UpkeepGuard : Pinned {
  public:
    explicit UpkeepGuard(PidLab& lab) TA_NO_ANALYSIS : mutex_(lab.is_twin() ? &lab.writers_ : nullptr) {
        if (mutex_ != nullptr) {
            mutex_->acquire();
        }
    }
    ~UpkeepGuard() TA_NO_ANALYSIS {
        if (mutex_ != nullptr) {
            mutex_->release();
        }
    }

  private:
    Mutex* const mutex_;
};

// attempt() returns a Result or an Expected.
template <typename Attempt>
auto PidLab::with_memory(u32 ns, Attempt attempt) -> decltype(attempt()) {
    auto result = attempt();
    Growth growth;
    while (result.error() == Errno::kNoMemory && can_grow(ns, growth)) {
        result = attempt();
    }
    return result;
}

}  // namespace ktwin

#endif
