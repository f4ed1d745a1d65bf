// SPDX-License-Identifier: GPL-2.0-only
#include "wait_view.h"

#include <fmt/format.h>

#include "lib/names.h"
#include "lib/text.h"

namespace ktwin::cli {
namespace {

constexpr size_t named_at_most = 5;

std::string hash_text(uint64_t hash) {
    return fmt::format("{:016x}", hash);
}

Json json_of_hash(const std::optional<uint64_t>& hash) {
    return hash ? Json(hash_text(*hash)) : Json(nullptr);
}

const WaitHead& head_of(const WaiterRow& row) {
    return row.file.list.heads[row.waiter.head];
}

const std::vector<EpollOwner>& owners_of(const EpollOwners& owners, const std::optional<uint64_t>& hash) {
    static const std::vector<EpollOwner> none;
    const auto at = hash ? owners.find(*hash) : owners.end();
    return at == owners.end() ? none : at->second;
}

Json owners_json(const std::vector<EpollOwner>& owners) {
    Json array = Json::array();
    for (const EpollOwner& owner : owners) {
        array.push_back({{"pid", owner.pid}, {"fd", owner.fd}, {"comm", owner.comm}});
    }
    return array;
}

Json letter(const Waiter& waiter) {
    return waiter.state ? Json(std::string(1, waiter.state)) : Json(nullptr);
}

// What has a column of its own is not said again.
std::vector<std::string> other_flags(const Waiter& waiter) {
    constexpr uint32_t columns = KTWIN_WAITER_EXCLUSIVE | KTWIN_WAITER_NEXT | KTWIN_WAITER_TASK;
    return waiter_flag_names(waiter.flags & ~columns);
}

constexpr Column<WaiterRow> columns[] = {
    {"HEAD", Align::right, true, "wait queue behind the file, from 0",
     [](const WaiterRow& r) { return Json(r.waiter.head); }},
    {"FD", Align::right, true, "through which it was found",
     [](const WaiterRow& r) { return Json(head_of(r).fd.value_or(r.file.fd)); }},
    {"POS", Align::right, true, "in wake order, from 0",
     [](const WaiterRow& r) { return Json(r.waiter.position); }},
    {"PID", Align::right, true, "process that waits",
     [](const WaiterRow& r) { return json_of(r.waiter.tgid); }},
    {"TID", Align::right, true, "thread that waits",
     [](const WaiterRow& r) { return json_of(r.waiter.tid); }},
    {"COMM", Align::left, true, "its name", [](const WaiterRow& r) { return Json(r.waiter.comm); }},
    {"KIND", Align::left, true, "blocked, poll, epoll, epoll_wait, child, lab, kernel, unknown",
     [](const WaiterRow& r) { return Json(wait_kind_name(r.waiter.kind)); }},
    {"EXCL", Align::left, true, "exclusive: woken one by one",
     [](const WaiterRow& r) { return Json(r.waiter.is(KTWIN_WAITER_EXCLUSIVE)); }},
    {"NEXT", Align::left, true, "the next wake would run it",
     [](const WaiterRow& r) { return Json(r.waiter.is(KTWIN_WAITER_NEXT)); }},
    {"ASLEEP", Align::right, true, "seconds",
     [](const WaiterRow& r) {
         return r.waiter.asleep_ns ? Json(static_cast<double>(*r.waiter.asleep_ns) / 1e9) : Json(nullptr);
     }},
    {"STATE", Align::left, true, "the letter ps shows", [](const WaiterRow& r) { return letter(r.waiter); }},
    {"FLAGS", Align::left, true, "priority, hidden, claimed, woken, awake",
     [](const WaiterRow& r) { return Json(other_flags(r.waiter)); }},
    {"FILE", Align::left, false, "what the file is",
     [](const WaiterRow& r) { return Json(r.file.list.file); }},
    {"DEPTH", Align::right, false, "epolls between the file and the queue",
     [](const WaiterRow& r) { return Json(head_of(r).depth); }},
    {"HASH", Align::left, false, "of the queue: the same whatever file it is found through",
     [](const WaiterRow& r) { return json_of_hash(head_of(r).hash); }},
    {"LINK", Align::left, false, "of an epoll: the hash of its own queue",
     [](const WaiterRow& r) { return json_of_hash(r.waiter.link); }},
    {"OWNERS", Align::left, false, "of an epoll: who has it open, as PID:FD",
     [](const WaiterRow& r) {
         Json list = Json::array();
         for (const EpollOwner& owner : owners_of(r.owners, r.waiter.link)) {
             list.push_back(fmt::format("{}:{}", owner.pid, owner.fd));
         }
         return list;
     }},
};

Json waiter_json(const Waiter& waiter, const EpollOwners& owners) {
    Json object = {
        {"position", waiter.position},
        {"pid", json_of(waiter.tgid)},
        {"tid", json_of(waiter.tid)},
        {"comm", waiter.comm},
        {"kind", wait_kind_name(waiter.kind)},
        {"exclusive", waiter.is(KTWIN_WAITER_EXCLUSIVE)},
        {"next", waiter.is(KTWIN_WAITER_NEXT)},
        {"asleep_ns", json_of(waiter.asleep_ns)},
        {"state", letter(waiter)},
        {"flags", waiter_flag_names(waiter.flags)},
    };
    if (waiter.kind == KTWIN_KIND_EPOLL) {
        object["link"] = json_of_hash(waiter.link);
        object["owners"] = owners_json(owners_of(owners, waiter.link));
    }
    return object;
}

// "fd 8 of 812 (nginx)", for each.
std::string owners_text(const std::vector<EpollOwner>& owners) {
    std::string text;
    for (size_t i = 0; i < owners.size() && i < named_at_most; i++) {
        text += fmt::format("{}fd {} of {} ({})", i ? ", " : "", owners[i].fd, owners[i].pid,
                            printable(owners[i].comm));
    }
    if (owners.size() > named_at_most) {
        text += fmt::format(" and {} more", owners.size() - named_at_most);
    }
    return text;
}

std::string who(const Waiter& waiter, const EpollOwners& owners) {
    if (waiter.kind == KTWIN_KIND_EPOLL) {
        const std::string text = owners_text(owners_of(owners, waiter.link));
        return text.empty() ? "an epoll" : fmt::format("the epoll ({})", text);
    }
    if (!waiter.is(KTWIN_WAITER_TASK)) {
        return waiter.kind == KTWIN_KIND_KERNEL ? "kernel code" : "a waiter of unknown kind";
    }
    if (!waiter.tid) {
        return "a task that is not visible here";
    }
    return fmt::format("{} ({})", *waiter.tid,
                       waiter.is(KTWIN_WAITER_HIDDEN) ? "another user's" : printable(waiter.comm));
}

// The heads of one file as text.
class Text {
  public:
    Text(const WaitedFile& file, const EpollOwners& owners, bool headings)
        : file_(file),
          list_(file.list),
          owners_(owners),
          headings_(headings),
          done_(list_.heads.size()),
          of_head_(list_.heads.size()) {
        for (const Waiter& waiter : list_.waiters) {
            of_head_[waiter.head].push_back(&waiter);
        }
        own_ = static_cast<size_t>(std::ranges::count(list_.heads, 0U, &WaitHead::depth));
    }

