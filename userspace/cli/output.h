// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <string>
#include <string_view>

namespace ktwin::cli {

// Standard output, buffered. false: the reader is gone (or the disk is full), so printing on is useless.
bool emit(std::string_view text);
bool emit_line(std::string_view text);

// For streams: what was emitted so far can be read now.
bool flush();

// To be called last. Returns status, or 2 with a message when the output could not be written. A reader that
// closed its end has what it wanted: that is no error.
int finish(int status);

// Colour says again what a word says already; without a terminal, with NO_COLOR or TERM=dumb there is none.
enum class Colour { red, green, yellow };
std::string paint(Colour colour, std::string_view text);

// Box characters in a UTF-8 locale, ASCII elsewhere.
bool utf8_locale();

}  // namespace ktwin::cli
