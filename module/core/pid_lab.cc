// SPDX-License-Identifier: GPL-2.0-only
#include "core/pid_lab.h"

#include "base/memory.h"
#include "core/pid_lab_writer.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

constexpr u32 kDefaultPidMax = 32768;
constexpr u32 kDefaultPids = 65536;
constexpr u32 kDefaultNamespaces = 256;
constexpr u32 kMostNamespaces = 4096;
// A node of the kernel's radix tree, which has 64 entries, and how many of them a number can need, one above the other.
constexpr u64 kTreeNode = 576;
constexpr u32 kTreeLevels = 4;
constexpr u64 kMiB = u64{1} << 20;
constexpr u64 kDefaultBytes = 64 * kMiB;
constexpr u64 kLeastBytes = kMiB;
constexpr u64 kMostBytes = 1024 * kMiB;
// Of an allocation that others take the memory from under its hands.
constexpr u32 kTries = 100;

template <typename T>
constexpr T or_default(T value, T other) {
    return value != 0 ? value : other;
}

template <typename T>
constexpr bool in_range(T value, T from, T to) {
    return value >= from && value <= to;
}

}  // namespace

Result PidLab::configure(const ktwin_lab& wanted, u32 cpus, Config& config) {
    if (wanted.flags != 0 || wanted.backend >= kIdBackendKinds) {
        return Errno::kInvalid;
    }
    config.kind = static_cast<IdBackendKind>(wanted.backend);
    config.pid_max = or_default(wanted.pid_max, kDefaultPidMax);
    config.limit = or_default(wanted.limit, config.pid_max);
    config.pids = or_default(wanted.pids, kDefaultPids);
    config.namespaces = or_default(wanted.namespaces, kDefaultNamespaces);
    config.tasks = or_default(wanted.tasks, config.pids);
    config.bytes = or_default<u64>(wanted.bytes, kDefaultBytes);
    config.cpus = cpus;
    const bool sane =
        in_range(config.limit, u32{2}, kPidMaxLimit) && in_range(config.pid_max, u32{2}, config.limit) &&
        in_range(config.pids, u32{1}, kPidMaxLimit) && in_range(config.namespaces, u32{1}, kMostNamespaces) &&
        in_range(config.tasks, u32{1}, kPidMaxLimit) && in_range(config.bytes, kLeastBytes, kMostBytes);
    return sane ? Result() : Errno::kInvalid;
}

PidLab::PidLab(const Config& config)
    : config_(config),
      bytes_(config.bytes),
      memory_(TwinMemory::Lab{config.pids, config.namespaces, &bytes_}),
      world_(memory_),
      allocator_(world_),
      other_(world_),
      roles_(allocator_),
      kicker_(false),
      tasks_(config.tasks, &bytes_, &kicker_) {}

Result PidLab::setup() {
    if (is_flat()) {
        if (!bytes_.take(ids_bytes() + FlatNumbers::bytes(config_.limit))) {
            return Errno::kNoMemory;
        }
        return flat_.setup(config_.kind, backend_config(), config_.pid_max);
    }
    // With others' numbers, who writes is alone.
    const Result magazines = is_twin() ? memory_.setup_magazines(config_.cpus, &bytes_) : Result();
    if (!magazines) {
        return magazines;
    }
    ktwin_lab_create first = {};
    first.pid_max = config_.pid_max;
    return make_namespace(first);
}

// Whoever is left dies, tasks that have no PID but keep a group or a session first; then the namespaces go, children
// before their parents.
void PidLab::teardown() {
    flat_.teardown();
    while (dismiss_some()) {
        (void)kt_host_breathe(0);
    }
    Kill kill;
    ktwin_lab_kill report = {};
    for (Expected<bool> more = true; more && more.value();) {
        more = kill_some(1, kill, report);
        (void)kt_host_breathe(0);
    }
    while (unlist_some()) {
        (void)kt_host_breathe(0);
    }
    {
        const Held held(*this);
        tasks_.clear(memory_.nodes());
    }
    bury_ids();
    memory_.teardown();
    tasks_.pool().teardown(memory_.lock());
}

IdBackendConfig PidLab::backend_config() {
    return {config_.limit, config_.cpus, config_.pids * 2 + 1024, &bytes_};
}

// What a namespace's numbers take from the start, of what no pool counts: directories, bitmaps, and what is in a backend
// itself.
u64 PidLab::ids_bytes() const {
    constexpr u64 kFixed = 32768;
    constexpr u64 kLine = 192;  // a word of an sbitmap has cache lines of its own
    const u64 limit = config_.limit;
    switch (config_.kind) {
        case IdBackendKind::kSbitmap:
            return kFixed + (limit / 64 + 1) * kLine;
        case IdBackendKind::kIda:
            return kFixed + (limit / 1024 + 1) * 128 + (limit / 65536 + 4) * kTreeNode;
        case IdBackendKind::kBlocks:
            return kFixed + (limit / 512 + 1) * sizeof(void*) + u64{config_.cpus} * 256;
        case IdBackendKind::kPidmap:
            return kFixed;
        default:
            return sizeof(LabIds) + 1024;
    }
}

