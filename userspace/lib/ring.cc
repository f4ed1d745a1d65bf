// SPDX-License-Identifier: GPL-2.0-only
#include "ring.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>

#include "decode.h"
#include "message.h"

namespace ktwin {
namespace {

constexpr uint32_t largest_capacity = 1U << 20;
constexpr uint32_t largest_record = 4096;

std::unexpected<Error> broken(std::string_view what) {
    return std::unexpected(failure(fmt::format("event ring: {}", what), EPROTO, "please report this"));
}

}  // namespace

Result<size_t> Ring::length(std::span<const std::byte> first_page) {
    if (first_page.size() < sizeof(ktwin_ring)) {
        return broken("the mapping is shorter than its header");
    }
    const uint64_t bytes = reinterpret_cast<const ktwin_ring*>(first_page.data())->bytes;
    if (bytes < sizeof(ktwin_ring) || bytes > uint64_t{largest_capacity} * largest_record * 2) {
        return broken(fmt::format("a length of {} bytes", bytes));
    }
    return bytes;
}

Result<Ring> Ring::open(std::span<const std::byte> mapping) {
    const Result<size_t> bytes = length(mapping);
    if (!bytes) {
        return std::unexpected(bytes.error());
    }
    Ring ring;
    ring.mapping_ = mapping;
    ring.capacity_ = ring.header()->capacity;
    ring.record_size_ = ring.header()->record_size;
    ring.offset_ = ring.header()->offset;
    if (!std::has_single_bit(ring.capacity_) || ring.capacity_ > largest_capacity) {
        return broken(fmt::format("a capacity of {} records", ring.capacity_));
    }
    if (ring.record_size_ < sizeof(ktwin_event) || ring.record_size_ > largest_record ||
        ring.record_size_ % 8) {
        return broken(fmt::format("records of {} bytes", ring.record_size_));
    }
    if (ring.offset_ < sizeof(ktwin_ring) || ring.offset_ % 8) {
        return broken(fmt::format("records at offset {}", ring.offset_));
    }
    if (ring.offset_ + uint64_t{ring.capacity_} * ring.record_size_ >
        std::min<uint64_t>(*bytes, mapping.size())) {
        return broken(fmt::format("{} records of {} bytes from offset {} do not fit into {} bytes",
                                  ring.capacity_, ring.record_size_, ring.offset_,
                                  std::min<uint64_t>(*bytes, mapping.size())));
    }
    return ring;
}

Result<size_t> Ring::take(std::vector<Event>& events, size_t limit) {
    // Pairs with the kernel's release store: records below head are complete. (std::atomic_ref has no const
    // form before C++26, and the mapping is read-only.)
    const uint64_t head = __atomic_load_n(&header()->head, __ATOMIC_ACQUIRE);
    if (head < next_ || head - next_ > capacity_) {
        return broken(
            fmt::format("head {} with record {} to be read next, capacity {}", head, next_, capacity_));
    }
    const size_t count = std::min<uint64_t>(head - next_, limit);
    for (size_t i = 0; i < count; i++) {
        const size_t slot = next_ & (capacity_ - 1);
        ktwin_event raw;
        std::memcpy(&raw, mapping_.data() + offset_ + slot * record_size_, sizeof(raw));
        if (raw.index != next_) {
            return broken(fmt::format("record {} says it is {}", next_, raw.index));
        }
        events.push_back(decode(raw));
        next_++;
    }
    return count;
}

uint64_t Ring::lost() const {
    return __atomic_load_n(&header()->lost, __ATOMIC_RELAXED);
}

}  // namespace ktwin
