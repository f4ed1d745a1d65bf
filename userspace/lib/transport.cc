// SPDX-License-Identifier: GPL-2.0-only
// The project's only ioctl() and mmap() calls.
#include "transport.h"

#include <sys/ioctl.h>
#include <sys/mman.h>

#include <cerrno>
#include <chrono>
#include <thread>

#include "message.h"

namespace ktwin {

// The twin is populated in part of a second; nobody who asked wants to hear of that.
int FdTransport::control(unsigned long command, void* argument) {
    const int attempts = again_ == Again::wait ? 200 : 1;
    int result = ::ioctl(fd_.get(), command, argument);
    for (int attempt = 1; attempt < attempts && result < 0 && errno == EAGAIN; attempt++) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        result = ::ioctl(fd_.get(), command, argument);
    }
    return result < 0 ? -errno : result;
}

Result<Mapping> Mapping::map(int fd, size_t length) {
    void* address = ::mmap(nullptr, length, PROT_READ, MAP_SHARED, fd, 0);
    if (address == MAP_FAILED) {
        return std::unexpected(failure("cannot map the event ring", errno));
    }
    return Mapping({static_cast<const std::byte*>(address), length});
}

Mapping::~Mapping() {
    if (!bytes_.empty()) {
        ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
    }
}

}  // namespace ktwin