    std::string print() {
        bool idle = true;
        for (size_t i = 0; i < list_.heads.size(); i++) {
            idle &= list_.heads[i].depth != 0 || empty(i);
        }
        if (idle) {
            text_ += fmt::format("{}{}\n", name(), own_ ? "; nobody waits" : ": has no wait queue");
        }
        for (size_t i = 0; i < list_.heads.size(); i++) {
            if (list_.heads[i].depth == 0) {
                print_head(i, 0);
            }
        }
        // Those of epolls whose own head was left out.
        for (size_t i = 0; i < list_.heads.size(); i++) {
            if (!done_[i]) {
                print_head(i, 1);
            }
        }
        if (list_.more_heads) {
            text_ += "and more queues than a call can list\n";
        }
        if (list_.more_waiters) {
            text_ += "and more waiters than a call can list\n";
        }
        return std::move(text_);
    }

  private:
    bool empty(size_t index) const { return of_head_[index].empty() && !list_.heads[index].waiters; }

    // An epoll in which nobody waits is worth a word; its second queue, of those who poll the epoll itself, is not.
    bool linked(size_t index) const {
        return std::ranges::any_of(
            list_.waiters, [&](const Waiter& waiter) { return waiter.link == list_.heads[index].hash; });
    }

    std::string name() const {
        std::string text = fmt::format("fd {} of {}", file_.fd, file_.pid);
        if (!file_.comm.empty()) {
            text += fmt::format(" ({})", printable(file_.comm));
        }
        text += fmt::format(": {}", list_.file.empty() ? "a file" : printable(list_.file));
        const std::vector<std::string> events = poll_event_names(list_.events.value_or(0));
        return events.empty() ? text : text + ", ready: " + join(events, ",");
    }

    std::string title(size_t index) {
        const WaitHead& head = list_.heads[index];
        if (head.depth == 0) {
            number_++;
            return own_ > 1 ? fmt::format("{}, queue {} of {}", name(), number_, own_) : name();
        }
        const std::string text = owners_text(owners_of(owners_, head.hash));
        return text.empty() ? "via epoll" : "via epoll, " + text;
    }

