// SPDX-License-Identifier: GPL-2.0-only
#include "lib/socket_peers.h"

#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>

#include <cerrno>
#include <cstring>
#include <vector>

namespace ktwin {
namespace {

class Datagram {
  public:
    // A socket; with a peer unless 0.
    Datagram& socket(uint32_t inode, uint32_t peer) {
        const uint32_t attribute = peer ? sizeof(rtattr) + sizeof(peer) : 0;
        header(SOCK_DIAG_BY_FAMILY, sizeof(unix_diag_msg) + attribute);
        unix_diag_msg message = {};
        message.udiag_ino = inode;
        put(message);
        if (peer) {
            put(rtattr{sizeof(rtattr) + sizeof(peer), UNIX_DIAG_PEER});
            put(peer);
        }
        return *this;
    }

    Datagram& header(uint16_t type, size_t payload) {
        nlmsghdr head = {};
        head.nlmsg_len = static_cast<uint32_t>(sizeof(head) + payload);
        head.nlmsg_type = type;
        put(head);
        return *this;
    }

    template <class T>
    Datagram& put(const T& value) {
        const auto* from = reinterpret_cast<const std::byte*>(&value);
        bytes_.insert(bytes_.end(), from, from + sizeof(T));
        return *this;
    }

    const std::vector<std::byte>& bytes() const { return bytes_; }

  private:
    std::vector<std::byte> bytes_;
};

TEST(SocketPeers, UnixDump) {
    SocketPeers peers;
    const Datagram some = Datagram().socket(10, 11).socket(11, 10).socket(12, 0);
    EXPECT_EQ(parse_unix_diag(some.bytes(), peers).state, Dump::more);
    EXPECT_EQ(peers, (SocketPeers{{10, 11}, {11, 10}}));
    const DumpPart last = parse_unix_diag(Datagram().header(NLMSG_DONE, 4).put(0).bytes(), peers);
    EXPECT_EQ(last.state, Dump::done);
    EXPECT_EQ(last.error, 0);
}

TEST(SocketPeers, UnixDumpRefused) {
    SocketPeers peers;
    const DumpPart part =
        parse_unix_diag(Datagram().header(NLMSG_ERROR, sizeof(int)).put(-ENOENT).bytes(), peers);
    EXPECT_EQ(part.state, Dump::done);
    EXPECT_EQ(part.error, ENOENT);
    EXPECT_EQ(parse_unix_diag(Datagram().header(NLMSG_ERROR, 0).bytes(), peers).error, EPROTO);
}

// Cut off anywhere, or with any length in it: nothing is read beyond the bytes that are there.
TEST(SocketPeers, UnixDumpThatMakesNoSense) {
    const std::vector<std::byte> whole = Datagram().socket(10, 11).socket(11, 10).bytes();
    for (size_t length = 0; length < whole.size(); length++) {
        SocketPeers peers;
        const std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<ptrdiff_t>(length));
        parse_unix_diag(cut, peers);
        EXPECT_LE(peers.size(), 1U);
    }
    for (size_t at = 0; at + 2 <= whole.size(); at++) {
        for (const uint16_t value : {0, 1, 3, 5, 0x7fff, 0xffff}) {
            SocketPeers peers;
            std::vector<std::byte> bent = whole;
            std::memcpy(bent.data() + at, &value, sizeof(value));
            parse_unix_diag(bent, peers);
        }
    }
}

TEST(SocketPeers, TcpWithinTheMachine) {
    constexpr std::string_view tcp =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 20 1\n"
        "   1: 0100007F:C350 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 21 1\n"
        "   2: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000     0        0 22 1\n"
        "   3: 0100007F:C351 0100007F:1F91 01 00000000:00000000 00:00000000 00000000     0        0 23 1\n"
        "   4: 0A00020F:0016 0202000A:ABCD 01 00000000:00000000 00:00000000 00000000     0        0 24 1\n"
        "   5: 0100007F:1F90 0100007F:C352 06 00000000:00000000 03:00000000 00000000     0        0 0 3\n"
        "nonsense\n\n";
    // A server that listens on IPv6 for both.
    constexpr std::string_view tcp6 =
        "   1: 0000000000000000FFFF00000100007F:1F91 0000000000000000FFFF00000100007F:C351 01 0:0 0:0 0 0 0 "
        "33\n";
    SocketPeers peers;
    add_tcp_peers(tcp, tcp6, peers);
    EXPECT_EQ(peers, (SocketPeers{{21, 22}, {22, 21}, {23, 33}, {33, 23}}));
}

}  // namespace
}  // namespace ktwin
