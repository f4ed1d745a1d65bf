// SPDX-License-Identifier: GPL-2.0-only
#include "core/btf_data.h"

#include "base/enforce.h"  // last

namespace ktwin {

Result BtfData::open() {
    Result ready = open_sections();
    if (ready) {
        ready = walk();
    }
    if (!ready) {
        return ready;
    }
    index_ = static_cast<u32*>(kt_host_alloc((u64{count_} + 1) * sizeof(u32)));
    return index_ != nullptr ? walk() : Result(Errno::kNoMemory);
}

Result BtfData::open_sections() {
    BtfHeader header{};
    if (!read(0, header)) {
        return Errno::kInvalid;
    }
    if (header.magic != kBtfMagic || header.version != kBtfVersion || header.flags != 0) {
        return Errno::kNotSupported;
    }
    const u64 base = header.length;
    const u64 types = base + header.types_offset;
    const u64 strings = base + header.strings_offset;
    const u64 size = bytes_.size();
    if (base < sizeof(header) || types + header.types_length > size ||
        strings + header.strings_length > size) {
        return Errno::kInvalid;
    }
    types_ = static_cast<u32>(types);
    types_end_ = types_ + header.types_length;
    strings_ = static_cast<u32>(strings);
    strings_end_ = strings_ + header.strings_length;
    // The last string ends, hence every string does.
    if (header.strings_length == 0 || bytes_[strings_] != 0 || bytes_[strings_end_ - 1] != 0) {
        return Errno::kInvalid;
    }
    return {};
}

Result BtfData::walk() {
    u32 count = 0;
    for (u32 at = types_; at < types_end_; ++count) {
        BtfType type{};
        if (types_end_ - at < sizeof(type) || !read(at, type) || type.has_unknown_bits()) {
            return Errno::kInvalid;
        }
        const u32 length = btf_record_length(type);
        if (length == 0) {
            return Errno::kNotSupported;
        }
        if (length > types_end_ - at) {
            return Errno::kInvalid;
        }
        if (index_ != nullptr) {
            index_[count] = at;
        }
        at += length;
    }
    count_ = count;
    return {};
}

Expected<BtfRecord> BtfData::record(u32 id) const {
    BtfRecord record{};
    if (id == 0) {
        return record;
    }
    if (id > count_ || !read(index_[id - 1], record.type)) {
        return Errno::kInvalid;
    }
    record.tail = index_[id - 1] + static_cast<u32>(sizeof(BtfType));
    return record;
}

Expected<BtfName> BtfData::name(u32 offset) const {
    if (offset >= strings_end_ - strings_) {
        return Errno::kInvalid;
    }
    return BtfName(reinterpret_cast<const char*>(bytes_.data() + strings_ + offset));
}

Result BtfData::locate_one(u32 id, Span<BtfSought> sought) const {
    const Expected<BtfRecord> record = this->record(id);
    if (!record) {
        return record.error();
    }
    BtfName name;
    for (BtfSought& one : sought) {
        if (one.kind != record.value().kind()) {
            continue;
        }
        if (name.empty()) {
            const Expected<BtfName> read = this->name(record.value().type.name);
            if (!read) {
                return read.error();
            }
            name = read.value();
        }
        if (name == one.name) {
            one.id = id;
            ++one.times;
        }
    }
    return {};
}

Result BtfData::locate(Span<BtfSought> sought) const {
    for (u32 id = 1; id <= count_; ++id) {
        const Result looked = locate_one(id, sought);
        if (!looked) {
            return looked;
        }
    }
    return {};
}

}  // namespace ktwin
