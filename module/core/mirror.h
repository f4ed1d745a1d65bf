// SPDX-License-Identifier: GPL-2.0-only
//
// Mirror: keeps the twin equal to the kernel's PID bookkeeping.
//
// Events. The kernel calls idr_replace() and idr_remove() on the initial namespace's idr under pidmap_lock,
// and our probes run at their entry: before the kernel's own change, one after the other. So outside of
// pidmap_lock's sections the twin has applied exactly the events the kernel has.
//
// Population: why it is exact.
//   A: events begin to be taken (taking_ set under the lock; the touched map is there).
//   S: kt_host_synchronize_hooks() returned.
//   (1) A handler that ran before A has returned at S, and the pidmap_lock section it ran in is over: what it
//       ignored is done and can be seen by the scan, which begins after S.
//   (2) Every change at a number that begins after S has its handler before it, and that handler marks the number
//       touched and applies the event.
//   The scan reads at time r > S that number n has struct pid P, and then, under the lock at time i, looks
//   whether n is touched.
//     Not touched: no handler ran for n between A and i, so by (2) n did not change between S and i: P is at n at i,
//       and inserting it makes the twin right at n. P's deeper numbers never change in its life, and P lives.
//     Touched: the twin has applied the last event at n; what the scan read may be older. It is ignored.
//   A number nobody read and nobody touched has no pid: the scan passes every number once, after S.
//   A removal of a number that the twin does not have yet needs no tombstone beyond the touched mark.
//
// Doubt. When an event cannot be stored, contradicts the twin, or a probe failed, the state becomes INCOMPLETE, and
// a resynchronisation is due. Events are still applied, as far as they fit: what is shown meanwhile is then nearly
// right and says that it is not complete. The resynchronisation begins from an empty twin.
//
// Locks: switching, populating and maintaining under control_ (a mutex); events and all state under the twin's lock.
#ifndef KTWIN_CORE_MIRROR_H
#define KTWIN_CORE_MIRROR_H

#include "core/pid_world.h"
#include "core/stream_list.h"
#include "core/touched_map.h"

namespace ktwin {

class Mirror : Pinned {
  public:
    // What a statement about the twin rests on. Two equal ones, both LIVE, vouch for the time between them.
    struct Standing {
        u32 state = KTWIN_OFF;
        u32 why = KTWIN_WHY_OFF;
        u64 epoch = 0;
        u64 doubts = 0;

        // KTWIN_WHY_*; 0: it is complete.
        u32 reasons() const {
            return state == KTWIN_OFF          ? KTWIN_WHY_OFF
                   : state == KTWIN_POPULATING ? why | KTWIN_WHY_POPULATING
                                               : why;
        }
        bool vouches_since(const Standing& before) const {
            return state == KTWIN_LIVE && before.state == KTWIN_LIVE && epoch == before.epoch &&
                   doubts == before.doubts;
        }
    };

    explicit Mirror(PidWorld& world) : world_(world), control_(KT_LOCK_CONTROL) {}

    // [hook]
    void published(const kt_pid& pid);
    void removed(u32 nr);

    // [sleep] enum ktwin_mirror_op
    Result control(u32 op);
    // [sleep] Once a second, and when kicked.
    void maintain();
    // [sleep] Whether the probes fire and skipped nothing; what is found is acted on.
    bool check_probes();

    // [any]
    Standing standing();
    u64 epoch() const { return epoch_.load_acquire(); }
    u32 state() const { return state_.load_acquire(); }
    // [any] The system-wide counters.
    void fill(ktwin_status& status);

    // [sleep] The laboratory: the next events are skipped, or find no memory.
    void skip_events(u32 count);
    void fail_events(u32 count);

    PidWorld& world() { return world_; }
    SpinLock& lock() TA_RETURN(world_.lock()) { return world_.lock(); }
    StreamList& streams() TA_REQUIRES(world_.lock()) { return streams_; }

  private:
    static constexpr u64 kSecond = 1000000000;
    static constexpr u64 kLongestBackoff = 60 * kSecond;

    // Events.
    bool takes_event() TA_REQUIRES(world_.lock());
    void doubt(u32 why) TA_REQUIRES(world_.lock());
    void become(u32 state) TA_REQUIRES(world_.lock()) { state_.store_release(state); }
    NamespaceObserver observer();
    static void on_namespace(void* mirror, const PidNamespace& ns, bool is_new);

    // Control.
    Result switch_on() TA_REQUIRES(control_);
    void switch_off() TA_REQUIRES(control_);
    Result populate() TA_REQUIRES(control_);
    void begin_populating() TA_REQUIRES(control_);
    void end_populating(Result scanned, u64 started_ns) TA_REQUIRES(control_);
    void stop_taking(u32 state, u32 why) TA_REQUIRES(control_);
    void start_taking(u64* touched) TA_REQUIRES(control_);
    void clear_world() TA_REQUIRES(control_);
    Result scan() TA_REQUIRES(control_);
    Result scan_round(u32& nr, bool& done) TA_REQUIRES(control_);
    Result adopt(const kt_pid& pid);
    bool check_probes_locked() TA_REQUIRES(control_);
    void resync_if_due(bool probes_fire) TA_REQUIRES(control_);

    PidWorld& world_;
    StreamList streams_ TA_GUARDED_BY(world_.lock());
    TouchedMap touched_ TA_GUARDED_BY(world_.lock());

    // Written under the twin's lock; read without it where a moment's delay does not matter.
    Atomic<u32> state_{KTWIN_OFF};
    Atomic<u32> taking_;
    Atomic<u64> epoch_;
    u32 why_ TA_GUARDED_BY(world_.lock()) = KTWIN_WHY_OFF;
    u64 doubts_ TA_GUARDED_BY(world_.lock()) = 0;
    u64 populate_ns_ TA_GUARDED_BY(world_.lock()) = 0;
    u64 allocs_ TA_GUARDED_BY(world_.lock()) = 0;
    u64 frees_ TA_GUARDED_BY(world_.lock()) = 0;
    u64 unknown_frees_ TA_GUARDED_BY(world_.lock()) = 0;
    u64 probe_missed_ TA_GUARDED_BY(world_.lock()) = 0;
    u64 skipped_ TA_GUARDED_BY(world_.lock()) = 0;  // on purpose, counted as the probes' own misses are
    u32 skip_ TA_GUARDED_BY(world_.lock()) = 0;
    u32 fail_ TA_GUARDED_BY(world_.lock()) = 0;

    Mutex control_;
    u64 missed_seen_ TA_GUARDED_BY(control_) =
        0;  // what the probes said last; starts again with each registration
    u64 resync_at_ TA_GUARDED_BY(control_) = 0;
    u64 last_resync_ TA_GUARDED_BY(control_) = 0;
    u64 backoff_ TA_GUARDED_BY(control_) = kSecond;
    kt_pid scratch_ TA_GUARDED_BY(control_) = {};  // too large for a kernel stack
};

}  // namespace ktwin

#endif
