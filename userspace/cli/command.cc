// SPDX-License-Identifier: GPL-2.0-only
#include "command.h"

#include <fmt/format.h>
#include <poll.h>

#include <cerrno>
#include <ctime>

namespace ktwin::cli {
namespace {

volatile std::sig_atomic_t signalled;

void note_signal(int) {
    signalled = 1;
}

}  // namespace

int report(const Error& error) {
    flush();  // in the order it happened
    fmt::print(stderr, "ktwin: {}\n", error.message);
    const bool no_answer = error.code == ENODATA || error.code == ESRCH || error.code == EINTR;
    return no_answer ? different : failed;
}

int usage_error(std::string_view message) {
    flush();
    fmt::print(stderr, "ktwin: {}\n", message);
    return failed;
}

int with_device(const std::string& path, const std::function<int(Device&)>& work) {
    Result<Device> device = Device::open(path);
    return device ? work(*device) : report(device.error());
}

Interruptible::Interruptible() {
    sigset_t ours;
    sigemptyset(&ours);
    struct sigaction action = {};
    action.sa_handler = note_signal;
    for (const int signal : {SIGINT, SIGTERM}) {
        sigaddset(&ours, signal);
        sigaction(signal, &action, nullptr);
    }
    // Blocked but while waiting: no signal can come between the test and the wait.
    sigprocmask(SIG_BLOCK, &ours, &outside_);
    for (const int signal : {SIGINT, SIGTERM}) {
        sigdelset(&outside_, signal);
    }
}

bool Interruptible::interrupted() {
    return signalled;
}

void Interruptible::sleep_ms(int milliseconds) const {
    const timespec timeout = {.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000L};
    ppoll(nullptr, 0, &timeout, &outside_);
}

uint64_t now_ns() {
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<uint64_t>(now.tv_sec) * 1000000000 + static_cast<uint64_t>(now.tv_nsec);
}

std::string duration_text(uint64_t nanoseconds) {
    const double value = static_cast<double>(nanoseconds);
    if (nanoseconds < 1000) {
        return fmt::format("{} ns", nanoseconds);
    }
    if (nanoseconds < 1000000) {
        return fmt::format("{:.1f} us", value / 1e3);
    }
    if (nanoseconds < 1000000000) {
        return fmt::format("{:.1f} ms", value / 1e6);
    }
    return fmt::format("{:.1f} s", value / 1e9);
}

std::string counted(uint64_t count, std::string_view noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

}  // namespace ktwin::cli
