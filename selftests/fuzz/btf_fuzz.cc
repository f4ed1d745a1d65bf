// SPDX-License-Identifier: GPL-2.0-only
//
// The BTF reader under libFuzzer. The first byte says what the rest is: the whole of the bytes; the types of a BTF whose
// strings are the names that ktwin looks for; or words that are changed in a BTF that is right. Judged by ASan on
// a copy of exactly that size, by the time it takes, and by what the layout promises.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>

#include "btf_kernel.h"
#include "core/kernel_layout.h"
#include "fake_host.h"

namespace {

using namespace ktwin;
using Bytes = BtfBuilder::Bytes;

void require(bool holds, const char* what) {
    if (!holds) {
        std::fprintf(stderr, "btf_fuzz: %s\n", what);
        std::abort();
    }
}

const Bytes& kernel() {
    static const Bytes bytes = BtfKernel().build();
    return bytes;
}

Bytes with_types(const uint8_t* data, size_t size) {
    BtfHeader header{};
    std::memcpy(&header, kernel().data(), sizeof(header));
    const uint8_t* strings = kernel().data() + header.length + header.strings_offset;
    header.types_length = header.strings_offset = static_cast<uint32_t>(size);
    Bytes bytes(sizeof(header));
    std::memcpy(bytes.data(), &header, sizeof(header));
    bytes.insert(bytes.end(), data, data + size);
    bytes.insert(bytes.end(), strings, strings + header.strings_length);
    return bytes;
}

// Each change: two bytes where, four bytes what.
Bytes with_changes(const uint8_t* data, size_t size) {
    Bytes bytes = kernel();
    for (; size >= 6; data += 6, size -= 6) {
        const size_t at = (data[0] | data[1] << 8) % (bytes.size() - 4);
        std::copy(data + 2, data + 6, bytes.begin() + static_cast<long>(at & ~size_t{3}));
    }
    return bytes;
}

bool is_known(Errno error) {
    return error == Errno::kNone || error == Errno::kInvalid || error == Errno::kNotFound ||
           error == Errno::kNotSupported || error == Errno::kExists;
}

void ask_everything(const BtfData& data) {
    const BtfReader reader(data);
    for (u32 id = 0; id < 256 && data.record(id); ++id) {
        require(is_known(reader.size_of(id).error()), "size_of");
        for (const char* path : {"wq", "wq.head", "curr", "x"}) {
            const Expected<BtfField> field = reader.member(id, BtfName(path));
            require(is_known(field.error()), "member");
            if (field) {
                const Expected<u32> whole = reader.size_of(id);
                require(whole && u64{field.value().offset} + field.value().size <= whole.value(),
                        "a member beyond its struct");
            }
        }
        require(is_known(reader.variable(id, BtfName("runqueues")).error()), "variable");
    }
}

void load(const u8* bytes, u32 size) {
    KernelLayout layout;
    const Result loaded = layout.load(bytes, size, {});
    require(is_known(loaded.error()), "load");
    for (const Wanted& wanted : kWanted) {
        kt_layout_entry entry = {};
        require(layout.describe(wanted.field, entry), "no entry");
        const bool known = layout.missing(wanted.group) == nullptr;
        require(!known || loaded, "something is known of what is malformed");
        require((entry.offset >= 0) == (entry.size != 0) && (known || entry.offset < 0), "half known");
        require(!known || wanted.presence != Presence::kNeeded || entry.offset >= 0,
                "known without its place");
        require(!known || wanted.presence != Presence::kForbidden || entry.offset < 0,
                "known in spite of it");
        require(entry.offset == layout.offset(wanted.field), "two answers");
        require(known == (entry.missing == nullptr) && known == (entry.why == nullptr), "no reason");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    if (size == 0) {
        return 0;
    }
    const Bytes bytes = data[0] % 4 == 0   ? Bytes(data + 1, data + size)
                        : data[0] % 4 == 1 ? with_types(data + 1, size - 1)
                                           : with_changes(data + 1, size - 1);
    const std::unique_ptr<u8[]> copy(new u8[bytes.size()]);
    std::copy(bytes.begin(), bytes.end(), copy.get());
    const u32 length = static_cast<u32>(bytes.size());
    load(copy.get(), length);
    {
        BtfData opened({copy.get(), length});
        if (opened.open()) {
            ask_everything(opened);
        }
    }
    require(FakeHost::get().live_allocations() == 0, "a leak");
    return 0;
}
