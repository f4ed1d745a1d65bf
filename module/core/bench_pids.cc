// SPDX-License-Identifier: GPL-2.0-only
//
// alloc_pid() and free_pid() of the twin's own allocator, in a chain of namespaces, as the bench calls them. It does no
// more than ping-pong: what is put is what was taken last.
#include "base/memory.h"
#include "core/bench_rivals.h"
#include "core/pid_allocator.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u32 kPidLimit = 65536;
// Pids that a round may take before the pool has to ask for memory in what is measured.
constexpr u32 kAhead = 8192;

class TwinPids : Pinned {
  public:
    explicit TwinPids(const kt_rival_config& config)
        : memory_(KT_LOCK_LAB, kPidLimit, false),
          world_(memory_),
          allocator_(world_),
          levels_(config.levels),
          cpus_(config.cpus),
          ahead_(config.operations < kAhead ? config.operations : kAhead) {}

    Result setup(u32 pid_max) {
        Result result = memory_.setup_magazines(cpus_, nullptr);
        if (result) {
            result = memory_.refill();
        }
        for (; result && made_ < levels_; ++made_) {
            const Expected<PidNamespace*> ns =
                allocator_.create_namespace(made_ > 0 ? ns_[made_ - 1] : nullptr, pid_max);
            if (!ns) {
                return ns.error();
            }
            ns_[made_] = ns.value();
        }
        // The init of each namespace, which stays.
        for (u32 level = 0; result && level < levels_; ++level) {
            result = memory_.reserve(level);
            if (result) {
                result = allocator_.alloc_pid(ns_[level], {}).error();
            }
        }
        if (result) {
            rest();
        }
        return result;
    }

    void teardown() {
        while (made_ > 0) {
            TwinPid* pid = PidAllocator::next(1, *ns_[0]);
            if (pid == nullptr) {
                break;
            }
            allocator_.free_pid(pid);
        }
        while (made_ > 0) {
            allocator_.delete_namespace(ns_[--made_]);
        }
        memory_.teardown();
    }

    int alloc() {
        Expected<TwinPid*> pid = allocator_.alloc_pid(ns_[levels_ - 1], {});
        if (pid.error() == Errno::kNoMemory) {
            rest();
            pid = allocator_.alloc_pid(ns_[levels_ - 1], {});
        }
        if (!pid) {
            return -static_cast<int>(pid.error());
        }
        last_ = pid.value();
        return static_cast<int>(last_->nr(levels_ - 1));
    }
    void free_last() { allocator_.free_pid(last_); }
    void rest() {
        memory_.maintain();
        (void)pids_ahead();
    }

  private:
    bool pids_ahead() TA_NO_ANALYSIS { return memory_.pids().at(levels_ - 1).ensure(memory_.lock(), ahead_); }

    TwinMemory memory_;
    PidWorld world_;
    PidAllocator allocator_;
    const u32 levels_;
    const u32 cpus_;
    const u32 ahead_;
    u32 made_ = 0;
    PidNamespace* ns_[kLevels] = {};
    TwinPid* last_ = nullptr;
};

TwinPids& as_pids(void* self) {
    return *static_cast<TwinPids*>(self);
}

void destroy_pids(void* self) {
    as_pids(self).teardown();
    kt_host_free(self);
}

void* create_pids(const kt_rival_config* config) {
    auto* pids = construct_at<TwinPids>(kt_host_alloc(sizeof(TwinPids)), *config);
    if (pids != nullptr && !pids->setup(config->limit)) {
        destroy_pids(pids);
        return nullptr;
    }
    return pids;
}

constexpr kt_rival twin_pids() {
    kt_rival rival = {};
    rival.create = create_pids;
    rival.destroy = destroy_pids;
    rival.cyclic = [](void* self, void*) { return as_pids(self).alloc(); };
    rival.put = [](void* self, __u32) { as_pids(self).free_last(); };
    rival.rest = [](void* self) { as_pids(self).rest(); };
    return rival;
}

constexpr kt_rival kTwinPids = twin_pids();

}  // namespace

const kt_rival* rival_of_pids() {
    return &kTwinPids;
}

}  // namespace ktwin
