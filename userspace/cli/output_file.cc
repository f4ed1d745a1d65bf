// SPDX-License-Identifier: GPL-2.0-only
#include "output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "lib/text.h"
#include "output.h"

namespace ktwin::cli {
namespace {

// Not as failure() has it: whose file it is, is nobody's business but the user's.
Error cannot_write(const std::string& path, int code) {
    return {code, fmt::format("cannot write '{}': {}", printable(path), std::strerror(code))};
}

// The mode that a new file gets. There is no way to ask for it but to set it.
mode_t usual_mode() {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return 0666 & ~mask;
}

}  // namespace

Result<OutputFile> OutputFile::open(const std::string& path) {
    if (path == "-") {
        return OutputFile(path, "", Fd());
    }
    struct stat there = {};
    const bool exists = ::stat(path.c_str(), &there) == 0;
    if (exists && !S_ISREG(there.st_mode)) {
        Fd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
        if (!fd) {
            return std::unexpected(cannot_write(path, errno));
        }
        return OutputFile(path, "", std::move(fd));
    }
    struct stat link = {};
    if (!exists && ::lstat(path.c_str(), &link) == 0) {
        return std::unexpected(cannot_write(path, ENOENT));  // a link that leads nowhere
    }
    // A link stays one.
    char resolved[PATH_MAX];
    const std::string real = exists && ::realpath(path.c_str(), resolved) ? resolved : path;
    std::string beside = real + ".XXXXXX";
    Fd fd(::mkostemp(beside.data(), O_CLOEXEC));
    if (!fd) {
        return std::unexpected(cannot_write(path, errno));
    }
    // Whose it was; who may not give it away keeps it.
    [[maybe_unused]] const int given = exists ? ::fchown(fd.get(), there.st_uid, there.st_gid) : 0;
    ::fchmod(fd.get(), exists ? there.st_mode & 0777 : usual_mode());
    return OutputFile(real, std::move(beside), std::move(fd));
}

OutputFile::~OutputFile() {
    if (fd_ && !beside_.empty()) {
        ::unlink(beside_.c_str());
    }
}

bool OutputFile::write(std::string_view text) {
    if (!fd_) {
        return emit(text);
    }
    buffer_ += text;
    return buffer_.size() < buffer_size ? !error_ : drain();
}

bool OutputFile::drain() {
    std::string_view rest = buffer_;
    while (!rest.empty() && !error_) {
        const ssize_t written = ::write(fd_.get(), rest.data(), rest.size());
        if (written < 0) {
            error_ = errno == EINTR ? 0 : errno;
        } else {
            rest.remove_prefix(static_cast<size_t>(written));
        }
    }
    buffer_.clear();
    return !error_;
}

Result<void> OutputFile::commit() {
    if (!fd_) {
        flush();
        return {};  // finish() says what became of it
    }
    if (!drain() || beside_.empty()) {
        return error_ && error_ != EPIPE ? Result<void>(std::unexpected(cannot_write(path_, error_)))
                                         : Result<void>();
    }
    if (::fsync(fd_.get()) != 0 || ::rename(beside_.c_str(), path_.c_str()) != 0) {
        return std::unexpected(cannot_write(path_, errno));
    }
    fd_ = Fd();
    beside_.clear();
    return {};
}

Result<void> write_file(const std::string& path, std::string_view text) {
    Result<OutputFile> file = OutputFile::open(path);
    if (!file) {
        return std::unexpected(file.error());
    }
    file->write(text);
    return file->commit();
}

}  // namespace ktwin::cli
