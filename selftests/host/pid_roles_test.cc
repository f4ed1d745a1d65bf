// SPDX-License-Identifier: GPL-2.0-only
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "core/pid_roles.h"
#include "fake_host.h"

namespace ktwin {
namespace {

// Each call under the lock.
class LockedRoles {
  public:
    explicit LockedRoles(PidAllocator& allocator) : roles_(allocator) {}
    Result attach(PidTask* task, PidType type, TwinPid* pid) {
        SpinGuard guard(roles_.lock());
        return roles_.attach(task, type, pid);
    }
    Result detach(PidTask* task, PidType type) {
        SpinGuard guard(roles_.lock());
        return roles_.detach(task, type);
    }
    Result change(PidTask* task, PidType type, TwinPid* pid) {
        SpinGuard guard(roles_.lock());
        return roles_.change(task, type, pid);
    }
    Result transfer(PidTask* from, PidTask* to, PidType type) {
        SpinGuard guard(roles_.lock());
        return roles_.transfer(from, to, type);
    }
    Result exchange(PidTask* left, PidTask* right) {
        SpinGuard guard(roles_.lock());
        return roles_.exchange(left, right);
    }
    bool kill_some(PidNamespace* ns, PidRoles::Killing& killing, PidRoles::Buried buried, void* object) {
        const RcuGuard rcu;
        SpinGuard guard(roles_.lock());
        return roles_.kill_some(ns, killing, buried, object);
    }

  private:
    PidRoles roles_;
};

class RolesTest : public ::testing::Test {
  protected:
    RolesTest() {
        FakeHost::get().reset();
        memory = std::make_unique<TwinMemory>(KT_LOCK_LAB, 20000, false, true);
        EXPECT_TRUE(memory->refill());
        world = std::make_unique<PidWorld>(*memory);
        allocator = std::make_unique<PidAllocator>(*world);
        roles = std::make_unique<LockedRoles>(*allocator);
        top = create(nullptr);
    }
    ~RolesTest() override {
        while (!namespaces.empty()) {
            kill(namespaces.back());
            allocator->delete_namespace(namespaces.back());
            namespaces.pop_back();
        }
        memory->teardown();
        FakeHost::get().reset();
    }
    PidNamespace* create(PidNamespace* parent) {
        namespaces.push_back(allocator->create_namespace(parent, 32768).value());
        return namespaces.back();
    }
    Expected<TwinPid*> alloc(PidNamespace* ns) {
        EXPECT_TRUE(memory->reserve(ns->level()));
        return allocator->alloc_pid(ns, Span<const i32>());
    }
    // A process: leader of itself, in the group and session of its parent, or of its own.
    PidTask* fork(PidNamespace* ns, const PidTask* parent = nullptr) {
        TwinPid* pid = alloc(ns).value();
        tasks.push_back(std::make_unique<PidTask>());
        PidTask* task = tasks.back().get();
        EXPECT_TRUE(roles->attach(task, PidType::kPid, pid));
        EXPECT_TRUE(roles->attach(task, PidType::kTgid, pid));
        for (const PidType type : {PidType::kPgid, PidType::kSid}) {
            EXPECT_TRUE(roles->attach(task, type, parent != nullptr ? parent->pid(type) : pid));
        }
        return task;
    }
    void exit(PidTask* task) {
        for (u32 type = 0; type < kPidTypes; ++type) {
            EXPECT_TRUE(roles->detach(task, static_cast<PidType>(type)));
        }
    }
    u32 kill(PidNamespace* ns) {
        u32 dead = 0;
        PidRoles::Killing killing;
        const PidRoles::Buried count = [](void* object, PidTask*) { ++*static_cast<u32*>(object); };
        while (roles->kill_some(ns, killing, count, &dead)) {}
        return dead;
    }

