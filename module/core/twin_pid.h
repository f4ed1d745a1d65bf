// SPDX-License-Identifier: GPL-2.0-only
//
// TwinPid: what the twin knows of one struct pid. The kernel's struct pid has one number at each
// level of PID namespaces from the initial one (0) to the one it was made in (level); so has this,
// in an array behind the object.
//
// Lifetime: made under the twin's lock, complete before it is published, constant from then on but for the count.
// Each id tree that holds it has one reference, whoever else wants to keep it takes one. With the last it is
// retired, so an RCU reader that found it may look at it, and through it at its namespaces, until its section ends.
#ifndef KTWIN_CORE_TWIN_PID_H
#define KTWIN_CORE_TWIN_PID_H

#include "base/atomic.h"
#include "core/limits.h"
#include "core/pool.h"

namespace ktwin {

class PidNamespace;
struct PidTask;

// What a pid can be to a task; enum pid_type.
enum class PidType : u32 { kPid, kTgid, kPgid, kSid };
inline constexpr u32 kPidTypes = 4;

struct Upid {
    PidNamespace* ns;
    u64 nr;
};

class TwinPid : public PoolNode {
  public:
    TwinPid(kt_key key, u32 level, u64 serial, u64 born_ns, u32 pool)
        : key_(key),
          serial_(serial),
          born_ns_(born_ns),
          level_(static_cast<u16>(level)),
          pool_(static_cast<u8>(pool)) {}

    static constexpr u32 bytes(u32 level);
    // More, at the end, in a twin whose pids have roles (pid_roles.h).
    static constexpr u32 kRoleBytes = kPidTypes * sizeof(void*);

    kt_key key() const { return key_; }
    u64 serial() const { return serial_; }
    u64 born_ns() const { return born_ns_; }
    u32 level() const { return level_; }
    // Which of the pools it goes back to; a deeper one than its level when that was empty.
    u32 pool() const { return pool_; }

    Upid& number(u32 level) { return reinterpret_cast<Upid*>(this + 1)[level]; }
    const Upid& number(u32 level) const { return reinterpret_cast<const Upid*>(this + 1)[level]; }
    u32 nr(u32 level) const { return static_cast<u32>(number(level).nr); }
    PidNamespace* ns(u32 level) const { return number(level).ns; }
    // ns_of_pid(): the namespace it was made in.
    PidNamespace* deepest_ns() const { return number(level_).ns; }
    u32 root_nr() const { return nr(0); }
    // struct pid's tasks[type]: who uses it so. Only where the pools were made with kRoleBytes.
    Atomic<PidTask*>& tasks(PidType type) {
        return reinterpret_cast<Atomic<PidTask*>*>(&number(level_ + 1))[static_cast<u32>(type)];
    }

    // pid_nr_ns(): its number in ns, 0 when it is not visible there.
    u32 nr_in(const PidNamespace* ns, u32 ns_level) const {
        return ns_level <= level_ && number(ns_level).ns == ns ? nr(ns_level) : 0;
    }

    // The writer: it is about to be freed. True once.
    bool doom() {
        const bool first = !doomed_;
        doomed_ = true;
        return first;
    }

    // For who has a reference or the twin's lock.
    void get(u32 references = 1) { references_.fetch_add_relaxed(references); }
    // For a reader inside RCU: false when the last reference is gone already.
    bool try_get() {
        u32 seen = references_.load_relaxed();
        while (seen != 0) {
            if (references_.compare_exchange_acquire(seen, seen + 1)) {
                return true;
            }
        }
        return false;
    }
    // True: it was the last one, and the caller has to give the object back.
    [[nodiscard]] bool put() { return references_.fetch_sub_acq_rel(1) == 1; }
    u32 references() const { return references_.load_relaxed(); }

  private:
    const kt_key key_;
    const u64 serial_;
    const u64 born_ns_;
    const u16 level_;
    const u8 pool_;
    bool doomed_ = false;
    Atomic<u32> references_;
};

// What a viewer at a level is shown for a serial. The serials themselves count every pid of the system: two of them tell
// how much was forked in between, which is nobody's business in a child namespace.
inline u64 shown_serial(u64 serial, u32 viewer_level) {
    return viewer_level == 0 ? serial : kt_host_hash_key(serial);
}

constexpr u32 TwinPid::bytes(u32 level) {
    return sizeof(TwinPid) + (level + 1) * sizeof(Upid);
}

}  // namespace ktwin

#endif
