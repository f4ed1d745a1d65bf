// SPDX-License-Identifier: GPL-2.0-only
//
// Memory: the four functions the compiler may call anyway, and construction in memory that was allocated before.
// There is no other way to make an object: enforce.h forbids the keyword that would hide an allocation.
#ifndef KTWIN_BASE_MEMORY_H
#define KTWIN_BASE_MEMORY_H

#include <new>

#include "base/types.h"

extern "C" {
void* memcpy(void* to, const void* from, unsigned long size) noexcept;
void* memset(void* at, int value, unsigned long size) noexcept;
}

namespace ktwin {

// memory is nullptr or has room and alignment for a T. nullptr stays nullptr.
template <typename T, typename... Args>
[[nodiscard]] T* construct_at(void* memory, Args&&... args) {
    if (memory == nullptr) {
        return nullptr;
    }
    return ::new (memory) T(static_cast<Args&&>(args)...);
}

}  // namespace ktwin

#endif
