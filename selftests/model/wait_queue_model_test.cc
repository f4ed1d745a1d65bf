// SPDX-License-Identifier: GPL-2.0-only
//
// WaitQueueHead against lists that anybody can read: random tasks that queue, leave, are woken by a queue or by
// something else, with entries of every kind, and every wake call's result, its order and what stays queued compared.
#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <memory>
#include <vector>

#include "base/random.h"
#include "core/wait_queue.h"
#include "fake_host.h"
#include "fake_task.h"

namespace {

using namespace ktwin;

constexpr int kTasks = 150;

std::vector<kt_key>* woken_order;
const WaitQueueEntry* stopper;

int recording_wake(WaitQueueEntry& entry, const WakeCall& call) {
    if (&entry == stopper) {
        return -1;
    }
    const int result = default_wake_function(entry, call);
    if (result > 0) {
        woken_order->push_back(entry.task());
    }
    return result;
}

struct Member {
    FakeTask task;
    std::unique_ptr<WaitQueueEntry> entry;
    bool autoremove = false;
    bool queued = false;
    bool woken = false;
    WaitKind kind = WaitKind::kShared;
};

// The same queue as two lists a kind.
class Model {
  public:
    void add(Member* member) { fresh_[lane(member)].push_back(member); }
    void remove(Member* member) {
        for (uint32_t kind = 0; kind < kWaitKinds; ++kind) {
            fresh_[kind].remove(member);
            tried_[kind].remove(member);
        }
    }

    // Who will be woken, in order.
    std::vector<kt_key> wake(uint32_t mode, uint32_t nr, bool in_place) {
        std::vector<kt_key> order;
        uint32_t left = nr;
        for (uint32_t kind = 0; kind < kWaitKinds; ++kind) {
            // Those there are when it begins: who is woken, or was tried before, goes to the end of the tried.
            const std::list<Member*> lists[] = {fresh_[kind], tried_[kind]};
            for (const bool fresh : {true, false}) {
                for (Member* member : lists[fresh ? 0 : 1]) {
                    if (nr != 0 && left == 0) {
                        return order;
                    }
                    const bool wakes = member->entry.get() != stopper && (member->task.state() & mode) != 0;
                    // Under the lock nothing moves that is not woken.
                    if (!fresh && (wakes || !in_place)) {
                        rotate(member, kind);
                    }
                    if (member->entry.get() == stopper) {
                        return order;
                    }
                    if (!wakes) {
                        continue;
                    }
                    order.push_back(member->task.key());
                    if (fresh) {
                        leave_fresh(member, kind);
                    }
                    if (nr != 0 && kind != static_cast<uint32_t>(WaitKind::kShared)) {
                        --left;
                    }
                }
            }
        }
        return order;
    }

    std::vector<kt_key> all() const {
        std::vector<kt_key> keys;
        for (uint32_t kind = 0; kind < kWaitKinds; ++kind) {
            for (const auto* list : {&fresh_[kind], &tried_[kind]}) {
                for (const Member* member : *list) {
                    keys.push_back(member->task.key());
                }
            }
        }
        return keys;
    }

  private:
    static uint32_t lane(const Member* member) { return static_cast<uint32_t>(member->kind); }
    void leave_fresh(Member* member, uint32_t kind) {
        fresh_[kind].remove(member);
        if (member->autoremove) {
            member->queued = false;
        } else {
            tried_[kind].push_back(member);
        }
    }
    void rotate(Member* member, uint32_t kind) {
        tried_[kind].remove(member);
        tried_[kind].push_back(member);
    }

    std::list<Member*> fresh_[kWaitKinds];
    std::list<Member*> tried_[kWaitKinds];
};

class WaitQueueModel : public testing::TestWithParam<int> {
  protected:
    void SetUp() override {
        FakeHost::get().reset();
        stopper = nullptr;
        woken_order = &woken_;
    }
    void TearDown() override { FakeTask::become(nullptr); }

