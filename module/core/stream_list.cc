// SPDX-License-Identifier: GPL-2.0-only
#include "core/stream_list.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

ktwin_event new_event(u32 type, u64 now_ns) {
    ktwin_event event = {};
    event.type = type;
    event.time_ns = now_ns;
    event.cpu = kt_host_cpu();
    return event;
}

constexpr u32 kNotVisible = ~u32{0};

// The level of the viewer if ns is the viewer's namespace or below it.
u32 viewer_level(kt_key viewer, const PidNamespace* ns) {
    for (; ns != nullptr; ns = ns->parent()) {
        if (ns->key() == viewer) {
            return ns->level();
        }
    }
    return kNotVisible;
}

}  // namespace

Result StreamList::add(EventStream* stream) {
    if (count_ == kMax) {
        return Errno::kBusy;
    }
    streams_[count_++] = stream;
    return {};
}

void StreamList::remove(EventStream* stream) {
    for (u32 i = 0; i < count_; ++i) {
        if (streams_[i] == stream) {
            streams_[i] = streams_[--count_];
            return;
        }
    }
}

void StreamList::append(EventStream& stream, const ktwin_event& event) {
    ++(stream.append(event) ? events_ : lost_);
}

void StreamList::pid_event(u32 type, const TwinPid& pid, u64 now_ns) {
    if (count_ == 0) {
        return;
    }
    ktwin_event event = new_event(type, now_ns);
    event.ns = pid.deepest_ns()->inode();
    event.ns_nr = static_cast<i32>(pid.nr(pid.level()));
    for (u32 i = 0; i < count_; ++i) {
        const u32 level = viewer_level(streams_[i]->viewer(), pid.deepest_ns());
        if (level != kNotVisible) {
            event.serial = shown_serial(pid.serial(), level);
            event.level = pid.level() - level;
            event.nr = static_cast<i32>(pid.nr(level));
            append(*streams_[i], event);
        }
    }
}

void StreamList::namespace_event(u32 type, const PidNamespace& ns, u64 now_ns) {
    if (count_ == 0) {
        return;
    }
    ktwin_event event = new_event(type, now_ns);
    event.ns = ns.inode();
    for (u32 i = 0; i < count_; ++i) {
        const u32 level = viewer_level(streams_[i]->viewer(), &ns);
        if (level != kNotVisible) {
            event.level = ns.level() - level;
            event.parent = event.level > 0 ? ns.parent()->inode() : 0;
            append(*streams_[i], event);
        }
        if (type == KTWIN_EV_NS_GONE && streams_[i]->viewer() == ns.key()) {
            streams_[i]->close_view();
        }
    }
}

void StreamList::divergence(const PidNamespace* ns, u32 inode, u32 nr, u64 index, u64 now_ns) {
    ktwin_event event = new_event(KTWIN_EV_DIVERGENCE, now_ns);
    event.ns = inode;
    event.ns_nr = static_cast<i32>(nr);
    event.arg = index;
    for (u32 i = 0; i < count_; ++i) {
        const kt_key viewer = streams_[i]->viewer();
        const u32 level = ns != nullptr                 ? viewer_level(viewer, ns)
                          : viewer == kt_host_init_ns() ? 0
                                                        : kNotVisible;
        if (level != kNotVisible) {
            event.level = ns != nullptr ? ns->level() - level : 0;
            event.nr = ns != nullptr && event.level == 0 ? event.ns_nr : 0;
            append(*streams_[i], event);
        }
    }
}

void StreamList::twin_event(u32 type, u64 arg, u64 now_ns) {
    ktwin_event event = new_event(type, now_ns);
    event.arg = arg;
    for (u32 i = 0; i < count_; ++i) {
        append(*streams_[i], event);
    }
}

}  // namespace ktwin
