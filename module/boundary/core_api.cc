// SPDX-License-Identifier: GPL-2.0-only
//
// The only extern "C" definitions of the core: results become 0, a count, or -errno here, and nothing else happens.
#include "boundary/core_api.h"

#include "base/memory.h"
#include "core/bench_ids.h"
#include "core/comparison.h"
#include "core/core.h"
#include "core/lab_queue.h"
#include "core/pid_lab.h"
#include "core/sched_events.h"
#include "core/switch_monitor.h"
#include "core/wake_ledger.h"

#include "base/enforce.h"  // last

using namespace ktwin;

namespace {

constinit Core* the_core = nullptr;

EventStream* stream_of(kt_stream* stream) {
    return reinterpret_cast<EventStream*>(stream);
}

LabQueue* queue_of(kt_queue* queue) {
    return reinterpret_cast<LabQueue*>(queue);
}

PidLab& lab_of(kt_lab* lab) {
    return *reinterpret_cast<PidLab*>(lab);
}

WakeLedger* ledger_of(kt_ledger* ledger) {
    return reinterpret_cast<WakeLedger*>(ledger);
}

const WakeLedger* ledger_of(const kt_ledger* ledger) {
    return reinterpret_cast<const WakeLedger*>(ledger);
}

WaitQueueHead& head_of(kt_waitq* queue) {
    return *reinterpret_cast<WaitQueueHead*>(queue);
}
static_assert(RqAudit::kLooks == KT_RQ_LOOKS);
static_assert(sizeof(WaitQueueEntry) <= sizeof(kt_waitq_entry));
WaitQueueEntry& entry_of(kt_waitq_entry* entry) {
    return *reinterpret_cast<WaitQueueEntry*>(entry->opaque);
}

SwitchMonitor& monitor_of(kt_switches* switches) {
    return *reinterpret_cast<SwitchMonitor*>(switches);
}

SchedEvents& events_of(kt_sched_events* events) {
    return *reinterpret_cast<SchedEvents*>(events);
}

SchedTask task_of(const kt_sched_task& task) {
    SchedTask known;
    known.key = task.key;
    known.nr = task.nr;
    known.rr_ticks = task.rr_ticks;
    known.place = {static_cast<kt_fair_place>(task.place_kind), task.place};
    known.params = {
        .sched_class = static_cast<SchedClass>(task.sched_class),
        .policy = static_cast<SchedPolicy>(task.policy),
        .nice = task.nice,
        .rt_priority = task.rt_priority,
        .mm = task.mm,
        .deadline = task.deadline,
        .slice_ns = task.slice_ns,
        .grouped = task.grouped,
    };
    return known;
}

int filled(const Expected<u32>& count, u32 room, bool* more) {
    *more = count && count.value() == room;
    return count ? static_cast<int>(count.value()) : -static_cast<int>(count.error());
}

// Tells queues apart in traces; never 0.
constinit Atomic<u32> queues_opened;

int filled(const Expected<Snapshot::Progress>& progress, bool* more) {
    *more = progress && progress.value().more;
    return progress ? static_cast<int>(progress.value().filled) : -static_cast<int>(progress.error());
}

}  // namespace

int kt_core_create(const kt_core_config* config) {
    auto* core = construct_at<Core>(kt_host_alloc(sizeof(Core)), *config);
    if (core == nullptr) {
        return to_c(Errno::kNoMemory);
    }
    const Result ready = core->setup();
    if (!ready) {
        core->teardown();
        kt_host_free(core);
        return to_c(ready);
    }
    the_core = core;
    return 0;
}

void kt_core_destroy() {
    the_core->teardown();
    kt_host_free(the_core);
    the_core = nullptr;
}

void kt_core_pid_published(const kt_pid* pid) {
    the_core->mirror().published(*pid);
}

void kt_core_pid_removed(int nr) {
    the_core->mirror().removed(static_cast<u32>(nr));
}

int kt_core_mirror(__u32 op) {
    return to_c(the_core->control(op));
}

void kt_core_maintain() {
    the_core->mirror().maintain();
    the_core->lockstep().maintain();
}

bool kt_core_lockstep_is_on() {
    return the_core->lockstep().is_on();
}

bool kt_core_lockstep_follows(kt_key ns) {
    return the_core->lockstep().follows(ns);
}

bool kt_core_lockstep_follows_inode(kt_key ns, __u32 inode) {
    return the_core->lockstep().follows(ns, inode);
}

