// SPDX-License-Identifier: GPL-2.0-only
//
// Each generation of run queue against lists and loops that anybody can read, under random lives of tasks: what each would
// pick is compared at every step.
#include <gtest/gtest.h>

#include <algorithm>
#include <list>
#include <map>
#include <vector>

#include "base/random.h"
#include "core/cfs_queue.h"
#include "core/eevdf_queue.h"
#include "core/prio_array_queue.h"
#include "core/scan_queue.h"

namespace ktwin {
namespace {

constexpr u32 kTasks = 40;
constexpr int kSteps = 6000;

SchedParams some_params(Random& random, bool with_rt) {
    SchedParams params;
    params.nice = static_cast<i32>(random.below(40)) - 20;
    params.mm = random.below(4);
    if (with_rt && random.below(8) == 0) {
        params.sched_class = SchedClass::kRt;
        params.policy = random.below(2) != 0 ? SchedPolicy::kRr : SchedPolicy::kFifo;
        params.rt_priority = 1 + random.below(99);
    }
    return params;
}

// --- 2.4, with the epochs as 2.4 had them: every task of the system gets its ticks when one ends. -------------------
class ScanModel {
  public:
    using Entity = ScanEntity;
    static constexpr bool kHasRt = true;

    void setup(Entity* entity, const SchedParams& params) {
        State& state = states_[entity];
        state.params = params;
        state.quantum = static_cast<u32>(20 - params.nice) / 4 + 1;
        state.counter = state.quantum;
    }
    void enqueued(Entity* entity) { order_.push_front(entity); }
    void dequeued(Entity* entity) { order_.remove(entity); }
    void set_next(Entity* entity) {
        states_[entity].ran = true;
        mm_ = states_[entity].params.mm != 0 ? states_[entity].params.mm : mm_;
    }
    void put_prev(Entity*) {}
    void charged(Entity* entity, u64 ns) {
        State& state = states_[entity];
        state.part += ns;
        while (state.part >= ScanQueue::kTickNs) {
            state.part -= ScanQueue::kTickNs;
            state.counter -= state.counter != 0 ? 1 : 0;
        }
        if (state.counter == 0 && state.params.policy == SchedPolicy::kRr) {
            state.counter = state.quantum;
            order_.remove(entity);
            order_.push_back(entity);
        }
    }
    void expect(ScanQueue&, Entity* picked) {
        i32 best = -1000;
        Entity* found = scan(best);
        if (best == 0) {
            for (auto& [entity, state] : states_) {
                state.counter = state.counter / 2 + state.quantum;
            }
            found = scan(best);
        }
        ASSERT_EQ(picked, found);
    }

  private:
    struct State {
        SchedParams params;
        u32 quantum = 0;
        u32 counter = 0;
        u64 part = 0;
        bool ran = false;
    };
    Entity* scan(i32& best) {
        best = -1000;
        Entity* found = nullptr;
        for (Entity* entity : order_) {
            const State& state = states_[entity];
            i32 value = 0;
            if (state.params.is_rt()) {
                value = 1000 + static_cast<i32>(state.params.rt_priority);
            } else if (state.counter != 0) {
                value = static_cast<i32>(state.counter) + 20 - state.params.nice + (state.ran ? 15 : 0) +
                        (state.params.mm == mm_ || state.params.mm == 0 ? 1 : 0);
            }
            if (value > best) {
                best = value;
                found = entity;
            }
        }
        return found;
    }
    std::map<Entity*, State> states_;
    std::list<Entity*> order_;
    u64 mm_ = 0;
};

// --- 2.6: both arrays as maps of lists; which of them a task is in, and its priority, is the queue's word. ----------
class PrioArrayModel {
  public:
    using Entity = PrioArrayEntity;
    static constexpr bool kHasRt = true;

    void setup(Entity*, const SchedParams&) {}
    void enqueued(Entity* entity) { put(entity); }
    void dequeued(Entity* entity) { take(entity); }
    void set_next(Entity*) {}
    void put_prev(Entity*) {}
    void before_charge(Entity* entity) { slice_ = entity->time_slice; }
    void charged(Entity* entity, u64 ns) {
        const bool has_slices = !entity->rt || entity->round_robin;
        if (has_slices && ns != 0 && entity->time_slice >= slice_) {  // it expired and has another
            take(entity);
            put(entity);
        }
    }
    void expect(PrioArrayQueue& queue, Entity* picked) {
        Entity* found = nullptr;
        for (auto& [key, list] : lists_) {
            if (found == nullptr && !list.empty() && !queue.is_expired(*list.front())) {
                found = list.front();
            }
        }
        for (auto& [key, list] : lists_) {
            ASSERT_TRUE(found != nullptr || list.empty()) << "only the expired array has tasks";
        }
        ASSERT_EQ(picked, found);
    }

