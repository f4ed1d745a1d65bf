// SPDX-License-Identifier: GPL-2.0-only
//
// The kernel's PID bookkeeping as the core sees it, with its probes: struct pids and namespaces at real
// addresses that are reused as the slab would, hooks run at the entry of the change at level 0, and every
// step inside a critical section can be looked at.
#ifndef KTWIN_SELFTESTS_FAKE_KERNEL_H
#define KTWIN_SELFTESTS_FAKE_KERNEL_H

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <vector>

#include "fake_host.h"

struct FakeNs;

struct FakePid {
    int level = 0;
    std::vector<FakeNs*> ns;
    std::vector<int> nr;
};

struct FakeNs {
    FakeNs* parent = nullptr;
    int level = 0;
    unsigned inode = 0;
    std::map<int, FakePid*> ids;  // nullptr: reserved
    int cursor = 0;
    int allocated = 0;
    bool dying = false;
};

class FakeKernel {
  public:
    static FakeKernel& get();

    void reset();
    FakeNs* root() { return root_; }
    FakeNs* create_ns(FakeNs* parent);
    void destroy_ns(FakeNs* ns);  // empty, childless; its memory may be reused
    void rebirth_ns(FakeNs* ns);  // that, and another one gets the memory

    // One critical section of pidmap_lock, step by step. What the steps are:
    //   alloc: deeper levels published; the probe's handler; level 0 published
    //   free:  the probe's handler; level 0 removed; deeper levels removed
    struct Section {
        FakePid* pid = nullptr;
        std::vector<std::function<void()>> steps;
        size_t done = 0;

        bool over() const { return done == steps.size(); }
        void advance() { steps[done++](); }
        void finish() {
            while (!over()) {
                advance();
            }
        }
    };
    Section begin_alloc(FakeNs* ns);
    Section begin_alloc_at(FakeNs* ns, const std::vector<int>& numbers);
    Section begin_free(FakePid* pid);

    FakePid* alloc(FakeNs* ns);
    FakePid* alloc_at(FakeNs* ns, const std::vector<int>& numbers);
    void free(FakePid* pid);
    void fail_fork(FakeNs* ns);  // reserves at every level, publishes nothing, removes
    // As fork() with set_tid, deepest first: nullptr and error set, when a number cannot be had at some level.
    FakePid* fork(FakeNs* ns, const std::vector<int>& set_tid = {});
    int error = 0;
    void write_last_pid(FakeNs* ns, int nr);
    // The next so many requests find no memory for a node.
    int no_memory = 0;
    // The next so many events of lockstep are skipped; the kernel counts them if it says so.
    int skip = 0;
    void free_all();

    kt_key key(const FakeNs* ns) const { return reinterpret_cast<kt_key>(ns); }
    kt_key key(const FakePid* pid) const { return reinterpret_cast<kt_key>(pid); }
    kt_pid describe(const FakePid& pid) const;
    size_t live() const { return root_->ids.size(); }
    size_t entries() const;  // over all namespaces
    FakePid* any(unsigned random) const;

    bool hooks = true;  // off: the probes miss everything
    int pid_max = 32768;

    // Runs after kt_host_pid_ge() has read, before its caller sees what: what another CPU might do just then.
    std::function<void()> after_read;

    std::recursive_mutex& lock() { return pidmap_lock_; }
    FakeNs* anchored(const kt_ns_anchor& anchor);

  private:
    FakePid* make(FakeNs* ns);
    Section publishing(FakePid* pid);
    int next_number(FakeNs* ns);
    int request(FakeNs* ns, int wanted);
    int search(FakeNs* ns, int wanted);
    void told_removed(FakeNs* ns, int nr);
    void told_fork(FakeNs* ns);
    void give_back(FakePid* pid, int above);
    bool is_told();

    std::recursive_mutex pidmap_lock_;
    FakeNs* root_ = nullptr;
    std::set<FakeNs*> all_;
    unsigned next_inode_ = 4026531836;
};

// A core over a fresh host and kernel; torn down and checked for leaks at the end.
class CoreRun {
  public:
    explicit CoreRun(unsigned pool_limit = 100000, bool lab = true);
    ~CoreRun();
    int created() const { return created_; }

    ktwin_audit audit(kt_key viewer = 0, unsigned batch = 4096);
    ktwin_status status(kt_key viewer = 0);
    std::vector<ktwin_ns> namespaces(kt_key viewer = 0, unsigned ns = 0, unsigned room = 3);
    std::vector<ktwin_pid> pids(kt_key viewer = 0, unsigned ns = 0, unsigned room = 7);
    std::vector<ktwin_divergence> divergences(kt_key viewer = 0);
    int inject(unsigned kind, int nr, unsigned ns = 0);
    // 0 when the twin's state is LIVE and every number of the kernel is in the twin and the other way round.
    size_t wrong_numbers();

  private:
    int created_;
};

#endif
