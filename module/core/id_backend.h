// SPDX-License-Identifier: GPL-2.0-only
//
// IdBackend: one interface to everything that hands out numbers, so that a laboratory can run the same work on each.
//
//   kind       what it is                                               lowest cyclic any  at  find next count cursor
//   twin       IdTree under one lock                                      x      x     x   x    x    x     x     x
//   blocks     the twin with a block of 512 ids a CPU (id_blocks.h)       -      -     x   x    x    x     x     -
//   pidmap     bitmap pages and pid_hash of kernel/pid.c of 3.9           x      x     -   x    x    x     x     x
//   idr        the kernel's own, under one mutex                          x      x     -   x    x    x     -     x
//   xarray     the kernel's own, XA_FLAGS_ALLOC, under its own lock       x      x     -   x    x    x     -     x
//   ida        the kernel's own                                           x      -     -   x    -    -     -     -
//   sbitmap    the kernel's own sbitmap_queue                             -      -     x   -    -    -     x     -
//
// Which operations a kind has stands in the table it is reached through; one it has not answers kNotSupported, or
// "nothing". All of them give the same numbers and the same errors for the same calls, but alloc_any(): its order is
// the kind's own, and only what is free and when there is none is promised.
//
// Context: what allocates may sleep (the kernel's own ask for GFP_KERNEL memory), and so may what publishes and erases (the
// idr's mutex; the others' spinlocks on PREEMPT_RT); each call locks for itself, so all of
// them may run at once. An id is erased by who owns it, once.
#ifndef KTWIN_CORE_ID_BACKEND_H
#define KTWIN_CORE_ID_BACKEND_H

#include "base/expected.h"
#include "core/id_tree.h"

namespace ktwin {

enum class IdBackendKind : u32 { kTwin, kBlocks, kPidmap, kIdr, kXarray, kIda, kSbitmap };
inline constexpr u32 kIdBackendKinds = 7;

enum IdOperation : u32 {
    kHasLowest = 1 << 0,
    kHasCyclic = 1 << 1,
    kHasAny = 1 << 2,
    kHasAt = 1 << 3,
    kHasFind = 1 << 4,  // it keeps a pointer for each id
    kHasNext = 1 << 5,
    kHasCount = 1 << 6,
    kHasCursor = 1 << 7,
    kChecksErase = 1 << 8,  // erase() of an id that is not used is answered with false, not with damage
};

struct IdBackendConfig {
    u32 limit;    // No id at or above is ever asked for; up to 4,194,304.
    u32 cpus;     // CPUs there can be: kt_host_cpu() is below.
    u32 objects;  // most leaves, blocks or hash nodes it may have in all states; the core's own kinds only
    ByteBudget* bytes = nullptr;  // what it may hold together with others
};

// A row: the calls of one kind. See IdBackend for what they mean.
struct IdBackendOps {
    const char* name;
    u32 has;
    Expected<u32> (*alloc_lowest)(void* self, u32 min, u32 max, void* pointer);
    Expected<u32> (*alloc_cyclic)(void* self, u32 min, u32 max, void* pointer);
    Expected<u32> (*alloc_any)(void* self, u32 min, u32 max, void* pointer);
    Result (*alloc_at)(void* self, u32 id, void* pointer);
    void (*publish)(void* self, u32 id, void* pointer);
    bool (*erase)(void* self, u32 id);
    void* (*find)(void* self, u32 id);
    IdTree::Found (*next)(void* self, u32 id);
    u32 (*count)(void* self);
    u32 (*cursor)(void* self);
    void (*set_cursor)(void* self, u32 cursor);
    u64 (*bytes)(void* self);
    void (*maintain)(void* self);
    void (*begin_reclaim)(void* self);
    void (*end_reclaim)(void* self);
    void (*destroy)(void* self);
};

class IdBackend {
  public:
    IdBackend() = default;

    // [sleep] kNoMemory; kInvalid: a limit the kind cannot have.
    static Expected<IdBackend> create(IdBackendKind kind, const IdBackendConfig& config);
    // The operations of a kind, before there is one.
    static const IdBackendOps& describe(IdBackendKind kind);
    // [sleep] Frees everything. Nobody is inside and no reader is left.
    void destroy() { ops_->destroy(self_); }

    bool has(u32 operations) const { return (ops_->has & operations) == operations; }
    const char* name() const { return ops_->name; }

    // [sleep] The lowest free id in [min, max). kNoSpace, kNoMemory. pointer nullptr: reserved only, and found by
    // nobody until publish().
    Expected<u32> alloc_lowest(u32 min, u32 max, void* pointer) const {
        return ops_->alloc_lowest(self_, min, max, pointer);
    }
    // [sleep] As idr_alloc_cyclic(): the first free id from the cursor on, else from min on.
    Expected<u32> alloc_cyclic(u32 min, u32 max, void* pointer) const {
        return ops_->alloc_cyclic(self_, min, max, pointer);
    }
    // [sleep] Some free id in [min, max). kNoSpace: at one instant of the call there was none.
    Expected<u32> alloc_any(u32 min, u32 max, void* pointer) const {
        return ops_->alloc_any(self_, min, max, pointer);
    }
    // [sleep] kExists; kNoMemory; kRange: at or above the limit.
    Result alloc_at(u32 id, void* pointer) const { return ops_->alloc_at(self_, id, pointer); }
    // [sleep] Fills an id that was reserved. Who finds the pointer finds what was written to the object before.
    void publish(u32 id, void* pointer) const { ops_->publish(self_, id, pointer); }
    // [sleep] False: it was not used, for kinds with kChecksErase.
    bool erase(u32 id) const { return ops_->erase(self_, id); }

    // [any, inside RCU] No lock is taken.
    void* find(u32 id) const { return ops_->find(self_, id); }
    // [any, inside RCU] The lowest published id >= id; .id kNone: none.
    IdTree::Found next(u32 id) const { return ops_->next(self_, id); }

    u32 count() const { return ops_->count(self_); }
    u32 cursor() const { return ops_->cursor(self_); }
    // [sleep] As idr_set_cursor(): where the next cyclic search begins. One writer at a time.
    void set_cursor(u32 cursor) const { ops_->set_cursor(self_, cursor); }
    // Of the core's own kinds, in all states; 0 for the kernel's.
    u64 bytes() const { return ops_->bytes(self_); }
    // [sleep] Ends a grace period for what was taken out and brings the pools to their targets.
    void maintain() const { ops_->maintain(self_); }
    // [sleep] What is taken out, and what is ready and not needed, goes: between the two, which belong to one caller at a
    // time, a grace period passes. So one serves many backends.
    void begin_reclaim() const { ops_->begin_reclaim(self_); }
    void end_reclaim() const { ops_->end_reclaim(self_); }

  private:
    IdBackend(const IdBackendOps* ops, void* self) : ops_(ops), self_(self) {}

    const IdBackendOps* ops_ = nullptr;
    void* self_ = nullptr;
};

}  // namespace ktwin

#endif
