// SPDX-License-Identifier: GPL-2.0-only
//
// PidMagazines: a few TwinPids that each CPU has at hand, taken without the lock of their pools, which are the depot. The
// idea is that of Bonwick and Adams, "Magazines and Vmem" (2001).
//
//   take                             load                              unload
//   ----                             ----                              ------
//   preemption off on its CPU        the lock, on its CPU              the lock, any CPU
//   round = exchange(nullptr)        an empty round = object           round = exchange(nullptr), to its pool
//
// A round is taken by an exchange, so by one alone, be it the CPU's own or who unloads (acquire: pairs with the release by
// which it was loaded). Rounds are loaded under the lock only: who holds it and has unloaded all knows that nothing is at
// hand anywhere, so a pool that is empty then is. All rounds of a magazine are of one level, which changes under
// the lock, on the CPU whose it is, when they are empty; so take() on that CPU reads what stands.
#ifndef KTWIN_CORE_PID_MAGAZINES_H
#define KTWIN_CORE_PID_MAGAZINES_H

#include "base/span.h"
#include "core/pool.h"

namespace ktwin {

class PidMagazines : Pinned {
  public:
    static constexpr u32 kRounds = 7;

    // A CPU's own line. Zeroed memory is an empty one.
    struct Magazine {
        Atomic<PoolNode*> rounds[kRounds];
        Atomic<u32> level;
        Atomic<u32> left;  // its CPU's own: rounds from here on are empty
    };
    static_assert(sizeof(Magazine) == 64);

    // Once, before use; without it nothing is ever at hand.
    void setup(Span<Magazine> magazines) { magazines_ = magazines; }
    Span<Magazine> magazines() const { return magazines_; }

    // [any, preemption off on the CPU given, lock not held] An object of that level's pool, zero but for its link. nullptr:
    // none is at hand.
    KT_INLINE PoolNode* take(u32 cpu, u32 level) {
        if (cpu >= magazines_.size()) {
            return nullptr;
        }
        Magazine& own = magazines_[cpu];
        u32 left = own.level.load_relaxed() == level ? own.left.load_relaxed() : 0;
        PoolNode* node = nullptr;
        while (node == nullptr && left != 0) {
            node = own.rounds[--left].exchange_acquire(nullptr);
            own.left.store_relaxed(left);
        }
        return node;
    }
    // [any, lock held, on the CPU given] Fills its magazine, as far as the pool of that level has more than it would take.
    void load(u32 cpu, u32 level, Pool* pools);
    // [any, lock held] All that is at hand goes back; how many.
    u32 unload(Pool* pools);
    // [any] How many are at hand, about.
    u32 at_hand() const;

  private:
    static u32 empty(Magazine& magazine, Pool* pools);

    Span<Magazine> magazines_;
};

}  // namespace ktwin

#endif
