// SPDX-License-Identifier: GPL-2.0-only
#include "socket_peers.h"

#include <fmt/format.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <vector>

namespace ktwin {
namespace {

// Netlink aligns to 4 bytes what stands one behind the other; lengths are checked before anything is read.
constexpr size_t alignment = 4;

size_t aligned(size_t length) {
    return (length + alignment - 1) & ~(alignment - 1);
}

template <class T>
std::optional<T> read_at(std::span<const std::byte> bytes, size_t offset = 0) {
    if (bytes.size() < offset || bytes.size() - offset < sizeof(T)) {
        return std::nullopt;
    }
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof(T));
    return value;
}

std::span<const std::byte> behind(std::span<const std::byte> bytes, size_t length) {
    return bytes.subspan(std::min(length, bytes.size()));
}

void add_socket(std::span<const std::byte> payload, SocketPeers& peers) {
    const auto socket = read_at<unix_diag_msg>(payload);
    if (!socket) {
        return;
    }
    std::span<const std::byte> attributes = behind(payload, aligned(sizeof(unix_diag_msg)));
    while (const auto attribute = read_at<rtattr>(attributes)) {
        if (attribute->rta_len < sizeof(rtattr) || attribute->rta_len > attributes.size()) {
            return;
        }
        const auto peer = read_at<uint32_t>(attributes.first(attribute->rta_len), sizeof(rtattr));
        if (attribute->rta_type == UNIX_DIAG_PEER && peer && *peer) {
            peers[socket->udiag_ino] = *peer;
        }
        attributes = behind(attributes, aligned(attribute->rta_len));
    }
}

// An end of a connection as the tables write it: "0100007F:1F90", in tcp6 with 32 digits. What IPv6 calls
// ::ffff:a.b.c.d is the same end as a.b.c.d.
std::string_view plain_address(std::string_view address) {
    constexpr std::string_view mapped = "0000000000000000FFFF0000";
    return address.starts_with(mapped) ? address.substr(mapped.size()) : address;
}

struct Connection {
    std::string_view local;
    std::string_view remote;
    uint64_t inode;
};

// "0: 0100007F:1F90 0100007F:C350 01 tx:rx tr:when retrnsmt uid timeout inode ..."
std::optional<Connection> parse_connection(std::string_view line) {
    constexpr size_t wanted = 10;
    std::string_view fields[wanted];
    for (std::string_view& field : fields) {
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        field = line.substr(0, line.find(' '));
        line.remove_prefix(field.size());
    }
    const std::string_view inode_text = fields[9];
    uint64_t inode = 0;
    const auto [end, error] =
        std::from_chars(inode_text.data(), inode_text.data() + inode_text.size(), inode);
    if (error != std::errc() || !inode) {  // the heading; a connection that nobody has open any more
        return std::nullopt;
    }
    return Connection{plain_address(fields[1]), plain_address(fields[2]), inode};
}

void add_connections(std::string_view table, std::vector<Connection>& all) {
    while (!table.empty()) {
        const std::string_view line = table.substr(0, table.find('\n'));
        table.remove_prefix(std::min(line.size() + 1, table.size()));
        if (const auto connection = parse_connection(line)) {
            all.push_back(*connection);
        }
    }
}

}  // namespace

DumpPart parse_unix_diag(std::span<const std::byte> datagram, SocketPeers& peers) {
    while (const auto header = read_at<nlmsghdr>(datagram)) {
        if (header->nlmsg_len < sizeof(nlmsghdr) || header->nlmsg_len > datagram.size()) {
            return {Dump::done, EPROTO};
        }
        const std::span<const std::byte> payload =
            datagram.first(header->nlmsg_len).subspan(sizeof(nlmsghdr));
        if (header->nlmsg_type == NLMSG_DONE) {
            return {Dump::done, 0};
        }
        if (header->nlmsg_type == NLMSG_ERROR) {
            return {Dump::done, -read_at<int>(payload).value_or(-EPROTO)};
        }
        if (header->nlmsg_type == SOCK_DIAG_BY_FAMILY) {
            add_socket(payload, peers);
        }
        datagram = behind(datagram, aligned(header->nlmsg_len));
    }
    return {Dump::more, 0};
}

void add_tcp_peers(std::string_view tcp, std::string_view tcp6, SocketPeers& peers) {
    std::vector<Connection> all;
    add_connections(tcp, all);
    add_connections(tcp6, all);
    std::unordered_map<std::string, uint64_t> by_ends;
    for (const Connection& connection : all) {
        by_ends[fmt::format("{} {}", connection.local, connection.remote)] = connection.inode;
    }
    for (const Connection& connection : all) {
        const auto peer = by_ends.find(fmt::format("{} {}", connection.remote, connection.local));
        if (peer != by_ends.end()) {
            peers[connection.inode] = peer->second;
        }
    }
}

}  // namespace ktwin
