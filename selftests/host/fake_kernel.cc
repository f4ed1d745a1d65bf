// SPDX-License-Identifier: GPL-2.0-only
#include "fake_kernel.h"

#include <gtest/gtest.h>

#include <cerrno>

FakeKernel& FakeKernel::get() {
    static FakeKernel kernel;
    return kernel;
}

void FakeKernel::reset() {
    std::lock_guard guard(pidmap_lock_);
    std::set<FakePid*> pids;
    for (FakeNs* ns : all_) {
        for (auto& [nr, pid] : ns->ids) {
            pids.insert(pid);
        }
    }
    for (FakePid* pid : pids) {
        delete pid;
    }
    for (FakeNs* ns : all_) {
        delete ns;
    }
    all_.clear();
    root_ = nullptr;
    next_inode_ = 4026531836;
    root_ = create_ns(nullptr);
    hooks = true;
    after_read = nullptr;
    pid_max = 32768;
    no_memory = 0;
    skip = 0;
}

void fake_kernel_drain() {
    std::lock_guard guard(FakeKernel::get().lock());
}

FakeNs* FakeKernel::create_ns(FakeNs* parent) {
    std::lock_guard guard(pidmap_lock_);
    auto* ns = new FakeNs;
    ns->parent = parent;
    ns->level = parent != nullptr ? parent->level + 1 : 0;
    ns->inode = next_inode_++;
    all_.insert(ns);
    return ns;
}

void FakeKernel::destroy_ns(FakeNs* ns) {
    std::lock_guard guard(pidmap_lock_);
    ASSERT_TRUE(ns->ids.empty());
    if (is_told()) {
        kt_core_lockstep_gone(key(ns));
    }
    all_.erase(ns);
    delete ns;
}

void FakeKernel::rebirth_ns(FakeNs* ns) {
    std::lock_guard guard(pidmap_lock_);
    ASSERT_TRUE(ns->ids.empty());
    if (is_told()) {
        kt_core_lockstep_gone(key(ns));
    }
    *ns = {.parent = ns->parent, .level = ns->level, .inode = next_inode_++};
}

// Each event of lockstep asks, so that one can be missed.
bool FakeKernel::is_told() {
    if (!hooks || !FakeHost::get().lockstep_on) {
        return false;
    }
    if (skip > 0) {
        --skip;
        ++FakeHost::get().lockstep_missed;
        return false;
    }
    return true;
}

void FakeKernel::told_fork(FakeNs* ns) {
    if (!FakeHost::get().lockstep_on || kt_core_lockstep_follows_inode(key(ns), ns->inode)) {
        return;
    }
    if (ns->parent != nullptr) {
        told_fork(ns->parent);
    }
    (void)kt_core_lockstep_meet(key(ns), ns->inode);
}

void FakeKernel::told_removed(FakeNs* ns, int nr) {
    if (is_told() && kt_core_lockstep_follows(key(ns))) {
        kt_core_lockstep_removed(key(ns), nr, ns->allocated == 0 && !ns->dying);
    }
}

void FakeKernel::write_last_pid(FakeNs* ns, int nr) {
    if (FakeHost::get().lockstep_on) {
        kt_core_lockstep_cursor_write_begins(key(ns));
    }
    ns->cursor = nr + 1;
    if (FakeHost::get().lockstep_on) {
        kt_core_lockstep_cursor_write_ends(key(ns), true);
    }
}

// idr_alloc_cyclic(), or idr_alloc() for one number: what it gives, reserved, or -errno.
int FakeKernel::search(FakeNs* ns, int wanted) {
    if (no_memory > 0) {
        --no_memory;
        return -ENOMEM;
    }
    if (wanted != 0) {
        return ns->ids.emplace(wanted, nullptr).second ? wanted : -ENOSPC;
    }
    const int nr = next_number(ns);
    if (nr < 0) {
        return -ENOSPC;
    }
    ns->ids[nr] = nullptr;
    return nr;
}