    std::unique_ptr<TwinMemory> memory;
    std::unique_ptr<PidWorld> world;
    std::unique_ptr<PidAllocator> allocator;
    std::unique_ptr<LockedRoles> roles;
    std::vector<std::unique_ptr<PidTask>> tasks;
    std::vector<PidNamespace*> namespaces;
    PidNamespace* top;
};

TEST_F(RolesTest, TheLastRoleFreesTheNumber) {
    PidTask* shell = fork(top);
    PidTask* job = fork(top, shell);
    TwinPid* pid = shell->pid(PidType::kPid);
    EXPECT_EQ(PidRoles::task(*pid, PidType::kPid), shell);
    EXPECT_EQ(PidRoles::task(*pid, PidType::kSid), job) << "the last to come is first in the list";
    EXPECT_EQ(PidRoles::next(*job, PidType::kSid), shell);
    exit(shell);
    EXPECT_EQ(PidAllocator::find_pid_ns(1, *top), pid) << "the session still has its number";
    EXPECT_EQ(PidRoles::task(*pid, PidType::kPid), nullptr);
    EXPECT_EQ(roles->detach(shell, PidType::kSid).error(), Errno::kNotFound);
    EXPECT_TRUE(roles->detach(job, PidType::kSid));
    EXPECT_TRUE(PidAllocator::is_allocated(1, *top));
    EXPECT_TRUE(roles->detach(job, PidType::kPgid));
    EXPECT_FALSE(PidAllocator::is_allocated(1, *top));
    EXPECT_TRUE(PidAllocator::is_allocated(2, *top));
}

TEST_F(RolesTest, Change) {
    PidTask* shell = fork(top);
    PidTask* job = fork(top, shell);
    TwinPid* own = job->pid(PidType::kPid);
    EXPECT_TRUE(roles->change(job, PidType::kPgid, own)) << "setpgid(0, 0)";
    EXPECT_EQ(PidRoles::task(*own, PidType::kPgid), job);
    EXPECT_TRUE(roles->change(job, PidType::kPgid, own));
    EXPECT_EQ(PidRoles::task(*own, PidType::kPgid), job);
    EXPECT_EQ(roles->attach(job, PidType::kPgid, own).error(), Errno::kBusy);
    PidTask stranger;
    EXPECT_EQ(roles->change(&stranger, PidType::kPgid, own).error(), Errno::kNotFound);
    exit(shell);
    EXPECT_TRUE(PidAllocator::is_allocated(1, *top));
    EXPECT_TRUE(roles->change(job, PidType::kSid, own)) << "setsid()";
    EXPECT_FALSE(PidAllocator::is_allocated(1, *top)) << "its last role was left";
}

// de_thread(): a thread executes and becomes what its leader was.
TEST_F(RolesTest, TransferAndExchange) {
    (void)fork(top);
    PidTask* leader = fork(top);
    PidTask thread;
    TwinPid* group = leader->pid(PidType::kTgid);
    TwinPid* own = alloc(top).value();
    EXPECT_TRUE(roles->attach(&thread, PidType::kPid, own));
    EXPECT_TRUE(roles->exchange(leader, &thread));
    EXPECT_EQ(thread.pid(PidType::kPid), group);
    EXPECT_EQ(leader->pid(PidType::kPid), own);
    EXPECT_EQ(PidRoles::task(*group, PidType::kPid), &thread);
    EXPECT_EQ(PidRoles::task(*own, PidType::kPid), leader);
    EXPECT_EQ(roles->transfer(leader, &thread, PidType::kPid).error(), Errno::kInvalid);
    for (const PidType type : {PidType::kTgid, PidType::kPgid, PidType::kSid}) {
        EXPECT_TRUE(roles->transfer(leader, &thread, type));
        EXPECT_EQ(PidRoles::task(*group, type), &thread);
        EXPECT_EQ(roles->transfer(leader, &thread, type).error(), Errno::kNotFound);
    }
    EXPECT_EQ(roles->transfer(&thread, &thread, PidType::kSid).error(), Errno::kBusy);
    EXPECT_TRUE(roles->detach(leader, PidType::kPid));
    EXPECT_FALSE(PidAllocator::is_allocated(3, *top)) << "the thread's old number";
    EXPECT_EQ(roles->exchange(leader, &thread).error(), Errno::kNotFound);
    exit(&thread);
    EXPECT_FALSE(PidAllocator::is_allocated(2, *top));
}

// hlists_swap_heads_rcu(): who looks meanwhile finds a task at both.
TEST_F(RolesTest, ExchangeLeavesNoGap) {
    PidTask* left = fork(top);
    PidTask* right = fork(top);
    TwinPid* pids[] = {left->pid(PidType::kPid), right->pid(PidType::kPid)};
    std::atomic<bool> over{false};
    u64 gaps = 0;
    std::thread reader([&] {
        while (!over) {
            for (TwinPid* pid : pids) {
                gaps += PidRoles::task(*pid, PidType::kPid) == nullptr ? 1 : 0;
            }
            gaps += left->pid(PidType::kPid) == nullptr || right->pid(PidType::kPid) == nullptr ? 1 : 0;
        }
    });
    for (u32 i = 0; i < 300000; ++i) {
        EXPECT_TRUE(roles->exchange(left, right));
    }
    over = true;
    reader.join();
    EXPECT_EQ(gaps, 0u);
    EXPECT_EQ(PidRoles::task(*pids[0], PidType::kPid), left);
}

TEST_F(RolesTest, KillTakesTheChildrenWithIt) {
    PidTask* outside = fork(top);
    PidNamespace* child = create(top);
    PidNamespace* grandchild = create(child);
    for (u32 i = 0; i < 100; ++i) {
        (void)fork(i % 2 != 0 ? child : grandchild);
    }
    // One of outside joined the session of a process inside, as nsenter does.
    PidTask* inside = fork(child);
    TwinPid* session = inside->pid(PidType::kSid);
    EXPECT_TRUE(roles->change(outside, PidType::kSid, session));
    EXPECT_EQ(top->ids().count(), 102u);
    EXPECT_EQ(kill(child), 101u);
    EXPECT_EQ(alloc(child).error(), Errno::kNoMemory);
    EXPECT_EQ(alloc(grandchild).error(), Errno::kNoMemory) << "its init died too";
    EXPECT_EQ(grandchild->ids().count(), 0u);
    EXPECT_EQ(child->ids().count(), 1u) << "the session's number is still used";
    EXPECT_EQ(top->ids().count(), 2u);
    EXPECT_EQ(PidRoles::task(*session, PidType::kSid), outside);
    EXPECT_TRUE(roles->change(outside, PidType::kSid, outside->pid(PidType::kPid)));
    EXPECT_EQ(child->ids().count(), 0u);
    EXPECT_EQ(top->ids().count(), 1u);
    EXPECT_TRUE(alloc(top));
    EXPECT_EQ(kill(child), 0u) << "again: nothing";
}

TEST_F(RolesTest, KillOfNumbersWithoutTasks) {
    (void)fork(top);
    PidNamespace* child = create(top);
    for (u32 i = 0; i < 300; ++i) {
        (void)alloc(child);
    }
    EXPECT_EQ(kill(child), 0u);
    EXPECT_EQ(child->ids().count(), 0u);
    EXPECT_EQ(top->ids().count(), 1u);
}

}  // namespace
}  // namespace ktwin
