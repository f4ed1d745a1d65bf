// SPDX-License-Identifier: GPL-2.0-only
//
// Run queues of any generation, and tasks to put on them.
#ifndef KTWIN_SELFTESTS_HOST_QUEUE_FIXTURE_H
#define KTWIN_SELFTESTS_HOST_QUEUE_FIXTURE_H

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "core/sched_params.h"
#include "core/sched_reason.h"

namespace ktwin {

constexpr u64 kMs = 1000000;

inline SchedParams nice(i32 value, kt_key mm = 1) {
    SchedParams params;
    params.nice = value;
    params.mm = mm;
    return params;
}

inline SchedParams rt(SchedPolicy policy, u32 priority) {
    SchedParams params;
    params.sched_class = SchedClass::kRt;
    params.policy = policy;
    params.rt_priority = priority;
    return params;
}

template <typename Q>
struct QueueTest : ::testing::Test {
    using Entity = typename Q::Entity;

    Entity& add(const SchedParams& params, EnqueueReason reason, u64 now = 0) {
        entities.push_back(std::make_unique<Entity>());
        queue.setup(*entities.back(), params);
        queue.enqueue(*entities.back(), reason, now);
        return *entities.back();
    }
    Q queue;
    std::vector<std::unique_ptr<Entity>> entities;
};

}  // namespace ktwin

#endif