int FakeKernel::request(FakeNs* ns, int wanted) {
    kt_alloc_call call = {};
    call.ns = key(ns);
    call.cyclic = wanted == 0;
    call.start = wanted != 0 ? wanted : ns->cursor > 300 ? 300 : 1;
    call.end = wanted != 0 ? wanted + 1 : pid_max;
    const bool told = is_told() && kt_core_lockstep_request(&call);
    const int result = search(ns, wanted);
    if (told) {
        kt_core_lockstep_result(&call, result);
    }
    return result;
}

void FakeKernel::give_back(FakePid* pid, int above) {
    for (int level = above + 1; level <= pid->level; ++level) {
        told_removed(pid->ns[level], pid->nr[level]);
        pid->ns[level]->ids.erase(pid->nr[level]);
    }
    FakeNs* deepest = pid->ns[pid->level];
    if (deepest->allocated == 0 && !deepest->dying) {
        deepest->cursor = 0;
    }
}

FakePid* FakeKernel::fork(FakeNs* ns, const std::vector<int>& set_tid) {
    std::lock_guard guard(pidmap_lock_);
    told_fork(ns);
    FakePid* pid = make(ns);
    for (int level = ns->level; level >= 0; --level) {
        const auto index = static_cast<size_t>(ns->level - level);
        const int got = request(pid->ns[level], index < set_tid.size() ? set_tid[index] : 0);
        if (got < 0) {
            error = got;
            give_back(pid, level);
            delete pid;
            return nullptr;
        }
        pid->nr[level] = got;
    }
    if (ns->dying) {
        error = -ENOMEM;
        give_back(pid, -1);
        delete pid;
        return nullptr;
    }
    publishing(pid).finish();
    return pid;
}

int FakeKernel::next_number(FakeNs* ns) {
    const int min = ns->cursor > 300 ? 300 : 1;
    int start = std::max(ns->cursor, min);
    for (int pass = 0; pass < 2; ++pass) {
        for (int nr = start; nr < pid_max; ++nr) {
            if (ns->ids.count(nr) == 0) {
                ns->cursor = nr + 1;
                return nr;
            }
        }
        start = min;
    }
    return -1;
}

FakePid* FakeKernel::make(FakeNs* ns) {
    auto* pid = new FakePid;
    pid->level = ns->level;
    pid->ns.resize(ns->level + 1);
    pid->nr.resize(ns->level + 1);
    for (FakeNs* at = ns; at != nullptr; at = at->parent) {
        pid->ns[at->level] = at;
    }
    return pid;
}

FakeKernel::Section FakeKernel::begin_alloc(FakeNs* ns) {
    FakePid* pid = make(ns);
    for (FakeNs* at = ns; at != nullptr; at = at->parent) {
        pid->nr[at->level] = next_number(at);
        at->ids[pid->nr[at->level]] = nullptr;
    }
    return publishing(pid);
}

FakeKernel::Section FakeKernel::begin_alloc_at(FakeNs* ns, const std::vector<int>& numbers) {
    FakePid* pid = make(ns);
    pid->nr = numbers;
    for (int level = 0; level <= pid->level; ++level) {
        pid->ns[level]->ids[pid->nr[level]] = nullptr;
    }
    return publishing(pid);
}

FakeKernel::Section FakeKernel::publishing(FakePid* pid) {
    Section section;
    section.pid = pid;
    section.steps.push_back([pid] {
        for (int level = pid->level; level > 0; --level) {
            pid->ns[level]->ids[pid->nr[level]] = pid;
            ++pid->ns[level]->allocated;
        }
    });
    section.steps.push_back([this, pid] {
        if (hooks && FakeHost::get().probes_on) {
            const kt_pid described = describe(*pid);
            kt_core_pid_published(&described);
        }
    });
    section.steps.push_back([this, pid] {
        root_->ids[pid->nr[0]] = pid;
        ++root_->allocated;
    });
    return section;
}

