// SPDX-License-Identifier: GPL-2.0-only
//
// The reference for everything that hands out numbers: the free ones as runs in a std::map. Slow and obvious.
#ifndef KTWIN_SELFTESTS_FREE_RUNS_H
#define KTWIN_SELFTESTS_FREE_RUNS_H

#include <cstdint>
#include <map>

class FreeRuns {
  public:
    explicit FreeRuns(int64_t end = INT64_C(1) << 31) { runs_[0] = end; }

    bool is_free(int64_t nr) const {
        const auto run = run_of(nr);
        return run != runs_.end() && nr < run->second;
    }
    // The lowest free number from start on and below end; -1: none.
    int64_t first_from(int64_t start, int64_t end) const {
        if (start >= end) {
            return -1;
        }
        if (is_free(start)) {
            return start;
        }
        const auto later = runs_.upper_bound(start);
        return later != runs_.end() && later->first < end ? later->first : -1;
    }
    void take(int64_t nr) {
        const auto run = run_of(nr);
        const int64_t start = run->first;
        const int64_t end = run->second;
        runs_.erase(run);
        if (start < nr) {
            runs_[start] = nr;
        }
        if (nr + 1 < end) {
            runs_[nr + 1] = end;
        }
    }
    void give_back(int64_t nr) {
        int64_t start = nr;
        int64_t end = nr + 1;
        const auto before = run_of(nr);
        if (before != runs_.end() && before->second == nr) {
            start = before->first;
        }
        const auto after = runs_.find(nr + 1);
        if (after != runs_.end()) {
            end = after->second;
            runs_.erase(after);
        }
        runs_[start] = end;
    }
    // The largest run of free numbers in [1, end), the first of several; {0, 0}: none. Counts the free ones too.
    struct Room {
        int64_t vacant = 0, hole_start = 0, hole_length = 0;
    };
    Room room(int64_t end) const {
        Room room;
        for (const auto& run : runs_) {
            const int64_t start = run.first < 1 ? 1 : run.first;
            const int64_t stop = run.second < end ? run.second : end;
            if (start < stop) {
                room.vacant += stop - start;
                if (stop - start > room.hole_length) {
                    room.hole_start = start;
                    room.hole_length = stop - start;
                }
            }
        }
        return room;
    }

  private:
    std::map<int64_t, int64_t>::iterator run_of(int64_t nr) {
        auto at = runs_.upper_bound(nr);
        return at == runs_.begin() ? runs_.end() : --at;
    }
    std::map<int64_t, int64_t>::const_iterator run_of(int64_t nr) const {
        auto at = runs_.upper_bound(nr);
        return at == runs_.begin() ? runs_.end() : --at;
    }

    std::map<int64_t, int64_t> runs_;  // start -> end
};

// idr_alloc_cyclic() and idr_alloc() by what their documentation says.
class IdrModel {
  public:
    int64_t alloc(int64_t min, int64_t max) {
        const int64_t nr = runs_.first_from(min, max);
        if (nr >= 0) {
            runs_.take(nr);
            used_[nr] = 0;
        }
        return nr;
    }
    int64_t alloc_cyclic(int64_t min, int64_t max) {
        const int64_t start = cursor > min ? cursor : min;
        int64_t nr = alloc(start, max);
        if (nr < 0 && start > min) {
            nr = alloc(min, max);
        }
        cursor = nr >= 0 ? nr + 1 : cursor;
        return nr;
    }
    bool remove(int64_t nr) {
        if (used_.erase(nr) == 0) {
            return false;
        }
        runs_.give_back(nr);
        return true;
    }
    // Number -> value; 0: reserved only.
    const std::map<int64_t, uint64_t>& used() const { return used_; }
    std::map<int64_t, uint64_t>& used() { return used_; }
    const FreeRuns& runs() const { return runs_; }

    int64_t cursor = 0;

  private:
    FreeRuns runs_;
    std::map<int64_t, uint64_t> used_;
};

#endif
