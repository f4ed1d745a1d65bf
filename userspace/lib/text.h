// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>
#include <string_view>

namespace ktwin {

// Names of tasks are any bytes their owner likes, terminal commands among them. Control characters,
// backslashes and what is not UTF-8 become \xHH. With blanks too: as util-linux prints raw tables.
std::string printable(std::string_view bytes, bool blanks = false);

}  // namespace ktwin
