// SPDX-License-Identifier: GPL-2.0-only
//
// Locks and their guards.
//
// The lock order of the house. Outer first; one of a lower line is never taken while one of a higher line is held.
//
//   class                 kind       taken in           guards
//   KT_LOCK_CONTROL       mutex      process            switching the mirror, populating, maintenance, the probes
//   KT_LOCK_AUDIT         mutex      process            one audit pass: its scratch space
//   KT_LOCK_LAB_WRITERS   mutex      process            a laboratory's upkeep, and its writers where its numbers are elsewhere
//   (pidmap_lock)         spinlock   kernel             the kernel's pids; held around every hook
//   KT_LOCK_TWIN          raw spin   any, irqs off      the twin's writers, the pools, the streams
//   KT_LOCK_LOCKSTEP      raw spin   any, irqs off      what lockstep knows of the namespaces; nothing is taken inside
//   KT_LOCK_DIVERGENCES   raw spin   any, irqs off      the record of differences
//   KT_LOCK_TOTALS        raw spin   any, irqs off      what the audit's passes add up to, the last report
//   KT_LOCK_LAB           raw spin   process            a private twin; never together with KT_LOCK_TWIN
//   KT_LOCK_QUEUE         raw spin   any, irqs off      a wait queue's lists; tasks are woken inside by the _locked calls
//   (pi_lock, rq->lock)   raw spin   kernel             the kernel's scheduler; held around its events
//   KT_LOCK_RUN_QUEUES    raw spin   any, irqs off      the twin run queues; nothing is taken inside, nobody is woken
//
// open_labs_lock (module/linux/lab.c), a mutex, is taken outside all of these in process context; and, by trying alone, by
// whose allocation reclaims memory, who may hold a mutex of this table. KT_LOCK_LAB is taken inside.
//
// pidmap_lock is the kernel's: the core never takes it, but whoever holds KT_LOCK_TWIN must call nothing that does. So
// with the scheduler's locks and KT_LOCK_RUN_QUEUES.
// Memory is allocated (kt_host_alloc), grace periods are waited for (kt_host_synchronize*) and the CPU is given away
// (kt_host_breathe) with no lock of this table held, or mutexes only.
#ifndef KTWIN_BASE_LOCK_H
#define KTWIN_BASE_LOCK_H

#include "base/thread_annotations.h"
#include "base/types.h"
#include "boundary/host_api.h"

namespace ktwin {

// A raw spinlock that disables interrupts.
class TA_CAPABILITY("spinlock") SpinLock : Pinned {
  public:
    explicit SpinLock(kt_lock_class lock_class) { init(lock_class); }
    // For static storage: constant-initialised, and not to be taken before init().
    struct Static {};
    constexpr explicit SpinLock(Static) {}
    void init(kt_lock_class lock_class) { kt_host_lock_init(&lock_, lock_class); }

    unsigned long acquire() TA_ACQUIRE() TA_NO_ANALYSIS { return kt_host_lock(&lock_); }
    void release(unsigned long flags) TA_RELEASE() TA_NO_ANALYSIS { kt_host_unlock(&lock_, flags); }
    // With preemption off alone: see TaskGuard.
    void acquire_in_task() TA_ACQUIRE() TA_NO_ANALYSIS { kt_host_task_lock(&lock_); }
    void release_in_task() TA_RELEASE() TA_NO_ANALYSIS { kt_host_task_unlock(&lock_); }
    // By which the host tells it from others.
    const struct kt_host_lock* host() const { return &lock_; }

  private:
    struct kt_host_lock lock_ {};
};

class TA_SCOPED_CAPABILITY SpinGuard : Pinned {
  public:
    explicit SpinGuard(SpinLock& lock) TA_ACQUIRE(lock) : lock_(lock), flags_(lock.acquire()) {}
    ~SpinGuard() TA_RELEASE() { lock_.release(flags_); }

  private:
    SpinLock& lock_;
    unsigned long flags_;
};

// [process context] For the locks of laboratories, which nothing takes in an interrupt or in a hook.
class TA_SCOPED_CAPABILITY TaskGuard : Pinned {
  public:
    explicit TaskGuard(SpinLock& lock) TA_ACQUIRE(lock) : lock_(lock) { lock_.acquire_in_task(); }
    ~TaskGuard() TA_RELEASE() { lock_.release_in_task(); }

  private:
    SpinLock& lock_;
};

class TA_CAPABILITY("mutex") Mutex : Pinned {
  public:
    explicit Mutex(kt_lock_class lock_class) { kt_host_lock_init(&lock_, lock_class); }

    void acquire() TA_ACQUIRE() TA_NO_ANALYSIS { kt_host_mutex_lock(&lock_); }
    // False: a signal came first.
    bool acquire_interruptible() TA_TRY_ACQUIRE(true) TA_NO_ANALYSIS {
        return kt_host_mutex_lock_interruptible(&lock_);
    }
    void release() TA_RELEASE() TA_NO_ANALYSIS { kt_host_mutex_unlock(&lock_); }

  private:
    struct kt_host_lock lock_ {};
};

class TA_SCOPED_CAPABILITY MutexGuard : Pinned {
  public:
    explicit MutexGuard(Mutex& mutex) TA_ACQUIRE(mutex) : mutex_(mutex) { mutex.acquire(); }
    ~MutexGuard() TA_RELEASE() { mutex_.release(); }

  private:
    Mutex& mutex_;
};

// An RCU read-side section: what was found inside stays allocated until its end.
class RcuGuard : Pinned {
  public:
    RcuGuard() { kt_host_rcu_read_lock(); }
    ~RcuGuard() { kt_host_rcu_read_unlock(); }
};

}  // namespace ktwin

#endif
