// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "device.h"
#include "procfs.h"

namespace ktwin {

// An fd through which an epoll instance can be had.
struct EpollOwner {
    int32_t pid;
    int32_t fd;
    std::string comm;
};

// By hash of the epoll's own head: of those in wanted, who has them open.
using EpollOwners = std::unordered_map<uint64_t, std::vector<EpollOwner>>;
EpollOwners find_epoll_owners(Device& device, const Proc& proc, const std::unordered_set<uint64_t>& wanted);

}  // namespace ktwin
