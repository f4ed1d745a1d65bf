// SPDX-License-Identifier: GPL-2.0-only
#include "text.h"

#include <fmt/format.h>

#include <cstdint>
#include <iterator>

namespace ktwin {
namespace {

// Length of the valid UTF-8 sequence of a printable character at the beginning of bytes, 0 if there is none.
size_t sequence_length(std::string_view bytes) {
    const auto at = [&](size_t i) { return static_cast<uint8_t>(bytes[i]); };
    if (at(0) < 0x80) {
        return at(0) >= 0x20 && at(0) != 0x7f;
    }
    const size_t length = at(0) >= 0xf0 ? 4 : at(0) >= 0xe0 ? 3 : 2;
    if (at(0) < 0xc2 || at(0) > 0xf4 || bytes.size() < length) {
        return 0;
    }
    uint32_t code = at(0) & (0x7f >> length);
    for (size_t i = 1; i < length; i++) {
        if ((at(i) & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (at(i) & 0x3f);
    }
    const bool overlong = code < (length == 3 ? 0x800U : length == 4 ? 0x10000U : 0x80U);
    const bool surrogate = code >= 0xd800 && code < 0xe000;
    const bool control = code < 0xa0;
    return overlong || surrogate || control || code > 0x10ffff ? 0 : length;
}

}  // namespace

std::string printable(std::string_view bytes, bool blanks) {
    std::string text;
    text.reserve(bytes.size());
    while (!bytes.empty()) {
        const size_t length = sequence_length(bytes);
        if (length == 0 || bytes[0] == '\\' || (blanks && bytes[0] == ' ')) {
            fmt::format_to(std::back_inserter(text), "\\x{:02x}", static_cast<uint8_t>(bytes[0]));
            bytes.remove_prefix(1);
        } else {
            text += bytes.substr(0, length);
            bytes.remove_prefix(length);
        }
    }
    return text;
}

}  // namespace ktwin