// nullptr: the twin's own are enough.
Expected<LabIds*> PidLab::make_ids() {
    if (is_twin()) {
        return nullptr;
    }
    if (!bytes_.take(ids_bytes())) {
        return Errno::kNoMemory;
    }
    auto* ids = construct_at<LabIds>(kt_host_alloc_charged(sizeof(LabIds)));
    const Expected<IdBackend> backend =
        ids != nullptr ? IdBackend::create(config_.kind, backend_config()) : Errno::kNoMemory;
    if (!backend) {
        kt_host_free(ids);
        bytes_.give_back(ids_bytes());
        return backend.error();
    }
    ids->backend = backend.value();
    ids->bytes = &bytes_;
    if (config_.kind == IdBackendKind::kIdr || config_.kind == IdBackendKind::kXarray) {
        ids->each = kTreeNode * kTreeLevels;
        ids->most = (config_.limit / (kSlots - 1) + kTreeLevels) * kTreeNode;
    }
    return ids;
}

void PidLab::destroy_ids(LabIds* ids) {
    if (ids == nullptr) {
        return;
    }
    ids->backend.destroy();
    kt_host_free(ids);
    bytes_.give_back(ids_bytes());
}

// As the first namespace has it, whose parent is 0.
Result PidLab::make_listed(ktwin_lab_create& request, LabIds* ids) {
    PidNamespace* above = ns_of(request.parent);
    if (request.parent != 0 && above == nullptr) {
        return Errno::kNotFound;
    }
    if (above != nullptr && above->level() + 1 >= kLevels) {
        return Errno::kNoSpace;
    }
    if (above != nullptr && above->is_dying()) {
        return Errno::kOverflow;
    }
    if (world_.table().count() >= config_.namespaces) {
        return Errno::kOverflow;
    }
    // Numbers are never used again.
    if (world_.namespaces_made() >= ~u32{0}) {
        return Errno::kOverflow;
    }
    const auto number = static_cast<u32>(world_.namespaces_made() + 1);
    const u32 level = above != nullptr ? above->level() + 1 : 0;
    const Expected<PidNamespace*> ns = world_.make_namespace({number, number, level, above}, 0);
    if (!ns) {
        return ns.error();
    }
    ns.value()->set_pid_max(request.pid_max != 0 ? request.pid_max : above->pid_max());
    ns.value()->set_lab_ids(ids);
    world_.list_namespace(ns.value());
    request.ns = number;
    request.level = level;
    return {};
}

Result PidLab::make_namespace(ktwin_lab_create& request) {
    const Expected<LabIds*> ids = with_memory(request.parent, [&] { return make_ids(); });
    if (!ids) {
        return ids.error();
    }
    const Result made = with_memory(request.parent, [&] {
        const RcuGuard rcu;
        const Held held(*this);
        return make_listed(request, ids.value());
    });
    if (!made) {
        destroy_ids(ids.value());
    }
    return made;
}

Result PidLab::create(ktwin_lab_create& request) {
    if (request.flags != 0 || (request.pid_max != 0 && !in_range(request.pid_max, u32{2}, config_.limit))) {
        return Errno::kInvalid;
    }
    if (is_flat()) {
        return Errno::kNotSupported;
    }
    if (request.parent == 0) {
        return Errno::kNotFound;
    }
    const Writer writer(*this);
    const Result made = make_namespace(request);
    return made.error() == Errno::kOverflow ? Errno::kNoMemory : made;
}

Result PidLab::pid_max(ktwin_lab_pid_max& request) {
    const bool set = (request.flags & KTWIN_LAB_PID_MAX_SET) != 0;
    if ((request.flags & ~KTWIN_LAB_PID_MAX_SET) != 0 ||
        (set && !in_range(request.pid_max, u32{2}, config_.limit))) {
        return Errno::kInvalid;
    }
    const Writer writer(*this);
    if (is_flat()) {
        const u32 before = flat_.pid_max();
        const Result done = request.ns != 1 ? Errno::kNotFound
                            : set           ? flat_.set_pid_max(request.pid_max)
                                            : Result();
        request.pid_max = before;
        return done;
    }
    const RcuGuard rcu;
    const Held held(*this);
    PidNamespace* ns = ns_of(request.ns);
    if (ns == nullptr) {
        return Errno::kNotFound;
    }
    const u32 before = ns->pid_max();
    if (set) {
        ns->set_pid_max(request.pid_max);
    }
    request.pid_max = before;
    return {};
}

