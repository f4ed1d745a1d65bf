// SPDX-License-Identifier: GPL-2.0-only
//
// The table of what ktwin wants to know of the kernel's structs.
#ifndef KTWIN_CORE_LAYOUT_TABLE_H
#define KTWIN_CORE_LAYOUT_TABLE_H

#include "boundary/types.h"
#include "core/btf_reader.h"

namespace ktwin {

// What a field must be, to be the one that is meant.
struct WantedType {
    BtfShape shape;
    u32 size;         // in bytes, 0: any but 0
    const char* tag;  // of the struct that it is or points to; nullptr: any, or none
};

constexpr WantedType integer(u32 size) {
    return {BtfShape::kInteger, size, nullptr};
}
constexpr WantedType pointer(const char* tag = nullptr) {
    return {BtfShape::kPointer, sizeof(void*), tag};
}
constexpr WantedType record(const char* tag, u32 size = 0) {
    return {BtfShape::kStruct, size, tag};
}
// tag: of its elements.
constexpr WantedType array(u32 size, const char* tag = nullptr) {
    return {BtfShape::kArray, size, tag};
}

// struct.member, or percpu.variable, as the kernels of today call it and as older ones did: the first that is found is
// the one. The first one of all names the field where none is.
struct WantedNames {
    // NOLINTNEXTLINE(google-explicit-constructor): most have one name, and the table is to be read
    constexpr WantedNames(const char* newest, const char* older = nullptr, const char* oldest = nullptr)
        : names{newest, older, oldest} {}

    const char* names[3];
};

enum class Presence : u8 {
    kNeeded,
    kOptional,   // not every kernel has it; one that has another thing of that name is not understood
    kForbidden,  // a kernel that has it does what ktwin cannot follow
};

struct Wanted {
    kt_layout_field field;
    kt_layout_group group;
    WantedType type;
    WantedNames spellings;
    Presence presence = Presence::kNeeded;

