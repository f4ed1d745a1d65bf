// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <uapi/ktwin.h>

#include <cstddef>
#include <memory>
#include <span>

#include "error.h"
#include "fd.h"

namespace ktwin {

// The way to the kernel. Tests put a fake in its place.
class Transport {
  public:
    virtual ~Transport() = default;

    // What ioctl(2) returned, or -errno.
    virtual int control(unsigned long command, void* argument) = 0;
};

// What EAGAIN means: the twin is being populated, so the call is made again; or it is the answer.
enum class Again { wait, answer };

class FdTransport final : public Transport {
  public:
    explicit FdTransport(Fd fd, Again again = Again::wait) : fd_(std::move(fd)), again_(again) {}
    int control(unsigned long command, void* argument) override;
    int fd() const { return fd_.get(); }

  private:
    Fd fd_;
    Again again_;
};

// A read-only, shared mapping of a descriptor from offset 0.
class Mapping {
  public:
    static Result<Mapping> map(int fd, size_t length);
    Mapping(Mapping&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
    Mapping& operator=(Mapping&& other) noexcept {
        std::swap(bytes_, other.bytes_);
        return *this;
    }
    ~Mapping();

    std::span<const std::byte> bytes() const { return bytes_; }

  private:
    explicit Mapping(std::span<const std::byte> bytes) : bytes_(bytes) {}
    std::span<const std::byte> bytes_;
};

}  // namespace ktwin
