// SPDX-License-Identifier: GPL-2.0-only
#include "epoll_owners.h"

namespace ktwin {

EpollOwners find_epoll_owners(Device& device, const Proc& proc, const std::unordered_set<uint64_t>& wanted) {
    EpollOwners owners;
    for (const int32_t pid : wanted.empty() ? std::vector<int32_t>() : proc.processes()) {
        const Result<std::vector<int32_t>> fds = proc.fds(pid);
        for (const int32_t fd : fds ? *fds : std::vector<int32_t>()) {
            if (proc.target(pid, fd) != epoll_target) {
                continue;
            }
            const Result<WaitList> list = device.waiters(pid, fd, 0);
            for (const WaitHead& head : list ? list->heads : std::vector<WaitHead>()) {
                if (head.depth == 0 && wanted.contains(head.hash)) {
                    owners[head.hash].push_back({pid, fd, proc.status(pid).comm});
                }
            }
        }
    }
    return owners;
}

}  // namespace ktwin