bool kt_core_lockstep_meet(kt_key ns, __u32 inode) {
    return the_core->lockstep().meet(ns, inode);
}

void kt_core_lockstep_gone(kt_key ns) {
    the_core->lockstep().gone(ns);
}

void kt_core_lockstep_cursor_write_begins(kt_key ns) {
    the_core->lockstep().cursor_write_begins(ns);
}

void kt_core_lockstep_cursor_write_ends(kt_key ns, bool stored) {
    the_core->lockstep().cursor_write_ends(ns, stored);
}

bool kt_core_lockstep_request(kt_alloc_call* call) {
    return the_core->lockstep().request(*call);
}

void kt_core_lockstep_result(const kt_alloc_call* call, int result) {
    the_core->lockstep().result(*call, result);
}

void kt_core_lockstep_removed(kt_key ns, int nr, bool first_failed) {
    the_core->lockstep().removed(ns, static_cast<u32>(nr), first_failed);
}

int kt_core_audit(kt_key viewer, const kt_audit_budget* budget, ktwin_audit* report) {
    return to_c(the_core->run_audit(viewer, *budget, *report));
}

int kt_core_audit_last(kt_key viewer, ktwin_audit* report) {
    return to_c(the_core->last_audit(viewer, *report));
}

int kt_core_audit_background(const kt_audit_budget* budget) {
    ktwin_audit report = {};
    return to_c(the_core->audit().run(kt_host_init_ns(), *budget, true, report));
}

int kt_core_status(kt_key viewer, ktwin_status* status) {
    the_core->snapshot().status(viewer, the_core->is_lab(), *status);
    return 0;
}

int kt_core_read_namespaces(kt_key viewer, __u32 ns, __u64* cursor, ktwin_ns* to, __u32 room, bool* more) {
    return filled(the_core->snapshot().namespaces(viewer, ns, *cursor, {to, room}), more);
}

int kt_core_read_pids(kt_key viewer, __u32 ns, __u64* cursor, ktwin_pid* to, __u32 room, bool* more) {
    return filled(the_core->snapshot().pids(viewer, ns, *cursor, {to, room}), more);
}

int kt_core_read_divergences(kt_key viewer, __u64* cursor, ktwin_divergence* to, __u32 room, bool* more) {
    u32 count = 0;
    *more = the_core->audit().read_divergences(viewer, *cursor, {to, room}, count);
    return static_cast<int>(count);
}

__u64 kt_core_epoch() {
    return the_core->mirror().epoch();
}

int kt_core_resolve(kt_key viewer, __u32 ns, int nr, kt_resolved* resolved) {
    return to_c(the_core->snapshot().resolve(viewer, ns, static_cast<u32>(nr), *resolved));
}

kt_stream* kt_core_stream_open(kt_key viewer, void* owner, ktwin_ring* ring, __u32 capacity, int* error) {
    const Expected<EventStream*> stream = the_core->open_stream(viewer, owner, ring, capacity);
    *error = -static_cast<int>(stream.error());
    return reinterpret_cast<kt_stream*>(stream.value());
}

void kt_core_stream_close(kt_stream* stream) {
    the_core->close_stream(stream_of(stream));
}

int kt_core_stream_ack(kt_stream* stream, __u64 tail) {
    return to_c(the_core->acknowledge(stream_of(stream), tail));
}

bool kt_core_stream_readable(kt_stream* stream) {
    return the_core->is_readable(stream_of(stream));
}

int kt_core_layout_load(const void* btf, unsigned long size, const kt_layout_known* known, __u32 count) {
    return to_c(the_core->layout().load(btf, size, {known, count}));
}

int kt_core_layout(kt_layout_field field) {
    return the_core->layout().offset(field);
}

const char* kt_core_layout_missing(kt_layout_group group) {
    return the_core->layout().missing(group);
}

bool kt_core_layout_entry(__u32 field, kt_layout_entry* entry) {
    return the_core->layout().describe(field, *entry);
}

kt_queue* kt_core_queue_open(__u32 backend, int* error) {
    *error = to_c(Errno::kNoMemory);
    void* kernel = backend == KTWIN_BACKEND_KERNEL ? kt_host_waitq_create() : nullptr;
    if (backend == KTWIN_BACKEND_KERNEL && kernel == nullptr) {
        return nullptr;
    }
    auto* queue = construct_at<LabQueue>(kt_host_alloc(sizeof(LabQueue)),
                                         queues_opened.fetch_add_relaxed(1) + 1, kernel);
    if (queue == nullptr) {
        kt_host_waitq_destroy(kernel);
        return nullptr;
    }
    *error = 0;
    return reinterpret_cast<kt_queue*>(queue);
}

