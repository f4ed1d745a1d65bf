// SPDX-License-Identifier: GPL-2.0-only
//
// A value or the reason why there is none. [[nodiscard]]: an allocation that can fail says so in its type,
// and the compiler asks who looked.
#ifndef KTWIN_BASE_EXPECTED_H
#define KTWIN_BASE_EXPECTED_H

#include "base/errno.h"

namespace ktwin {

// T is a small value: a number or a pointer.
template <typename T>
class [[nodiscard]] Expected {
  public:
    constexpr Expected(T value) : value_(value) {}      // NOLINT(google-explicit-constructor)
    constexpr Expected(Errno error) : error_(error) {}  // NOLINT(google-explicit-constructor)
    constexpr explicit operator bool() const { return error_ == Errno::kNone; }
    constexpr T value() const { return value_; }
    constexpr Errno error() const { return error_; }

  private:
    T value_{};
    Errno error_ = Errno::kNone;
};

// Success or an error.
template <>
class [[nodiscard]] Expected<void> {
  public:
    constexpr Expected() = default;
    constexpr Expected(Errno error) : error_(error) {}  // NOLINT(google-explicit-constructor)
    constexpr explicit operator bool() const { return error_ == Errno::kNone; }
    constexpr Errno error() const { return error_; }

  private:
    Errno error_ = Errno::kNone;
};

using Result = Expected<void>;

// What a C caller understands: 0 or -errno.
constexpr int to_c(Result result) {
    return -static_cast<int>(result.error());
}

}  // namespace ktwin

#endif
