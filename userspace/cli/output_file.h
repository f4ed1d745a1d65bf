// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "lib/error.h"
#include "lib/fd.h"

namespace ktwin::cli {

// A file that is there as a whole, or as it was before. "-" is standard output; what is no file (a device, a pipe) is
// written as it comes.
class OutputFile {
  public:
    // Says at once when it cannot be written there.
    static Result<OutputFile> open(const std::string& path);
    OutputFile(OutputFile&&) = default;
    OutputFile& operator=(OutputFile&&) = delete;
    // Without commit() nothing is left of it.
    ~OutputFile();

    // false: no use to write on; commit() says why.
    bool write(std::string_view text);
    Result<void> commit();

  private:
    static constexpr size_t buffer_size = 65536;

    OutputFile(std::string path, std::string beside, Fd fd)
        : path_(std::move(path)), beside_(std::move(beside)), fd_(std::move(fd)) {}
    bool drain();

    std::string path_;    // as it was asked for, or where its links lead
    std::string beside_;  // the name it has until it is whole; empty: path_ itself
    Fd fd_;               // none: standard output
    std::string buffer_;
    int error_ = 0;
};

// All of it at once.
Result<void> write_file(const std::string& path, std::string_view text);

}  // namespace ktwin::cli
