// SPDX-License-Identifier: GPL-2.0-only
//
// RbTree: a red-black tree whose nodes are links inside the objects, so nothing is allocated. Every operation takes at
// most O(log n) steps, without recursion. The first object is remembered.
//
// Order says two things:
//   static bool before(const T& a, const T& b)   a comes first. Of equals, who came earlier is first.
//   static void refresh(T& at, const T* left, const T* right)
//                                                recomputes what the object knows of the tree below it; left and right
//                                                (nullptr: none) are right already. NoSummary when there is nothing.
//
// The algorithms: Guibas and Sedgewick 1978, as in Cormen et al., chapter 13. Guarded by whatever guards the tree.
#ifndef KTWIN_BASE_RB_TREE_H
#define KTWIN_BASE_RB_TREE_H

#include "base/types.h"

namespace ktwin {

template <typename T>
struct RbLink {
    T* parent = nullptr;
    T* child[2] = {};
    bool red = false;
};

// For an Order whose objects know nothing of the tree below them.
template <typename T>
struct NoSummary {
    static void refresh(T&, const T*, const T*) {}
};

template <typename T, RbLink<T> T::*kLink, typename Order>
class RbTree : Pinned {
  public:
    bool empty() const { return root_ == nullptr; }
    T* root() const { return root_; }
    T* first() const { return first_; }
    // The analyzer does not know what a red-black tree promises: whom settle_erasure() asks for is there.
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference)
    static T* left(const T* at) { return (at->*kLink).child[0]; }
    static T* right(const T* at) { return (at->*kLink).child[1]; }

    // The one after it in order; nullptr: it was the last.
    static T* next(T* at) {
        if (right(at) != nullptr) {
            return leftmost(right(at));
        }
        T* above = parent(at);
        while (above != nullptr && at == right(above)) {
            at = above;
            above = parent(at);
        }
        return above;
    }

    // The object is in no tree by this link.
    void insert(T* object) {
        T* above = nullptr;
        u32 side = 0;
        bool is_first = true;
        for (T* at = root_; at != nullptr; at = link(at).child[side]) {
            above = at;
            side = Order::before(*object, *at) ? 0 : 1;
            is_first = is_first && side == 0;
        }
        link(object) = {above, {nullptr, nullptr}, true};
        hang(above, side, object);
        if (is_first) {
            first_ = object;
        }
        refresh_upwards(object);
        settle_insertion(object);
    }

    // The object is in this tree.
    void erase(T* object) {
        if (object == first_) {
            first_ = next(object);
        }
        T* filler = nullptr;  // what comes where something black may be missing now, below gap
        T* gap = nullptr;
        if (left(object) != nullptr && right(object) != nullptr) {
            const bool was_red = erase_inner(object, filler, gap);
            finish_erasure(filler, gap, was_red);
            return;
        }
        filler = left(object) != nullptr ? left(object) : right(object);
        gap = parent(object);
        replace(object, filler);
        finish_erasure(filler, gap, link(object).red);
    }

    // What the object is ordered by is as before; what it tells those above it has changed.
    void summary_changed(T* object) { refresh_upwards(object); }

  private:
    static RbLink<T>& link(T* at) { return at->*kLink; }
    // NOLINTNEXTLINE(clang-analyzer-core.NullDereference): see left()
    static T* parent(const T* at) { return (at->*kLink).parent; }
    static bool is_red(const T* at) { return at != nullptr && (at->*kLink).red; }

    static T* leftmost(T* at) {
        while (left(at) != nullptr) {
            at = left(at);
        }
        return at;
    }

    static void refresh(T* at) { Order::refresh(*at, left(at), right(at)); }
    static void refresh_upwards(T* at) {
        for (; at != nullptr; at = parent(at)) {
            refresh(at);
        }
    }

    void hang(T* above, u32 side, T* object) {
        (above != nullptr ? link(above).child[side] : root_) = object;
    }

    // Puts another (or nothing) where the object hangs.
    void replace(T* object, T* by) {
        T* above = parent(object);
        hang(above, above != nullptr && right(above) == object ? 1 : 0, by);
        if (by != nullptr) {
            link(by).parent = above;
        }
    }

    // The child on the other side comes up, the object goes down to this side.
    void rotate(T* object, u32 side) {
        T* riser = link(object).child[1 - side];
        T* inner = link(riser).child[side];
        link(object).child[1 - side] = inner;
        if (inner != nullptr) {
            link(inner).parent = object;
        }
        replace(object, riser);
        link(riser).child[side] = object;
        link(object).parent = riser;
        refresh(object);
        refresh(riser);
    }

    // No red one has a red child, but perhaps object's parent. A red root is made black at the end.
    void settle_insertion(T* object) {
        for (T* above = parent(object); is_red(above) && parent(above) != nullptr; above = parent(object)) {
            T* top = parent(above);
            const u32 side = left(top) == above ? 0 : 1;
            T* uncle = link(top).child[1 - side];
            if (!is_red(uncle)) {
                settle_line(object, above, top, side);
                break;
            }
            link(above).red = link(uncle).red = false;
            link(top).red = true;
            object = top;
        }
        link(root_).red = false;
    }

    // object and above are red, the other child of top is not: above, or object where it hangs inside, comes up.
    void settle_line(T* object, T* above, T* top, u32 side) {
        if (link(above).child[1 - side] == object) {
            rotate(above, side);
            above = object;
        }
        link(above).red = false;
        link(top).red = true;
        rotate(top, 1 - side);
    }

    // Both children are there: the next in order takes its place. Whether what is gone from the next's place was red.
    bool erase_inner(T* object, T*& filler, T*& gap) {
        T* heir = leftmost(right(object));
        const bool was_red = link(heir).red;
        filler = right(heir);
        gap = parent(heir);
        if (gap == object) {
            gap = heir;
        } else {
            replace(heir, filler);
            link(heir).child[1] = right(object);
            link(right(object)).parent = heir;
        }
        replace(object, heir);
        link(heir).child[0] = left(object);
        link(left(object)).parent = heir;
        link(heir).red = link(object).red;
        return was_red;
    }

    void finish_erasure(T* filler, T* gap, bool was_red) {
        refresh_upwards(gap);
        if (!was_red) {
            settle_erasure(filler, gap);
        }
    }

    // Every way down through filler, which hangs below gap, meets one black less than the others.
    void settle_erasure(T* filler, T* gap) {
        while (gap != nullptr && !is_red(filler)) {
            const u32 side = left(gap) == filler ? 0 : 1;
            T* sibling = link(gap).child[1 - side];  // there is one: the ways through it have a black more
            if (is_red(sibling)) {
                link(sibling).red = false;
                link(gap).red = true;
                rotate(gap, side);
                sibling = link(gap).child[1 - side];
            }
            if (!is_red(left(sibling)) && !is_red(right(sibling))) {
                link(sibling).red = true;
                filler = gap;
                gap = parent(filler);
                continue;
            }
            close_gap(gap, side, sibling);
            return;
        }
        if (filler != nullptr) {
            link(filler).red = false;
        }
    }

    // The sibling is black and has a red child.
    void close_gap(T* gap, u32 side, T* sibling) {
        if (!is_red(link(sibling).child[1 - side])) {
            link(link(sibling).child[side]).red = false;
            link(sibling).red = true;
            rotate(sibling, 1 - side);
            sibling = link(gap).child[1 - side];
        }
        link(sibling).red = link(gap).red;
        link(gap).red = false;
        link(link(sibling).child[1 - side]).red = false;
        rotate(gap, side);
    }

    T* root_ = nullptr;
    T* first_ = nullptr;
};

}  // namespace ktwin

#endif
