// SPDX-License-Identifier: GPL-2.0-only
//
// ScanQueue: one list, and a scan of it for the best goodness at each pick. Follows kernel/sched.c of 2.4.37, with HZ 100.
//
// counter is how many ticks a task may still run in this epoch. goodness: 0 with none left; else the counter, 20 - nice,
// 15 for a task that ran here last (PROC_CHANGE_PENALTY), 1 for the address space that is there (the mm bonus); a real-time
// task has 1000 + rt_priority. When nobody has more than 0 and somebody has 0, an epoch ends and every task of the system,
// sleepers too, gets counter / 2 + its ticks: who slept has up to twice as many.
//
// Here the end of an epoch is a number that counts up, and each task catches up when it is looked at. 2.4 had one queue
// for all CPUs; as every generation here this has one a CPU, and epochs are its own. 2.4's sched_yield() is not here.
#ifndef KTWIN_CORE_SCAN_QUEUE_H
#define KTWIN_CORE_SCAN_QUEUE_H

#include "base/ring.h"
#include "core/run_queue_model.h"

namespace ktwin {

struct ScanEntity : RingNode {
    u32 counter = 0;
    u32 quantum = 0;  // NICE_TO_TICKS(nice)
    u32 bonus = 0;    // 20 - nice
    u32 rt_priority = 0;
    u64 epoch = 0;    // of the queue, which counter is right for
    u64 part_ns = 0;  // of a tick
    kt_key mm = 0;
    bool rt = false;
    bool round_robin = false;
    bool ran_here = false;
};

class ScanQueue : Pinned {
  public:
    using Entity = ScanEntity;
    // Where the scan gives up: it is done with irqs off under a raw lock.
    static constexpr u32 kScanLimit = 64;
    static constexpr u64 kTickNs = 10000000;

    void setup(ScanEntity& entity, const SchedParams& params);
    void set_params(ScanEntity& entity, const SchedParams& params);
    // The parent's counter is shared between the two.
    static void fork(ScanEntity& parent, ScanEntity& child);
    void enqueue(ScanEntity& entity, EnqueueReason reason, u64 now);
    void dequeue(ScanEntity& entity, DequeueReason reason, u64 now);
    void forget_sleeper(ScanEntity& entity) { catch_up(entity); }
    void set_next(ScanEntity& entity);
    void put_prev(ScanEntity&) {}
    void charge(ScanEntity& entity, u64 ns, u64 now);
    Pick<ScanEntity> pick(u64 now);
    u32 nr_queued() const { return nr_queued_; }

    u64 epoch() const { return epoch_; }
    // Its counter in this epoch.
    u32 counter(ScanEntity& entity) const {
        catch_up(entity);
        return entity.counter;
    }
    i32 goodness(ScanEntity& entity) const;

  private:
    void catch_up(ScanEntity& entity) const;
    ScanEntity* scan(i32& best) const;

    Ring list_;
    kt_key mm_ = 0;  // that the CPU has, perhaps borrowed
    u64 epoch_ = 0;
    u32 nr_queued_ = 0;
};

}  // namespace ktwin

#endif