  private:
    // The array is told by its address: arrays change places, lists do not move.
    using Key = std::pair<u32, const PrioArray*>;
    void put(Entity* entity) {
        places_[entity] = {entity->prio, entity->array};
        lists_[places_[entity]].push_back(entity);
    }
    void take(Entity* entity) { lists_[places_[entity]].remove(entity); }
    std::map<Key, std::list<Entity*>> lists_;
    std::map<Entity*, Key> places_;
    i64 slice_ = 0;
};

// --- CFS: the least vruntime of all. ----------------------------------------------------------------------------------
class CfsModel {
  public:
    using Entity = CfsEntity;
    static constexpr bool kHasRt = false;

    void setup(Entity*, const SchedParams&) {}
    void enqueued(Entity* entity) {
        queued_.push_back(entity);
        if (curr_ != nullptr && !resched_ && is_ahead(*curr_, *entity)) {
            next_ = entity;
            resched_ = true;
            last_ = queued_.size() >= 8 ? curr_ : last_;
        }
    }
    void dequeued(Entity* entity) {
        std::erase(queued_, entity);
        curr_ = curr_ == entity ? nullptr : curr_;
        is_no_buddy(entity);
    }
    void set_next(Entity* entity) {
        is_no_buddy(entity);
        curr_ = entity;
        resched_ = false;
    }
    void put_prev(Entity*) { curr_ = nullptr; }
    void charged(Entity*, u64) {}
    void expect(CfsQueue& queue, Entity* picked) {
        ASSERT_EQ(picked == nullptr, queued_.empty());
        for (Entity* entity : queued_) {
            // min_vruntime may be past a sleeper's place, by half a latency at most.
            ASSERT_LE(vtime_delta(queue.min_vruntime(), entity->vruntime), 3000000);
        }
        const auto least = std::min_element(queued_.begin(), queued_.end(), [](Entity* a, Entity* b) {
            return vtime_before(a->vruntime, b->vruntime);
        });
        if (picked == nullptr) {
            return;
        }
        if (next_ != nullptr && !is_ahead(*next_, **least)) {
            ASSERT_EQ(picked, next_);
        } else if (last_ != nullptr && !is_ahead(*last_, **least)) {
            ASSERT_EQ(picked, last_);
        } else {
            ASSERT_EQ(picked->vruntime, (*least)->vruntime);
        }
    }

  private:
    static bool is_ahead(const Entity& one, const Entity& other) {
        return vtime_delta(one.vruntime, other.vruntime) >
               static_cast<i64>(calc_delta_fair(1000000, other.weight));
    }
    void is_no_buddy(Entity* entity) {
        next_ = next_ == entity ? nullptr : next_;
        last_ = last_ == entity ? nullptr : last_;
    }
    std::vector<Entity*> queued_;
    Entity* curr_ = nullptr;
    Entity* next_ = nullptr;
    Entity* last_ = nullptr;
    bool resched_ = false;
};

// --- EEVDF: V by an exact sum over all, then the earliest deadline of those at or before V. ---------------------------
class EevdfModel {
  public:
    using Entity = EevdfEntity;
    static constexpr bool kHasRt = false;

    void setup(Entity* entity, const SchedParams&) { all_.push_back(entity); }
    void enqueued(Entity*) {}
    void dequeued(Entity* entity) { curr_ = curr_ == entity ? nullptr : curr_; }
    void set_next(Entity* entity) { curr_ = entity; }
    void put_prev(Entity*) { curr_ = nullptr; }
    void charged(Entity*, u64) {}

    // What the pick will be; it takes delayed ones off, so it is worked out before.
    void before_pick() {
        std::vector<Entity*> queued;
        std::copy_if(all_.begin(), all_.end(), std::back_inserter(queued),
                     [](Entity* e) { return e->on_rq; });
        expected_ = best(queued);
        while (expected_ != nullptr && expected_->delayed) {
            std::erase(queued, expected_);
            expected_ = best(queued);
        }
        deadline_ = expected_ != nullptr ? expected_->deadline : 0;
    }
    // Equal deadlines are told apart by who came first, which this does not know.
    void expect(EevdfQueue& queue, Entity* picked) {
        ASSERT_EQ(picked == nullptr, expected_ == nullptr);
        if (picked != nullptr) {
            ASSERT_EQ(picked->deadline, deadline_);
            ASSERT_TRUE(queue.is_eligible(*picked) || queue.nr_queued() == 1);
        }
    }

