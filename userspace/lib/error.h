// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <expected>
#include <string>

namespace ktwin {

// What went wrong, in a form that can be shown as it is: what failed, on which object, why, and what to do.
struct Error {
    int code;  // errno
    std::string message;
};

template <class T>
using Result = std::expected<T, Error>;

}  // namespace ktwin
