// SPDX-License-Identifier: GPL-2.0-only
#include "output.h"

#include <fmt/format.h>
#include <strings.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace ktwin::cli {
namespace {

int write_error;  // errno of the first write that failed

bool note(bool good) {
    if (!good && !write_error) {
        write_error = errno ? errno : EIO;
    }
    return !write_error;
}

std::string_view environment(const char* name) {
    const char* value = std::getenv(name);
    return value ? value : "";
}

}  // namespace

bool emit(std::string_view text) {
    return !write_error && note(std::fwrite(text.data(), 1, text.size(), stdout) == text.size());
}

bool emit_line(std::string_view text) {
    return emit(text) && emit("\n");
}

bool flush() {
    return !write_error && note(std::fflush(stdout) == 0);
}

int finish(int status) {
    flush();
    if (write_error && write_error != EPIPE) {
        fmt::print(stderr, "ktwin: cannot write the output: {}\n", std::strerror(write_error));
        return 2;
    }
    return status;
}

std::string paint(Colour colour, std::string_view text) {
    static const bool wanted =
        isatty(STDOUT_FILENO) && environment("NO_COLOR").empty() && environment("TERM") != "dumb";
    if (!wanted) {
        return std::string(text);
    }
    const int code = colour == Colour::red ? 31 : colour == Colour::green ? 32 : 33;
    return fmt::format("\033[{}m{}\033[0m", code, text);
}

bool utf8_locale() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const std::string value(environment(name));
        if (!value.empty()) {
            return strcasestr(value.c_str(), "utf-8") || strcasestr(value.c_str(), "utf8");
        }
    }
    return false;
}

}  // namespace ktwin::cli
