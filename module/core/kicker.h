// SPDX-License-Identifier: GPL-2.0-only
//
// Asks the host for maintenance, once until maintenance has begun. All under the twin's lock.
#ifndef KTWIN_CORE_KICKER_H
#define KTWIN_CORE_KICKER_H

#include "boundary/host_api.h"

namespace ktwin {

class Kicker {
  public:
    // A private twin is maintained by whoever drives it, not by the host's thread.
    explicit Kicker(bool enabled) : enabled_(enabled) {}

    void kick() {
        if (enabled_ && !pending_) {
            pending_ = true;
            kt_host_kick();
        }
    }

    // Maintenance has begun: what comes from now on needs another.
    void begin() { pending_ = false; }

  private:
    const bool enabled_;
    bool pending_ = false;
};

}  // namespace ktwin

#endif
