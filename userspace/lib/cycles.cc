// SPDX-License-Identifier: GPL-2.0-only
#include <algorithm>

#include "wait_graph.h"

namespace ktwin {
namespace {

constexpr size_t unseen = SIZE_MAX;

// Without recursion: a chain of waiters may be longer than a stack is deep.
class Tarjan {
  public:
    explicit Tarjan(const std::vector<std::vector<size_t>>& successors)
        : successors_(successors),
          order_(successors.size(), unseen),
          low_(successors.size()),
          on_stack_(successors.size()) {}

    std::vector<std::vector<size_t>> run() {
        for (size_t node = 0; node < successors_.size(); node++) {
            if (order_[node] == unseen) {
                visit_from(node);
            }
        }
        std::ranges::sort(cycles_);
        return std::move(cycles_);
    }

  private:
    struct Call {
        size_t node;
        size_t next;  // successor to look at
    };

    void enter(size_t node) {
        order_[node] = low_[node] = count_++;
        stack_.push_back(node);
        on_stack_[node] = true;
        calls_.push_back({node, 0});
    }

    void visit_from(size_t root) {
        enter(root);
        while (!calls_.empty()) {
            const size_t node = calls_.back().node;
            if (calls_.back().next == successors_[node].size()) {
                leave(node);
                continue;
            }
            const size_t to = successors_[node][calls_.back().next++];
            if (order_[to] == unseen) {
                enter(to);
            } else if (on_stack_[to]) {
                low_[node] = std::min(low_[node], order_[to]);
            }
        }
    }

    void leave(size_t node) {
        calls_.pop_back();
        if (!calls_.empty()) {
            size_t& above = low_[calls_.back().node];
            above = std::min(above, low_[node]);
        }
        if (low_[node] != order_[node]) {
            return;
        }
        // The root of a component: all that was stacked since it belongs to it.
        std::vector<size_t> component;
        do {
            component.push_back(stack_.back());
            on_stack_[stack_.back()] = false;
            stack_.pop_back();
        } while (component.back() != node);
        if (component.size() > 1) {
            std::ranges::sort(component);
            cycles_.push_back(std::move(component));
        }
    }

    const std::vector<std::vector<size_t>>& successors_;
    std::vector<size_t> order_;
    std::vector<size_t> low_;
    std::vector<bool> on_stack_;
    std::vector<size_t> stack_;
    std::vector<Call> calls_;
    std::vector<std::vector<size_t>> cycles_;
    size_t count_ = 0;
};

}  // namespace

std::vector<std::vector<size_t>> find_cycles(const std::vector<std::vector<size_t>>& successors) {
    return Tarjan(successors).run();
}

}  // namespace ktwin
