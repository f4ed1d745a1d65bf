// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <cstdint>

namespace ktwin {

// A reading of records one by one, see struct ktwin_read for what it promises.
struct Reading {
    uint64_t records = 0;
    bool repopulated = false;  // the twin was populated anew in between
    uint64_t epoch = 0;        // when what is read from began
};

}  // namespace ktwin
