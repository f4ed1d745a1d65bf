// SPDX-License-Identifier: GPL-2.0-only
// A kernel made of paper: a function that answers ioctls.
#pragma once

#include <functional>
#include <memory>

#include "lib/device.h"

namespace ktwin {

using Handler = std::function<int(unsigned long, void*)>;

class Paper final : public Transport {
  public:
    explicit Paper(Handler handler) : handler_(std::move(handler)) {}
    int control(unsigned long command, void* argument) override { return handler_(command, argument); }

  private:
    Handler handler_;
};

inline Device device(Handler handler) {
    return Device(std::make_unique<Paper>(std::move(handler)));
}

inline Device failing(int code) {
    return device([code](unsigned long, void*) { return -code; });
}

template <class T>
T* at(uint64_t address) {
    return reinterpret_cast<T*>(static_cast<uintptr_t>(address));
}

}  // namespace ktwin