void kt_core_queue_close(kt_queue* queue) {
    queue_of(queue)->~LabQueue();
    kt_host_free(queue);
}

void kt_core_queue_shut_down(kt_queue* queue, kt_key table) {
    queue_of(queue)->shut_down(table);
}

int kt_core_queue_wait(kt_queue* queue, kt_key table, ktwin_wait* wait) {
    return to_c(queue_of(queue)->wait(table, *wait));
}

int kt_core_queue_wake(kt_queue* queue, ktwin_wake* wake) {
    return to_c(queue_of(queue)->wake(*wake));
}

void kt_core_queue_stats(kt_queue* queue, ktwin_wait_stats* stats) {
    queue_of(queue)->stats(*stats);
}

__u32 kt_core_queue_list(kt_queue* queue, kt_waiter* to, __u32 room) {
    return queue_of(queue)->list(to, room);
}

void kt_core_queue_poll(kt_queue* queue, bool* tokens, bool* closed) {
    *tokens = queue_of(queue)->has_tokens();
    *closed = queue_of(queue)->is_closed();
}

__u32 kt_core_queue_serial(const kt_queue* queue) {
    return reinterpret_cast<const LabQueue*>(queue)->serial();
}

kt_lab* kt_core_lab_open(const ktwin_lab* wanted, __u32 cpus, int* error) {
    PidLab::Config config = {};
    Result opened = PidLab::configure(*wanted, cpus, config);
    PidLab* lab = nullptr;
    if (opened) {
        lab = construct_at<PidLab>(kt_host_alloc_charged(sizeof(PidLab)), config);
        opened = lab != nullptr ? lab->setup() : Errno::kNoMemory;
    }
    if (!opened && lab != nullptr) {
        lab->teardown();
        kt_host_free(lab);
        lab = nullptr;
    }
    *error = to_c(opened);
    return reinterpret_cast<kt_lab*>(lab);
}

__u64 kt_core_lab_bytes(const ktwin_lab* wanted, __u32 cpus) {
    PidLab::Config config = {};
    return PidLab::configure(*wanted, cpus, config) ? config.bytes : 0;
}

void kt_core_lab_close(kt_lab* lab) {
    lab_of(lab).teardown();
    kt_host_free(lab);
}

int kt_core_lab_create(kt_lab* lab, ktwin_lab_create* request) {
    return to_c(lab_of(lab).create(*request));
}

int kt_core_lab_pid_max(kt_lab* lab, ktwin_lab_pid_max* request) {
    return to_c(lab_of(lab).pid_max(*request));
}

int kt_core_lab_alloc(kt_lab* lab, ktwin_lab_alloc* request, bool may_choose) {
    return to_c(lab_of(lab).alloc(*request, may_choose));
}

int kt_core_lab_free(kt_lab* lab, __u32 ns, __s32 nr) {
    return to_c(lab_of(lab).free_pid(ns, nr));
}

int kt_core_lab_find(kt_lab* lab, ktwin_lab_find* request) {
    return to_c(lab_of(lab).find(*request));
}

int kt_core_lab_role(kt_lab* lab, ktwin_lab_role* request) {
    return to_c(lab_of(lab).role(*request));
}

int kt_core_lab_kill(kt_lab* lab, ktwin_lab_kill* request) {
    return to_c(lab_of(lab).kill(*request));
}

int kt_core_lab_stats(kt_lab* lab, ktwin_lab_stats* stats) {
    return to_c(lab_of(lab).stats(*stats));
}

int kt_core_read_lab_namespaces(kt_lab* lab, __u64* cursor, ktwin_lab_ns* to, __u32 room, bool* more) {
    return filled(lab_of(lab).namespaces(*cursor, to, room), room, more);
}

int kt_core_read_lab_pids(kt_lab* lab, __u32 ns, __u64* cursor, ktwin_lab_pid* to, __u32 room, bool* more) {
    return filled(lab_of(lab).pids(ns, *cursor, to, room), room, more);
}

int kt_core_read_lab_tasks(kt_lab* lab, __u64* cursor, ktwin_lab_task* to, __u32 room, bool* more) {
    return filled(lab_of(lab).tasks(*cursor, to, room), room, more);
}

