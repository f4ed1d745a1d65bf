// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string_view>

#include "error.h"

namespace ktwin {

// "WHAT: REASON: ADVICE". Without advice of its own, the general one for the errno is taken, if there is one.
Error failure(std::string_view what, int code, std::string_view advice = {});

}  // namespace ktwin
