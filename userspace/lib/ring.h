// SPDX-License-Identifier: GPL-2.0-only
#pragma once

#include <uapi/ktwin.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "error.h"
#include "records.h"

namespace ktwin {

// The reader's side of a mapped event ring. The geometry is read and checked once; whatever the memory says
// later cannot make a read leave the mapping.
class Ring {
  public:
    // The length that the ring in the first page of a mapping says it has. Errors: EPROTO.
    static Result<size_t> length(std::span<const std::byte> first_page);

    // mapping: the whole ring, and it must outlive this object. Errors: EPROTO.
    static Result<Ring> open(std::span<const std::byte> mapping);

    // Appends the records from next() up to the head, at most limit, and moves next(). They stay the reader's
    // until the kernel is told (Stream::read does). Errors: EPROTO.
    Result<size_t> take(std::vector<Event>& events, size_t limit);

    uint64_t next() const { return next_; }
    uint64_t lost() const;
    uint32_t capacity() const { return capacity_; }

  private:
    Ring() = default;
    const ktwin_ring* header() const { return reinterpret_cast<const ktwin_ring*>(mapping_.data()); }

    std::span<const std::byte> mapping_;
    uint64_t next_ = 0;
    uint32_t capacity_ = 0;
    uint32_t record_size_ = 0;
    uint32_t offset_ = 0;
};

}  // namespace ktwin
