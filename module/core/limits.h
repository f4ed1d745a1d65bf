// SPDX-License-Identifier: GPL-2.0-only
//
// Numbers of the domain.
#ifndef KTWIN_CORE_LIMITS_H
#define KTWIN_CORE_LIMITS_H

#include "base/types.h"
#include "boundary/types.h"

namespace ktwin {

inline constexpr u32 kLevels = KTWIN_LEVELS;
// kernel/pid.c, RESERVED_PIDS: once the cursor went past it, searches begin here and no longer at 1.
inline constexpr u32 kReservedPids = 300;
inline constexpr u32 kPidMaxLimit = 4194304;
// Pids handled in one RCU section or one hold of the twin's lock, where many are handled.
inline constexpr u32 kRound = 64;

}  // namespace ktwin

#endif
