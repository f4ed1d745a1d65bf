// SPDX-License-Identifier: GPL-2.0-only
#include "core/switch_monitor.h"

#include "base/memory.h"

#include "base/enforce.h"  // last

namespace ktwin {

static_assert(KTWIN_RQ_AGREEMENTS == kGenerations * kSchedClasses);
static_assert(Log2Histogram::kBuckets == KTWIN_WAIT_BUCKETS);
static_assert(RunQueue::kStarting == KTWIN_RQ_STARTING && RunQueue::kNoMemory == KTWIN_RQ_NO_MEMORY &&
              RunQueue::kConflict == KTWIN_RQ_CONFLICT && RunQueue::kLostEvents == KTWIN_RQ_LOST_EVENTS);

SwitchMonitor::SwitchMonitor(u32 flags, u32 cpus, u32 online)
    : flags_(flags), wanted_(cpus), twin_(KT_LOCK_RUN_QUEUES, cpus, online, kTaskLimit), audit_(twin_) {}

Result SwitchMonitor::make_cpus() {
    cpus_ = static_cast<Cpu**>(kt_host_alloc(wanted_ * sizeof(void*)));
    if (cpus_ == nullptr) {
        return Errno::kNoMemory;
    }
    for (; made_ < wanted_; ++made_) {
        cpus_[made_] = construct_at<Cpu>(kt_host_alloc(sizeof(Cpu)));
        if (cpus_[made_] == nullptr) {
            return Errno::kNoMemory;
        }
    }
    return {};
}

Result SwitchMonitor::setup() {
    Result ready = make_cpus();
    if (ready && has(KTWIN_SWITCHES_TASKS)) {
        ready = tasks_.setup();
    }
    if (ready && has(KTWIN_SWITCHES_WAITS)) {
        ns_waits_ = construct_at<NsWaits>(kt_host_alloc(sizeof(NsWaits)));
        ready = ns_waits_ != nullptr ? Result() : Result(Errno::kNoMemory);
    }
    if (ready && has(KTWIN_SWITCHES_TWIN)) {
        ready = audit_.setup(wanted_);
        ready = ready ? twin_.setup() : ready;
    }
    return ready;
}

void SwitchMonitor::teardown() {
    if (has(KTWIN_SWITCHES_TWIN)) {
        twin_.teardown();
    }
    audit_.teardown();
    kt_host_free(ns_waits_);
    ns_waits_ = nullptr;
    tasks_.teardown();
    while (made_ != 0) {
        kt_host_free(cpus_[--made_]);
    }
    kt_host_free(static_cast<void*>(cpus_));
    cpus_ = nullptr;
}

void SwitchMonitor::refill() {
    if (has(KTWIN_SWITCHES_TWIN)) {
        // Where there is no memory, the queues that lack it will say so.
        static_cast<void>(twin_.refill());
    }
}

void SwitchMonitor::add_task(u32 cpu, u32 what, kt_key key, i32 nr, bool ended) {
    if (cpu >= made_) {
        return;
    }
    if (key == 0) {
        cpus_[cpu]->idle.add_exclusive(1);
    } else if (ended) {
        cpus_[cpu]->ended.add_exclusive(tasks_.end(key) + 1);
    } else if (!tasks_.add(key, nr, what)) {
        cpus_[cpu]->unlisted.add_exclusive(1);
    }
}

void SwitchMonitor::add_wait(u32 cpu, u32 sched_class, u32 ns, u64 waited_ns) {
    if (cpu < made_ && sched_class < kWaitClasses) {
        cpus_[cpu]->waits[sched_class].add(waited_ns);
        ns_waits_->add(ns, waited_ns);
    }
}

u32 SwitchMonitor::read_cpus(u64& cursor, Span<ktwin_switch_cpu> to) const {
    u32 filled = 0;
    for (; cursor < made_ && filled < to.size(); ++cursor) {
        const Cpu& from = *cpus_[cursor];
        ktwin_switch_cpu& record = to[filled++];
        record = {};
        record.cpu = static_cast<u32>(cursor);
        from.counts.copy(record.classes, record.leaves);
        record.idle = from.idle.load_relaxed();
        record.ended = from.ended.load_relaxed();
        record.unlisted = from.unlisted.load_relaxed();
    }
    return filled;
}

Expected<u32> SwitchMonitor::read_tasks(u64& cursor, Span<kt_task_switches> to) const {
    if (!has(KTWIN_SWITCHES_TASKS)) {
        return Errno::kNoData;
    }
    return tasks_.read(cursor, to);
}

Expected<u32> SwitchMonitor::read_waits(u64& cursor, Span<ktwin_switch_waits> to) const {
    if (!has(KTWIN_SWITCHES_WAITS)) {
        return Errno::kNoData;
    }
    u32 filled = 0;
    for (; cursor < u64{made_} * kWaitClasses && filled < to.size(); ++cursor) {
        ktwin_switch_waits& record = to[filled++];
        record.cpu = static_cast<u32>(cursor / kWaitClasses);
        record.sched_class = static_cast<u32>(cursor % kWaitClasses);
        cpus_[record.cpu]->waits[record.sched_class].copy(record.sum_ns, record.buckets);
    }
    return filled;
}

Expected<u32> SwitchMonitor::read_ns_waits(u64& cursor, Span<ktwin_ns_waits> to) const {
    if (!has(KTWIN_SWITCHES_WAITS)) {
        return Errno::kNoData;
    }
    return ns_waits_->read(cursor, to);
}

void SwitchMonitor::read_twin(u32 cpu, ktwin_rq_twin& to) {
    const RunQueueTwin::Standing standing = twin_.standing(cpu);
    const RunQueue& queue = twin_.queue(cpu);
    to.cpu = cpu;
    to.why = standing.why_incomplete;
    to.queued = standing.nr_queued;
    to.tasks = twin_.tasks();
    to.doubts = standing.doubts;
    to.idle_with_queued = standing.idle_with_queued;
    to.no_memory = twin_.without_memory();
    for (u32 generation = 0; generation < kGenerations; ++generation) {
        const RqAgreement& agreement = queue.agreement(static_cast<Generation>(generation));
        for (u32 ran = 0; ran < kSchedClasses; ++ran) {
            const RqAgreement::Count count = agreement.count(static_cast<SchedClass>(ran));
            to.agreement[generation * kSchedClasses + ran] = {count.picks, count.agreed, count.unanswered,
                                                              count.grouped};
        }
    }
}

Expected<u32> SwitchMonitor::read_twins(u64& cursor, Span<ktwin_rq_twin> to) {
    if (!has(KTWIN_SWITCHES_TWIN)) {
        return Errno::kNoData;
    }
    u32 filled = 0;
    for (; cursor < made_ && filled < to.size(); ++cursor) {
        read_twin(static_cast<u32>(cursor), to[filled++]);
    }
    return filled;
}

}  // namespace ktwin
