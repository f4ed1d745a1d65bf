// SPDX-License-Identifier: GPL-2.0-only
//
// A pointer and a length.
#ifndef KTWIN_BASE_SPAN_H
#define KTWIN_BASE_SPAN_H

#include "base/types.h"

namespace ktwin {

template <typename T>
class Span {
  public:
    constexpr Span() = default;
    constexpr Span(T* data, u32 size) : data_(data), size_(size) {}

    constexpr u32 size() const { return size_; }
    constexpr bool empty() const { return size_ == 0; }
    constexpr T* data() const { return data_; }
    constexpr T* begin() const { return data_; }
    constexpr T* end() const { return data_ + size_; }
    // Out of range is a bug of the caller; it traps rather than reads on.
    constexpr T& operator[](u32 index) const {
        if (index >= size_) {
            __builtin_trap();
        }
        return data_[index];
    }

  private:
    T* data_ = nullptr;
    u32 size_ = 0;
};

}  // namespace ktwin

#endif
