// SPDX-License-Identifier: GPL-2.0-only
//
// All open streams, and how an event looks to each: in numbers and levels of the namespace the stream was
// opened from. A stream gets what is visible from there. All under the twin's lock.
#ifndef KTWIN_CORE_STREAM_LIST_H
#define KTWIN_CORE_STREAM_LIST_H

#include "core/event_stream.h"

namespace ktwin {

class StreamList : Pinned {
  public:
    static constexpr u32 kMax = 64;

    Result add(EventStream* stream);
    void remove(EventStream* stream);

    void pid_event(u32 type, const TwinPid& pid, u64 now_ns);
    void namespace_event(u32 type, const PidNamespace& ns, u64 now_ns);
    // ns: where the difference is; nullptr when the twin does not know it, only the initial namespace is told then.
    void divergence(const PidNamespace* ns, u32 inode, u32 nr, u64 index, u64 now_ns);
    // About the twin as a whole; to everyone.
    void twin_event(u32 type, u64 arg, u64 now_ns);

    u32 count() const { return count_; }
    u64 events() const { return events_; }
    u64 lost() const { return lost_; }

  private:
    void append(EventStream& stream, const ktwin_event& event);

    EventStream* streams_[kMax] = {};
    u32 count_ = 0;
    u64 events_ = 0;
    u64 lost_ = 0;
};

}  // namespace ktwin

#endif
