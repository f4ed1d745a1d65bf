// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "device.h"
#include "wait_graph.h"

namespace ktwin {

// Adds what it knows of peers, or says in a sentence why it does not. Tests put their own in its place.
using PeerReader = std::function<std::optional<std::string>(SocketPeers&)>;

// What every visible task sleeps on and who has the other ends, one after the other while the system runs on: what
// changes meanwhile may be seen before and after. Who may not be looked into is counted in the notes; any other
// error is one.
Result<WaitFacts> gather_wait_facts(Device& device, const Proc& proc,
                                    const PeerReader& unix_peers = read_unix_peers);

}  // namespace ktwin
