// SPDX-License-Identifier: GPL-2.0-only
// What /proc says of processes and their files. Nothing here waits for the process looked at: no cmdline, which
// takes its mmap lock, and no stat that would ask a file server.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "error.h"

namespace ktwin {

// A file that an epoll watches, as its fdinfo names it.
struct Watched {
    int32_t fd;      // the number it had in the process that added it
    uint64_t inode;  // tells whether that number still is the file

    bool operator==(const Watched&) const = default;
};

// The lines of /proc/PID/fdinfo/FD that matter here.
struct FdInfo {
    bool reads = false;
    bool writes = false;
    std::vector<Watched> watched;
};

FdInfo parse_fdinfo(std::string_view text);

// A file in a file system: its number means something there alone.
struct Inode {
    uint64_t device;
    uint64_t number;
};

// The field PPid of /proc/PID/status, and the name before it.
struct ProcessStatus {
    int32_t parent = 0;
    std::string comm;
};

ProcessStatus parse_status(std::string_view text);

// What /proc/PID/fd shows an epoll as.
constexpr std::string_view epoll_target = "anon_inode:[eventpoll]";

// The number in "pipe:[4711]" or "socket:[4711]".
std::optional<uint64_t> inode_in(std::string_view target, std::string_view kind);

class Proc {
  public:
    explicit Proc(std::string root = "/proc") : root_(std::move(root)) {}

    // All numbers ascending. A process that ends meanwhile has none.
    std::vector<int32_t> processes() const;
    std::vector<int32_t> threads(int32_t pid) const;

    // Errors: ESRCH, EACCES.
    Result<std::vector<int32_t>> fds(int32_t pid) const;

    // What ls -l /proc/PID/fd shows: a path, or "pipe:[4711]". Empty: gone, or not to be seen.
    std::string target(int32_t pid, int32_t fd) const;

    // Of a fifo in a file system; none for all else.
    std::optional<Inode> fifo(int32_t pid, int32_t fd) const;

    FdInfo fdinfo(int32_t pid, int32_t fd) const;
    ProcessStatus status(int32_t pid) const;

    // /proc/net/NAME, empty when it cannot be read.
    std::string net(std::string_view name) const;

  private:
    std::string root_;
};

}  // namespace ktwin
