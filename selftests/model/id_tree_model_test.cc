// SPDX-License-Identifier: GPL-2.0-only
//
// IdTree against the model, call by call: numbers, errors, cursors, lookups, walks, room.
#include <random>

#include "../host/tree_fixture.h"
#include "free_runs.h"

namespace ktwin {
namespace {

struct Shape {
    u32 max;
    u32 operations;
    u32 spread;  // share of reserve_at, percent
};

class IdTreeModel : public TreeTest, public ::testing::WithParamInterface<Shape> {
  protected:
    u32 below(u32 bound) { return static_cast<u32>(random() % bound); }

    void alloc(const Shape& shape) {
        ASSERT_TRUE(memory->reserve(0));
        const u32 min = below(3) == 0 ? below(shape.max) : 1;
        const u32 max = below(5) == 0 ? below(shape.max) + 1 : shape.max;
        Expected<u32> id = Errno::kNone;
        int64_t expected = 0;
        if (below(100) < shape.spread) {
            const u32 at = below(shape.max);
            const Result reserved = tree->reserve_at(at, nodes());
            id = reserved ? Expected<u32>(at) : reserved.error();
            expected = model.alloc(at, at + 1);
        } else if (below(8) == 0) {
            id = tree->reserve_any(min, max, nodes());
            ASSERT_TRUE(!id || (id.value() >= min && id.value() < max));
            expected = id ? model.alloc(id.value(), int64_t{id.value()} + 1) : model.alloc(min, max);
        } else if (below(4) == 0) {
            id = tree->reserve_lowest(min, max, nodes());
            expected = model.alloc(min, max);
        } else {
            id = tree->reserve_cyclic(min, max, nodes());
            expected = model.alloc_cyclic(min, max);
        }
        ASSERT_EQ(static_cast<bool>(id), expected >= 0);
        ASSERT_EQ(tree->cursor(), model.cursor);
        if (id) {
            ASSERT_EQ(id.value(), expected);
            if (below(10) != 0) {
                below(2) == 0 ? tree->publish(id.value(), value(id.value()))
                              : tree->publish_locked(id.value(), value(id.value()));
                model.used()[expected] = 1;
            }
        }
    }

    void free(const Shape& shape) {
        auto at = model.used().lower_bound(below(shape.max));
        if (at == model.used().end()) {
            return;
        }
        const auto [nr, published] = *at;
        ASSERT_EQ(tree->erase(static_cast<u32>(nr), nodes()),
                  published != 0 ? value(static_cast<u64>(nr)) : nullptr);
        model.remove(nr);
    }

    void look(const Shape& shape) {
        const u32 id = below(shape.max + 70);
        const auto at = model.used().find(id);
        ASSERT_EQ(tree->is_used(id), at != model.used().end());
        ASSERT_EQ(tree->find(id), at != model.used().end() && at->second != 0 ? value(id) : nullptr);
        auto next = model.used().lower_bound(id);
        while (next != model.used().end() && next->second == 0) {
            ++next;
        }
        ASSERT_EQ(tree->next(id).id, next != model.used().end() ? next->first : int64_t{IdTree::kNone});
        ASSERT_EQ(tree->count(), model.used().size());
    }

    void measure(const Shape& shape) {
        const u32 limit = below(2) == 0 ? shape.max : below(shape.max) + 1;
        const IdTree::Room room = tree->room(limit);
        const FreeRuns::Room expected = model.runs().room(limit);
        ASSERT_EQ(room.vacant, expected.vacant);
        ASSERT_EQ(room.hole_start, expected.hole_start);
        ASSERT_EQ(room.hole_length, expected.hole_length);
    }

    std::mt19937_64 random{20260101};
    IdrModel model;
};

TEST_P(IdTreeModel, SameAsTheModel) {
    const Shape shape = GetParam();
    u32 share = 50;
    for (u32 i = 0; i < shape.operations; ++i) {
        if (i % 20000 == 0) {
            const u32 shares[] = {90, 50, 10, 60};
            share = shares[i / 20000 % 4];
            memory->reclaim();
            measure(shape);
        }
        const u32 dice = below(100);
        dice < 20 ? look(shape) : below(100) < share ? alloc(shape) : free(shape);
        if (HasFatalFailure()) {
            FAIL() << "operation " << i;
        }
    }
    while (!model.used().empty()) {
        const int64_t nr = model.used().begin()->first;
        tree->erase(static_cast<u32>(nr), nodes());
        model.remove(nr);
    }
    EXPECT_LE(nodes_held(), 2u);
}

INSTANTIATE_TEST_SUITE_P(Shapes, IdTreeModel,
                         ::testing::Values(Shape{2, 20000, 5}, Shape{65, 200000, 5}, Shape{301, 300000, 5},
                                           Shape{1025, 300000, 10}, Shape{32768, 700000, 5},
                                           Shape{70000, 300000, 50}, Shape{4194304, 500000, 3},
                                           Shape{4194304, 200000, 80}));

}  // namespace
}  // namespace ktwin
