// SPDX-License-Identifier: GPL-2.0-only
// Facts gathered from a /proc and a kernel that were made up.
#include "lib/wait_facts.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

#include "lib/epoll_owners.h"
#include "paper.h"

namespace ktwin {
namespace {

namespace fs = std::filesystem;

class FakeProc {
  public:
    FakeProc() {
        char name[] = "/tmp/ktwin-proc-XXXXXX";
        root_ = mkdtemp(name);
    }
    ~FakeProc() { fs::remove_all(root_); }
    FakeProc(const FakeProc&) = delete;
    FakeProc& operator=(const FakeProc&) = delete;

    void process(int32_t pid, int32_t parent, const std::vector<int32_t>& threads) {
        const fs::path path = root_ / std::to_string(pid);
        fs::create_directories(path / "fd");
        fs::create_directories(path / "fdinfo");
        for (const int32_t tid : threads) {
            fs::create_directories(path / "task" / std::to_string(tid));
        }
        std::ofstream(path / "status") << "Name:\tp" << pid << "\nPPid:\t" << parent << "\n";
    }

    void file(int32_t pid, int32_t fd, const std::string& target, const std::string& info) {
        const fs::path path = root_ / std::to_string(pid);
        fs::create_symlink(target, path / "fd" / std::to_string(fd));
        std::ofstream(path / "fdinfo" / std::to_string(fd)) << info;
    }

    const fs::path& root() const { return root_; }

  private:
    fs::path root_;
};

std::optional<std::string> no_peers(SocketPeers&) {
    return std::nullopt;
}

// sleeps: what the tasks sleep on; a number below 0 is the answer itself.
Handler kernel(std::map<int32_t, int32_t> fd_of, int* asked = nullptr) {
    return [=](unsigned long command, void* argument) {
        if (command == KTWIN_IOC_WAITERS) {
            auto& raw = *static_cast<ktwin_waiters*>(argument);
            if (asked) {
                ++*asked;
            }
            raw.heads_filled = 2;
            at<ktwin_wait_head>(raw.heads)[0] = {0xe0, 1, raw.fd, 0, 0, 1};
            at<ktwin_wait_head>(raw.heads)[1] = {0xe1, 0, raw.fd, 0, 0, 0};
            return 0;
        }
        auto& raw = *static_cast<ktwin_sleep*>(argument);
        const auto task = fd_of.find(raw.tid);
        if (task == fd_of.end() || task->second < 0) {
            return task == fd_of.end() ? -ESRCH : task->second;
        }
        raw.kind = KTWIN_SLEEP_FD;
        raw.state = task->second == 99 ? 'Z' : 'S';
        raw.fds[raw.fds_filled++] = task->second;
        return 0;
    };
}

TEST(WaitFacts, GathersProcessesTasksAndFiles) {
    FakeProc proc;
    const std::string fifo = proc.root() / "fifo";
    ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
    proc.process(10, 1, {10, 11, 12});
    proc.file(10, 0, "pipe:[500]", "flags:\t01\n");
    proc.file(10, 1, "socket:[600]", "");
    proc.file(10, 2, "anon_inode:[eventpoll]",
              "flags:\t02\ntfd: 1 events: 19 data: 1 pos:0 ino:258 sdev:8\n");
    proc.file(10, 3, fifo, "flags:\t02\n");
    proc.file(10, 4, "anon_inode:[eventfd]", "");
    int asked = 0;
    Device paper = device(kernel({{10, 2}, {11, 0}, {12, 99}}, &asked));
    const auto facts = gather_wait_facts(paper, Proc(proc.root()), no_peers);
    ASSERT_TRUE(facts);
    EXPECT_TRUE(facts->complete);
    ASSERT_EQ(facts->processes.size(), 1U);
    EXPECT_EQ(facts->processes[0].comm, "p10");
    EXPECT_EQ(facts->processes[0].parent, 1);
    ASSERT_EQ(facts->tasks.size(), 2U);  // a zombie sleeps on nothing
    EXPECT_EQ(facts->tasks[0].comm, "p10");
    EXPECT_EQ(facts->tasks[1].fds, std::vector<int32_t>{0});
    ASSERT_EQ(facts->files.size(), 5U);
    EXPECT_EQ(facts->files[0].kind, FileKind::pipe);
    EXPECT_TRUE(facts->files[0].writes && !facts->files[0].reads);
    EXPECT_EQ(facts->files[0].inode, 500U);
    EXPECT_EQ(facts->files[1].kind, FileKind::socket);
    EXPECT_EQ(facts->files[2].kind, FileKind::epoll);
    EXPECT_EQ(facts->files[2].watched, (std::vector<Watched>{{1, 600}}));
    EXPECT_EQ(facts->files[2].head, 0xe1U);  // its own, not that of an epoll above it
    EXPECT_EQ(facts->files[3].kind, FileKind::pipe);
    EXPECT_GT(facts->files[3].inode, 0U);
    EXPECT_GT(facts->files[3].device, 0U);
    EXPECT_EQ(facts->files[0].device, 0U);
    EXPECT_FALSE(facts->files[4].head);  // nobody sleeps on it
    EXPECT_EQ(asked, 1);
}

TEST(WaitFacts, SaysWhatItCouldNotSee) {
    FakeProc proc;
    proc.process(10, 1, {10});
    proc.process(11, 1, {11});
    proc.process(12, 1, {12});
    Device paper = device(kernel({{10, -EACCES}, {11, -ESRCH}, {12, 0}}));
    const auto facts = gather_wait_facts(paper, Proc(proc.root()),
                                         [](SocketPeers&) { return std::optional<std::string>("no peers"); });
    ASSERT_TRUE(facts);
    EXPECT_FALSE(facts->complete);
    EXPECT_EQ(facts->notes, (std::vector<std::string>{"no peers",
                                                      "1 of 3 processes could not be looked into: run as "
                                                      "root (CAP_SYS_PTRACE)"}));
    EXPECT_EQ(facts->tasks.size(), 1U);
}

TEST(WaitFacts, OtherErrorsEndIt) {
    FakeProc proc;
    proc.process(10, 1, {10});
    Device paper = device(kernel({{10, -ENOTTY}}));
    EXPECT_EQ(gather_wait_facts(paper, Proc(proc.root()), no_peers).error().code, ENOTTY);
}

TEST(WaitFacts, OwnersOfEpolls) {
    FakeProc proc;
    proc.process(10, 1, {10});
    proc.file(10, 4, "anon_inode:[eventpoll]", "");
    proc.file(10, 5, "anon_inode:[eventfd]", "");
    proc.process(11, 10, {11});
    proc.file(11, 4, "anon_inode:[eventpoll]", "");
    int asked = 0;
    Device paper = device(kernel({}, &asked));
    EXPECT_TRUE(find_epoll_owners(paper, Proc(proc.root()), {}).empty());
    EXPECT_EQ(asked, 0);
    const EpollOwners owners = find_epoll_owners(paper, Proc(proc.root()), {0xe1, 0xe0});
    EXPECT_EQ(asked, 2);
    ASSERT_EQ(owners.size(), 1U);
    ASSERT_EQ(owners.at(0xe1).size(), 2U);
    EXPECT_EQ(owners.at(0xe1)[1].pid, 11);
    EXPECT_EQ(owners.at(0xe1)[1].fd, 4);
    EXPECT_EQ(owners.at(0xe1)[1].comm, "p11");
}

}  // namespace
}  // namespace ktwin