FakeKernel::Section FakeKernel::begin_free(FakePid* pid) {
    Section section;
    section.pid = pid;
    section.steps.push_back([this, pid] {
        if (hooks && FakeHost::get().probes_on) {
            kt_core_pid_removed(pid->nr[0]);
        }
    });
    section.steps.push_back([this, pid] {
        told_removed(root_, pid->nr[0]);
        root_->ids.erase(pid->nr[0]);
        --root_->allocated;
    });
    section.steps.push_back([this, pid] {
        for (int level = 1; level <= pid->level; ++level) {
            --pid->ns[level]->allocated;
            pid->ns[level]->dying = pid->ns[level]->dying || pid->nr[level] == 1;
            told_removed(pid->ns[level], pid->nr[level]);
            pid->ns[level]->ids.erase(pid->nr[level]);
        }
        delete pid;
    });
    return section;
}

FakePid* FakeKernel::alloc(FakeNs* ns) {
    std::lock_guard guard(pidmap_lock_);
    Section section = begin_alloc(ns);
    section.finish();
    return section.pid;
}

FakePid* FakeKernel::alloc_at(FakeNs* ns, const std::vector<int>& numbers) {
    std::lock_guard guard(pidmap_lock_);
    Section section = begin_alloc_at(ns, numbers);
    section.finish();
    return section.pid;
}

void FakeKernel::free(FakePid* pid) {
    std::lock_guard guard(pidmap_lock_);
    begin_free(pid).finish();
}

void FakeKernel::fail_fork(FakeNs* ns) {
    std::lock_guard guard(pidmap_lock_);
    std::vector<int> numbers(ns->level + 1);
    for (FakeNs* at = ns; at != nullptr; at = at->parent) {
        numbers[at->level] = next_number(at);
        at->ids[numbers[at->level]] = nullptr;
    }
    if (hooks && FakeHost::get().probes_on) {
        kt_core_pid_removed(numbers[0]);
    }
    for (FakeNs* at = ns; at != nullptr; at = at->parent) {
        at->ids.erase(numbers[at->level]);
    }
}

void FakeKernel::free_all() {
    std::lock_guard guard(pidmap_lock_);
    while (!root_->ids.empty()) {
        free(root_->ids.rbegin()->second);
    }
}

kt_pid FakeKernel::describe(const FakePid& pid) const {
    kt_pid described = {};
    described.key = key(&pid);
    described.level = static_cast<unsigned>(pid.level);
    for (int level = 0; level <= pid.level; ++level) {
        described.numbers[level] = {key(pid.ns[level]), pid.nr[level], pid.ns[level]->inode};
    }
    return described;
}

size_t FakeKernel::entries() const {
    size_t count = 0;
    for (FakeNs* ns : all_) {
        count += ns->ids.size();
    }
    return count;
}

FakePid* FakeKernel::any(unsigned random) const {
    if (root_->ids.empty()) {
        return nullptr;
    }
    auto at = root_->ids.lower_bound(
        static_cast<int>(random % static_cast<unsigned>(root_->ids.rbegin()->first + 1)));
    return at->second;
}

FakeNs* FakeKernel::anchored(const kt_ns_anchor& anchor) {
    if (anchor.ns == key(root_)) {
        return root_;
    }
    const auto at = root_->ids.find(anchor.root_nr);
    if (at == root_->ids.end() || at->second == nullptr ||
        at->second->level < static_cast<int>(anchor.level)) {
        return nullptr;
    }
    FakeNs* ns = at->second->ns[anchor.level];
    return key(ns) == anchor.ns ? ns : nullptr;
}

// --- the same for the core
// --------------------------------------------------------------------------------------

namespace {

FakePid* published_at(FakeNs* ns, int nr) {
    const auto at = ns->ids.find(nr);
    return at != ns->ids.end() ? at->second : nullptr;
}

FakePid* published_from(FakeNs* ns, int nr) {
    auto at = ns->ids.lower_bound(nr);
    while (at != ns->ids.end() && at->second == nullptr) {
        ++at;
    }
    return at != ns->ids.end() ? at->second : nullptr;
}

}  // namespace

