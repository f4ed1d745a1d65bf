// SPDX-License-Identifier: GPL-2.0-only
//
// The core's own allocators as the bench calls them: the same row of calls that the kernel's have (kt_host_rival()).
#ifndef KTWIN_CORE_BENCH_RIVALS_H
#define KTWIN_CORE_BENCH_RIVALS_H

#include "boundary/types.h"

namespace ktwin {

// enum ktwin_ids. nullptr: there is none such.
const kt_rival* rival_of(unsigned int who);

// bench_pids.cc: pids in many levels of namespaces.
const kt_rival* rival_of_pids();

}  // namespace ktwin

#endif
