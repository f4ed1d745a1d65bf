// SPDX-License-Identifier: GPL-2.0-only
#pragma once

namespace ktwin {

// Opens, and answers the readers of a switches fd.
int paper_switches(unsigned long command, void* argument);

}  // namespace ktwin
