// SPDX-License-Identifier: GPL-2.0-only
// Two CPUs, and a third that has nothing to tell: bash wakes cat over there and makes a child, an interrupt wakes a kernel
// thread, and who has no number or no name here is among them, too.
#include "paper_sched.h"

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace ktwin {
namespace {

constexpr uint64_t begin_ns = 5000000000;

ktwin_sched_who who(int32_t tid, std::string_view comm, uint32_t flags = 0) {
    ktwin_sched_who raw = {.tid = tid, .tgid = tid, .flags = flags, .comm = {}};
    comm.copy(raw.comm, sizeof(raw.comm));
    return raw;
}

const ktwin_sched_who idle = who(0, "", KTWIN_WHO_IDLE);
const ktwin_sched_who bash = who(812, "bash");
const ktwin_sched_who cat = who(901, "c<a>t\033\xff&\"16 byte");
const ktwin_sched_who child = who(950, "bash");
const ktwin_sched_who kworker = who(17, "kworker/0:1", KTWIN_WHO_KERNEL);
const ktwin_sched_who hidden = who(77, "", KTWIN_WHO_HIDDEN);
const ktwin_sched_who elsewhere = who(0, "", KTWIN_WHO_HIDDEN);

class Tape {
  public:
    // The next event is at that time, by that CPU.
    Tape& at(uint64_t us, uint32_t cpu) {
        events_.push_back({});
        last().time_ns = begin_ns + us * 1000;
        last().cpu = last().queue_cpu = cpu;
        last().depth = KTWIN_DEPTH_UNKNOWN;
        return *this;
    }
    Tape& switches(const ktwin_sched_who& from, char how, const ktwin_sched_who& to, uint32_t depth) {
        last().kind = KTWIN_SCHED_EV_SWITCH;
        last().other = from;
        last().state = static_cast<uint32_t>(how);
        last().task = to;
        last().depth = depth;
        return *this;
    }
    Tape& tells(uint32_t kind, const ktwin_sched_who& by, const ktwin_sched_who& task, uint32_t flags = 0) {
        last().kind = kind;
        last().other = by;
        last().task = task;
        last().flags = flags;
        return *this;
    }
    Tape& queued(uint32_t queue, uint32_t depth) {
        last().queue_cpu = queue;
        last().depth = depth;
        return *this;
    }
    Tape& moves(const ktwin_sched_who& task, uint32_t to, uint32_t depth) {
        last().kind = KTWIN_SCHED_EV_MIGRATE;
        last().task = task;
        last().to_cpu = to;
        last().depth = depth;
        return *this;
    }
    Tape& after(uint64_t lost) {
        last().lost = lost;
        return *this;
    }
    const std::vector<ktwin_sched_event>& events() const { return events_; }

  private:
    ktwin_sched_event& last() { return events_.back(); }

    std::vector<ktwin_sched_event> events_;
};

bool with_losses() {
    const char* paper = std::getenv("KTWIN_PAPER");
    return paper && std::string_view(paper) == "lost";
}

std::vector<ktwin_sched_event> tape() {
    Tape tape;
    tape.at(10, 0).switches(idle, 'R', bash, 1);
    tape.at(20, 0).tells(KTWIN_SCHED_EV_WAKING, bash, cat).queued(1, KTWIN_DEPTH_UNKNOWN);
    tape.at(30, 0).tells(KTWIN_SCHED_EV_FORK, bash, child).queued(0, 2);
    tape.at(100, 0).switches(bash, 'R', child, 2);
    tape.at(150, 0).switches(who(0, "", KTWIN_WHO_HIDDEN), 'X', bash, 1);
    tape.at(300, 0).switches(bash, 'S', idle, 0).after(with_losses() ? 4 : 0);
    tape.at(590, 0).tells(KTWIN_SCHED_EV_WAKING, idle, kworker, KTWIN_SCHED_EV_INTERRUPT);
    tape.at(600, 0).switches(idle, 'R', kworker, 1);
    tape.at(700, 0).switches(kworker, 'I', idle, 0);
    tape.at(25, 1).tells(KTWIN_SCHED_EV_QUEUED, idle, cat).queued(1, 1);
    tape.at(28, 1).switches(idle, 'R', cat, 1);
    tape.at(200, 1).switches(cat, 'S', hidden, 1);
    tape.at(400, 1).moves(kworker, 0, 1);
    tape.at(500, 1).switches(hidden, 'R', elsewhere, 2);
    return tape.events();
}

}  // namespace

int paper_sched_events(ktwin_read& request) {
    static const std::vector<ktwin_sched_event> all = tape();
    static size_t told;
    request.filled = 0;
    request.epoch = begin_ns;
    while (request.filled < request.room && told < all.size()) {
        reinterpret_cast<ktwin_sched_event*>(static_cast<uintptr_t>(request.buffer))[request.filled++] =
            all[told++];
    }
    request.more = 0;
    return 0;
}

void paper_sched_counts(ktwin_switch_cpu& cpu) {
    for (const ktwin_sched_event& event : tape()) {
        cpu.events += event.cpu == cpu.cpu;
        cpu.events_lost += event.cpu == cpu.cpu ? event.lost : 0;
    }
    // The last ones of CPU 1: nothing came after them that could say so.
    cpu.events_lost += cpu.cpu == 1 && with_losses() ? 3 : 0;
}

}  // namespace ktwin
