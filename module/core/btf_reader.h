// SPDX-License-Identifier: GPL-2.0-only
//
// BtfReader: the questions about types that ktwin has. Everything it says comes from the bytes; what they leave open
// (a bitfield, a loop, a size that nobody knows, a member outside of its struct) is an error and never a guess.
#ifndef KTWIN_CORE_BTF_READER_H
#define KTWIN_CORE_BTF_READER_H

#include "core/btf_data.h"

namespace ktwin {

enum class BtfShape : u8 {
    kInteger,  // enums too
    kPointer,
    kStruct,  // or union
    kArray,
    kOther
};

struct BtfField {
    u32 offset = 0;  // in bytes, from the start of the struct or section that was asked about
    u32 size = 0;    // in bytes
    BtfShape shape = BtfShape::kOther;
    // The tag of the struct or union that it is, points to, or is an array of; empty: none, or without a tag. Stands
    // in the bytes of the BTF.
    BtfName type;
};

class BtfReader : Pinned {
  public:
    explicit BtfReader(const BtfData& data) : data_(data) {}

    // In bytes; arrays included. kInvalid: it has none (void, a function), or loops.
    Expected<u32> size_of(u32 id) const;
    // path: names with dots between them, without what is anonymous: C's own spelling. kNotFound; kNotSupported: a
    // bitfield; kInvalid.
    Expected<BtfField> member(u32 struct_id, BtfName path) const;
    // kNotFound, kExists: more than one, kInvalid.
    Expected<BtfField> variable(u32 section_id, BtfName name) const;

  private:
    // Typedefs, qualifiers and tags gone. kInvalid: a loop.
    Expected<BtfRecord> resolve(u32 id) const;
    Result describe(u32 id, BtfField& field) const;
    Expected<BtfName> tag_of(u32 id) const;
    Expected<BtfField> look_at(const BtfRecord& section, u32 index, BtfName name) const;

    const BtfData& data_;

    friend class BtfMemberSearch;
};

}  // namespace ktwin

#endif
