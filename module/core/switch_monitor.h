// SPDX-License-Identifier: GPL-2.0-only
//
// SwitchMonitor: what one reader wants to know of the context switches while it is there: counts for each CPU, and as far
// as asked for counts for each task, histograms of the time tasks waited for a CPU, and the twin run queues.
//
// Each CPU writes its own counts, irqs off; who reads takes no lock but the twin's.
#ifndef KTWIN_CORE_SWITCH_MONITOR_H
#define KTWIN_CORE_SWITCH_MONITOR_H

#include "core/log2_histogram.h"
#include "core/ns_waits.h"
#include "core/rq_audit.h"
#include "core/switch_counts.h"
#include "core/task_switches.h"

namespace ktwin {

class SwitchMonitor : Pinned {
  public:
    // flags: KTWIN_SWITCHES_*. cpus: numbers of CPUs there may be, not 0; online: how many there are, by which the kernel
    // scales its slices.
    SwitchMonitor(u32 flags, u32 cpus, u32 online);

    // [sleep] kNoMemory. teardown() is due in any case.
    Result setup();
    // [sleep] No event comes any more, nobody is inside.
    void teardown();
    // [sleep] Once a second.
    void refill();

    // --- events, [any]; but for add(), of a CPU that is not there: ignored. What was not asked for must not be told. ---
    // Of a CPU below the number of those there may be. What it was: see what_of().
    u32 add(usize cpu, const SwitchEvent& event) {
        const u32 what = what_of(event);
        cpus_[cpu]->counts.add(what);
        return what;
    }
    // what: add()'s. key: of the task that leaves, 0 for idle.
    void add_task(u32 cpu, u32 what, kt_key key, i32 nr, bool ended);
    // ns: inode of the PID namespace that the task is a member of.
    void add_wait(u32 cpu, u32 sched_class, u32 ns, u64 waited_ns);
    RunQueueTwin& twin() { return twin_; }

    // --- for who looks, [any]; cursor: 0 first. Fewer than to has room for: there are no more. kNoData: not asked for. ---
    u32 read_cpus(u64& cursor, Span<ktwin_switch_cpu> to) const;
    Expected<u32> read_tasks(u64& cursor, Span<kt_task_switches> to) const;
    Expected<u32> read_waits(u64& cursor, Span<ktwin_switch_waits> to) const;
    Expected<u32> read_ns_waits(u64& cursor, Span<ktwin_ns_waits> to) const;
    Expected<u32> read_twins(u64& cursor, Span<ktwin_rq_twin> to);
    // nullptr: there are no twins.
    RqAudit* audit() { return has(KTWIN_SWITCHES_TWIN) ? &audit_ : nullptr; }
    u32 cpus() const { return made_; }

  private:
    // The idle class is never waited in.
    static constexpr u32 kWaitClasses = kSchedClasses - 1;
    // Tasks the twin may know. One takes about a kilobyte, and is forgotten when it ends.
    static constexpr u32 kTaskLimit = 65536;

    struct Cpu {
        SwitchCounts counts;
        Atomic<u64> idle;
        Atomic<u64> ended;
        Atomic<u64> unlisted;
        Log2Histogram waits[kWaitClasses];
    };

    bool has(u32 flag) const { return (flags_ & flag) != 0; }
    Result make_cpus();
    void read_twin(u32 cpu, ktwin_rq_twin& to);

    const u32 flags_;
    const u32 wanted_;
    u32 made_ = 0;  // all, once setup() has succeeded
    Cpu** cpus_ = nullptr;
    TaskSwitches tasks_;
    NsWaits* ns_waits_ = nullptr;
    RunQueueTwin twin_;
    RqAudit audit_;
};

}  // namespace ktwin

#endif
