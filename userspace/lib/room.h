// SPDX-License-Identifier: GPL-2.0-only
//
// Buffers of a caller that asks again with more room until all fits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace ktwin {

// A pointer as the wire has it.
inline uint64_t address(void* pointer) {
    return reinterpret_cast<uintptr_t>(pointer);
}

// Makes room for more, up to most. false: there is no more to be had.
template <class Raw>
bool grow(std::vector<Raw>& buffer, size_t most) {
    if (buffer.size() >= most) {
        return false;
    }
    buffer.resize(std::min(buffer.size() * 4, most));
    return true;
}

}  // namespace ktwin
