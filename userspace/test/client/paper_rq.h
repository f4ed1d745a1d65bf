// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <uapi/ktwin.h>

namespace ktwin {

int paper_rq(ktwin_rq& raw);
int paper_layout(ktwin_read& raw);

}  // namespace ktwin
