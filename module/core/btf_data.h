// SPDX-License-Identifier: GPL-2.0-only
//
// BtfData: bytes that claim to be BTF, made safe to ask for records by their number.
//
// Types refer to each other by number, in any order, and their records have different lengths: who follows a member
// needs to know where record n begins. One pass checks every record and counts them, a second notes where each begins:
// 4 bytes a type, some 600 KB for a kernel, which live as long as this object, that is for the few milliseconds of the
// questions. The other way, to look for all the names in one pass and for what they refer to in the next, needs no
// memory but a pass for each step of the longest path.
//
// Nothing is believed: a record, a tail or a string that does not lie within its section is kInvalid.
#ifndef KTWIN_CORE_BTF_DATA_H
#define KTWIN_CORE_BTF_DATA_H

#include "base/expected.h"
#include "base/memory.h"
#include "base/span.h"
#include "boundary/host_api.h"
#include "core/btf_name.h"
#include "core/btf_types.h"

namespace ktwin {

// A record, and where in the bytes its tail begins.
struct BtfRecord {
    BtfType type;
    u32 tail;

    BtfKind kind() const { return type.kind(); }
    bool is_composite() const { return kind() == BtfKind::kStruct || kind() == BtfKind::kUnion; }
};

// A name that is looked for among the types of one kind; how often it was found, and where last.
struct BtfSought {
    BtfName name;
    BtfKind kind = BtfKind::kVoid;
    u32 id = 0;
    u32 times = 0;
};

class BtfData : Pinned {
  public:
    // The bytes outlive this object and do not change.
    explicit BtfData(Span<const u8> bytes) : bytes_(bytes) {}
    ~BtfData() { kt_host_free(index_); }

    // [sleep] First, once. kInvalid; kNotSupported: of another version or byte order, or a kind that is not known;
    // kNoMemory.
    Result open();

    // kInvalid: there is none of that number. 0 is void.
    Expected<BtfRecord> record(u32 id) const;
    // kInvalid: outside of the strings.
    Expected<BtfName> name(u32 offset) const;
    // The index-th T behind a record whose kind has such a tail, that many of them.
    template <typename T>
    T tail(const BtfRecord& record, u32 index = 0) const {
        T value{};
        if (!read(u64{record.tail} + u64{index} * sizeof(T), value)) {
            __builtin_trap();  // open() has seen that the tail is there
        }
        return value;
    }

    // One pass over all types. kInvalid.
    Result locate(Span<BtfSought> sought) const;

  private:
    template <typename T>
    bool read(u64 offset, T& to) const {
        if (offset + sizeof(T) > bytes_.size()) {
            return false;
        }
        memcpy(&to, bytes_.data() + offset, sizeof(T));
        return true;
    }

    Result open_sections();
    // Checks every record and counts them; notes where each begins if there is an index.
    Result walk();
    Result locate_one(u32 id, Span<BtfSought> sought) const;

    const Span<const u8> bytes_;
    u32 types_ = 0;  // where the sections begin and end, in bytes_
    u32 types_end_ = 0;
    u32 strings_ = 0;
    u32 strings_end_ = 0;
    u32 count_ = 0;
    u32* index_ = nullptr;  // of type n at n - 1
};

}  // namespace ktwin

#endif
