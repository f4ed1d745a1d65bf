// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/records.h"

namespace ktwin::cli {

struct TreeNode {
    uint32_t id;
    std::optional<uint32_t> parent;
};

struct Branch {
    size_t index;  // of the node
    std::string prefix;
};

// The order in which a tree is printed, and the lines drawn before each node. A node whose parent is not among them
// stands as a root; nothing is lost and nothing printed twice, whatever the records say.
std::vector<Branch> draw_tree(const std::vector<TreeNode>& all, bool utf8);
std::vector<Branch> namespace_tree(const std::vector<Namespace>& all, bool utf8);

}  // namespace ktwin::cli
