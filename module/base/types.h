// SPDX-License-Identifier: GPL-2.0-only
//
// Fixed-width names. The same underlying types as linux/types.h has for user space, so that no cast is needed
// where a field of the wire format is filled.
#ifndef KTWIN_BASE_TYPES_H
#define KTWIN_BASE_TYPES_H

namespace ktwin {

using u8 = unsigned char;
using u16 = unsigned short;
using u32 = unsigned int;
using u64 = unsigned long long;
using i32 = int;
using i64 = long long;
using usize = unsigned long;

static_assert(sizeof(u32) == 4 && sizeof(u64) == 8 && sizeof(usize) == sizeof(void*));

// For a large local object that sets what it reads: the kernel's flags would clear all of it first.
#ifdef __clang__
#define KT_NO_AUTO_INIT [[clang::uninitialized]]
#else
#define KT_NO_AUTO_INIT [[gnu::uninitialized]]
#endif

// For the parts of one hot path: every call in the kernel costs a tracing pad and a return thunk.
#define KT_INLINE [[gnu::always_inline]] inline
// Behind the parameters of a lambda: into each of its callers.
#define KT_INLINE_LAMBDA __attribute__((always_inline))

// A type that must stay where it is: others point at it.
class Pinned {
  public:
    Pinned() = default;
    Pinned(const Pinned&) = delete;
    Pinned& operator=(const Pinned&) = delete;
};

}  // namespace ktwin

#endif