  private:
    Entity* best(const std::vector<Entity*>& queued) {
        if (queued.size() == 1) {
            return queued.front();
        }
        __int128 sum = 0;
        __int128 load = 0;
        const u64 zero = queued.empty() ? 0 : queued.front()->vruntime;
        for (Entity* entity : queued) {
            sum += static_cast<__int128>(vtime_delta(entity->vruntime, zero)) * entity->weight;
            load += entity->weight;
        }
        Entity* found = nullptr;
        for (Entity* entity : queued) {
            const bool eligible = sum >= static_cast<__int128>(vtime_delta(entity->vruntime, zero)) * load;
            if (entity == curr_ && eligible && entity->protected_deadline == entity->deadline) {
                return entity;
            }
            if (eligible && (found == nullptr || vtime_before(entity->deadline, found->deadline))) {
                found = entity;
            }
        }
        return found;
    }
    std::vector<Entity*> all_;
    Entity* curr_ = nullptr;
    Entity* expected_ = nullptr;
    u64 deadline_ = 0;
};

// --- one random life for all ------------------------------------------------------------------------------------------
template <typename Q, typename M>
class Life {
  public:
    using Entity = typename Q::Entity;

    explicit Life(u64 seed) : random_(seed), members_(kTasks) {
        for (Member& member : members_) {
            const SchedParams params = some_params(random_, M::kHasRt);
            queue_.setup(member.entity, params);
            model_.setup(&member.entity, params);
        }
    }

    void step() {
        now_ += random_.below(3000000);
        Member& member = members_[random_.below(kTasks)];
        if (!member.queued) {
            enqueue(member);
        } else if (random_.below(3) == 0) {
            dequeue(member);
        }
        if (curr_ != nullptr) {
            charge();
        }
        ASSERT_NO_FATAL_FAILURE(schedule());
        ASSERT_EQ(queue_.nr_queued(), count_);
    }

  private:
    struct Member {
        Entity entity;
        bool queued = false;
        bool known = false;
    };

    void enqueue(Member& member) {
        queue_.enqueue(member.entity, member.known ? EnqueueReason::kWakeup : EnqueueReason::kInitial, now_);
        model_.enqueued(&member.entity);
        member.queued = member.known = true;
        ++count_;
    }
    void dequeue(Member& member) {
        const bool sleeps = random_.below(4) != 0;
        model_.dequeued(&member.entity);
        queue_.dequeue(member.entity, sleeps ? DequeueReason::kSleep : DequeueReason::kSpecial, now_);
        member.queued = false;
        curr_ = curr_ == &member.entity ? nullptr : curr_;
        --count_;
    }
    void charge() {
        const u64 ns = random_.below(8) == 0 ? random_.below(200000000) : random_.below(4000000);
        if constexpr (requires { model_.before_charge(curr_); }) {
            model_.before_charge(curr_);
        }
        now_ += ns;
        queue_.charge(*curr_, ns, now_);
        model_.charged(curr_, ns);
    }
    void schedule() {
        if constexpr (requires { model_.before_pick(); }) {
            model_.before_pick();
        }
        const Pick<Entity> pick = queue_.pick(now_);
        ASSERT_TRUE(pick.known);
        ASSERT_NO_FATAL_FAILURE(model_.expect(queue_, pick.entity));
        if (pick.entity == curr_) {
            return;
        }
        if (curr_ != nullptr) {
            queue_.put_prev(*curr_);
            model_.put_prev(curr_);
        }
        curr_ = pick.entity;
        if (curr_ != nullptr) {
            queue_.set_next(*curr_);
            model_.set_next(curr_);
        }
    }

    Random random_;
    Q queue_;
    M model_;
    std::vector<Member> members_;
    Entity* curr_ = nullptr;
    u32 count_ = 0;
    u64 now_ = 1000000000;
};

template <typename Q, typename M>
void live(u64 seed) {
    auto life = std::make_unique<Life<Q, M>>(seed);
    for (int step = 0; step < kSteps; ++step) {
        ASSERT_NO_FATAL_FAILURE(life->step()) << "seed " << seed << " step " << step;
    }
}

class RunQueueModelTest : public ::testing::TestWithParam<int> {};

TEST_P(RunQueueModelTest, Scan) {
    live<ScanQueue, ScanModel>(static_cast<u64>(GetParam()));
}
TEST_P(RunQueueModelTest, PrioArray) {
    live<PrioArrayQueue, PrioArrayModel>(static_cast<u64>(GetParam()));
}
TEST_P(RunQueueModelTest, Cfs) {
    live<CfsQueue, CfsModel>(static_cast<u64>(GetParam()));
}
TEST_P(RunQueueModelTest, Eevdf) {
    live<EevdfQueue, EevdfModel>(static_cast<u64>(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(Seeds, RunQueueModelTest, ::testing::Range(1, 7));

}  // namespace
}  // namespace ktwin