    std::string next(size_t index) const {
        std::string text;
        size_t count = 0;
        for (const Waiter* waiter : of_head_[index]) {
            if (waiter->is(KTWIN_WAITER_NEXT) && count++ < named_at_most) {
                text += (count > 1 ? ", " : "") + who(*waiter, owners_);
            }
        }
        if (count > named_at_most) {
            text += fmt::format(" and {} more", count - named_at_most);
        }
        return text.empty() ? "nobody" : text;
    }

    std::string count(size_t index) const {
        const uint64_t waiters = std::max<uint64_t>(list_.heads[index].waiters, of_head_[index].size());
        const std::string noun = waiters == 1 ? "waiter" : "waiters";
        const size_t listed = of_head_[index].size();
        return listed < waiters ? fmt::format("{} {} ({} listed)", waiters, noun, listed)
                                : fmt::format("{} {}", waiters, noun);
    }

    void print_head(size_t index, size_t indent) {
        done_[index] = true;
        const std::string margin(2 * indent, ' ');
        const std::string head = title(index);
        if (empty(index)) {
            text_ += linked(index) ? fmt::format("{}{}; nobody waits\n", margin, head) : "";
            return;
        }
        text_ += fmt::format("{}{}; {}, the next wake runs {}\n", margin, head, count(index), next(index));
        print_table(index, margin);
        // As deep as epolls nest, and never twice: the kernel says 5.
        for (size_t i = 0; i < list_.heads.size(); i++) {
            if (!done_[i] && list_.heads[i].parent == list_.heads[index].hash) {
                print_head(i, indent + 1);
            }
        }
    }

    void print_table(size_t index, const std::string& margin) {
        static const auto selection =
            Selection<WaiterRow>::make(columns, "POS,PID,TID,COMM,KIND,EXCL,NEXT,ASLEEP,STATE,FLAGS", false);
        Table table(selection->headings());
        for (const Waiter* waiter : of_head_[index]) {
            table.add(selection->cells({file_, *waiter, owners_}));
        }
        const std::string lines = table.str({.raw = false, .headings = headings_});
        for (size_t at = 0; at < lines.size();) {
            const size_t end = lines.find('\n', at) + 1;
            text_ += margin + lines.substr(at, end - at);
            at = end;
        }
    }

    const WaitedFile& file_;
    const WaitList& list_;
    const EpollOwners& owners_;
    const bool headings_;
    std::vector<bool> done_;
    std::vector<std::vector<const Waiter*>> of_head_;
    std::string text_;
    size_t own_ = 0;     // heads of the file itself
    size_t number_ = 0;  // of those, printed
};

}  // namespace

std::span<const Column<WaiterRow>> waiter_columns() {
    return columns;
}

std::unordered_set<uint64_t> epolls_in(std::span<const WaitedFile> files) {
    std::unordered_set<uint64_t> hashes;
    for (const WaitedFile& file : files) {
        for (const Waiter& waiter : file.list.waiters) {
            if (waiter.kind == KTWIN_KIND_EPOLL && waiter.link) {
                hashes.insert(*waiter.link);
            }
        }
    }
    return hashes;
}

std::vector<WaiterRow> waiter_rows(std::span<const WaitedFile> files, const EpollOwners& owners) {
    std::vector<WaiterRow> rows;
    for (const WaitedFile& file : files) {
        for (const Waiter& waiter : file.list.waiters) {
            rows.push_back({file, waiter, owners});
        }
    }
    return rows;
}

Json waiters_json(const WaitedFile& file, const EpollOwners& owners, const Selection<WaiterRow>* chosen) {
    Json heads = Json::array();
    for (const WaitHead& head : file.list.heads) {
        heads.push_back({
            {"hash", hash_text(head.hash)},
            {"parent", json_of_hash(head.parent)},
            {"fd", json_of(head.fd)},
            {"depth", head.depth},
            {"owners", owners_json(owners_of(owners, head.hash))},
            {"count", head.waiters},
            {"truncated", head.truncated},
            {"waiters", Json::array()},
        });
    }
    for (const Waiter& waiter : file.list.waiters) {
        heads[waiter.head]["waiters"].push_back(chosen ? chosen->object({file, waiter, owners})
                                                       : waiter_json(waiter, owners));
    }
    return {
        {"pid", file.pid},
        {"fd", file.fd},
        {"target", file.target.empty() ? Json(nullptr) : Json(file.target)},
        {"file", file.list.file},
        {"events", file.list.events ? Json(poll_event_names(*file.list.events)) : Json(nullptr)},
        {"complete", file.list.complete()},
        {"heads", heads},
    };
}

std::string waiters_text(const WaitedFile& file, const EpollOwners& owners, bool headings) {
    return Text(file, owners, headings).print();
}

}  // namespace ktwin::cli