int kt_core_read_lab_leaves(kt_lab* lab, __u32 ns, __u64* cursor, ktwin_lab_leaf* to, __u32 room,
                            bool* more) {
    return filled(lab_of(lab).leaves(ns, *cursor, to, room), room, more);
}

__u32 kt_core_lab_shrink(kt_lab* lab, __u32 most) {
    return lab_of(lab).shrink(most);
}

__u32 kt_core_lab_ready(kt_lab* lab) {
    return lab_of(lab).ready();
}

kt_ledger* kt_core_ledger_open(void) {
    return reinterpret_cast<kt_ledger*>(
        construct_at<WakeLedger>(kt_host_alloc(sizeof(WakeLedger)), queues_opened.fetch_add_relaxed(1) + 1));
}

void kt_core_ledger_close(kt_ledger* ledger) {
    ledger_of(ledger)->~WakeLedger();
    kt_host_free(ledger);
}

void kt_core_ledger_begin(kt_ledger* ledger) {
    ledger_of(ledger)->begin();
}

void kt_core_ledger_end(kt_ledger* ledger) {
    ledger_of(ledger)->end();
}

void kt_core_ledger_met(kt_ledger* ledger) {
    ledger_of(ledger)->met();
}

bool kt_core_ledger_has_room(kt_ledger* ledger, kt_key task) {
    return ledger_of(ledger)->has_room(task);
}

bool kt_core_ledger_woken(kt_ledger* ledger, const kt_woken* woken) {
    return ledger_of(ledger)->woken(*woken);
}

bool kt_core_ledger_seen(kt_ledger* ledger, const kt_woken* now, bool stayed, bool asleep) {
    return ledger_of(ledger)->seen(*now, stayed, asleep);
}

bool kt_core_ledger_absent(const kt_ledger* ledger, __u32 index, kt_woken* woken) {
    return ledger_of(ledger)->absent(index, *woken);
}

void kt_core_ledger_left(kt_ledger* ledger, __u32 index) {
    ledger_of(ledger)->left(index);
}

void kt_core_ledger_look(kt_ledger* ledger) {
    ledger_of(ledger)->look();
}

void kt_core_ledger_add(const kt_ledger* ledger, ktwin_wait_stats* stats) {
    ledger_of(ledger)->add_to(*stats);
}

kt_waitq* kt_core_waitq_create() {
    auto* head = construct_at<WaitQueueHead>(kt_host_alloc(sizeof(WaitQueueHead)), KT_LOCK_QUEUE);
    return reinterpret_cast<kt_waitq*>(head);
}

void kt_core_waitq_destroy(kt_waitq* queue) {
    kt_host_free(queue);
}

const struct kt_host_lock* kt_core_waitq_lock(const kt_waitq* queue) {
    return reinterpret_cast<const WaitQueueHead*>(queue)->host_lock();
}

void kt_core_waitq_entry_init(kt_waitq_entry* entry, bool autoremove) {
    (void)construct_at<WaitQueueEntry>(entry->opaque, kt_host_current(), default_wake_function, autoremove);
}

void kt_core_waitq_add(kt_waitq* queue, kt_waitq_entry* entry, __u32 kind) {
    head_of(queue).add(entry_of(entry), static_cast<WaitKind>(kind));
}

void kt_core_waitq_prepare(kt_waitq* queue, kt_waitq_entry* entry, __u32 kind, __u32 state) {
    head_of(queue).prepare(entry_of(entry), static_cast<WaitKind>(kind), state);
}

void kt_core_waitq_set_current_state(kt_waitq_entry* entry, __u32 state) {
    WaitQueueHead::set_current_state(entry_of(entry), state);
}

void kt_core_waitq_remove(kt_waitq* queue, kt_waitq_entry* entry) {
    head_of(queue).remove_wait_queue(entry_of(entry));
}

void kt_core_waitq_finish(kt_waitq* queue, kt_waitq_entry* entry) {
    head_of(queue).finish_wait(entry_of(entry));
}

__u32 kt_core_waitq_wake(kt_waitq* queue, __u32 nr) {
    return head_of(queue).wake_up(nr);
}

kt_switches* kt_core_switches_open(__u32 flags, __u32 cpus, __u32 online, int* error) {
    *error = to_c(Errno::kNoMemory);
    auto* monitor = construct_at<SwitchMonitor>(kt_host_alloc(sizeof(SwitchMonitor)), flags, cpus, online);
    if (monitor == nullptr) {
        return nullptr;
    }
    const Result ready = monitor->setup();
    *error = to_c(ready);
    if (!ready) {
        monitor->teardown();
        kt_host_free(monitor);
        return nullptr;
    }
    return reinterpret_cast<kt_switches*>(monitor);
}

