// SPDX-License-Identifier: GPL-2.0-only
// ktwin wait PID:FD and ktwin wait PID: who sleeps behind one file, or behind each file of a process.
#include <fmt/format.h>

#include <cerrno>
#include <map>

#include "lib/message.h"
#include "lib/text.h"
#include "wait.h"
#include "wait_view.h"

namespace ktwin::cli {
namespace {

// A file that was not looked at.
struct Refused {
    int32_t fd;
    std::string target;
    std::string file;  // what it is; empty: not known
    std::string_view reason;
};

constexpr std::string_view not_polled = "not polled: its poll does more than look, or it has none";
constexpr std::string_view not_known =
    "the module does not know a layout of this kernel that this needs: dmesg says which";

class Question {
  public:
    Question(Device& device, const WaitOptions& options, const Selection<WaiterRow>& selection)
        : device_(device),
          options_(options),
          format_(options.format),
          selection_(selection),
          proc_(options.proc) {}

    int one_file(const Target& target) {
        Result<WaitList> list = device_.waiters(target.pid, *target.fd, options_.ns);
        if (!list) {
            return report_wait(list.error());
        }
        if (list->refused) {
            return report_wait(refusal(target, list->file));
        }
        add(target.pid, *target.fd, std::move(*list), !options_.ns);
        find_owners();
        if (format_.json) {
            emit_line(dump(json(files_.front())));
        } else {
            print();
        }
        return status();
    }

    int all_files(int32_t pid) {
        const Result<std::vector<int32_t>> fds = proc_.fds(pid);
        if (!fds) {
            return report_wait(fds.error());
        }
        for (const int32_t fd : *fds) {
            Result<WaitList> list = device_.waiters(pid, fd, 0);
            if (list && !list->refused) {
                add(pid, fd, std::move(*list), true);
            } else if (list) {
                refused_.push_back({fd, proc_.target(pid, fd), list->file, not_polled});
            } else if (list.error().code == ENODATA) {
                refused_.push_back({fd, proc_.target(pid, fd), "", not_known});
            } else if (list.error().code != EBADF) {  // closed meanwhile
                return report_wait(list.error());
            }
        }
        find_owners();
        if (format_.json) {
            emit_line(dump(process_json(pid)));
        } else {
            print();
            print_rest(pid);
        }
        return status();
    }

    // The number here of a process given by its number elsewhere.
    Result<int32_t> here(int32_t pid) {
        if (!options_.ns) {
            return pid;
        }
        const Result<Explanation> explanation = device_.explain(pid, options_.ns);
        if (!explanation) {
            return std::unexpected(explanation.error());
        }
        if (!explanation->pid || explanation->pid->numbers.empty()) {
            return std::unexpected(Error{
                ESRCH, fmt::format("process {} in namespace {}: it has no number here", pid, options_.ns)});
        }
        return explanation->pid->numbers.front().nr;
    }

  private:
    // Which file it is says why.
    Error refusal(const Target& target, const std::string& file) const {
        const std::string name = options_.ns ? "" : proc_.target(target.pid, *target.fd);
        return failure(fmt::format("fd {} of process {} ({})", *target.fd, target.pid, named(file, name)),
                       EOPNOTSUPP, not_polled);
    }

    // "regular file, /var/log/syslog", or what of it is known.
    static std::string named(const std::string& file, const std::string& target) {
        return printable(file) + (file.empty() || target.empty() ? "" : ", ") + printable(target);
    }

    // known: pid is its number here; in another namespace it is another process's.
    void add(int32_t pid, int32_t fd, WaitList list, bool known) {
        files_.push_back({
            .pid = pid,
            .fd = fd,
            .comm = known ? proc_.status(pid).comm : "",
            .target = known ? proc_.target(pid, fd) : "",
            .list = std::move(list),
        });
    }

    void find_owners() { owners_ = find_epoll_owners(device_, proc_, epolls_in(files_)); }

    bool any_waiter() const {
        return std::ranges::any_of(files_, [](const WaitedFile& file) { return !file.list.waiters.empty(); });
    }

    int status() const { return any_waiter() ? fine : different; }

    Json json(const WaitedFile& file) const {
        return waiters_json(file, owners_, format_.chosen() ? &selection_ : nullptr);
    }

    Json process_json(int32_t pid) const {
        Json files = Json::array();
        for (const WaitedFile& file : files_) {
            files.push_back(json(file));
        }
        Json refused = Json::array();
        for (const Refused& file : refused_) {
            refused.push_back(
                {{"fd", file.fd}, {"target", file.target}, {"file", file.file}, {"reason", file.reason}});
        }
        return {{"pid", pid}, {"comm", proc_.status(pid).comm}, {"files", files}, {"refused", refused}};
    }

    void print() const {
        if (format_.raw || format_.chosen()) {
            Table table(selection_.headings());
            for (const WaiterRow& row : waiter_rows(files_, owners_)) {
                table.add(selection_.cells(row));
            }
            emit(table.str(style(format_)));
            return;
        }
        for (const WaitedFile& file : files_) {
            // Of many files those with waiters; the others in one line.
            if (files_.size() == 1 || !file.list.waiters.empty()) {
                emit(waiters_text(file, owners_, !format_.no_headings));
            }
        }
    }

    // The files of a process behind which nobody waits, and those that were not looked at.
    void print_rest(int32_t pid) const {
        if (format_.raw || format_.chosen()) {
            return;
        }
        if (files_.empty() && refused_.empty()) {
            emit_line(fmt::format("process {} has no open files", pid));
        }
        std::string idle;
        for (const WaitedFile& file : files_) {
            if (files_.size() > 1 && file.list.waiters.empty()) {
                idle +=
                    fmt::format("{}fd {} ({})", idle.empty() ? "" : ", ", file.fd, printable(file.list.file));
            }
        }
        if (!idle.empty()) {
            emit_line("nobody waits: " + idle);
        }
        std::map<std::string_view, std::string> by_reason;
        for (const Refused& file : refused_) {
            std::string& text = by_reason[file.reason];
            text +=
                fmt::format("{}fd {} ({})", text.empty() ? "" : ", ", file.fd, named(file.file, file.target));
        }
        for (const auto& [reason, text] : by_reason) {
            emit_line(fmt::format("{}: {}", reason, text));
        }
    }

    Device& device_;
    const WaitOptions& options_;
    const Format& format_;
    const Selection<WaiterRow>& selection_;
    const Proc proc_;
    std::vector<WaitedFile> files_;
    std::vector<Refused> refused_;
    EpollOwners owners_;
};

int ask(Device& device, const WaitOptions& options, const Target& target,
        const Selection<WaiterRow>& selection) {
    Question question(device, options, selection);
    if (target.fd) {
        return question.one_file(target);
    }
    const Result<int32_t> pid = question.here(target.pid);
    return pid ? question.all_files(*pid) : report_wait(pid.error());
}

}  // namespace

int wait_file(const WaitOptions& options, const Target& target) {
    const auto selection = choose(waiter_columns(), options.format);
    if (!selection) {
        return selection.error();
    }
    return with_device(options.device,
                       [&](Device& device) { return ask(device, options, target, *selection); });
}

}  // namespace ktwin::cli