    void queue(Member& member, uint32_t state) {
        FakeTask::become(&member.task);
        if (!member.queued) {
            member.kind = static_cast<WaitKind>(random_.below(kWaitKinds));
            member.autoremove = random_.below(3) != 0;
            member.entry =
                std::make_unique<WaitQueueEntry>(member.task.key(), recording_wake, member.autoremove);
            model_.add(&member);
            member.queued = true;
            if (random_.below(4) == 0) {
                switch (member.kind) {
                    case WaitKind::kPriority:
                        head_.add_wait_queue_priority(*member.entry);
                        break;
                    case WaitKind::kShared:
                        head_.add_wait_queue(*member.entry);
                        break;
                    case WaitKind::kExclusive:
                        head_.add_wait_queue_exclusive(*member.entry);
                        break;
                }
                WaitQueueHead::set_current_state(*member.entry, state);
                return;
            }
        }
        head_.prepare(*member.entry, member.kind, state);
    }

    void leave(Member& member) {
        if (!member.entry) {
            return;
        }
        FakeTask::become(&member.task);
        head_.finish_wait(*member.entry);
        EXPECT_EQ(KT_TASK_RUNNING, member.task.state());
        model_.remove(&member);
        member.queued = false;
    }

    void wake(uint32_t mode, uint32_t nr, bool locked) {
        const std::vector<kt_key> expected = model_.wake(mode, nr, locked || mode != KT_TASK_NORMAL);
        woken_.clear();
        uint32_t count = 0;
        if (locked) {
            kt_host_preempt_disable();
            SpinGuard guard(head_.lock());
            count = head_.wake_locked({mode, 0, 7}, nr);
        } else {
            count = head_.wake({mode, 0, 7}, nr);
        }
        if (locked) {
            kt_host_preempt_enable();
        }
        ASSERT_EQ(expected, woken_);
        ASSERT_EQ(expected.size(), count);
    }

    void compare() {
        std::vector<kt_key> listed;
        const uint32_t count =
            head_.for_each([&](const WaitQueueEntry& entry) { listed.push_back(entry.task()); });
        ASSERT_EQ(model_.all(), listed);
        ASSERT_EQ(listed.size(), count);
        ASSERT_EQ(listed.size(), head_.waiting());
        ASSERT_EQ(!listed.empty(), head_.waitqueue_active());
        ASSERT_EQ(0, fake_preempt_depth());
    }

    WaitQueueHead head_{KT_LOCK_QUEUE};
    Model model_;
    std::vector<Member> members_{kTasks};
    std::vector<kt_key> woken_;
    Random random_{static_cast<u64>(GetParam())};
};

uint32_t some_state(Random& random) {
    const uint32_t states[] = {KT_TASK_INTERRUPTIBLE, KT_TASK_UNINTERRUPTIBLE, KT_TASK_KILLABLE};
    return states[random.below(3)];
}

TEST_P(WaitQueueModel, RandomLife) {
    for (int step = 0; step < 4000; ++step) {
        Member& member = members_[random_.below(kTasks)];
        const uint32_t what = random_.below(100);
        if (what < 55) {
            queue(member, some_state(random_));
        } else if (what < 65) {
            leave(member);
        } else if (what < 72) {
            member.task.stir();
        } else {
            stopper = random_.below(8) == 0 ? members_[random_.below(kTasks)].entry.get() : nullptr;
            const uint32_t mode = random_.below(2) != 0 ? KT_TASK_NORMAL : KT_TASK_INTERRUPTIBLE;
            const uint32_t nrs[] = {0, 1, 1, 1, 2, 5, 31, 32, 33, 70, 1000};
            ASSERT_NO_FATAL_FAILURE(wake(mode, nrs[random_.below(11)], random_.below(4) == 0));
        }
        ASSERT_NO_FATAL_FAILURE(compare());
    }
    for (Member& member : members_) {
        leave(member);
    }
    compare();
}

INSTANTIATE_TEST_SUITE_P(Seeds, WaitQueueModel, testing::Range(1, 25));

}  // namespace