    constexpr const char* name() const { return spellings.names[0]; }
};

// In the order of enum kt_layout_field.
inline constexpr Wanted kWanted[] = {
    {KT_FIELD_WAIT_QUEUE_HEAD_LOCK, KT_GROUP_WAIT, record("spinlock"), "wait_queue_head.lock"},
    {KT_FIELD_WAIT_QUEUE_HEAD_HEAD, KT_GROUP_WAIT, record("list_head", 16), "wait_queue_head.head"},
    {KT_FIELD_WAIT_QUEUE_ENTRY_FLAGS, KT_GROUP_WAIT, integer(4), "wait_queue_entry.flags"},
    {KT_FIELD_WAIT_QUEUE_ENTRY_PRIVATE, KT_GROUP_WAIT, pointer(), "wait_queue_entry.private"},
    {KT_FIELD_WAIT_QUEUE_ENTRY_FUNC, KT_GROUP_WAIT, pointer(), "wait_queue_entry.func"},
    {KT_FIELD_WAIT_QUEUE_ENTRY_ENTRY, KT_GROUP_WAIT, record("list_head", 16), "wait_queue_entry.entry"},
    {KT_FIELD_POLL_WQUEUES_POLLING_TASK, KT_GROUP_WAIT, pointer("task_struct"), "poll_wqueues.polling_task"},
    {KT_FIELD_POLL_TABLE_ENTRY_WAIT, KT_GROUP_WAIT, record("wait_queue_entry"), "poll_table_entry.wait"},

    {KT_FIELD_TASK_STRUCT_STACK, KT_GROUP_TASK, pointer(), "task_struct.stack"},
    {KT_FIELD_TASK_STRUCT_STATE, KT_GROUP_TASK, integer(4), "task_struct.__state"},
    {KT_FIELD_TASK_STRUCT_SIGNAL, KT_GROUP_TASK, pointer("signal_struct"), "task_struct.signal"},
    {KT_FIELD_SIGNAL_STRUCT_WAIT_CHLDEXIT, KT_GROUP_TASK, record("wait_queue_head"),
     "signal_struct.wait_chldexit"},

    {KT_FIELD_EVENTPOLL_WQ, KT_GROUP_EPOLL, record("wait_queue_head"), "eventpoll.wq"},
    {KT_FIELD_EVENTPOLL_POLL_WAIT, KT_GROUP_EPOLL, record("wait_queue_head"), "eventpoll.poll_wait"},
    // Older kernels have an rwlock_t there, which is another lock to take.
    {KT_FIELD_EVENTPOLL_LOCK, KT_GROUP_EPOLL, record("spinlock"), "eventpoll.lock"},
    {KT_FIELD_EVENTPOLL_FILE, KT_GROUP_EPOLL, pointer("file"), "eventpoll.file"},
    {KT_FIELD_EVENTPOLL_REFS, KT_GROUP_EPOLL, record("hlist_head", 8), "eventpoll.refs"},
    {KT_FIELD_EPITEM_EP, KT_GROUP_EPOLL, pointer("eventpoll"), "epitem.ep"},
    {KT_FIELD_EPITEM_FFD, KT_GROUP_EPOLL, record("epoll_filefd", 12), "epitem.ffd"},
    {KT_FIELD_EPPOLL_ENTRY_BASE, KT_GROUP_EPOLL, pointer("epitem"), "eppoll_entry.base"},
    {KT_FIELD_EPPOLL_ENTRY_WAIT, KT_GROUP_EPOLL, record("wait_queue_entry"), "eppoll_entry.wait"},
    {KT_FIELD_EPPOLL_ENTRY_WHEAD, KT_GROUP_EPOLL, pointer("wait_queue_head"), "eppoll_entry.whead"},
    {KT_FIELD_EPOLL_FILEFD_FILE, KT_GROUP_EPOLL, pointer("file"), "epoll_filefd.file"},
    {KT_FIELD_EPOLL_FILEFD_FD, KT_GROUP_EPOLL, integer(4), "epoll_filefd.fd"},

    {KT_FIELD_PERCPU_RUNQUEUES, KT_GROUP_RUN_QUEUE, record("rq"), "percpu.runqueues"},
    {KT_FIELD_PERCPU_KSTAT, KT_GROUP_RUN_QUEUE, record("kernel_stat"), "percpu.kstat"},
    // With core scheduling rq.__lock is not the lock of every queue.
    {KT_FIELD_RQ_CORE_ENABLED, KT_GROUP_RUN_QUEUE, integer(4), "rq.core_enabled", Presence::kForbidden},
    {KT_FIELD_RQ_LOCK, KT_GROUP_RUN_QUEUE, record("raw_spinlock"), "rq.__lock"},
    {KT_FIELD_RQ_CPU, KT_GROUP_RUN_QUEUE, integer(4), "rq.cpu"},
    {KT_FIELD_RQ_NR_RUNNING, KT_GROUP_RUN_QUEUE, integer(4), "rq.nr_running"},
    {KT_FIELD_RQ_NR_SWITCHES, KT_GROUP_RUN_QUEUE, integer(8), "rq.nr_switches"},
    {KT_FIELD_RQ_CLOCK, KT_GROUP_RUN_QUEUE, integer(8), "rq.clock"},
    {KT_FIELD_RQ_CURR, KT_GROUP_RUN_QUEUE, pointer("task_struct"), "rq.curr"},
    {KT_FIELD_RQ_IDLE, KT_GROUP_RUN_QUEUE, pointer("task_struct"), "rq.idle"},
    {KT_FIELD_RQ_STOP, KT_GROUP_RUN_QUEUE, pointer("task_struct"), "rq.stop"},
    {KT_FIELD_RQ_DL, KT_GROUP_RUN_QUEUE, record("dl_rq"), "rq.dl"},
    {KT_FIELD_RQ_RT, KT_GROUP_RUN_QUEUE, record("rt_rq"), "rq.rt"},
    {KT_FIELD_RQ_CFS, KT_GROUP_RUN_QUEUE, record("cfs_rq"), "rq.cfs"},
    {KT_FIELD_RQ_CFS_TASKS, KT_GROUP_RUN_QUEUE, record("list_head", 16), "rq.cfs_tasks"},
    {KT_FIELD_DL_RQ_ROOT, KT_GROUP_RUN_QUEUE, record("rb_root_cached", 16), "dl_rq.root"},
    {KT_FIELD_DL_RQ_DL_NR_RUNNING, KT_GROUP_RUN_QUEUE, integer(4), "dl_rq.dl_nr_running"},
    {KT_FIELD_RT_RQ_ACTIVE, KT_GROUP_RUN_QUEUE, record("rt_prio_array"), "rt_rq.active"},
    {KT_FIELD_RT_RQ_RT_NR_RUNNING, KT_GROUP_RUN_QUEUE, integer(4), "rt_rq.rt_nr_running"},
    {KT_FIELD_RT_RQ_RT_THROTTLED, KT_GROUP_RUN_QUEUE, integer(4), "rt_rq.rt_throttled", Presence::kOptional},
    {KT_FIELD_RT_PRIO_ARRAY_BITMAP, KT_GROUP_RUN_QUEUE, array(16), "rt_prio_array.bitmap"},
    {KT_FIELD_RT_PRIO_ARRAY_QUEUE, KT_GROUP_RUN_QUEUE, array(1600, "list_head"), "rt_prio_array.queue"},
    {KT_FIELD_CFS_RQ_H_NR_QUEUED,
     KT_GROUP_RUN_QUEUE,
     integer(4),
     {"cfs_rq.h_nr_queued", "cfs_rq.h_nr_running"}},
    {KT_FIELD_CFS_RQ_TASKS_TIMELINE, KT_GROUP_RUN_QUEUE, record("rb_root_cached", 16),
     "cfs_rq.tasks_timeline"},
    {KT_FIELD_CFS_RQ_CURR, KT_GROUP_RUN_QUEUE, pointer("sched_entity"), "cfs_rq.curr"},
    {KT_FIELD_CFS_RQ_NEXT, KT_GROUP_RUN_QUEUE, pointer("sched_entity"), "cfs_rq.next", Presence::kOptional},
    {KT_FIELD_CFS_RQ_ZERO_VRUNTIME,
     KT_GROUP_RUN_QUEUE,
     integer(8),
     {"cfs_rq.zero_vruntime", "cfs_rq.min_vruntime"}},
    {KT_FIELD_CFS_RQ_THROTTLE_COUNT, KT_GROUP_RUN_QUEUE, integer(4), "cfs_rq.throttle_count",
     Presence::kOptional},
    {KT_FIELD_SCHED_ENTITY_LOAD, KT_GROUP_RUN_QUEUE, record("load_weight", 16), "sched_entity.load"},
    {KT_FIELD_SCHED_ENTITY_RUN_NODE, KT_GROUP_RUN_QUEUE, record("rb_node", 24), "sched_entity.run_node"},
    {KT_FIELD_SCHED_ENTITY_GROUP_NODE, KT_GROUP_RUN_QUEUE, record("list_head", 16),
     "sched_entity.group_node"},
    {KT_FIELD_SCHED_ENTITY_VRUNTIME, KT_GROUP_RUN_QUEUE, integer(8), "sched_entity.vruntime"},
    // Of EEVDF; kernels before it have none of them.
    {KT_FIELD_SCHED_ENTITY_DEADLINE, KT_GROUP_RUN_QUEUE, integer(8), "sched_entity.deadline",
     Presence::kOptional},
    {KT_FIELD_SCHED_ENTITY_VLAG, KT_GROUP_RUN_QUEUE, integer(8), "sched_entity.vlag", Presence::kOptional},
    {KT_FIELD_SCHED_ENTITY_SLICE, KT_GROUP_RUN_QUEUE, integer(8), "sched_entity.slice", Presence::kOptional},
    {KT_FIELD_SCHED_ENTITY_SCHED_DELAYED, KT_GROUP_RUN_QUEUE, integer(1), "sched_entity.sched_delayed",
     Presence::kOptional},
    {KT_FIELD_SCHED_DL_ENTITY_RB_NODE, KT_GROUP_RUN_QUEUE, record("rb_node", 24), "sched_dl_entity.rb_node"},
    {KT_FIELD_SCHED_DL_ENTITY_DEADLINE, KT_GROUP_RUN_QUEUE, integer(8), "sched_dl_entity.deadline"},
    {KT_FIELD_SCHED_RT_ENTITY_RUN_LIST, KT_GROUP_RUN_QUEUE, record("list_head", 16),
     "sched_rt_entity.run_list"},
    {KT_FIELD_TASK_STRUCT_SE, KT_GROUP_RUN_QUEUE, record("sched_entity"), "task_struct.se"},
    {KT_FIELD_TASK_STRUCT_RT, KT_GROUP_RUN_QUEUE, record("sched_rt_entity"), "task_struct.rt"},
    {KT_FIELD_TASK_STRUCT_DL, KT_GROUP_RUN_QUEUE, record("sched_dl_entity"), "task_struct.dl"},
    {KT_FIELD_TASK_STRUCT_SCHED_INFO, KT_GROUP_RUN_QUEUE, record("sched_info"), "task_struct.sched_info"},
    {KT_FIELD_TASK_STRUCT_PRIO, KT_GROUP_RUN_QUEUE, integer(4), "task_struct.prio"},
};

constexpr bool wanted_is_in_order() {
    for (u32 i = 0; i < KT_FIELDS; ++i) {
        if (kWanted[i].field != i) {
            return false;
        }
    }
    return sizeof(kWanted) / sizeof(kWanted[0]) == KT_FIELDS;
}
static_assert(wanted_is_in_order());

}  // namespace ktwin

#endif
