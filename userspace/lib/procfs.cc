// SPDX-License-Identifier: GPL-2.0-only
#include "procfs.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <memory>

#include "fd.h"
#include "message.h"

namespace ktwin {
namespace {

template <class T>
std::optional<T> parse(std::string_view text, int base = 10) {
    T value = {};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    return error == std::errc() && end == text.data() + text.size() ? std::optional<T>(value) : std::nullopt;
}

// The first word of text, which it loses.
std::string_view take_word(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(" \t"), text.size()));
    const std::string_view word = text.substr(0, text.find_first_of(" \t"));
    text.remove_prefix(word.size());
    return word;
}

template <class Visit>
void each_line(std::string_view text, Visit visit) {
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        visit(line);
    }
}

// "5 events: 19 data: 5 pos:0 ino:61ca sdev:f"
std::optional<Watched> parse_watched(std::string_view rest) {
    const auto fd = parse<int32_t>(take_word(rest));
    const size_t at = rest.find("ino:");
    if (!fd || at == std::string_view::npos) {
        return std::nullopt;
    }
    rest.remove_prefix(at + 4);
    const auto inode = parse<uint64_t>(take_word(rest), 16);
    return inode ? std::optional(Watched{*fd, *inode}) : std::nullopt;
}

// Numeric names of a directory, ascending; errno when it cannot be read.
std::expected<std::vector<int32_t>, int> numbers_in(const std::string& path) {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir(path.c_str()), closedir);
    if (!directory) {
        return std::unexpected(errno);
    }
    std::vector<int32_t> numbers;
    for (;;) {
        errno = 0;
        const dirent* entry = readdir(directory.get());
        if (!entry && errno) {
            return std::unexpected(errno);
        }
        if (!entry) {
            break;
        }
        if (const auto number = parse<int32_t>(entry->d_name); number && *number >= 0) {
            numbers.push_back(*number);
        }
    }
    std::ranges::sort(numbers);
    return numbers;
}

// What of it could be read.
std::string contents(const std::string& path) {
    const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text;
    char buffer[16384];
    for (;;) {
        const ssize_t got = fd ? ::read(fd.get(), buffer, sizeof(buffer)) : 0;
        if (got <= 0) {
            return text;
        }
        text.append(buffer, static_cast<size_t>(got));
    }
}

}  // namespace

FdInfo parse_fdinfo(std::string_view text) {
    FdInfo info;
    each_line(text, [&](std::string_view line) {
        const std::string_view key = take_word(line);
        if (key == "flags:") {
            const auto flags = parse<uint32_t>(take_word(line), 8).value_or(O_WRONLY | O_RDWR);
            const uint32_t access = flags & O_ACCMODE;
            info.reads = access == O_RDONLY || access == O_RDWR;
            info.writes = access == O_WRONLY || access == O_RDWR;
        } else if (key == "tfd:") {
            if (const auto watched = parse_watched(line)) {
                info.watched.push_back(*watched);
            }
        }
    });
    return info;
}

ProcessStatus parse_status(std::string_view text) {
    ProcessStatus status;
    each_line(text, [&](std::string_view line) {
        // A name may hold anything but a newline: the kernel writes that as \n.
        if (line.starts_with("Name:\t")) {
            status.comm = line.substr(6);
        } else if (line.starts_with("PPid:")) {
            line.remove_prefix(5);
            status.parent = parse<int32_t>(take_word(line)).value_or(0);
        }
    });
    return status;
}

std::optional<uint64_t> inode_in(std::string_view target, std::string_view kind) {
    if (!target.starts_with(kind) || !target.substr(kind.size()).starts_with(":[") ||
        !target.ends_with("]")) {
        return std::nullopt;
    }
    return parse<uint64_t>(target.substr(kind.size() + 2, target.size() - kind.size() - 3));
}

std::vector<int32_t> Proc::processes() const {
    return numbers_in(root_).value_or(std::vector<int32_t>());
}

std::vector<int32_t> Proc::threads(int32_t pid) const {
    return numbers_in(fmt::format("{}/{}/task", root_, pid)).value_or(std::vector<int32_t>());
}

Result<std::vector<int32_t>> Proc::fds(int32_t pid) const {
    auto numbers = numbers_in(fmt::format("{}/{}/fd", root_, pid));
    if (numbers) {
        return std::move(*numbers);
    }
    const bool gone = numbers.error() == ENOENT || numbers.error() == ESRCH;
    return std::unexpected(failure(fmt::format("cannot read the files of process {}", pid),
                                   gone ? ESRCH : numbers.error(),
                                   gone ? "it has ended, or is not visible from here" : ""));
}

std::string Proc::target(int32_t pid, int32_t fd) const {
    char buffer[PATH_MAX];
    const ssize_t length =
        ::readlink(fmt::format("{}/{}/fd/{}", root_, pid, fd).c_str(), buffer, sizeof(buffer));
    return length > 0 ? std::string(buffer, static_cast<size_t>(length)) : std::string();
}

std::optional<Inode> Proc::fifo(int32_t pid, int32_t fd) const {
    struct statx facts = {};
    // DONT_SYNC: a file server that is down must not make this hang as well.
    const int result = ::statx(AT_FDCWD, fmt::format("{}/{}/fd/{}", root_, pid, fd).c_str(),
                               AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_INO, &facts);
    if (result || !S_ISFIFO(facts.stx_mode)) {
        return std::nullopt;
    }
    return Inode{uint64_t{facts.stx_dev_major} << 32 | facts.stx_dev_minor, facts.stx_ino};
}

FdInfo Proc::fdinfo(int32_t pid, int32_t fd) const {
    return parse_fdinfo(contents(fmt::format("{}/{}/fdinfo/{}", root_, pid, fd)));
}

ProcessStatus Proc::status(int32_t pid) const {
    return parse_status(contents(fmt::format("{}/{}/status", root_, pid)));
}

std::string Proc::net(std::string_view name) const {
    return contents(fmt::format("{}/net/{}", root_, name));
}

}  // namespace ktwin
