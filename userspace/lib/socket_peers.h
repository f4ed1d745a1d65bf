// SPDX-License-Identifier: GPL-2.0-only
// Which socket is at the other end, by inode number. The kernel tells it of unix sockets by sock_diag(7), of TCP
// connections within the machine by /proc/net/tcp: both of the caller's network namespace alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

namespace ktwin {

// From a socket's inode number to that of its peer.
using SocketPeers = std::unordered_map<uint64_t, uint64_t>;

// One datagram of a sock_diag dump. more: the next one is to be read. done: it was the last; error says what the
// kernel refused with.
enum class Dump { more, done };
struct DumpPart {
    Dump state;
    int error;  // errno; 0: none
};
DumpPart parse_unix_diag(std::span<const std::byte> datagram, SocketPeers& peers);

// Adds the unix sockets that have a peer. A sentence when the kernel does not tell.
std::optional<std::string> read_unix_peers(SocketPeers& peers);

// Adds the connections whose both ends are in these tables: /proc/net/tcp and tcp6.
void add_tcp_peers(std::string_view tcp, std::string_view tcp6, SocketPeers& peers);

}  // namespace ktwin
