// SPDX-License-Identifier: GPL-2.0-only
// One file per command, each with its options, its columns and its sentences.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>

#include "command.h"

namespace ktwin::cli {

void add_commands(Command& ktwin) {
    add_status(ktwin);
    add_namespaces(ktwin);
    add_pid(ktwin);
    add_pids(ktwin);
    add_audit(ktwin);
    add_mirror(ktwin);
    add_trace(ktwin);
    add_wait(ktwin);
    add_rq(ktwin);
    add_queue(ktwin);
    add_switches(ktwin);
    add_lab(ktwin);
}

namespace {

// What was closed must not become the device, to be read as a script or written to. What takes its place can be neither.
void occupy_standard_fds() {
    for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) {
            _exit(failed);
        }
    }
}

}  // namespace
}  // namespace ktwin::cli

int main(int argc, char** argv) {
    using namespace ktwin::cli;
    occupy_standard_fds();
    // A reader that has seen enough makes the next write fail, and that ends it.
    std::signal(SIGPIPE, SIG_IGN);
    int status = failed;
    try {
        status = run_command_line(argc, argv);
    } catch (const std::exception& error) {
        status = usage_error(error.what());
    }
    return finish(status);
}