void kt_core_switches_close(kt_switches* switches) {
    monitor_of(switches).teardown();
    kt_host_free(switches);
}

void kt_core_switches_refill(kt_switches* switches) {
    monitor_of(switches).refill();
}

__u32 kt_core_switch(kt_switches* switches, unsigned long cpu, kt_key prev_mm, kt_key next_mm,
                     kt_key prev_active_mm, __u32 how) {
    const bool one_process = (how & KT_SWITCH_ONE_PROCESS) != 0;
    const SwitchEvent event = {
        .prev = {.mm = prev_mm, .active_mm = prev_active_mm, .kernel_thread = !one_process},
        .next = {.mm = next_mm},
        .how = how};
    return monitor_of(switches).add(cpu, event);
}

void kt_core_switch_task(kt_switches* switches, __u32 cpu, __u32 what, kt_key key, int nr, bool ended) {
    monitor_of(switches).add_task(cpu, what, key, nr, ended);
}

void kt_core_switch_wait(kt_switches* switches, __u32 cpu, __u32 sched_class, __u32 ns_inode, __u64 ns) {
    monitor_of(switches).add_wait(cpu, sched_class, ns_inode, ns);
}

void kt_core_rq_switched(kt_switches* switches, __u32 cpu, const kt_sched_switch* event, __u64 now) {
    SchedSwitch what;
    what.prev = task_of(event->prev);
    what.next = task_of(event->next);
    what.prev_queued = event->prev_queued;
    what.prev_special = event->prev_special;
    what.prev_dead = event->prev_dead;
    monitor_of(switches).twin().switched(cpu, what, now);
}

void kt_core_rq_woken(kt_switches* switches, __u32 cpu, const kt_sched_task* task, __u64 now) {
    monitor_of(switches).twin().woken(cpu, task_of(*task), now);
}

void kt_core_rq_created(kt_switches* switches, __u32 cpu, const kt_sched_task* task, kt_key parent,
                        __u64 now) {
    monitor_of(switches).twin().created(cpu, task_of(*task), parent, now);
}

void kt_core_rq_ran(kt_switches* switches, __u32 cpu, const kt_sched_task* task, __u64 now) {
    monitor_of(switches).twin().ran(cpu, task_of(*task), now);
}

void kt_core_rq_moved(kt_switches* switches, kt_key task, __u32 cpu, __u64 now) {
    monitor_of(switches).twin().moved(task, cpu, now);
}

int kt_core_read_switch_cpus(kt_switches* switches, __u64* cursor, ktwin_switch_cpu* to, __u32 room,
                             bool* more) {
    return filled(Expected<u32>(monitor_of(switches).read_cpus(*cursor, {to, room})), room, more);
}

int kt_core_read_switch_tasks(kt_switches* switches, __u64* cursor, kt_task_switches* to, __u32 room,
                              bool* more) {
    return filled(monitor_of(switches).read_tasks(*cursor, {to, room}), room, more);
}

int kt_core_read_switch_waits(kt_switches* switches, __u64* cursor, ktwin_switch_waits* to, __u32 room,
                              bool* more) {
    return filled(monitor_of(switches).read_waits(*cursor, {to, room}), room, more);
}

int kt_core_read_rq_twins(kt_switches* switches, __u64* cursor, ktwin_rq_twin* to, __u32 room, bool* more) {
    return filled(monitor_of(switches).read_twins(*cursor, {to, room}), room, more);
}

int kt_core_read_ns_waits(kt_switches* switches, __u64* cursor, ktwin_ns_waits* to, __u32 room, bool* more) {
    return filled(monitor_of(switches).read_ns_waits(*cursor, {to, room}), room, more);
}

int kt_core_rq_auditable(kt_switches* switches, __u32 cpu) {
    SwitchMonitor& monitor = monitor_of(switches);
    return monitor.audit() != nullptr && cpu < monitor.cpus() ? 0 : to_c(Errno::kNoData);
}

void kt_core_rq_look(kt_switches* switches, __u32 cpu, const kt_rq_real* real, __u32 count, bool whole) {
    monitor_of(switches).audit()->look(cpu, {real, count}, whole);
}

