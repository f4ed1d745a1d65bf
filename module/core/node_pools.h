// SPDX-License-Identifier: GPL-2.0-only
//
// The pools an id tree takes its nodes from.
#ifndef KTWIN_CORE_NODE_POOLS_H
#define KTWIN_CORE_NODE_POOLS_H

#include "core/pool.h"

namespace ktwin {

struct NodePools {
    Pool leaves;
    Pool small_dirs;
    Pool full_dirs;
};

}  // namespace ktwin

#endif
