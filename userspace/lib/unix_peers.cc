// SPDX-License-Identifier: GPL-2.0-only
// The project's only netlink socket.
#include <fmt/format.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cstring>
#include <expected>
#include <vector>

#include "fd.h"
#include "socket_peers.h"

namespace ktwin {
namespace {

// The socket the answer comes from, or errno.
std::expected<Fd, int> ask_for_dump() {
    Fd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
    struct {
        nlmsghdr header;
        unix_diag_req request;
    } message = {};
    message.header.nlmsg_len = sizeof(message);
    message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    message.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    message.request.sdiag_family = AF_UNIX;
    message.request.udiag_states = UINT32_MAX;
    message.request.udiag_show = UDIAG_SHOW_PEER;
    // The kernel answers at once; a limit all the same, for a question must not hang.
    const timeval limit = {.tv_sec = 5, .tv_usec = 0};
    if (!fd || ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) ||
        ::send(fd.get(), &message, sizeof(message), 0) < 0) {
        return std::unexpected(errno);
    }
    return fd;
}

}  // namespace

std::optional<std::string> read_unix_peers(SocketPeers& peers) {
    const auto untold = [](int code) {
        return fmt::format("the ends of unix sockets are not known: sock_diag: {}{}", std::strerror(code),
                           code == ENOENT || code == EINVAL ? " (modprobe unix_diag)" : "");
    };
    const std::expected<Fd, int> fd = ask_for_dump();
    if (!fd) {
        return untold(fd.error());
    }
    std::vector<std::byte> buffer(65536);
    for (;;) {
        const ssize_t got = ::recv(fd->get(), buffer.data(), buffer.size(), 0);
        if (got <= 0) {
            return untold(got ? errno : EPROTO);
        }
        const DumpPart part = parse_unix_diag({buffer.data(), static_cast<size_t>(got)}, peers);
        if (part.state == Dump::done) {
            return part.error ? std::optional(untold(part.error)) : std::nullopt;
        }
    }
}

}  // namespace ktwin