extern "C" {

bool kt_host_pid_ge(int nr, kt_pid* pid) {
    FakeKernel& kernel = FakeKernel::get();
    std::lock_guard guard(kernel.lock());
    FakePid* found = published_from(kernel.root(), nr);
    if (found != nullptr) {
        *pid = kernel.describe(*found);
    }
    if (kernel.after_read) {
        kernel.after_read();
    }
    return found != nullptr;
}
kt_key kt_host_pid_at(int nr) {
    FakeKernel& kernel = FakeKernel::get();
    std::lock_guard guard(kernel.lock());
    return kernel.key(published_at(kernel.root(), nr));
}
kt_key kt_host_pid_in_ns(const kt_pid* pid, __u32 level) {
    FakeKernel& kernel = FakeKernel::get();
    std::lock_guard guard(kernel.lock());
    auto* ns = reinterpret_cast<FakeNs*>(pid->numbers[level].ns);
    return kernel.key(published_at(ns, pid->numbers[level].nr));
}
int kt_host_ns_ge(const kt_ns_anchor* anchor, int nr, int* found_nr, kt_key* found_key, int* found_root_nr) {
    FakeKernel& kernel = FakeKernel::get();
    std::lock_guard guard(kernel.lock());
    FakeNs* ns = kernel.anchored(*anchor);
    if (ns == nullptr) {
        return -1;
    }
    FakePid* pid = published_from(ns, nr);
    if (pid == nullptr) {
        return 0;
    }
    *found_nr = pid->nr[ns->level];
    *found_key = kernel.key(pid);
    *found_root_nr = pid->nr[0];
    return 1;
}
bool kt_host_ns_at(const kt_ns_anchor* anchor, int nr, kt_key* key) {
    FakeKernel& kernel = FakeKernel::get();
    std::lock_guard guard(kernel.lock());
    FakeNs* ns = kernel.anchored(*anchor);
    if (ns != nullptr) {
        *key = kernel.key(published_at(ns, nr));
    }
    return ns != nullptr;
}
bool kt_host_ns_view(const kt_ns_anchor* anchor, kt_ns_view* view) {
    FakeKernel& kernel = FakeKernel::get();
    std::lock_guard guard(kernel.lock());
    FakeNs* ns = kernel.anchored(*anchor);
    if (ns != nullptr) {
        *view = {static_cast<__u32>(ns->allocated), static_cast<__u32>(ns->cursor),
                 static_cast<__u32>(kernel.pid_max), ns->dying};
    }
    return ns != nullptr;
}
__u64 kt_host_ns_used(kt_key key, __u32* first) {
    auto* ns = reinterpret_cast<FakeNs*>(key);
    auto at = ns->ids.lower_bound(static_cast<int>(*first));
    if (at == ns->ids.end()) {
        return 0;
    }
    *first = static_cast<__u32>(at->first) & ~63U;
    __u64 used = 0;
    for (; at != ns->ids.end() && at->first < static_cast<int>(*first) + 64; ++at) {
        used |= 1ULL << (static_cast<unsigned>(at->first) & 63);
    }
    return used;
}
__u32 kt_host_ns_cursor(kt_key key) {
    return static_cast<__u32>(reinterpret_cast<FakeNs*>(key)->cursor);
}
int kt_host_lockstep_on() {
    FakeHost& host = FakeHost::get();
    host.lockstep_missed = 0;
    host.lockstep_on = host.lockstep_error == 0;
    return host.lockstep_error;
}
void kt_host_lockstep_off() {
    FakeHost::get().lockstep_on = false;
    fake_kernel_drain();
}
__u64 kt_host_lockstep_missed() {
    return FakeHost::get().lockstep_missed;
}
bool kt_host_lockstep_alive() {
    return FakeHost::get().lockstep_alive;
}
kt_key kt_host_init_ns() {
    return FakeKernel::get().key(FakeKernel::get().root());
}
__u32 kt_host_init_ns_inode() {
    return FakeKernel::get().root()->inode;
}

}  // extern "C"

// --- a run
// ------------------------------------------------------------------------------------------------------

CoreRun::CoreRun(unsigned pool_limit, bool lab) {
    FakeHost::get().reset();
    FakeKernel::get().reset();
    const kt_core_config config = {pool_limit, lab};
    created_ = kt_core_create(&config);
}