// Readers may stand on it and on what its numbers are in: those go a grace period later.
void PidLab::unlist(PidNamespace* ns) {
    world_.unlist_namespace(ns);
    LabIds* ids = ns->lab_ids();
    if (ids != nullptr) {
        ids->next_dead = dead_ids_;
        dead_ids_ = ids;
    }
    world_.put_namespace(ns);
}

// From the youngest on: children come before their parents.
void PidLab::reap() {
    PidNamespace* ns = world_.table().last();
    while (ns != nullptr) {
        PidNamespace* older = NamespaceTable::before(ns);
        if (ns->is_dying() && lab_count(*ns) == 0 && ns->children() == 0) {
            unlist(ns);
        }
        ns = older;
    }
}

bool PidLab::unlist_some() {
    const Held held(*this);
    for (u32 i = 0; i < kRound; ++i) {
        PidNamespace* ns = world_.table().last();
        if (ns == nullptr) {
            return false;
        }
        unlist(ns);
    }
    return true;
}

void PidLab::free_aside() {
    if (is_twin()) {
        return;
    }
    bool emptied = false;
    for (;;) {
        ChainNode* pid = nullptr;
        {
            const Held held(*this);
            pid = allocator_.put_aside().pop();
            if (pid == nullptr) {
                if (emptied) {
                    reap();
                }
                return;
            }
        }
        emptied = other_.free_pid(static_cast<TwinPid*>(pid)) || emptied;
    }
}

// One grace period for all that died until now.
void PidLab::bury_ids() {
    if (is_twin()) {
        return;
    }
    LabIds* dead = nullptr;
    {
        const Held held(*this);
        dead = dead_ids_;
        dead_ids_ = nullptr;
    }
    if (dead != nullptr) {
        kt_host_synchronize();
    }
    while (dead != nullptr) {
        LabIds* next = dead->next_dead;
        destroy_ids(dead);
        dead = next;
    }
}

// Whether all that an attempt can need is ready.
bool PidLab::reserve(u32 ns) {
    u32 level = 0;
    if (ns != 0) {
        const RcuGuard rcu;
        const PidNamespace* at = ns_of(ns);
        level = at != nullptr ? at->level() : 0;
    }
    // A leaf and a directory at each level, and for the task's number.
    const bool pid = static_cast<bool>(memory_.reserve(level, level + 2));
    const bool space = static_cast<bool>(memory_.reserve_namespace());
    return tasks_.pool().ensure(memory_.lock(), 1) && pid && space;
}

// First what can be had at once: as often as there is some, since others who allocate may have it before us, where there
// are such. Where not, it is the backend that has no memory when the first was not enough, and it has waited for a grace
// period already. Then, once, what a grace period gives back.
bool PidLab::can_grow(u32 ns, Growth& growth) {
    if (growth.reclaimed) {
        return false;
    }
    if (growth.tries++ < (is_twin() ? kTries : 1) && reserve(ns)) {
        return true;
    }
    growth.reclaimed = true;
    reclaim();
    (void)shrink_pools(~u32{0});
    (void)reserve(ns);
    return true;
}

void PidLab::reclaim() {
    // With other backends the writers are one at a time anyway.
    const UpkeepGuard upkeep(*this);
    bury_ids();
    Chain tasks;
    {
        const Held held(*this);
        tasks_.pool().take_retired(tasks);
    }
    for_each_ids([](const IdBackend& ids) { ids.begin_reclaim(); });
    memory_.reclaim();
    if (!tasks.empty() || !is_twin()) {
        kt_host_synchronize();
        tasks_.pool().reclaim(memory_.lock(), tasks);
    }
    for_each_ids([](const IdBackend& ids) { ids.end_reclaim(); });
}

// A Writer is held: the list stays.
void PidLab::for_each_ids(void (*visit)(const IdBackend& ids)) {
    for (PidNamespace* ns = world_.table().first(); ns != nullptr && !is_twin();
         ns = NamespaceTable::following(ns)) {
        visit(ns->lab_ids()->backend);
    }
}

u32 PidLab::shrink_pools(u32 most) {
    const u32 given = memory_.shrink(most);
    return given + tasks_.pool().shrink(memory_.lock(), most - given);
}

// Without the mutex: who holds it may be the one whose allocation ends here. The pools have their own lock.
u32 PidLab::shrink(u32 most) {
    const u32 given = shrink_pools(most);
    shrunk_.fetch_add_relaxed(given);
    return given;
}

u32 PidLab::ready() {
    const u32 idle = memory_.idle();
    const Held held(*this);
    return idle + tasks_.pool().idle();
}

}  // namespace ktwin
