// SPDX-License-Identifier: GPL-2.0-only
#include "message.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace ktwin {
namespace {

struct Advice {
    int code;
    std::string_view text;
};

constexpr Advice advices[] = {
    {EACCES, "run as root"},
    {EPERM, "run as root, in the initial user namespace (CAP_SYS_ADMIN)"},
    {EOPNOTSUPP, "a laboratory command: load the module with kt_lab=1"},
    {EAGAIN, "the twin is being populated, and that takes longer than it should: see ktwin status"},
    {ENODATA, "the mirror is off: ktwin mirror on"},
    {ENOTTY, "the loaded module does not know this command: load the ktwin.ko built with this program"},
    {E2BIG, "the loaded module is older than this program: load the ktwin.ko built with it"},
    {ENODEV, "dmesg says why"},
    {EMFILE, "raise the limit on open files (ulimit -n)"},
    {EINTR, "stopped by a signal"},
};

}  // namespace

Error failure(std::string_view what, int code, std::string_view advice) {
    if (advice.empty()) {
        for (const Advice& known : advices) {
            if (known.code == code) {
                advice = known.text;
            }
        }
    }
    std::string message = fmt::format("{}: {}", what, std::strerror(code));
    if (!advice.empty()) {
        message += ": ";
        message += advice;
    }
    return {code, std::move(message)};
}

}  // namespace ktwin
