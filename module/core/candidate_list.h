// SPDX-License-Identifier: GPL-2.0-only
//
// CandidateList: a bounded set of candidates, one a place.
#ifndef KTWIN_CORE_CANDIDATE_LIST_H
#define KTWIN_CORE_CANDIDATE_LIST_H

#include "base/expected.h"
#include "base/lock.h"
#include "core/difference.h"

namespace ktwin {

class CandidateList : Pinned {
  public:
    static constexpr u32 kRoom = 512;

    // [sleep]
    Result setup() {
        candidates_ = static_cast<Candidate*>(kt_host_alloc(kRoom * sizeof(Candidate)));
        return candidates_ != nullptr ? Result() : Result(Errno::kNoMemory);
    }
    void teardown() { kt_host_free(candidates_); }

    u32 size() const { return size_; }
    u32 left() const { return kRoom - size_; }
    Candidate& at(u32 index) { return candidates_[index]; }
    void clear() { size_ = 0; }
    // The last one takes its place.
    void remove(u32 index) { candidates_[index] = candidates_[--size_]; }

    // There is room. One of the same place stays as it is.
    void add(const Place& place, const Sides& sides, bool counted) {
        for (u32 i = 0; i < size_; ++i) {
            if (candidates_[i].place == place) {
                return;
            }
        }
        candidates_[size_++] = {place, sides, 0, 0, counted};
    }

  private:
    Candidate* candidates_ = nullptr;
    u32 size_ = 0;
};

}  // namespace ktwin

#endif
