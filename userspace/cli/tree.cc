// SPDX-License-Identifier: GPL-2.0-only
#include "tree.h"

#include <algorithm>
#include <unordered_map>

namespace ktwin::cli {
namespace {

struct Strokes {
    std::string_view fork, last, through, blank;
};

constexpr Strokes box = {"├─", "└─", "│ ", "  "};
constexpr Strokes ascii = {"|-", "`-", "| ", "  "};

class Drawing {
  public:
    Drawing(const std::vector<TreeNode>& all, const Strokes& strokes)
        : strokes_(strokes), children_(all.size()) {
        std::unordered_map<uint32_t, size_t> at;
        for (size_t i = 0; i < all.size(); i++) {
            at.emplace(all[i].id, i);
        }
        for (size_t i = 0; i < all.size(); i++) {
            const auto parent = all[i].parent ? at.find(*all[i].parent) : at.end();
            // Parents come first; one that does not is no parent, so there is no circle.
            if (parent != at.end() && parent->second < i) {
                children_[parent->second].push_back(i);
            } else {
                roots_.push_back(i);
            }
        }
    }

    std::vector<Branch> draw() {
        for (const size_t root : roots_) {
            branches_.push_back({root, ""});
            descend(root, "");
        }
        return std::move(branches_);
    }

  private:
    // As deep as namespaces nest: 32.
    void descend(size_t node, const std::string& indent) {
        for (const size_t child : children_[node]) {
            const bool last = child == children_[node].back();
            branches_.push_back({child, indent + std::string(last ? strokes_.last : strokes_.fork)});
            descend(child, indent + std::string(last ? strokes_.blank : strokes_.through));
        }
    }

    const Strokes& strokes_;
    std::vector<std::vector<size_t>> children_;
    std::vector<size_t> roots_;
    std::vector<Branch> branches_;
};

}  // namespace

std::vector<Branch> draw_tree(const std::vector<TreeNode>& all, bool utf8) {
    return Drawing(all, utf8 ? box : ascii).draw();
}

std::vector<Branch> namespace_tree(const std::vector<Namespace>& all, bool utf8) {
    std::vector<TreeNode> nodes;
    for (const Namespace& ns : all) {
        nodes.push_back({ns.inode, ns.parent});
    }
    return draw_tree(nodes, utf8);
}

}  // namespace ktwin::cli