CoreRun::~CoreRun() {
    FakeHost& host = FakeHost::get();
    host.no_failures();
    host.on_breathe = nullptr;
    host.on_synchronize = nullptr;
    host.on_synchronize_hooks = nullptr;
    FakeKernel::get().after_read = nullptr;
    if (created_ == 0) {
        (void)kt_core_mirror(KTWIN_LOCKSTEP_OFF);
        (void)kt_core_mirror(KTWIN_MIRROR_OFF);
        const ktwin_status last = status();
        for (const ktwin_pool& pool : {last.pid_pool, last.node_pool, last.ns_pool}) {
            EXPECT_EQ(pool.ready, pool.total) << "still in use when the mirror is off";
        }
        kt_core_destroy();
    }
    FakeKernel::get().reset();
    FakeHost::get().reset();
}

ktwin_audit CoreRun::audit(kt_key viewer, unsigned batch) {
    ktwin_audit report = {};
    const kt_audit_budget budget = {batch, 100};
    EXPECT_EQ(kt_core_audit(viewer != 0 ? viewer : kt_host_init_ns(), &budget, &report), 0);
    return report;
}

ktwin_status CoreRun::status(kt_key viewer) {
    ktwin_status status = {};
    EXPECT_EQ(kt_core_status(viewer != 0 ? viewer : kt_host_init_ns(), &status), 0);
    return status;
}

template <typename Record, typename Read>
static std::vector<Record> read_all(unsigned room, const Read& read) {
    std::vector<Record> all;
    __u64 cursor = 0;
    bool more = true;
    while (more) {
        std::vector<Record> some(room);
        const int count = read(&cursor, some.data(), &more);
        EXPECT_GE(count, 0);
        if (count < 0) {
            break;
        }
        all.insert(all.end(), some.begin(), some.begin() + count);
    }
    return all;
}

std::vector<ktwin_ns> CoreRun::namespaces(kt_key viewer, unsigned ns, unsigned room) {
    viewer = viewer != 0 ? viewer : kt_host_init_ns();
    return read_all<ktwin_ns>(room, [&](__u64* cursor, ktwin_ns* to, bool* more) {
        return kt_core_read_namespaces(viewer, ns, cursor, to, room, more);
    });
}

std::vector<ktwin_pid> CoreRun::pids(kt_key viewer, unsigned ns, unsigned room) {
    viewer = viewer != 0 ? viewer : kt_host_init_ns();
    return read_all<ktwin_pid>(room, [&](__u64* cursor, ktwin_pid* to, bool* more) {
        return kt_core_read_pids(viewer, ns, cursor, to, room, more);
    });
}

std::vector<ktwin_divergence> CoreRun::divergences(kt_key viewer) {
    viewer = viewer != 0 ? viewer : kt_host_init_ns();
    return read_all<ktwin_divergence>(16, [&](__u64* cursor, ktwin_divergence* to, bool* more) {
        return kt_core_read_divergences(viewer, cursor, to, 16, more);
    });
}

int CoreRun::inject(unsigned kind, int nr, unsigned ns) {
    ktwin_inject request = {};
    request.size = sizeof(request);
    request.kind = kind;
    request.nr = nr;
    request.ns = ns;
    return kt_core_inject(kt_host_init_ns(), &request);
}

size_t CoreRun::wrong_numbers() {
    FakeKernel& kernel = FakeKernel::get();
    std::lock_guard guard(kernel.lock());
    size_t wrong = 0;
    size_t seen = 0;
    for (const ktwin_pid& pid : pids(0, 0, 64)) {
        const auto at = kernel.root()->ids.find(pid.upids[0].nr);
        const FakePid* real = at != kernel.root()->ids.end() ? at->second : nullptr;
        ++seen;
        if (real == nullptr || pid.depth != static_cast<unsigned>(real->level) + 1) {
            ++wrong;
            continue;
        }
        for (int level = 0; level <= real->level; ++level) {
            wrong += pid.upids[level].nr != real->nr[level] || pid.upids[level].ns != real->ns[level]->inode;
        }
    }
    wrong += seen > kernel.live() ? seen - kernel.live() : kernel.live() - seen;
    return wrong;
}
