// SPDX-License-Identifier: GPL-2.0-only
#include "core/bench_work.h"

#include "base/lock.h"

#include "base/enforce.h"  // last

namespace ktwin {

namespace {

void ping_pong(BenchSide& side, u32 count) {
    while (count-- > 0) {
        const int nr = side.get(side.self, &side.object);
        if (nr < 0) {
            side.error = nr;
            return;
        }
        side.calls->put(side.self, static_cast<u32>(nr));
    }
}

// The place is another's until it is taken again; where that fails the last one moves there.
bool renew(BenchSide& side, u32 place) {
    side.calls->put(side.self, side.ids[place]);
    if (side.take(place)) {
        return true;
    }
    side.ids[place] = side.ids[--side.live];
    return false;
}

void fifo(BenchSide& side, u32 count) {
    while (count-- > 0 && renew(side, side.at)) {
        side.at = side.at + 1 < side.live ? side.at + 1 : 0;
    }
}

void churn(BenchSide& side, u32 count) {
    while (count-- > 0 && renew(side, side.below(side.live))) {}
}

void fill(BenchSide& side, u32 count) {
    while (count-- > 0 && side.take(side.live)) {
        ++side.live;
    }
}

void find(BenchSide& side, u32 count) {
    RcuGuard guard;
    while (count-- > 0) {
        side.sink += reinterpret_cast<usize>(side.calls->find(side.self, side.ids[side.below(side.live)]));
    }
}

// The lowest bit of what is found is 0, but that is known only when it is found.
void find_chain(BenchSide& side, u32 count) {
    RcuGuard guard;
    u64 zero = 0;
    while (count-- > 0) {
        const u64 place = side.below(side.live) + zero;
        zero = reinterpret_cast<usize>(side.calls->find(side.self, side.ids[place])) & 1;
    }
    side.sink += zero;
}

void iterate(BenchSide& side, u32 count) {
    RcuGuard guard;
    u32 nr = side.at;
    while (count-- > 0) {
        void* found = side.calls->next(side.self, &nr);
        side.sink += reinterpret_cast<usize>(found);
        nr = found != nullptr ? nr + 1 : 0;
    }
    side.at = nr;
}

}  // namespace

BenchWork bench_work(u32 work, bool second) {
    switch (work) {
        case KTWIN_IDS_FIFO:
            return fifo;
        case KTWIN_IDS_CHURN:
            return churn;
        case KTWIN_IDS_FILL:
            return fill;
        case KTWIN_IDS_FIND:
            return find;
        case KTWIN_IDS_FIND_CHAIN:
            return find_chain;
        case KTWIN_IDS_ITERATE:
            return iterate;
        case KTWIN_IDS_WRITER:
        case KTWIN_IDS_READER:
            return second ? find : ping_pong;
        default:
            return ping_pong;
    }
}

}  // namespace ktwin