__u32 kt_core_rq_settle(kt_switches* switches) {
    return monitor_of(switches).audit()->settle();
}

void kt_core_rq_candidate(kt_switches* switches, __u32 index, kt_rq_candidate* to) {
    const RqDifference& from = monitor_of(switches).audit()->candidate(index);
    *to = {from.key, from.nr, from.kind == RqDifferenceKind::kMissing};
}

void kt_core_rq_explain(kt_switches* switches, __u32 cpu, __u32 index) {
    monitor_of(switches).audit()->explain(cpu, index);
}

__u32 kt_core_rq_finish(kt_switches* switches, __u32 cpu, __u64 now) {
    return monitor_of(switches).audit()->finish(cpu, now);
}

void kt_core_rq_abandon(kt_switches* switches, __u32 cpu) {
    monitor_of(switches).audit()->abandon(cpu);
}

void kt_core_rq_audit(kt_switches* switches, __u32 cpu, ktwin_rq_audit* audit) {
    monitor_of(switches).audit()->read(cpu, *audit);
}

int kt_core_rq_inject(kt_switches* switches, kt_key task, bool add) {
    if (!the_core->is_lab()) {
        return to_c(Errno::kNotSupported);
    }
    SwitchMonitor& monitor = monitor_of(switches);
    return to_c(monitor.audit() != nullptr ? monitor.twin().inject(task, add) : Result(Errno::kNoData));
}

kt_sched_events* kt_core_sched_events_open(__u32 cpus, __u32 capacity, int* error) {
    if (!SchedEventRing::is_valid(capacity)) {
        *error = to_c(Errno::kInvalid);
        return nullptr;
    }
    *error = to_c(Errno::kNoMemory);
    auto* events = construct_at<SchedEvents>(kt_host_alloc(sizeof(SchedEvents)), cpus, capacity);
    if (events == nullptr) {
        return nullptr;
    }
    const Result ready = events->setup();
    *error = to_c(ready);
    if (!ready) {
        events->teardown();
        kt_host_free(events);
        return nullptr;
    }
    return reinterpret_cast<kt_sched_events*>(events);
}

void kt_core_sched_events_close(kt_sched_events* events) {
    events_of(events).teardown();
    kt_host_free(events);
}

void kt_core_sched_events_refill(kt_sched_events* events) {
    events_of(events).refill();
}

void kt_core_sched_event(kt_sched_events* events, __u32 cpu, const ktwin_sched_event* event) {
    events_of(events).append(cpu, *event);
}

int kt_core_read_sched_events(kt_sched_events* events, __u64* cursor, ktwin_sched_event* to, __u32 room,
                              bool* more) {
    return filled(Expected<u32>(events_of(events).take(*cursor, {to, room})), room, more);
}

void kt_core_sched_event_count(const kt_sched_events* events, __u32 cpu, __u64* stored, __u64* lost) {
    const SchedEvents::Count count = reinterpret_cast<const SchedEvents*>(events)->count(cpu);
    *stored = count.stored;
    *lost = count.lost;
}

int kt_core_inject(kt_key viewer, const ktwin_inject* inject) {
    if (!the_core->is_lab()) {
        return to_c(Errno::kNotSupported);
    }
    return to_c(the_core->injector().inject(viewer, *inject));
}

int kt_core_compare(ktwin_compare* compare) {
    if (!the_core->is_lab()) {
        return to_c(Errno::kNotSupported);
    }
    if (!Comparison::is_valid(*compare)) {
        return to_c(Errno::kRange);
    }
    compare->compared = compare->differences = compare->exhausted = compare->wraps = 0;
    auto* comparison = construct_at<Comparison>(kt_host_alloc(sizeof(Comparison)), *compare);
    if (comparison == nullptr) {
        return to_c(Errno::kNoMemory);
    }
    const Result result = comparison->run();
    kt_host_free(comparison);
    return to_c(result);
}

int kt_core_bench_ids(ktwin_bench_ids* request, __u32 cpus) {
    if (!the_core->is_lab()) {
        return to_c(Errno::kNotSupported);
    }
    const Result valid = IdBench::check(*request, cpus);
    if (!valid) {
        return to_c(valid);
    }
    auto* bench = construct_at<IdBench>(kt_host_alloc_charged(sizeof(IdBench)), *request, cpus);
    if (bench == nullptr) {
        return to_c(Errno::kNoMemory);
    }
    const Result result = bench->run();
    kt_host_free(bench);
    return to_c(result);
}
